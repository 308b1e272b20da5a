/* catalog: the queue as its users see it: a bucket that is disabled and enabled again, pausing, retrying, what keep_at_twilio takes back. */
#include "helper_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MIGRATE CATALOG_JOB_MIGRATE
#define CLEANUP CATALOG_JOB_CLEANUP_TWILIO

static struct catalog_scope folder_scope(const struct queue_fixture *f)
{
	return (struct catalog_scope){ CATALOG_SCOPE_FOLDER, f->folder_id };
}

static int64_t queue_folder(struct queue_fixture *f)
{
	int64_t queued;

	assert_int_equal(catalog_migrate_queue(f->catalog, folder_scope(f), &queued), 0);
	return queued;
}

static struct catalog_counts counts_of(struct queue_fixture *f)
{
	struct catalog_counts counts;

	assert_int_equal(catalog_counts_get(f->catalog, folder_scope(f), &counts), 0);
	return counts;
}

/* ---- disabled, enabled ---- */

static void set_migrate_new(struct queue_fixture *f, bool migrate_new)
{
	struct catalog_workspace workspace = queue_workspace(f);

	workspace.migrate_new = migrate_new;
	assert_int_equal(catalog_workspace_update(f->catalog, &workspace, NULL), 0);
}

static void enable(struct queue_fixture *f, bool enabled)
{
	assert_int_equal(catalog_storage_enable(f->catalog, f->workspace_id, enabled), 0);
}

static void test_catalog_queue__disabling_lets_what_runs_end_and_gives_out_nothing_more(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_object object = queue_object(320044);
	struct catalog *other = queue_open_again(f);
	struct catalog_job done, failed;

	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	queue_folder(f);
	done = queue_claim(f, MIGRATE, "one", 20000);
	failed = queue_claim(f, MIGRATE, "two", 20000);
	assert_int_equal(catalog_storage_enable(other, f->workspace_id, false), 0);
	assert_false(queue_workspace(f).storage_enabled);
	assert_int_equal(catalog_job_renew(f->catalog, &done, 20000, 1, 2), 0);
	assert_int_equal(catalog_migrate_stored(f->catalog, &done, &object, 2), 0);
	assert_int_equal(catalog_job_fail(f->catalog, &failed, "busy", 0), 0);
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_STORED);
	assert_int_equal(counts_of(f).queued, 2);
	assert_false(queue_is_empty(f, CLEANUP)); /* the delete that is owed goes on */
	enable(f, true);
	assert_int_equal(queue_claim(f, MIGRATE, "three", 20000).recording.id, queue_get(f, 2).id);
	catalog_close(other);
}

static void test_catalog_queue__what_came_while_disabled_is_queued_when_enabled(void **state)
{
	struct queue_fixture *f = *state;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER); /* before migrate_new: not asked for */
	set_migrate_new(f, true);
	enable(f, false);
	queue_add(f, f->workspace_id, 1, 2, QUEUE_NUMBER);
	assert_int_equal(counts_of(f).none, 3);
	enable(f, true);
	assert_int_equal(queue_get(f, 0).migration, CATALOG_MIGRATION_NONE);
	assert_int_equal(queue_get(f, 1).migration, CATALOG_MIGRATION_QUEUED);
	assert_int_equal(counts_of(f).queued, 2);
	enable(f, true);
	assert_int_equal(counts_of(f).queued, 2);
}

static void test_catalog_queue__what_came_before_there_was_a_bucket_is_queued_by_its_settings(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_workspace other;
	int64_t id = queue_add_workspace(f, "other", 2);

	assert_int_equal(catalog_workspace_get(f->catalog, id, &other), 0);
	other.migrate_new = true;
	assert_int_equal(catalog_workspace_update(f->catalog, &other, NULL), 0);
	queue_add(f, id, 0, 1, "+15551111111");
	assert_int_equal(queue_get(f, 0).migration, CATALOG_MIGRATION_NONE);
	queue_set_storage(f, id, true);
	assert_int_equal(queue_get(f, 0).migration, CATALOG_MIGRATION_QUEUED);
}

static void test_catalog_queue__what_came_while_disabled_is_forgotten_with_migrate_new(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_removal removal;

	set_migrate_new(f, true);
	enable(f, false);
	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	set_migrate_new(f, false);
	set_migrate_new(f, true);
	queue_add(f, f->workspace_id, 1, 2, QUEUE_NUMBER);
	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, 1).id, &removal), 0);
	enable(f, true);
	assert_int_equal(queue_get(f, 0).migration, CATALOG_MIGRATION_NONE);
	assert_int_equal(queue_claim(f, MIGRATE, "a", 20000).recording.id, queue_get(f, 2).id);
	assert_true(queue_is_empty(f, MIGRATE)); /* what was removed meanwhile is not among them */
}

static void test_catalog_queue__only_a_bucket_that_is_there_is_enabled(void **state)
{
	struct queue_fixture *f = *state;
	int64_t other = queue_add_workspace(f, "other", 2);

	assert_int_equal(catalog_storage_enable(f->catalog, other, true), -ENOENT);
	assert_int_equal(catalog_storage_enable(f->catalog, 4711, false), -ENOENT);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_catalog_queue__##name, queue_fixture_setup, \
					queue_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(disabling_lets_what_runs_end_and_gives_out_nothing_more),
		TEST(what_came_while_disabled_is_queued_when_enabled),
		TEST(what_came_before_there_was_a_bucket_is_queued_by_its_settings),
		TEST(what_came_while_disabled_is_forgotten_with_migrate_new),
		TEST(only_a_bucket_that_is_there_is_enabled),
	};

	return cmocka_run_group_tests_name("catalog_queue", tests, NULL, NULL);
}
