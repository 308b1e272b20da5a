/* When a request is sent again, and after what pause. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/retry.h"
#include "util/times.h"

static struct remote_error failure(enum remote_kind kind, int64_t retry_after_msecs)
{
	struct remote_error error = REMOTE_ERROR_INIT;

	error.kind = kind;
	error.retry_after_msecs = retry_after_msecs;
	return error;
}

static void test_net__only_what_may_help_is_sent_again(void **state)
{
	static const struct {
		enum remote_kind kind;
		bool idempotent, expected;
	} cases[] = {
		{ REMOTE_OK, true, false },         { REMOTE_REJECTED, true, false },
		{ REMOTE_NOT_FOUND, true, false },  { REMOTE_BUSY, false, true },
		{ REMOTE_TRANSIENT, false, true },  { REMOTE_UNCERTAIN, true, true },
		{ REMOTE_UNCERTAIN, false, false }, { REMOTE_INVALID, true, false },
		{ REMOTE_CANCELLED, true, false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct remote_error error = failure(cases[i].kind, -1);
		struct retry retry;
		unsigned pause;

		retry_init(&retry, 3, 60000);
		assert_int_equal(retry_next(&retry, &error, cases[i].idempotent, &pause),
				 cases[i].expected);
	}
}

static void test_net__tries_are_counted_and_pauses_grow_to_a_limit(void **state)
{
	struct remote_error error = failure(REMOTE_TRANSIENT, -1);
	unsigned pause, most[8] = { 0 };

	for (unsigned round = 0; round < 200; round++) {
		struct retry retry;

		retry_init(&retry, 9, 600000);
		for (unsigned i = 0; i < 8; i++) {
			unsigned limit = 500u << i;

			assert_true(retry_next(&retry, &error, false, &pause));
			assert_true(pause <= (limit < 15000 ? limit : 15000));
			if (pause > most[i])
				most[i] = pause;
		}
		assert_false(retry_next(&retry, &error, false, &pause));
	}
	/* Of 200 random pauses one is in the upper half. */
	assert_true(most[0] > 250);
	assert_true(most[7] > 7500);
}

static void test_net__the_default_is_five_tries(void **state)
{
	struct remote_error error = failure(REMOTE_BUSY, -1);
	struct retry retry;
	unsigned pause, n = 0;

	retry_init(&retry, 0, 600000);
	while (retry_next(&retry, &error, false, &pause))
		n++;
	assert_int_equal(n, 4);
}

static void test_net__retry_after_is_waited_for_unless_the_time_is_up_before(void **state)
{
	struct remote_error error = failure(REMOTE_BUSY, 20000);
	struct retry retry;
	unsigned pause;

	retry_init(&retry, 5, 60000);
	assert_true(retry_next(&retry, &error, false, &pause));
	assert_in_range(pause, 20000, 20500);
	retry_init(&retry, 5, 10000);
	assert_false(retry_next(&retry, &error, false, &pause));
	retry_init(&retry, 5, 0);
	error.retry_after_msecs = -1;
	assert_false(retry_next(&retry, &error, false, &pause));
}

static void test_net__waiting_waits_and_a_flag_ends_it(void **state)
{
	struct remote_error error = failure(REMOTE_BUSY, 150);
	int64_t start = time_mono_msecs();
	struct cancel cancel = { false };
	struct retry retry;

	retry_init(&retry, 5, 60000);
	assert_true(retry_wait(&retry, &error, false, &cancel));
	assert_true(time_mono_msecs() - start >= 150);
	cancel_set(&cancel);
	error.retry_after_msecs = 30000;
	start = time_mono_msecs();
	assert_false(retry_wait(&retry, &error, false, &cancel));
	assert_true(time_mono_msecs() - start < 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_net__only_what_may_help_is_sent_again),
		cmocka_unit_test(test_net__tries_are_counted_and_pauses_grow_to_a_limit),
		cmocka_unit_test(test_net__the_default_is_five_tries),
		cmocka_unit_test(test_net__retry_after_is_waited_for_unless_the_time_is_up_before),
		cmocka_unit_test(test_net__waiting_waits_and_a_flag_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
