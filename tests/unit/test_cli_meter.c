/* cli: from counters to the line that says how far a migration is; amounts as people read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/amounts.h"
#include "cli/meter.h"

#define MB ((int64_t)1000000)

static struct catalog_counts counts(int64_t queued, int64_t running, int64_t done, int64_t failed)
{
	return (struct catalog_counts){ .queued = queued,
					.running = running,
					.done = done,
					.failed = failed,
					.todo_bytes = (queued + running) * MB,
					.done_bytes = done * MB };
}

static void update(struct meter *meter, struct catalog_counts now, int64_t moved, int64_t msecs)
{
	meter_update(meter, &now, moved, msecs);
}

static void begin(struct meter *meter, struct catalog_counts now, int64_t msecs)
{
	meter_begin(meter, &now, msecs);
}

static void test_cli_meter__counts_from_the_first_look_on(void **state)
{
	struct meter_reading r;
	struct meter meter;

	begin(&meter, counts(100, 0, 40, 2), 5000);
	meter_read(&meter, &r);
	assert_int_equal(r.done, 0);
	assert_int_equal(r.total, 100);
	assert_int_equal(r.percent, 0);
	assert_int_equal(r.secs_left, -1);
	update(&meter, counts(47, 2, 90, 3), MB / 2, 15000);
	meter_read(&meter, &r);
	assert_int_equal(r.done, 50);
	assert_int_equal(r.failed, 1);
	assert_int_equal(r.total, 100);
	assert_int_equal(r.done_bytes, 50 * MB + MB / 2);
	assert_int_equal(r.total_bytes, 99 * MB);
	assert_int_equal(r.percent, 51);
	assert_int_equal(r.secs, 10);
	assert_int_equal(r.bytes_per_sec, (50 * MB + MB / 2) / 10);
	assert_int_equal(r.secs_left, (48 * MB + MB / 2) / r.bytes_per_sec);
}

static void test_cli_meter__the_rate_is_that_of_the_last_seconds(void **state)
{
	struct meter_reading r;
	struct meter meter;

	begin(&meter, counts(1000, 0, 0, 0), 0);
	for (int64_t i = 1; i <= 60; i++) /* 10 a second */
		update(&meter, counts(1000 - 10 * i, 0, 10 * i, 0), 0, i * 1000);
	for (int64_t i = 1; i <= 20; i++) /* then one */
		update(&meter, counts(400 - i, 0, 600 + i, 0), 0, 60000 + i * 1000);
	meter_read(&meter, &r);
	assert_int_equal(r.bytes_per_sec, MB);
	assert_int_equal(r.secs_left, 380);
	for (int64_t i = 1; i <= 20; i++) /* then none: what is left cannot be said */
		update(&meter, counts(380, 0, 620, 0), 0, 80000 + i * 1000);
	meter_read(&meter, &r);
	assert_int_equal(r.bytes_per_sec, 0);
	assert_int_equal(r.secs_left, -1);
}

static void test_cli_meter__100_percent_is_for_the_end(void **state)
{
	struct meter_reading r;
	struct meter meter;

	begin(&meter, counts(2, 0, 0, 0), 0);
	update(&meter, counts(0, 1, 1, 0), 5 * MB, 2000); /* larger than its duration said */
	meter_read(&meter, &r);
	assert_int_equal(r.percent, 99);
	update(&meter, counts(0, 0, 1, 1), 0, 3000);
	meter_read(&meter, &r);
	assert_int_equal(r.percent, 100);
	assert_int_equal(r.secs_left, 0);
	assert_int_equal(r.failed, 1);
}

static void test_cli_meter__what_joins_in_or_is_removed_is_no_trouble(void **state)
{
	struct meter_reading r;
	struct meter meter;

	begin(&meter, counts(10, 0, 5, 3), 0);
	update(&meter, counts(20, 0, 5, 0), 0, 1000);
	meter_read(&meter, &r);
	assert_int_equal(r.total, 20);
	update(&meter, counts(0, 0, 2, 0), 0, 2000); /* some that were done were removed */
	meter_read(&meter, &r);
	assert_int_equal(r.done, 0);
	assert_int_equal(r.done_bytes, 0);
	assert_int_equal(r.bytes_per_sec, 0);
	assert_int_equal(r.percent, 100);
}

static void test_cli_meter__the_bar_fits(void **state)
{
	struct meter meter;

	begin(&meter, counts(1220, 0, 0, 0), 0);
	update(&meter, counts(602, 16, 600, 2), 10 * MB, 10000);
	for (size_t columns = 1; columns < 200; columns++) {
		cleanup_buf struct buf out = BUF_INIT;

		meter_bar(&meter, columns, &out);
		assert_true(out.len <= columns);
		if (columns == 79)
			assert_string_equal(buf_str(&out),
					    " 50%  600 of 1,220  610.0 MB of 1.2 GB  61.0 MB/s"
					    "  0:09 left  2 failed");
		if (columns == 99)
			assert_string_equal(
				buf_str(&out),
				"[############-------------]  50%  600 of 1,220  610.0 MB of 1.2 GB"
				"  61.0 MB/s  0:09 left  2 failed");
	}
}

static void test_cli_meter__a_line_now_and_then(void **state)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct meter meter;
	int lines = 0;

	begin(&meter, counts(4, 0, 0, 0), 0);
	for (int64_t msecs = 0; msecs < 600000; msecs += 250) {
		update(&meter, counts(4, 0, 0, 0), 0, msecs);
		lines += meter_line_is_due(&meter);
	}
	assert_int_equal(lines, 6 + 8); /* 10 s … 60 s, then each minute */
	meter_line(&meter, &out);
	assert_string_equal(buf_str(&out), "0%: 0 of 4, 0 B of 4.0 MB, 0 B/s");
}

static void test_cli_amounts__are_what_people_read(void **state)
{
	char text[AMOUNT_SIZE];

	assert_string_equal(amount_bytes(0, text), "0 B");
	assert_string_equal(amount_bytes(999, text), "999 B");
	assert_string_equal(amount_bytes(1000, text), "1.0 kB");
	assert_string_equal(amount_bytes(999949, text), "999.9 kB");
	assert_string_equal(amount_bytes(999950, text), "1.0 MB");
	assert_string_equal(amount_bytes(INT64_MAX, text), "9223.4 PB");
	assert_string_equal(amount_count(0, text), "0");
	assert_string_equal(amount_count(999, text), "999");
	assert_string_equal(amount_count(1000, text), "1,000");
	assert_string_equal(amount_count(1234567, text), "1,234,567");
	assert_string_equal(amount_secs(0, text), "0:00");
	assert_string_equal(amount_secs(725, text), "12:05");
	assert_string_equal(amount_secs(11050, text), "3:04:10");
	assert_string_equal(amount_secs(183600, text), "2 d 3 h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cli_meter__counts_from_the_first_look_on),
		cmocka_unit_test(test_cli_meter__the_rate_is_that_of_the_last_seconds),
		cmocka_unit_test(test_cli_meter__100_percent_is_for_the_end),
		cmocka_unit_test(test_cli_meter__what_joins_in_or_is_removed_is_no_trouble),
		cmocka_unit_test(test_cli_meter__the_bar_fits),
		cmocka_unit_test(test_cli_meter__a_line_now_and_then),
		cmocka_unit_test(test_cli_amounts__are_what_people_read),
	};

	return cmocka_run_group_tests_name("cli_meter", tests, NULL, NULL);
}
