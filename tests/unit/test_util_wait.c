/* Waits: deadlines, signals and cancelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/pool.h"
#include "util/times.h"
#include "util/wait.h"

#define LONG_MSECS 60000
#define POLL_MSECS 100 /* of a cancellable wait */

struct fixture {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	struct cancel cancel;
	bool is_done;
};

static struct fixture new_fixture(void)
{
	struct fixture f = { .is_done = false };

	pthread_mutex_init(&f.mutex, NULL);
	cond_init(&f.cond);
	return f;
}

static void release(struct fixture *f)
{
	pthread_cond_destroy(&f->cond);
	pthread_mutex_destroy(&f->mutex);
}

static void test_util_wait__a_wait_ends_at_its_deadline(void **state)
{
	struct fixture f = new_fixture();
	int64_t deadline_msecs = time_mono_msecs() + 20;

	pthread_mutex_lock(&f.mutex);
	while (cond_wait_until(&f.cond, &f.mutex, deadline_msecs, NULL))
		;
	assert_true(time_mono_msecs() >= deadline_msecs);
	/* Longer than one poll of cancel. */
	deadline_msecs = time_mono_msecs() + POLL_MSECS + 20;
	while (cond_wait_until(&f.cond, &f.mutex, deadline_msecs, &f.cancel))
		;
	assert_true(time_mono_msecs() >= deadline_msecs);
	assert_false(cond_wait_until(&f.cond, &f.mutex, 0, NULL));
	assert_false(cond_wait_msecs(&f.cond, &f.mutex, -5));
	pthread_mutex_unlock(&f.mutex);
	release(&f);
}

static void *signal_soon(void *arg)
{
	struct fixture *f = arg;

	sleep_msecs(10, NULL);
	pthread_mutex_lock(&f->mutex);
	f->is_done = true;
	pthread_cond_signal(&f->cond);
	pthread_mutex_unlock(&f->mutex);
	return NULL;
}

static void test_util_wait__a_signal_ends_a_wait_without_a_deadline(void **state)
{
	struct fixture f = new_fixture();
	pthread_t thread;

	pthread_mutex_lock(&f.mutex);
	assert_int_equal(thread_start(&thread, "test", signal_soon, &f), 0);
	while (!f.is_done)
		assert_true(cond_wait_until(&f.cond, &f.mutex, WAIT_NO_DEADLINE, NULL));
	pthread_mutex_unlock(&f.mutex);
	pthread_join(thread, NULL);
	release(&f);
}

static void *cancel_soon(void *arg)
{
	struct fixture *f = arg;

	sleep_msecs(10, NULL);
	cancel_set(&f->cancel);
	return NULL;
}

static void test_util_wait__cancelling_ends_a_wait_and_a_sleep(void **state)
{
	struct fixture f = new_fixture();
	int64_t began_msecs = time_mono_msecs();
	pthread_t thread;

	assert_int_equal(thread_start(&thread, "test", cancel_soon, &f), 0);
	pthread_mutex_lock(&f.mutex);
	while (cond_wait_until(&f.cond, &f.mutex, WAIT_NO_DEADLINE, &f.cancel))
		;
	pthread_mutex_unlock(&f.mutex);
	assert_true(cancel_is_set(&f.cancel));
	pthread_join(thread, NULL);
	f.cancel.is_set = 0;
	assert_int_equal(thread_start(&thread, "cancel", cancel_soon, &f), 0);
	assert_false(sleep_msecs(LONG_MSECS, &f.cancel));
	assert_false(sleep_msecs(0, &f.cancel));
	assert_true(time_mono_msecs() - began_msecs < LONG_MSECS);
	pthread_join(thread, NULL);
	release(&f);
}

static void test_util_wait__a_sleep_takes_its_time(void **state)
{
	struct cancel cancel = { 0 };
	int64_t began_msecs = time_mono_msecs();

	assert_true(sleep_msecs(POLL_MSECS + 20, &cancel));
	assert_true(time_mono_msecs() - began_msecs >= POLL_MSECS + 20);
	assert_true(sleep_msecs(0, NULL));
	assert_false(cancel_is_set(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_wait__a_wait_ends_at_its_deadline),
		cmocka_unit_test(test_util_wait__a_signal_ends_a_wait_without_a_deadline),
		cmocka_unit_test(test_util_wait__cancelling_ends_a_wait_and_a_sleep),
		cmocka_unit_test(test_util_wait__a_sleep_takes_its_time),
	};

	return cmocka_run_group_tests_name("util_wait", tests, NULL, NULL);
}
