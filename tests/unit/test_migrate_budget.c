/* migrate: the memory that all transfers share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "migrate/budget.h"

static void test_migrate_budget__what_is_larger_than_all_gets_all(void **state)
{
	volatile bool cancelled = false;
	struct budget budget;
	size_t taken;

	(void)state;
	budget_init(&budget, 100);
	assert_true(budget_take(&budget, 1000, &cancelled, &taken));
	assert_int_equal(taken, 100);
	budget_give(&budget, taken, false);
	assert_true(budget_take(&budget, 60, &cancelled, &taken));
	assert_int_equal(taken, 60);
	budget_release(&budget);
}

struct waiter {
	struct budget *budget;
	volatile bool cancelled;
	_Atomic bool has;
	size_t bytes, taken;
	bool more, overdrawn;
	pthread_t thread;
};

static void *wait_for_it(void *arg)
{
	struct waiter *w = arg;

	if (w->more)
		w->has = budget_more(w->budget, w->bytes, &w->cancelled, &w->overdrawn);
	else
		w->has = budget_take(w->budget, w->bytes, &w->cancelled, &w->taken);
	return NULL;
}

static void test_migrate_budget__waits_until_enough_is_given_back(void **state)
{
	volatile bool cancelled = false;
	struct budget budget;
	struct waiter w = { .budget = &budget, .bytes = 50 };
	size_t taken;

	(void)state;
	budget_init(&budget, 100);
	assert_true(budget_take(&budget, 80, &cancelled, &taken));
	assert_int_equal(pthread_create(&w.thread, NULL, wait_for_it, &w), 0);
	usleep(50000);
	assert_false(w.has);
	budget_give(&budget, 80, false);
	pthread_join(w.thread, NULL);
	assert_true(w.has);
	assert_int_equal(budget.used_bytes, 50);
	budget_release(&budget);
}

static void test_migrate_budget__who_is_cancelled_waits_no_longer(void **state)
{
	volatile bool cancelled = false;
	struct budget budget;
	struct waiter w = { .budget = &budget, .bytes = 50 };
	size_t taken;

	(void)state;
	budget_init(&budget, 100);
	assert_true(budget_take(&budget, 80, &cancelled, &taken));
	assert_int_equal(pthread_create(&w.thread, NULL, wait_for_it, &w), 0);
	__atomic_store_n(&w.cancelled, true, __ATOMIC_RELAXED);
	pthread_join(w.thread, NULL);
	assert_false(w.has);
	assert_int_equal(w.taken, 0);
	assert_int_equal(budget.used_bytes, 80);
	budget_release(&budget);
}

/* Two that hold half of it each and both need more would wait for each other. */
static void test_migrate_budget__one_may_overdraw_so_that_nobody_waits_for_ever(void **state)
{
	volatile bool cancelled = false;
	struct budget budget;
	struct waiter w = { .budget = &budget, .bytes = 30, .more = true };
	bool overdrawn = false;
	size_t taken;

	(void)state;
	budget_init(&budget, 100);
	assert_true(budget_take(&budget, 50, &cancelled, &taken));
	assert_true(budget_take(&budget, 50, &cancelled, &taken));
	assert_true(budget_more(&budget, 30, &cancelled, &overdrawn));
	assert_true(overdrawn);
	assert_int_equal(pthread_create(&w.thread, NULL, wait_for_it, &w), 0);
	usleep(50000);
	assert_false(w.has); /* a second one waits */
	budget_give(&budget, 80, overdrawn);
	pthread_join(w.thread, NULL);
	assert_true(w.has);
	assert_false(w.overdrawn); /* there was room again */
	assert_int_equal(budget.used_bytes, 80);
	budget_release(&budget);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_migrate_budget__what_is_larger_than_all_gets_all),
		cmocka_unit_test(test_migrate_budget__waits_until_enough_is_given_back),
		cmocka_unit_test(test_migrate_budget__who_is_cancelled_waits_no_longer),
		cmocka_unit_test(
			test_migrate_budget__one_may_overdraw_so_that_nobody_waits_for_ever),
	};

	return cmocka_run_group_tests_name("migrate_budget", tests, NULL, NULL);
}
