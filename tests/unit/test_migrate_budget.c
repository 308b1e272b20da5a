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
	struct budget budget;
	size_t taken;

	budget_init(&budget, 100);
	assert_true(budget_try(&budget, 1000, &taken));
	assert_int_equal(taken, 100);
	assert_false(budget_try(&budget, 1, &taken));
	assert_int_equal(taken, 0);
	budget_give(&budget, 100, false);
	assert_true(budget_try(&budget, 60, &taken));
	assert_int_equal(taken, 60);
	budget_release(&budget);
}

struct waiter {
	struct budget *budget;
	struct cancel cancel;
	_Atomic bool has;
	size_t bytes;
	bool overdrawn;
	pthread_t thread;
};

static void *wait_for_it(void *arg)
{
	struct waiter *w = arg;

	w->has = budget_more(w->budget, w->bytes, &w->cancel, &w->overdrawn);
	return NULL;
}

/* Two that hold half of it each, and one has overdrawn it. */
static void begin_overdrawn(struct budget *budget, bool *overdrawn)
{
	struct cancel cancel = { false };
	size_t taken;

	*overdrawn = false;
	budget_init(budget, 100);
	assert_true(budget_try(budget, 50, &taken));
	assert_true(budget_try(budget, 50, &taken));
	assert_true(budget_more(budget, 30, &cancel, overdrawn));
	assert_true(*overdrawn);
}

static void test_migrate_budget__who_is_cancelled_waits_no_longer(void **state)
{
	struct budget budget;
	struct waiter w = { .budget = &budget, .bytes = 30 };
	bool overdrawn;

	begin_overdrawn(&budget, &overdrawn);
	assert_int_equal(pthread_create(&w.thread, NULL, wait_for_it, &w), 0);
	cancel_set(&w.cancel);
	pthread_join(w.thread, NULL);
	assert_false(w.has);
	assert_int_equal(budget.used_bytes, 130);
	budget_release(&budget);
}

/* Both that need more would wait for each other. */
static void test_migrate_budget__one_may_overdraw_so_that_nobody_waits_for_ever(void **state)
{
	struct budget budget;
	struct waiter w = { .budget = &budget, .bytes = 30 };
	bool overdrawn;

	begin_overdrawn(&budget, &overdrawn);
	assert_int_equal(pthread_create(&w.thread, NULL, wait_for_it, &w), 0);
	usleep(50000);
	assert_false(w.has); /* a second one waits, until enough is given back */
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
		cmocka_unit_test(test_migrate_budget__who_is_cancelled_waits_no_longer),
		cmocka_unit_test(
			test_migrate_budget__one_may_overdraw_so_that_nobody_waits_for_ever),
	};

	return cmocka_run_group_tests_name("migrate_budget", tests, NULL, NULL);
}
