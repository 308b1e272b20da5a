/* Pools of threads, and loops that run in parallel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "util/pool.h"
#include "util/times.h"
#include "util/wait.h"

#define LIMIT_MSECS 20000

struct job {
	struct pool_task task;
	atomic_uint *running, *done, *most;
	unsigned msecs;
};

static void run(struct pool_task *task)
{
	struct job *job = list_entry(task, struct job, task);
	unsigned running = atomic_fetch_add(job->running, 1) + 1, most = atomic_load(job->most);

	while (running > most && !atomic_compare_exchange_weak(job->most, &most, running))
		;
	sleep_msecs(job->msecs, NULL);
	atomic_fetch_sub(job->running, 1);
	atomic_fetch_add(job->done, 1);
}

#define JOBS 12

struct run_set {
	atomic_uint running, done, most;
	struct job jobs[JOBS];
};

static int push_all(struct pool *pool, struct run_set *set, unsigned msecs)
{
	int err = 0;

	for (size_t i = 0; i < JOBS && !err; i++) {
		set->jobs[i] = (struct job){
			{ .run = run }, &set->running, &set->done, &set->most, msecs
		};
		err = pool_push(pool, &set->jobs[i].task);
	}
	return err;
}

static unsigned threads_of(struct pool *pool)
{
	unsigned count;

	pthread_mutex_lock(&pool->lock);
	count = pool->thread_count;
	pthread_mutex_unlock(&pool->lock);
	return count;
}

static void wait_for_no_threads(struct pool *pool)
{
	int64_t deadline_msecs = time_mono_msecs() + LIMIT_MSECS;

	while (threads_of(pool)) {
		assert_true(time_mono_msecs() < deadline_msecs);
		sleep_msecs(1, NULL);
	}
}

static void test_util_pool__tasks_run_side_by_side_up_to_the_limit(void **state)
{
	struct run_set set = { .done = 0 };
	struct pool pool;

	pool_init(&pool, "test", 3);
	assert_int_equal(threads_of(&pool), 0);
	assert_int_equal(push_all(&pool, &set, 20), 0);
	pool_release(&pool);
	assert_int_equal(set.done, JOBS);
	assert_int_equal(set.most, 3);
}

static void test_util_pool__threads_end_without_tasks_and_come_back_with_them(void **state)
{
	struct run_set set = { .done = 0 };
	struct pool pool;

	pool_init(&pool, "test", 4);
	pool.idle_msecs = 5;
	for (unsigned round = 1; round <= 3; round++) {
		assert_int_equal(push_all(&pool, &set, 1), 0);
		wait_for_no_threads(&pool);
		assert_int_equal(set.done, round * JOBS);
	}
	pool_release(&pool);
}

static void test_util_pool__stopping_runs_what_is_queued_and_refuses_more(void **state)
{
	struct run_set set = { .done = 0 };
	struct job late = { { .run = run }, &set.running, &set.done, &set.most, 0 };
	struct pool pool;

	pool_init(&pool, "test", 1);
	assert_int_equal(push_all(&pool, &set, 1), 0);
	pool_stop(&pool);
	assert_int_equal(set.done, JOBS);
	assert_int_equal(pool_push(&pool, &late.task), -ESHUTDOWN);
	pool_release(&pool);
	assert_int_equal(set.done, JOBS);
}

static void test_util_pool__one_that_was_never_used_can_be_released(void **state)
{
	struct pool pool;

	pool_init(&pool, "test", 4);
	pool_release(&pool);
}

static void count_index(void *arg, size_t index)
{
	atomic_uint *counts = arg;

	atomic_fetch_add(&counts[index], 1);
}

static void test_util_pool__a_parallel_loop_calls_each_index_once(void **state)
{
	atomic_uint counts[100] = { 0 };

	parallel_for(100, 8, count_index, counts);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(counts[i], 1);
	parallel_for(0, 8, count_index, counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_pool__tasks_run_side_by_side_up_to_the_limit),
		cmocka_unit_test(test_util_pool__threads_end_without_tasks_and_come_back_with_them),
		cmocka_unit_test(test_util_pool__stopping_runs_what_is_queued_and_refuses_more),
		cmocka_unit_test(test_util_pool__one_that_was_never_used_can_be_released),
		cmocka_unit_test(test_util_pool__a_parallel_loop_calls_each_index_once),
	};

	return cmocka_run_group_tests_name("util_pool", tests, NULL, NULL);
}
