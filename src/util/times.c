/* Clocks, calendar arithmetic, and date formats. */
#include "util/times.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "util/fault.h"

#define SECS_PER_DAY 86400
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

/*
 * Calendar arithmetic of its own instead of gmtime(3) and timegm(3): no lock on the time zone, no
 * locale, and the same result everywhere. A year begins in March here, so that the leap day is its
 * last day.
 */
static int64_t days_from_civil(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;

	*ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int)(month < 10 ? month + 3 : month - 9);
	*ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

struct moment {
	int year, month, day, hour, minute, second;
	int offset_secs; /* east of UTC */
};

static int moment_to_secs(const struct moment *m, int64_t *ret_secs)
{
	if (m->month < 1 || m->month > 12 || m->day < 1 ||
	    m->day > days_in_month(m->year, m->month))
		return -EINVAL;
	/* Second 60 is a leap second; it becomes the first second of the next minute. */
	if (m->hour > 23 || m->minute > 59 || m->second > 60)
		return -EINVAL;
	*ret_secs = days_from_civil(m->year, m->month, m->day) * SECS_PER_DAY +
		    (m->hour * 60 + m->minute) * INT64_C(60) + m->second - m->offset_secs;
	return 0;
}

/* Takes min to max digits from *s, no sign, no blanks. */
static int take_digits(const char **s, int min, int max, int *ret_value)
{
	int value = 0, n = 0;

	for (; n < max && **s >= '0' && **s <= '9'; n++, (*s)++)
		value = value * 10 + (**s - '0');
	if (n < min)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

static int take_char(const char **s, char c)
{
	if (**s != c)
		return -EINVAL;
	(*s)++;
	return 0;
}

/* At least min blanks. */
static int take_blanks(const char **s, int min)
{
	int n = 0;

	for (; **s == ' ' || **s == '\t'; n++)
		(*s)++;
	return n < min ? -EINVAL : 0;
}

/* One of n names of three letters; *ret_index counts from 0. */
static int take_name(const char **s, const char names[][4], int n, int *ret_index)
{
	for (int i = 0; i < n; i++) {
		if (strncasecmp(*s, names[i], 3) == 0) {
			*s += 3;
			*ret_index = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* "+0200"; with a colon in it where colon_allowed. */
static int take_offset(const char **s, bool colon_allowed, int *ret_offset_secs)
{
	int sign = **s == '-' ? -1 : 1;
	int hours, minutes;

	if (**s != '+' && **s != '-')
		return -EINVAL;
	(*s)++;
	if (take_digits(s, 2, 2, &hours) < 0)
		return -EINVAL;
	if (colon_allowed && **s == ':')
		(*s)++;
	if (take_digits(s, 2, 2, &minutes) < 0 || hours > 23 || minutes > 59)
		return -EINVAL;
	*ret_offset_secs = sign * (hours * 3600 + minutes * 60);
	return 0;
}

static int take_zone_name(const char **s, int *ret_offset_secs)
{
	static const char *const names[] = { "GMT", "UTC", "UT", "Z" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t len = strlen(names[i]);

		if (strncasecmp(*s, names[i], len) == 0) {
			*s += len;
			*ret_offset_secs = 0;
			return 0;
		}
	}
	return -EINVAL;
}

int time_parse_rfc2822(const char *s, int64_t *ret_secs)
{
	static const char weekdays[7][4] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct moment m = { 0 };
	int weekday;

	take_blanks(&s, 0);
	/* A wrong weekday is no reason to refuse the date. */
	if (*s < '0' || *s > '9') {
		if (take_name(&s, weekdays, 7, &weekday) < 0 || take_char(&s, ',') < 0)
			return -EINVAL;
		take_blanks(&s, 0);
	}
	if (take_digits(&s, 1, 2, &m.day) < 0 || take_blanks(&s, 1) < 0 ||
	    take_name(&s, months, 12, &m.month) < 0 || take_blanks(&s, 1) < 0 ||
	    take_digits(&s, 4, 4, &m.year) < 0 || take_blanks(&s, 1) < 0)
		return -EINVAL;
	m.month++;
	if (take_digits(&s, 2, 2, &m.hour) < 0 || take_char(&s, ':') < 0 ||
	    take_digits(&s, 2, 2, &m.minute) < 0)
		return -EINVAL;
	if (*s == ':') {
		s++;
		if (take_digits(&s, 2, 2, &m.second) < 0)
			return -EINVAL;
	}
	if (take_blanks(&s, 1) < 0)
		return -EINVAL;
	if (take_offset(&s, false, &m.offset_secs) < 0 && take_zone_name(&s, &m.offset_secs) < 0)
		return -EINVAL;
	take_blanks(&s, 0);
	if (*s)
		return -EINVAL;
	return moment_to_secs(&m, ret_secs);
}

int time_parse_iso8601(const char *s, int64_t *ret_secs)
{
	struct moment m = { 0 };
	int ignored;

	if (take_digits(&s, 4, 4, &m.year) < 0 || take_char(&s, '-') < 0 ||
	    take_digits(&s, 2, 2, &m.month) < 0 || take_char(&s, '-') < 0 ||
	    take_digits(&s, 2, 2, &m.day) < 0)
		return -EINVAL;
	if (!*s)
		return moment_to_secs(&m, ret_secs);

	if (*s != 'T' && *s != 't')
		return -EINVAL;
	s++;
	if (take_digits(&s, 2, 2, &m.hour) < 0 || take_char(&s, ':') < 0 ||
	    take_digits(&s, 2, 2, &m.minute) < 0 || take_char(&s, ':') < 0 ||
	    take_digits(&s, 2, 2, &m.second) < 0)
		return -EINVAL;
	if (*s == '.' || *s == ',') {
		s++;
		if (take_digits(&s, 1, 9, &ignored) < 0)
			return -EINVAL;
	}
	/* A time without a zone is ambiguous, and refused. */
	if (*s == 'Z' || *s == 'z')
		s++;
	else if (take_offset(&s, true, &m.offset_secs) < 0)
		return -EINVAL;
	if (*s)
		return -EINVAL;
	return moment_to_secs(&m, ret_secs);
}

static void split(int64_t secs, struct moment *ret_moment)
{
	struct moment *m = ret_moment;
	int64_t days, rest;

	if (secs < SECS_MIN)
		secs = SECS_MIN;
	if (secs > SECS_MAX)
		secs = SECS_MAX;
	days = secs / SECS_PER_DAY;
	rest = secs % SECS_PER_DAY;
	if (rest < 0) {
		rest += SECS_PER_DAY;
		days--;
	}
	civil_from_days(days, &m->year, &m->month, &m->day);
	m->hour = (int)(rest / 3600);
	m->minute = (int)(rest / 60 % 60);
	m->second = (int)(rest % 60);
	m->offset_secs = 0;
}

static char *put_digits(char *out, int value, int width)
{
	for (int i = width - 1; i >= 0; i--, value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + width;
}

/* A separator of '\0' is left out. */
static void format(int64_t secs, char date_separator, char time_separator,
		   char ret_text[TIME_ISO8601_SIZE])
{
	const char separators[] = { date_separator, date_separator, 'T',
				    time_separator, time_separator, 'Z' };
	struct moment m;
	char *out = ret_text;

	split(secs, &m);
	const int values[] = { m.year, m.month, m.day, m.hour, m.minute, m.second };

	for (size_t i = 0; i < sizeof separators; i++) {
		out = put_digits(out, values[i], i == 0 ? 4 : 2);
		if (separators[i])
			*out++ = separators[i];
	}
	*out = '\0';
}

void time_format_iso8601(int64_t secs, char ret_text[TIME_ISO8601_SIZE])
{
	format(secs, '-', ':', ret_text);
}

void time_format_name(int64_t secs, char ret_text[TIME_ISO8601_SIZE])
{
	format(secs, '-', '-', ret_text);
}

void time_format_table(int64_t secs, char ret_text[TIME_ISO8601_SIZE])
{
	char *end;

	format(secs, '-', ':', ret_text);
	*strchr(ret_text, 'T') = ' ';
	end = strchr(ret_text, 'Z');
	*end = '\0';
}

void time_format_basic(int64_t secs, char ret_text[TIME_ISO8601_SIZE])
{
	format(secs, '\0', '\0', ret_text);
}

void time_civil(int64_t secs, int *ret_year, int *ret_month, int *ret_day)
{
	struct moment m;

	split(secs, &m);
	*ret_year = m.year;
	*ret_month = m.month;
	*ret_day = m.day;
}
