/* Which windows are listed: nothing may fall between two of them, whatever the clock and the data
 * look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sync/sync-private.h"

#define NOW INT64_C(1772352900) /* 2026-03-01T08:15:00Z */
#define HOUR 3600
#define DAY 86400

static void test_sync__a_poll_begins_an_hour_before_the_last_one_ended(void **state)
{
	assert_int_equal(sync_plan_since(NOW, 0), NOW - HOUR);
	assert_int_equal(sync_plan_since(NOW, NOW + 50), NOW - HOUR);
	assert_int_equal(sync_plan_since(0, NOW), 0);
	assert_int_equal(sync_plan_since(-5, 0), 0);
	assert_int_equal(sync_plan_since(100, 0), 0);
}

static void test_sync__a_poll_goes_back_to_the_oldest_unfinished_but_two_days_at_most(void **state)
{
	assert_int_equal(sync_plan_since(NOW, NOW - 5 * HOUR), NOW - 6 * HOUR);
	assert_int_equal(sync_plan_since(NOW, NOW - 2 * DAY), NOW - 2 * DAY - HOUR);
	assert_int_equal(sync_plan_since(NOW, NOW - 400 * DAY), NOW - 2 * DAY - HOUR);
}

static void test_sync__a_full_one_is_due_daily_and_when_the_clock_went_back(void **state)
{
	struct catalog_sync_state s = { .last_poll_secs = NOW,
					.last_sweep_secs = NOW,
					.listed_until_secs = NOW };

	assert_false(sync_plan_full_is_due(&s, NOW + 1));
	assert_false(sync_plan_full_is_due(&s, NOW + DAY - 1));
	assert_true(sync_plan_full_is_due(&s, NOW + DAY));
	assert_false(sync_plan_full_is_due(&s, NOW - 60));
	assert_true(sync_plan_full_is_due(&s, NOW - 2 * HOUR));
	s.last_sweep_secs = 0;
	assert_true(sync_plan_full_is_due(&s, NOW));
	s.last_sweep_secs = NOW;
	s.listed_until_secs = 0;
	assert_true(sync_plan_full_is_due(&s, NOW));
}

/* Every second of the window is in one of the parts, and every cut is a midnight with an hour of
 * overlap. */
static void assert_covers(const struct twilio_window *whole, const struct twilio_window *parts,
			  size_t count)
{
	assert_in_range(count, 2, SYNC_MAX_PARTS);
	assert_int_equal(parts[0].since_secs, whole->since_secs);
	assert_int_equal(parts[count - 1].until_secs, whole->until_secs);
	for (size_t i = 1; i < count; i++) {
		assert_int_equal(parts[i].since_secs % DAY, 0);
		assert_true(parts[i].since_secs > parts[i - 1].since_secs);
		assert_int_equal(parts[i - 1].until_secs, parts[i].since_secs + HOUR);
	}
}

static void test_sync__everything_is_split_into_months_and_what_is_older(void **state)
{
	const struct twilio_window all = { 0, 0 };
	struct twilio_window parts[SYNC_MAX_PARTS];
	size_t count = sync_plan_split(&all, 2, NOW, parts);

	assert_int_equal(count, 25);
	assert_covers(&all, parts, count);
	assert_in_range(parts[24].since_secs, NOW - 31 * DAY, NOW - 30 * DAY);
	assert_in_range(parts[1].since_secs, NOW - 721 * DAY, NOW - 720 * DAY);
}

static void test_sync__windows_of_every_kind_are_covered_by_their_parts(void **state)
{
	static const struct twilio_window windows[] = {
		{ 0, NOW },
		{ 0, 1 + 1199145600 + 3 * DAY },
		{ NOW - 30 * DAY, 0 },
		{ NOW - 30 * DAY, NOW },
		{ NOW - 2 * DAY, 0 },
		{ NOW - 3 * DAY - 7, NOW - 5 },
		{ NOW - 100 * DAY, NOW - 90 * DAY + HOUR },
	};
	struct twilio_window parts[SYNC_MAX_PARTS];

	for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
		for (size_t n = 2; n < 40; n++) {
			size_t count = sync_plan_split(&windows[i], n, NOW, parts);

			assert_covers(&windows[i], parts, count);
			assert_in_range(count, 2, n);
		}
	}
}

static void test_sync__a_window_of_a_day_is_not_split(void **state)
{
	static const struct twilio_window windows[] = {
		{ NOW - DAY, 0 }, { NOW - DAY, NOW }, { NOW, NOW + DAY },
		{ NOW + DAY, 0 }, { NOW, NOW },       { NOW - 30 * DAY, NOW - 28 * DAY - HOUR },
		{ 0, 5 },
	};
	struct twilio_window parts[SYNC_MAX_PARTS];

	for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
		assert_int_equal(sync_plan_split(&windows[i], 4, NOW, parts), 0);
	assert_int_equal(
		sync_plan_split(&(struct twilio_window){ NOW - 30 * DAY, 0 }, 1, NOW, parts), 0);
}

/* Splitting again and again ends, with windows of days, and still nothing between them. */
static void test_sync__splitting_ends(void **state)
{
	struct twilio_window queue[4000] = { { 0, 0 } };
	size_t head = 0, tail = 1, whole = 0;

	while (head < tail) {
		struct twilio_window parts[SYNC_MAX_PARTS];
		size_t count = sync_plan_split(&queue[head], 4, NOW, parts);

		if (!count)
			whole++;
		for (size_t i = 0; i < count; i++) {
			assert_true(tail < 4000);
			/* the years before are not cut into days here */
			if (parts[i].since_secs)
				queue[tail++] = parts[i];
		}
		head++;
	}
	assert_in_range(whole, 300, 1500);
}

static void test_sync__a_set_of_sids_knows_its_members(void **state)
{
	struct sync_sids sids = { 0 };
	struct sid sid = { { 0 } };

	sync_sids_sort(&sids);
	assert_false(sync_sids_has(&sids, &sid));
	for (unsigned i = 0; i < 3000; i++) {
		sid.bytes[0] = (uint8_t)(i * 7);
		sid.bytes[3] = (uint8_t)(i >> 8);
		sid.bytes[4] = (uint8_t)i;
		assert_int_equal(sync_sids_add(&sids, &sid), 0);
	}
	sync_sids_sort(&sids);
	for (unsigned i = 0; i < 4000; i++) {
		sid.bytes[0] = (uint8_t)(i * 7);
		sid.bytes[3] = (uint8_t)(i >> 8);
		sid.bytes[4] = (uint8_t)i;
		assert_int_equal(sync_sids_has(&sids, &sid), i < 3000);
	}
	/* One that only begins like a member is none. */
	sid = sids.values[0];
	sid.bytes[15] ^= 1;
	assert_false(sync_sids_has(&sids, &sid));
	sync_sids_release(&sids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sync__a_poll_begins_an_hour_before_the_last_one_ended),
		cmocka_unit_test(
			test_sync__a_poll_goes_back_to_the_oldest_unfinished_but_two_days_at_most),
		cmocka_unit_test(test_sync__a_full_one_is_due_daily_and_when_the_clock_went_back),
		cmocka_unit_test(test_sync__everything_is_split_into_months_and_what_is_older),
		cmocka_unit_test(test_sync__windows_of_every_kind_are_covered_by_their_parts),
		cmocka_unit_test(test_sync__a_window_of_a_day_is_not_split),
		cmocka_unit_test(test_sync__splitting_ends),
		cmocka_unit_test(test_sync__a_set_of_sids_knows_its_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
