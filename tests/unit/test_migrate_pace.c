/* migrate: how many transfers a side is given, against a side that is simulated: time is a number here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "jobs/rate.h"
#include "migrate/pace.h"

#define MOST 256
#define BYTES 1000000

/* A side that serves `knee` transfers at full speed, each in base_msecs; more of them share that. */
struct side {
	struct pace pace;
	unsigned knee, refuse_above; /* 0: refuses nobody */
	double base_msecs, noise;
	int64_t retry_after_msecs;
	int64_t now;
	struct {
		bool runs;
		int64_t began;
		double done, size;
	} slots[MOST];
	unsigned running, ended, refused, most_seen;
	uint32_t random;
};

static void side_init(struct side *side, unsigned knee, unsigned most)
{
	memset(side, 0, sizeof *side);
	side->knee = knee;
	side->base_msecs = 400;
	side->noise = 0.5;
	side->retry_after_msecs = -1;
	side->now = 1000000;
	side->random = 12345;
	pace_init(&side->pace, most, side->now);
}

/* -1 … 1 */
static double noise(struct side *side)
{
	side->random = side->random * 1664525 + 1013904223;
	return (side->random >> 8) / (double)(1 << 23) - 1;
}

static void begin(struct side *side)
{
	unsigned i = 0;

	while (side->slots[i].runs)
		i++;
	if (side->refuse_above && side->running >= side->refuse_above) {
		side->refused++;
		pace_busy(&side->pace, side->now, side->retry_after_msecs, side->now);
		return;
	}
	side->slots[i].runs = true;
	side->slots[i].began = side->now;
	side->slots[i].done = 0;
	side->slots[i].size = 1 + side->noise * noise(side);
	side->running++;
}

static void run_msec(struct side *side)
{
	double speed = side->running > side->knee ? (double)side->knee / side->running : 1;

	side->now++;
	for (unsigned i = 0; i < MOST; i++) {
		if (!side->slots[i].runs)
			continue;
		side->slots[i].done += speed / side->base_msecs;
		if (side->slots[i].done < side->slots[i].size)
			continue;
		side->slots[i].runs = false;
		side->running--;
		side->ended++;
		pace_moved(&side->pace, (uint64_t)(BYTES * side->slots[i].size));
		pace_ended(&side->pace, side->now);
	}
	while (side->running < pace_limit(&side->pace, side->now))
		begin(side);
	pace_wanted(&side->pace);
	if (side->running > side->most_seen)
		side->most_seen = side->running;
}

static unsigned run(struct side *side, int64_t msecs)
{
	unsigned before = side->ended;

	while (msecs--)
		run_msec(side);
	return side->ended - before;
}

/* ---- finding ---- */

static void check_knee(unsigned knee)
{
	struct side side;
	unsigned ended, ideal = knee * 60000 / 400;
	double sum = 0;

	side_init(&side, knee, MOST);
	run(&side, 30000);
	ended = run(&side, 60000);
	if (ended < ideal * 96 / 100)
		fail_msg("knee %u: %u of %u transfers", knee, ended, ideal);
	for (int i = 0; i < 60; i++) {
		run(&side, 1000);
		sum += side.pace.limit;
	}
	/* Not many more than are of use either, above what is harmless: a slow side is learned of slowly. */
	if (sum / 60 < knee * 0.85 || (sum / 60 > 24 && sum / 60 > knee * 1.3 + 3))
		fail_msg("knee %u: %.1f at a time on average", knee, sum / 60);
}

static void test_migrate_pace__finds_the_knee(void **state)
{
	check_knee(3);
	check_knee(6);
	check_knee(20);
	check_knee(48);
	check_knee(150);
}

static void test_migrate_pace__doubles_while_that_brings_more(void **state)
{
	struct side side;

	side_init(&side, 200, 64);
	run(&side, 5000);
	assert_int_equal(side.most_seen, 64);
	run(&side, 60000);
	/* Never above the most; a probe may be below. */
	assert_in_range(side.pace.limit, 48, 64);
	assert_int_equal(side.most_seen, 64);
}

static void test_migrate_pace__follows_a_side_that_changes(void **state)
{
	struct side side;

	side_init(&side, 40, MOST);
	run(&side, 30000);
	side.knee = 10;
	run(&side, 240000);
	assert_in_range(side.pace.limit, 8, 16);
	side.knee = 40;
	run(&side, 240000);
	assert_in_range(side.pace.limit, 32, 54);
}

static void test_migrate_pace__learns_nothing_while_others_hold_it_back(void **state)
{
	struct pace pace;
	int64_t now = 0;

	pace_init(&pace, MOST, now);
	for (int i = 0; i < 1000; i++) { /* nobody ever waits for it */
		now += 100;
		pace_moved(&pace, BYTES);
		pace_ended(&pace, now);
	}
	assert_int_equal(pace_limit(&pace, now), PACE_FIRST);
}

/* Connections that were just made are slow for a while, whatever their number: that is no reason to
 * take fewer once they are not. */
static void test_migrate_pace__does_not_judge_by_cold_connections(void **state)
{
	struct side side;

	for (unsigned most = 4; most <= 16; most *= 2) {
		side_init(&side, 200, most);
		side.base_msecs = 1600;
		run(&side, 1600);
		side.base_msecs = 400;
		for (int i = 0; i < 100; i++) {
			run(&side, 200);
			/* A probe, and not a second one from there. */
			assert_in_range(side.pace.limit, most - (most + 5) / 6, most);
		}
	}
}

/* ---- refusals ---- */

static void test_migrate_pace__halves_once_for_those_on_their_way(void **state)
{
	struct pace pace;

	pace_init(&pace, MOST, 0);
	assert_int_equal(pace_limit(&pace, 0), 16);
	for (int i = 0; i < 16; i++)
		pace_busy(&pace, 50, -1, 100 + i);
	assert_int_equal(pace_limit(&pace, 200), 8);
	pace_busy(&pace, 150, -1, 250);
	assert_int_equal(pace_limit(&pace, 250), 4);
	for (int i = 0; i < 4; i++)
		pace_busy(&pace, 300 + 100 * i, -1, 350 + 100 * i);
	assert_int_equal(pace_limit(&pace, 750), 1); /* never none for good */
}

static void test_migrate_pace__retry_after_closes_the_side_until_then(void **state)
{
	struct pace pace;

	pace_init(&pace, MOST, 0);
	pace_busy(&pace, 0, 30000, 1000);
	assert_int_equal(pace_limit(&pace, 1000), 0);
	assert_int_equal(pace_limit(&pace, 30999), 0);
	assert_int_equal(pace_limit(&pace, 31000), 8);
	/* A shorter one that comes later opens nothing before. */
	pace_busy(&pace, 0, 20000, 2000);
	pace_busy(&pace, 0, 1, 2000);
	assert_int_equal(pace_limit(&pace, 30999), 0);
	/* A day is not believed. */
	pace_busy(&pace, 40000, INT64_C(24) * 60 * 60 * 1000, 50000);
	assert_int_equal(pace_limit(&pace, 50000 + PACE_RETRY_AFTER_LIMIT_MSECS - 1), 0);
	assert_true(pace_limit(&pace, 50000 + PACE_RETRY_AFTER_LIMIT_MSECS) > 0);
}

static void test_migrate_pace__recovers_to_below_what_was_refused(void **state)
{
	struct side side;
	unsigned ended, refused;

	side_init(&side, 200, MOST);
	side.refuse_above = 20;
	run(&side, 60000);
	refused = side.refused;
	ended = run(&side, 600000);
	/* Nearly all that it would take, and few refusals: one in a thousand. */
	if (ended < 600000 / 400 * 20 * 3 / 4)
		fail_msg("%u transfers in ten minutes, of %u", ended, 600000 / 400 * 20);
	assert_in_range(side.refused - refused, 1, ended / 1000);
	/* The side grows: so does the limit, in time. */
	side.refuse_above = 0;
	run(&side, 1200000);
	assert_in_range(side.pace.limit, 150, MOST);
}

static void test_migrate_pace__one_throttled_side_leaves_the_other_alone(void **state)
{
	struct side throttled, other;
	unsigned alone;

	side_init(&other, 30, MOST);
	alone = run(&other, 120000);
	side_init(&throttled, 30, MOST);
	side_init(&other, 30, MOST);
	throttled.refuse_above = 2;
	throttled.retry_after_msecs = 5000;
	for (int i = 0; i < 120; i++) {
		run(&throttled, 1000);
		run(&other, 1000);
	}
	assert_int_equal(other.ended, alone);
	assert_in_range(throttled.pace.limit, 1, 4);
	assert_true(throttled.ended > 0);
}

/* ---- limits that are set ---- */

static void test_migrate_rate__so_much_a_second_after_a_seconds_burst(void **state)
{
	struct rate rate;
	int64_t now = 5000, used = 0;

	rate_init(&rate, 10, 1000);
	for (int i = 0; i < 10; i++)
		assert_int_equal(rate_take(&rate, 1, now), 0);
	assert_int_equal(rate_take(&rate, 1, now), 0); /* the one that has to be paid for */
	assert_int_equal(rate_take(&rate, 1, now), 100);
	assert_int_equal(rate_take(&rate, 1, now), 200);
	/* Over ten minutes it comes to what was set. */
	rate_init(&rate, 1000000, 1000);
	while (now < 605000) {
		now += rate_take(&rate, 65536, now);
		used += 65536;
	}
	assert_in_range(used / 600, 990000, 1010000);
}

static void test_migrate_rate__zero_is_no_limit(void **state)
{
	struct rate rate;

	rate_init(&rate, 0, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(rate_take(&rate, INT64_C(1) << 40, 0), 0);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_migrate_pace__finds_the_knee),
		TEST(test_migrate_pace__doubles_while_that_brings_more),
		TEST(test_migrate_pace__follows_a_side_that_changes),
		TEST(test_migrate_pace__learns_nothing_while_others_hold_it_back),
		TEST(test_migrate_pace__does_not_judge_by_cold_connections),
		TEST(test_migrate_pace__halves_once_for_those_on_their_way),
		TEST(test_migrate_pace__retry_after_closes_the_side_until_then),
		TEST(test_migrate_pace__recovers_to_below_what_was_refused),
		TEST(test_migrate_pace__one_throttled_side_leaves_the_other_alone),
		TEST(test_migrate_rate__so_much_a_second_after_a_seconds_burst),
		TEST(test_migrate_rate__zero_is_no_limit),
	};

	return cmocka_run_group_tests_name("migrate_pace", tests, NULL, NULL);
}
