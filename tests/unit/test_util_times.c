/* util/times: the date formats on the wires. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/times.h"

struct good {
	const char *text;
	int64_t secs;
};

static void test_util_times__rfc2822_is_understood(void **state)
{
	static const struct good cases[] = {
		{ "Sun, 01 Mar 2026 10:15:00 +0000", 1772360100 },
		{ "Sun, 01 Mar 2026 10:15:00 +0200", 1772352900 },
		{ "Sun, 01 Mar 2026 10:15:00 -0730", 1772387100 },
		{ "Sun, 1 Mar 2026 10:15:00 GMT", 1772360100 },
		{ "1 Mar 2026 10:15:00 UT", 1772360100 },
		{ "01 mar 2026 10:15 +0000", 1772360100 },
		{ "  Sun,01  Mar 2026 10:15:00  +0000 ", 1772360100 },
		{ "Thu, 01 Jan 1970 00:00:00 +0000", 0 },
		{ "Wed, 31 Dec 1969 23:59:59 +0000", -1 },
		{ "Thu, 29 Feb 2024 23:59:59 +0000", 1709251199 },
		{ "Sat, 31 Dec 2016 23:59:60 +0000", 1483228800 }, /* a leap second */
		{ "Tue, 29 Feb 2000 00:00:00 +0000", 951782400 },
		{ "Mon, 19 Jan 2038 03:14:08 +0000", 2147483648 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t secs = 7;

		if (time_parse_rfc2822(cases[i].text, &secs) != 0 || secs != cases[i].secs)
			fail_msg("%s: %lld", cases[i].text, (long long)secs);
	}
}

static void test_util_times__rfc2822_refuses_what_is_no_date(void **state)
{
	static const char *const cases[] = {
		"",
		" ",
		"Sun",
		"Sun,",
		"2026-03-01T10:15:00Z",
		"Sun, 01 Mar 2026",
		"Sun, 01 Mar 2026 10:15:00",
		"Sun, 01 Mar 2026 10:15:00 ",
		"Sun, 01 Mar 2026 10:15:00+0000",
		"Sun, 01 Mar 2026 10:15:00 +00:00",
		"Sun, 01 Mar 2026 10:15:00 +000",
		"Sun, 01 Mar 2026 10:15:00 +2400",
		"Sun, 01 Mar 2026 10:15:00 +0060",
		"Sun, 01 Mar 2026 10:15:00 +0000 x",
		"Sun, 01 Mar 2026 10:15:00 EST",
		"Sun, 29 Feb 2025 10:15:00 +0000",
		"Thu, 29 Feb 1900 10:15:00 +0000",
		"Sun, 31 Apr 2026 10:15:00 +0000",
		"Sun, 00 Mar 2026 10:15:00 +0000",
		"Sun, 32 Mar 2026 10:15:00 +0000",
		"Sun, 01 Mrz 2026 10:15:00 +0000",
		"Sun, 01 Mar 26 10:15:00 +0000",
		"Sun, 01 Mar 2026 24:00:00 +0000",
		"Sun, 01 Mar 2026 10:60:00 +0000",
		"Sun, 01 Mar 2026 10:15:61 +0000",
		"Sun, -1 Mar 2026 10:15:00 +0000",
		"Son, 01 Mar 2026 10:15:00 +0000",
		"Sun 01 Mar 2026 10:15:00 +0000",
		"Sun, 001 Mar 2026 10:15:00 +0000",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t secs = 7;

		if (time_parse_rfc2822(cases[i], &secs) != -EINVAL || secs != 7)
			fail_msg("%s: %lld", cases[i], (long long)secs);
	}
}

static void test_util_times__iso8601_is_understood(void **state)
{
	static const struct good cases[] = {
		{ "2026-03-01", 1772323200 },
		{ "2026-03-01T10:15:00Z", 1772360100 },
		{ "2026-03-01T10:15:00.123Z", 1772360100 },
		{ "2026-03-01T10:15:00.999999999Z", 1772360100 },
		{ "2026-03-01t10:15:00z", 1772360100 },
		{ "2026-03-01T10:15:00+02:00", 1772352900 },
		{ "2026-03-01T10:15:00.5-0730", 1772387100 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "0000-01-01T00:00:00Z", INT64_C(-62167219200) },
		{ "9999-12-31T23:59:59Z", INT64_C(253402300799) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t secs = 7;

		if (time_parse_iso8601(cases[i].text, &secs) != 0 || secs != cases[i].secs)
			fail_msg("%s: %lld", cases[i].text, (long long)secs);
	}
}

static void test_util_times__iso8601_refuses_what_is_no_date(void **state)
{
	static const char *const cases[] = {
		"",
		"2026",
		"2026-03",
		"2026-3-1",
		"2026-03-01T",
		"2026-03-01 10:15:00Z",
		"2026-03-01T10:15Z",
		"2026-03-01T10:15:00",
		"2026-03-01T10:15:00.Z",
		"2026-03-01T10:15:00Zx",
		"2026-03-01x",
		"2026-02-29",
		"2026-13-01",
		"2026-00-01",
		"2026-03-01T24:00:00Z",
		"2026-03-01T10:15:00+2:00",
		"2026-03-01T10:15:00+02:",
		"+026-03-01",
		" 2026-03-01",
		"20260301T101500Z",
		"Sun, 01 Mar 2026 10:15:00 +0000",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t secs = 7;

		if (time_parse_iso8601(cases[i], &secs) != -EINVAL || secs != 7)
			fail_msg("%s: %lld", cases[i], (long long)secs);
	}
}

static void test_util_times__formats_are_those_of_the_wires(void **state)
{
	char text[TIME_ISO8601_SIZE];
	int year, month, day;

	time_format_iso8601(1772360100, text);
	assert_string_equal(text, "2026-03-01T10:15:00Z");
	time_format_name(1772360100, text);
	assert_string_equal(text, "2026-03-01T10-15-00Z");
	time_format_basic(1772360100, text);
	assert_string_equal(text, "20260301T101500Z");
	time_format_iso8601(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59Z");
	time_civil(1772360100, &year, &month, &day);
	assert_int_equal(year, 2026);
	assert_int_equal(month, 3);
	assert_int_equal(day, 1);
}

static void test_util_times__absurd_seconds_stay_within_four_digits(void **state)
{
	char text[TIME_ISO8601_SIZE];

	time_format_iso8601(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	time_format_iso8601(INT64_MIN, text);
	assert_string_equal(text, "0000-01-01T00:00:00Z");
}

static void test_util_times__agrees_with_the_c_library_over_three_centuries(void **state)
{
	/* A step that is no multiple of a day meets every time of day, too. */
	for (int64_t secs = -4000000000; secs < 6000000000; secs += 86400 * 3 + 12347) {
		char ours[TIME_ISO8601_SIZE], theirs[64];
		time_t t = (time_t)secs;
		int64_t back;
		struct tm tm;

		time_format_iso8601(secs, ours);
		gmtime_r(&t, &tm);
		strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_string_equal(ours, theirs);
		assert_int_equal(time_parse_iso8601(ours, &back), 0);
		assert_true(back == secs);
	}
}

static void test_util_times__clocks_agree_and_do_not_go_back(void **state)
{
	int64_t before = time_mono_msecs();
	int64_t secs = time_now_secs(), msecs = time_now_msecs(), nsecs = time_now_nsecs();

	assert_true(msecs / 1000 - secs <= 2 && msecs / 1000 >= secs);
	assert_true(nsecs / 1000000 - msecs <= 2000 && nsecs / 1000000 >= msecs);
	assert_true(secs > 1700000000);
	assert_true(time_mono_msecs() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_times__rfc2822_is_understood),
		cmocka_unit_test(test_util_times__rfc2822_refuses_what_is_no_date),
		cmocka_unit_test(test_util_times__iso8601_is_understood),
		cmocka_unit_test(test_util_times__iso8601_refuses_what_is_no_date),
		cmocka_unit_test(test_util_times__formats_are_those_of_the_wires),
		cmocka_unit_test(test_util_times__absurd_seconds_stay_within_four_digits),
		cmocka_unit_test(test_util_times__agrees_with_the_c_library_over_three_centuries),
		cmocka_unit_test(test_util_times__clocks_agree_and_do_not_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
