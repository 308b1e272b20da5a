/* Storage classes, restores and locks, as the catalog keeps them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/archive.h"
#include "catalog/belief.h"
#include "helper_queue.h"
#include "util/cleanup.h"
#include "util/times.h"

#define HOUR_MSECS (60 * 60 * 1000)

struct found {
	char text[512];
};

static int add_class(void *arg, const char *storage_class, int64_t recordings, int64_t size_bytes)
{
	struct found *found = arg;
	size_t n = strlen(found->text);

	snprintf(found->text + n, sizeof found->text - n, "%s %lld %lld;", storage_class,
		 (long long)recordings, (long long)size_bytes);
	return 0;
}

static void check_classes(struct queue_fixture *f, const char *expected)
{
	struct found found = { "" };

	assert_int_equal(catalog_class_each(f->catalog, f->workspace_id, add_class, &found), 0);
	assert_string_equal(found.text, expected);
}

static void store(struct queue_fixture *f, unsigned first, unsigned count)
{
	queue_add(f, f->workspace_id, first, count, QUEUE_NUMBER);
	for (unsigned i = 0; i < count; i++)
		queue_store(f, first + i);
}

static void see_class(struct queue_fixture *f, unsigned number, const char *storage_class)
{
	struct catalog_class_seen seen = { .recording_sid = queue_get(f, number).sid };

	snprintf(seen.storage_class, sizeof seen.storage_class, "%s", storage_class);
	assert_int_equal(catalog_classes_seen(f->catalog, f->workspace_id, &seen, 1, NULL), 0);
}

static struct catalog_archive archive_of(struct queue_fixture *f, unsigned number)
{
	struct catalog_archive archive;

	assert_int_equal(catalog_archive_get(f->catalog, queue_get(f, number).id, &archive), 0);
	return archive;
}

static struct catalog_restore_counts want(struct queue_fixture *f, struct catalog_scope scope)
{
	struct catalog_restore_counts counts;

	assert_int_equal(catalog_restore_want(f->catalog, scope, 7, "Bulk", &counts), 0);
	return counts;
}

static size_t due(struct queue_fixture *f, struct catalog_restore_job *ret_jobs, size_t count)
{
	size_t found;

	assert_int_equal(catalog_restore_due(f->catalog, 0, ret_jobs, count, &found), 0);
	return found;
}

static void test_catalog__recordings_and_bytes_are_counted_by_class(void **state)
{
	struct queue_fixture *f = *state;
	int64_t size, changed = 0;
	struct catalog_class_seen seen[2] = { { .storage_class = "GLACIER" },
					      { .storage_class = "" } };
	char expected[128];

	queue_add(f, f->workspace_id, 9, 1, QUEUE_NUMBER);
	check_classes(f, "");
	store(f, 1, 3);
	size = queue_get(f, 1).size_bytes;
	snprintf(expected, sizeof expected, "STANDARD 4 %lld;", (long long)(4 * size));
	queue_store(f, 9);
	check_classes(f, expected);

	seen[0].recording_sid = queue_get(f, 1).sid;
	seen[1].recording_sid = queue_get(f, 2).sid;
	assert_int_equal(catalog_classes_seen(f->catalog, f->workspace_id, seen, 2, &changed), 0);
	assert_int_equal(changed, 1); /* "" is STANDARD, which it was */
	snprintf(expected, sizeof expected, "GLACIER 1 %lld;STANDARD 3 %lld;", (long long)size,
		 (long long)(3 * size));
	check_classes(f, expected);
}

static void test_catalog__what_is_removed_or_lost_is_not_counted(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_removal removal;
	char expected[64];

	store(f, 1, 3);
	see_class(f, 1, "GLACIER_IR");
	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, 1).id, &removal), 0);
	assert_int_equal(catalog_recording_lost_in_s3(f->catalog, queue_get(f, 2).id), 0);
	snprintf(expected, sizeof expected, "STANDARD 1 %lld;",
		 (long long)queue_get(f, 3).size_bytes);
	check_classes(f, expected);
}

static void test_catalog__classes_of_another_workspace_are_not_touched(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_class_seen seen = { .storage_class = "GLACIER" };
	int64_t other, changed = 0;

	store(f, 1, 1);
	other = queue_add_workspace(f, "other", 7);
	seen.recording_sid = queue_get(f, 1).sid;
	assert_int_equal(catalog_classes_seen(f->catalog, other, &seen, 1, &changed), 0);
	assert_int_equal(changed, 0);
	assert_string_equal(archive_of(f, 1).storage_class, "STANDARD");
}

static void test_catalog__only_aws_s_archives_need_a_restore(void **state)
{
	static const char *const readable[] = { "STANDARD", "GLACIER_IR", "STANDARD_IA",
						"INTELLIGENT_TIERING" };
	struct queue_fixture *f = *state;

	store(f, 1, 1);
	for (size_t i = 0; i < ARRAY_SIZE(readable); i++) {
		see_class(f, 1, readable[i]);
		assert_false(archive_of(f, 1).is_archived);
	}
	see_class(f, 1, "GLACIER");
	assert_true(archive_of(f, 1).is_archived);
	see_class(f, 1, "DEEP_ARCHIVE");
	assert_true(archive_of(f, 1).is_archived);
	/* Unless the server reads them all the same. */
	assert_int_equal(catalog_archive_readable_set(f->catalog, f->workspace_id, 1), 0);
	assert_false(archive_of(f, 1).is_archived);
	assert_int_equal(catalog_archive_readable_set(f->catalog, f->workspace_id, 0), 0);
	assert_true(archive_of(f, 1).is_archived);
}

static void test_catalog__a_restore_goes_from_wanted_to_under_way_to_readable_and_over(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_scope scope = { CATALOG_SCOPE_FOLDER, f->folder_id };
	struct catalog_object_seen seen = { .storage_class = "GLACIER", .is_restoring = true };
	struct catalog_restore_counts counts;
	struct catalog_restore_job jobs[4];
	int64_t id;

	store(f, 1, 2);
	see_class(f, 1, "GLACIER");
	id = queue_get(f, 1).id;
	counts = want(f, scope);
	assert_int_equal(counts.wanted, 1);
	assert_int_equal(counts.not_archived, 1);
	assert_int_equal(archive_of(f, 1).restore, CATALOG_RESTORE_WANTED);
	assert_int_equal(due(f, jobs, 4), 1);
	assert_int_equal(jobs[0].recording_id, id);
	assert_int_equal(jobs[0].days, 7);
	assert_string_equal(jobs[0].tier, "Bulk");

	assert_int_equal(catalog_restore_set(f->catalog, id, CATALOG_RESTORE_ONGOING,
					     time_now_msecs() + HOUR_MSECS, NULL),
			 0);
	assert_int_equal(due(f, jobs, 4), 0);
	assert_int_equal(want(f, scope).under_way, 1);
	assert_int_equal(archive_of(f, 1).restore, CATALOG_RESTORE_ONGOING);
	assert_true(archive_of(f, 1).is_archived);
	assert_int_equal(catalog_object_seen(f->catalog, id, &seen), 0);
	assert_int_equal(archive_of(f, 1).restore, CATALOG_RESTORE_ONGOING);

	seen.is_restoring = false;
	seen.restored_until_secs = time_now_secs() + 3600;
	assert_int_equal(catalog_object_seen(f->catalog, id, &seen), 0);
	assert_false(archive_of(f, 1).is_archived);
	assert_int_equal(archive_of(f, 1).restored_until_secs, seen.restored_until_secs);
	counts = want(f, scope);
	assert_int_equal(counts.restored, 1);
	assert_int_equal(counts.wanted, 0);

	/* The copy is gone when its time is over, without a word. */
	seen.restored_until_secs = time_now_secs() - 1;
	assert_int_equal(catalog_object_seen(f->catalog, id, &seen), 0);
	assert_true(archive_of(f, 1).is_archived);
	assert_int_equal(want(f, scope).wanted, 1);
}

static void test_catalog__what_was_asked_for_survives_a_look_that_does_not_know_of_it(void **state)
{
	struct queue_fixture *f = *state;
	const struct catalog_object_seen seen = { .storage_class = "GLACIER" };
	struct catalog_scope scope = { CATALOG_SCOPE_RECORDING, 0 };
	int64_t id;

	store(f, 1, 1);
	see_class(f, 1, "GLACIER");
	id = scope.id = queue_get(f, 1).id;
	want(f, scope);
	assert_int_equal(catalog_object_seen(f->catalog, id, &seen), 0);
	assert_int_equal(archive_of(f, 1).restore, CATALOG_RESTORE_WANTED);
	assert_int_equal(
		catalog_restore_set(f->catalog, id, CATALOG_RESTORE_REFUSED, 0, "AccessDenied"), 0);
	assert_int_equal(catalog_object_seen(f->catalog, id, &seen), 0);
	assert_int_equal(archive_of(f, 1).restore, CATALOG_RESTORE_REFUSED);
	assert_string_equal(archive_of(f, 1).reason, "AccessDenied");
	assert_int_equal(want(f, scope).wanted, 1);
	assert_string_equal(archive_of(f, 1).reason, "");
}

static void test_catalog__a_failed_restore_waits_and_is_hurried_when_asked_again(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, f->workspace_id };
	struct catalog_restore_job jobs[1];
	struct catalog *again;
	size_t count;

	store(f, 1, 1);
	see_class(f, 1, "DEEP_ARCHIVE");
	want(f, scope);
	assert_int_equal(catalog_restore_set(f->catalog, queue_get(f, 1).id, CATALOG_RESTORE_WANTED,
					     time_now_msecs() + HOUR_MSECS, "busy"),
			 0);
	assert_int_equal(due(f, jobs, 1), 0);
	assert_int_equal(want(f, scope).under_way, 1);
	/* As after kill -9: another process finds it. */
	again = queue_open_again(f);
	assert_int_equal(catalog_restore_due(again, 0, jobs, 1, &count), 0);
	assert_int_equal(count, 1);
	catalog_close(again);
}

static void lock(struct queue_fixture *f, unsigned number, int64_t until_secs, bool hold)
{
	const struct catalog_object_seen seen = { .lock_mode = "GOVERNANCE",
						  .retain_until_secs = until_secs,
						  .has_legal_hold = hold };

	assert_int_equal(catalog_object_seen(f->catalog, queue_get(f, number).id, &seen), 0);
}

static void test_catalog__what_is_locked_is_not_removed_where_that_would_delete_it(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_scope scope = { CATALOG_SCOPE_FOLDER, f->folder_id };
	struct catalog_removal removal;
	int64_t locked;

	store(f, 1, 3);
	lock(f, 1, time_now_secs() + 3600, false);
	lock(f, 2, 0, true);
	queue_set_policy(f, true, false, false);
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, i).id, &removal),
				 -EPERM);
		assert_true(queue_get(f, i).is_listed);
	}
	assert_int_equal(catalog_remove_campaign(f->catalog, f->folder_id, false, &removal),
			 -EPERM);
	assert_int_equal(catalog_lock_count(f->catalog, scope, &locked), 0);
	assert_int_equal(locked, 2);
	assert_int_equal(catalog_remove_workspace(f->catalog, f->workspace_id, false, &removal),
			 -EPERM);
	assert_true(queue_get(f, 3).is_listed);
	assert_true(queue_is_empty(f, CATALOG_JOB_DELETE_S3));

	lock(f, 1, time_now_secs() - 1, false);
	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, 1).id, &removal), 0);
	queue_set_policy(f, false, false, false);
	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, 2).id, &removal), 0);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, queue_fixture_setup, queue_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_catalog__recordings_and_bytes_are_counted_by_class),
		TEST(test_catalog__what_is_removed_or_lost_is_not_counted),
		TEST(test_catalog__classes_of_another_workspace_are_not_touched),
		TEST(test_catalog__only_aws_s_archives_need_a_restore),
		TEST(test_catalog__a_restore_goes_from_wanted_to_under_way_to_readable_and_over),
		TEST(test_catalog__what_was_asked_for_survives_a_look_that_does_not_know_of_it),
		TEST(test_catalog__a_failed_restore_waits_and_is_hurried_when_asked_again),
		TEST(test_catalog__what_is_locked_is_not_removed_where_that_would_delete_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
