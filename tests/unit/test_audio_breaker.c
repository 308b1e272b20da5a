/* The breaker of an origin, with a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "audio/breaker.h"

/* The last of them now, the others long before. */
static void fail_often(struct breaker *b, unsigned times, int64_t now)
{
	for (unsigned i = 1; i <= times; i++) {
		int64_t at = i < times ? now - BREAKER_SPAN_MSECS : now;

		assert_int_equal(breaker_check(b, at), 0);
		breaker_failed(b, -ETIMEDOUT, at);
	}
}

static void test_audio_breaker__opens_after_failures_in_a_row_only(void **state)
{
	struct breaker b = { 0 };

	fail_often(&b, BREAKER_FAILURES - 1, 100);
	breaker_worked(&b);
	fail_often(&b, BREAKER_FAILURES - 1, 100);
	assert_int_equal(breaker_check(&b, 100), 0);
	breaker_failed(&b, -EHOSTUNREACH, 100);
	assert_int_equal(breaker_check(&b, 100), -EHOSTUNREACH);
}

/* A network that is gone for a moment takes all that are under way with it. */
static void test_audio_breaker__many_at_once_do_not_open_it(void **state)
{
	struct breaker b = { 0 };

	for (int i = 0; i < 100; i++)
		breaker_failed(&b, -ETIMEDOUT, 100 + i);
	assert_int_equal(breaker_check(&b, 200), 0);
	breaker_failed(&b, -ETIMEDOUT, 100 + BREAKER_SPAN_MSECS - 1);
	assert_int_equal(breaker_check(&b, 100 + BREAKER_SPAN_MSECS), 0);
	breaker_failed(&b, -ETIMEDOUT, 100 + BREAKER_SPAN_MSECS);
	assert_int_equal(breaker_check(&b, 100 + BREAKER_SPAN_MSECS), -ETIMEDOUT);
}

static void test_audio_breaker__one_is_let_through_after_the_pause(void **state)
{
	struct breaker b = { 0 };
	int64_t now = 100;

	fail_often(&b, BREAKER_FAILURES, now);
	now += BREAKER_PAUSE_MSECS - 1;
	assert_int_equal(breaker_check(&b, now), -ETIMEDOUT);
	now++;
	assert_int_equal(breaker_check(&b, now), 0);
	assert_int_equal(breaker_check(&b, now), -ETIMEDOUT);
	breaker_worked(&b);
	assert_int_equal(breaker_check(&b, now), 0);
	assert_int_equal(breaker_check(&b, now), 0);
}

static void test_audio_breaker__the_pause_doubles_up_to_a_limit(void **state)
{
	struct breaker b = { 0 };
	int64_t now = 0, pause = BREAKER_PAUSE_MSECS;

	fail_often(&b, BREAKER_FAILURES, now);
	for (int i = 0; i < 8; i++) {
		now += pause - 1;
		assert_int_equal(breaker_check(&b, now), -ETIMEDOUT);
		now++;
		assert_int_equal(breaker_check(&b, now), 0);
		breaker_failed(&b, -ETIMEDOUT, now);
		pause = pause * 2 < BREAKER_PAUSE_LIMIT_MSECS ? pause * 2
							      : BREAKER_PAUSE_LIMIT_MSECS;
	}
	assert_int_equal(pause, BREAKER_PAUSE_LIMIT_MSECS);
}

static void test_audio_breaker__what_was_on_its_way_does_not_prolong_the_pause(void **state)
{
	struct breaker b = { 0 };

	fail_often(&b, BREAKER_FAILURES, 100);
	for (int i = 0; i < 50; i++)
		breaker_failed(&b, -ETIMEDOUT, 100 + i);
	assert_int_equal(breaker_check(&b, 100 + BREAKER_PAUSE_MSECS), 0);
}

static void test_audio_breaker__a_probe_without_an_answer_is_followed_by_another(void **state)
{
	struct breaker b = { 0 };

	fail_often(&b, BREAKER_FAILURES, 0);
	assert_int_equal(breaker_check(&b, BREAKER_PAUSE_MSECS), 0);
	assert_int_equal(breaker_check(&b, 2 * BREAKER_PAUSE_MSECS - 1), -ETIMEDOUT);
	assert_int_equal(breaker_check(&b, 2 * BREAKER_PAUSE_MSECS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_audio_breaker__opens_after_failures_in_a_row_only),
		cmocka_unit_test(test_audio_breaker__many_at_once_do_not_open_it),
		cmocka_unit_test(test_audio_breaker__one_is_let_through_after_the_pause),
		cmocka_unit_test(test_audio_breaker__the_pause_doubles_up_to_a_limit),
		cmocka_unit_test(
			test_audio_breaker__what_was_on_its_way_does_not_prolong_the_pause),
		cmocka_unit_test(
			test_audio_breaker__a_probe_without_an_answer_is_followed_by_another),
	};

	return cmocka_run_group_tests_name("audio_breaker", tests, NULL, NULL);
}
