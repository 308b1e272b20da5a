/* Clocks, and the date formats of the wires. */
#include "util/times.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/fault.h"

/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: the range of four-digit years. */
#define SECS_MIN INT64_C(-62167219200)
#define SECS_MAX INT64_C(253402300799)

static int64_t clock_nsecs(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t time_now_secs(void)
{
	return time_now_nsecs() / 1000000000;
}

int64_t time_now_msecs(void)
{
	return time_now_nsecs() / 1000000;
}

int64_t time_now_nsecs(void)
{
	return clock_nsecs(CLOCK_REALTIME) + fault_clock_nsecs();
}

int64_t time_mono_msecs(void)
{
	return clock_nsecs(CLOCK_MONOTONIC) / 1000000;
}

struct timespec time_to_timespec(int64_t msecs)
{
	return (struct timespec){ .tv_sec = msecs / 1000, .tv_nsec = msecs % 1000 * 1000000 };
}

/* ---- parsing ---- */

enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, PARTS };

/* Reads text of a form: '0' stands for a digit, any other character for itself and for the end of
 * a number. */
static bool take_form(const char **s, const char *form, int *ret_numbers)
{
	const char *at = *s;

	*ret_numbers = 0;
	for (; *form; form++, at++) {
		if (*form == '0' && *at >= '0' && *at <= '9')
			*ret_numbers = *ret_numbers * 10 + (*at - '0');
		else if (*form != '0' && *at == *form)
			*++ret_numbers = 0;
		else
			return false;
	}
	*s = at;
	return true;
}

/* The number of blanks. */
static size_t take_blanks(const char **s)
{
	size_t n = strspn(*s, " \t");

	*s += n;
	return n;
}

/* Counts from 1; 0: none of these names, of three letters each. */
static int find_name(const char *s, const char *names)
{
	for (const char *name = names; *name; name += 3)
		if (strncasecmp(s, name, 3) == 0)
			return (int)(name - names) / 3 + 1;
	return 0;
}

/* "+0200"; "+02:00" where colon_allowed. */
static bool take_offset(const char **s, bool colon_allowed, int *ret_offset_secs)
{
	int sign = **s == '-' ? -1 : 1, numbers[2];

	if (**s != '+' && **s != '-')
		return false;
	(*s)++;
	if (take_form(s, "0000", numbers)) {
		numbers[1] = numbers[0] % 100;
		numbers[0] /= 100;
	} else if (!colon_allowed || !take_form(s, "00:00", numbers)) {
		return false;
	}
	*ret_offset_secs = sign * (numbers[0] * 3600 + numbers[1] * 60);
	return numbers[0] <= 23 && numbers[1] <= 59;
}

static bool take_zone_name(const char **s)
{
	static const char *const names[] = { "GMT", "UTC", "UT", "Z" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t len = strlen(names[i]);

		if (strncasecmp(*s, names[i], len) == 0) {
			*s += len;
			return true;
		}
	}
	return false;
}

static int to_secs(const int parts[PARTS], int offset_secs, int64_t *ret_secs)
{
	struct tm date = { .tm_year = parts[YEAR] - 1900,
			   .tm_mon = parts[MONTH] - 1,
			   .tm_mday = parts[DAY] };
	int secs_of_day = parts[HOUR] * 3600 + parts[MINUTE] * 60 + parts[SECOND];
	time_t midnight = timegm(&date);

	/* timegm makes 1 May of 31 April. */
	if (date.tm_mon != parts[MONTH] - 1 || date.tm_mday != parts[DAY])
		return -EINVAL;
	/* Second 60 is a leap second; it becomes the first second of the next minute. */
	if (parts[HOUR] > 23 || parts[MINUTE] > 59 || parts[SECOND] > 60)
		return -EINVAL;
	*ret_secs = midnight + secs_of_day - offset_secs;
	return 0;
}

int time_parse_rfc2822(const char *s, int64_t *ret_secs)
{
	int parts[PARTS] = { 0 }, offset_secs = 0;

	take_blanks(&s);
	/* A wrong weekday is no reason to refuse the date. */
	if (find_name(s, "MonTueWedThuFriSatSun") && s[3] == ',') {
		s += strlen("Mon,");
		take_blanks(&s);
	}
	if ((!take_form(&s, "00", &parts[DAY]) && !take_form(&s, "0", &parts[DAY])) ||
	    !take_blanks(&s))
		return -EINVAL;
	parts[MONTH] = find_name(s, "JanFebMarAprMayJunJulAugSepOctNovDec");
	if (!parts[MONTH])
		return -EINVAL;
	s += strlen("Jan");
	if (!take_blanks(&s) || !take_form(&s, "0000", &parts[YEAR]) || !take_blanks(&s))
		return -EINVAL;
	if (!take_form(&s, "00:00:00", &parts[HOUR]) && !take_form(&s, "00:00", &parts[HOUR]))
		return -EINVAL;
	if (!take_blanks(&s) || (!take_offset(&s, false, &offset_secs) && !take_zone_name(&s)))
		return -EINVAL;
	take_blanks(&s);
	return *s ? -EINVAL : to_secs(parts, offset_secs, ret_secs);
}

int time_parse_iso8601(const char *s, int64_t *ret_secs)
{
	int parts[PARTS] = { 0 }, offset_secs = 0;

	if (!take_form(&s, "0000-00-00", &parts[YEAR]))
		return -EINVAL;
	if (!*s)
		return to_secs(parts, 0, ret_secs);
	if (*s != 'T' && *s != 't')
		return -EINVAL;
	s++;
	if (!take_form(&s, "00:00:00", &parts[HOUR]))
		return -EINVAL;
	if (*s == '.' || *s == ',') {
		size_t digits = strspn(++s, "0123456789");

		if (digits < 1 || digits > 9)
			return -EINVAL;
		s += digits;
	}
	/* A time without a zone is ambiguous, and refused. */
	if (*s == 'Z' || *s == 'z')
		s++;
	else if (!take_offset(&s, true, &offset_secs))
		return -EINVAL;
	return *s ? -EINVAL : to_secs(parts, offset_secs, ret_secs);
}

/* ---- writing ---- */

static struct tm split(int64_t secs)
{
	const time_t limited = secs < SECS_MIN ? SECS_MIN : secs > SECS_MAX ? SECS_MAX : secs;
	struct tm tm;

	gmtime_r(&limited, &tm);
	return tm;
}

/* Writes the digits of date and time in the place of the zeros of the form. */
static void format(int64_t secs, const char *form, char ret_text[TIME_ISO8601_SIZE])
{
	const struct tm tm = split(secs);
	int date = (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
	int of_day = tm.tm_hour * 10000 + tm.tm_min * 100 + tm.tm_sec;
	int64_t digits = date * INT64_C(1000000) + of_day;
	size_t at = strlen(form);

	ret_text[at] = '\0';
	while (at--) {
		ret_text[at] = form[at];
		if (form[at] == '0') {
			ret_text[at] = (char)('0' + digits % 10);
			digits /= 10;
		}
	}
}

void time_format_iso8601(int64_t secs, char ret_text[TIME_ISO8601_SIZE])
{
	format(secs, "0000-00-00T00:00:00Z", ret_text);
}

void time_format_name(int64_t secs, char ret_text[TIME_ISO8601_SIZE])
{
	format(secs, "0000-00-00T00-00-00Z", ret_text);
}

void time_format_table(int64_t secs, char ret_text[TIME_ISO8601_SIZE])
{
	format(secs, "0000-00-00 00:00:00", ret_text);
}

void time_format_basic(int64_t secs, char ret_text[TIME_ISO8601_SIZE])
{
	format(secs, "00000000T000000Z", ret_text);
}

void time_civil(int64_t secs, int *ret_year, int *ret_month, int *ret_day)
{
	const struct tm tm = split(secs);

	*ret_year = tm.tm_year + 1900;
	*ret_month = tm.tm_mon + 1;
	*ret_day = tm.tm_mday;
}
