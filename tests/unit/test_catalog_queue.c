/* catalog: the queue as its users see it: a bucket that is disabled and enabled again, pausing,
 * retrying, what keep_at_twilio takes back. */
#include "catalog/size.h"
#include "catalog/storage.h"
#include "catalog/sync.h"
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

static void
test_catalog_queue__disabling_lets_what_runs_end_and_gives_out_nothing_more(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_object object = queue_object(320044);
	struct catalog *other = queue_open_again(f);
	struct job done, failed;

	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	queue_folder(f);
	done = queue_claim(f, MIGRATE, "one", 20000);
	failed = queue_claim(f, MIGRATE, "two", 20000);
	assert_int_equal(catalog_storage_enable(other, f->workspace_id, false), 0);
	assert_false(queue_workspace(f).storage_enabled);
	assert_int_equal(queue_renew(f->catalog, &done, 20000, 1, 2, NULL), 0);
	assert_int_equal(migrate_job_stored(f->catalog, &done, &object, 2), 0);
	assert_int_equal(job_fail(f->catalog, &failed, "busy", 0), 0);
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_STORED);
	assert_int_equal(counts_of(f).queued, 2);
	assert_false(queue_is_empty(f, CLEANUP)); /* the delete that is owed goes on */
	enable(f, true);
	assert_int_equal(queue_claim(f, MIGRATE, "three", 20000).recording_id, queue_get(f, 2).id);
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

static void
test_catalog_queue__what_came_before_there_was_a_bucket_is_queued_by_its_settings(void **state)
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
	assert_int_equal(queue_claim(f, MIGRATE, "a", 20000).recording_id, queue_get(f, 2).id);
	assert_true(queue_is_empty(f, MIGRATE)); /* what was removed meanwhile is not among them */
}

static void test_catalog_queue__only_a_bucket_that_is_there_is_enabled(void **state)
{
	struct queue_fixture *f = *state;
	int64_t other = queue_add_workspace(f, "other", 2);

	assert_int_equal(catalog_storage_enable(f->catalog, other, true), -ENOENT);
	assert_int_equal(catalog_storage_enable(f->catalog, 4711, false), -ENOENT);
}

/* ---- paused, resumed ---- */

static int64_t ask(struct queue_fixture *f, catalog_migrate_fn *fn)
{
	int64_t count;

	assert_int_equal(fn(f->catalog, folder_scope(f), &count), 0);
	return count;
}

static void reopen(struct queue_fixture *f)
{
	catalog_close(f->catalog);
	f->catalog = queue_open_again(f);
}

static void test_catalog_queue__paused_ones_are_kept_and_given_to_nobody_until_resumed(void **state)
{
	struct queue_fixture *f = *state;
	enum catalog_migration migration;
	char reason[CATALOG_REASON_SIZE];
	int percent;

	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER);
	queue_folder(f);
	assert_int_equal(ask(f, catalog_migrate_pause), 2);
	assert_int_equal(ask(f, catalog_migrate_pause), 0);
	reopen(f);
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(counts_of(f).paused, 2);
	assert_int_equal(counts_of(f).queued, 0);
	assert_int_equal(counts_of(f).todo_bytes, 0);
	assert_int_equal(catalog_migrate_status(f->catalog, queue_get(f, 0).id, &migration,
						&percent, reason),
			 0);
	assert_int_equal(migration, CATALOG_MIGRATION_PAUSED);
	assert_int_equal(queue_folder(f), 0); /* asking again resumes nothing */
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(ask(f, catalog_migrate_resume), 2);
	assert_int_equal(counts_of(f).queued, 2);
	assert_int_equal(queue_claim(f, MIGRATE, "one", 20000).recording_id, queue_get(f, 0).id);
}

static void test_catalog_queue__one_of_a_folder_can_be_paused_alone(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_scope scope;
	int64_t count;

	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER);
	queue_folder(f);
	scope = (struct catalog_scope){ CATALOG_SCOPE_RECORDING, queue_get(f, 0).id };
	assert_int_equal(catalog_migrate_pause(f->catalog, scope, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(queue_claim(f, MIGRATE, "one", 20000).recording_id, queue_get(f, 1).id);
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(ask(f, catalog_migrate_cancel),
			 1); /* what is paused can be taken back, too */
	assert_int_equal(queue_get(f, 0).migration, CATALOG_MIGRATION_NONE);
	assert_int_equal(ask(f, catalog_migrate_resume), 0);
	assert_true(queue_is_empty(f, MIGRATE));
}

static void
test_catalog_queue__a_worker_learns_of_a_pause_and_puts_its_job_back_paused(void **state)
{
	struct queue_fixture *f = *state;
	struct job job;
	bool paused;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_folder(f);
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(ask(f, catalog_migrate_pause), 1);
	assert_int_equal(counts_of(f).running, 1);
	assert_int_equal(queue_renew(f->catalog, &job, 20000, 1, 2, &paused),
			 0); /* still its own */
	assert_true(paused);
	assert_int_equal(job_put_back(f->catalog, &job), 0);
	assert_int_equal(counts_of(f).paused, 1);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_TWILIO);
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(ask(f, catalog_migrate_resume), 1);
	job = queue_claim(f, MIGRATE, "two", 20000);
	assert_int_equal(job.attempts, 1);
	assert_int_equal(queue_renew(f->catalog, &job, 20000, 1, 2, &paused), 0);
	assert_false(paused);
}

static void test_catalog_queue__what_ends_while_it_is_to_be_paused_has_ended(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_object object = queue_object(320044);
	struct job stored, failed, busy;

	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	queue_folder(f);
	stored = queue_claim(f, MIGRATE, "one", 20000);
	failed = queue_claim(f, MIGRATE, "two", 20000);
	busy = queue_claim(f, MIGRATE, "three", 20000);
	assert_int_equal(ask(f, catalog_migrate_pause), 3);
	assert_int_equal(migrate_job_stored(f->catalog, &stored, &object, 2), 0);
	assert_int_equal(job_fail(f->catalog, &failed, "no audio", -1), 0);
	assert_int_equal(job_fail(f->catalog, &busy, "busy", 0), 0);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_STORED);
	assert_int_equal(queue_get(f, 1).migration, CATALOG_MIGRATION_FAILED);
	assert_int_equal(queue_get(f, 2).migration, CATALOG_MIGRATION_PAUSED);
	assert_true(queue_is_empty(f, MIGRATE));
	assert_false(queue_is_empty(f, CLEANUP));
}

static void test_catalog_queue__what_a_dead_worker_had_is_paused_when_its_lease_ends(void **state)
{
	struct queue_fixture *f = *state;
	struct job dead;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_folder(f);
	dead = queue_claim(f, MIGRATE, "one", 20);
	assert_int_equal(ask(f, catalog_migrate_pause), 1);
	usleep(30000);
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(counts_of(f).paused, 1);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_TWILIO);
	assert_int_equal(queue_renew(f->catalog, &dead, 20000, 1, 2, NULL), -ESTALE);
	assert_int_equal(ask(f, catalog_migrate_resume), 1);
	assert_false(queue_is_empty(f, MIGRATE));
}

static void test_catalog_queue__resumed_before_it_was_put_back_it_is_queued(void **state)
{
	struct queue_fixture *f = *state;
	struct job job;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_folder(f);
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(ask(f, catalog_migrate_pause), 1);
	assert_int_equal(queue_renew(f->catalog, &job, 20000, 1, 2, NULL), 0);
	assert_int_equal(ask(f, catalog_migrate_resume), 1);
	assert_int_equal(job_put_back(f->catalog, &job), 0);
	assert_int_equal(counts_of(f).queued, 1);
	assert_false(queue_is_empty(f, MIGRATE));
}

static void test_catalog_queue__what_is_paused_can_be_removed(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_removal removal;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_folder(f);
	ask(f, catalog_migrate_pause);
	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, 0).id, &removal), 0);
	assert_int_equal(ask(f, catalog_migrate_resume), 0);
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(counts_of(f).paused, 0);
}

static void
test_catalog_queue__what_was_begun_and_put_back_may_have_left_bytes_to_delete(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_removal removal;
	struct job job;

	queue_set_policy(f, true, false, false);
	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER);
	queue_folder(f);
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(job_put_back(f->catalog, &job), 0);
	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, 0).id, &removal), 0);
	assert_int_equal(removal.s3_deletes, 1);
	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, 1).id, &removal), 0);
	assert_int_equal(removal.s3_deletes, 0);
}

/* ---- tried again ---- */

static void test_catalog_queue__retry_begins_failed_ones_anew_and_no_others(void **state)
{
	struct queue_fixture *f = *state;
	struct job failed, waiting;

	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	queue_folder(f);
	failed = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(job_fail(f->catalog, &failed, "busy", 0), 0);
	failed = queue_claim(f, MIGRATE, "one", 20000);
	waiting = queue_claim(f, MIGRATE, "two", 20000);
	assert_int_equal(job_fail(f->catalog, &failed, "no audio", -1), 0);
	assert_int_equal(job_fail(f->catalog, &waiting, "busy", 600000), 0);
	ask(f, catalog_migrate_cancel); /* the third, and the one that waits */
	assert_int_equal(ask(f, catalog_migrate_retry), 1);
	assert_int_equal(counts_of(f).failed, 0);
	assert_int_equal(counts_of(f).none, 2);
	failed = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(failed.attempts, 1);
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(job_fail(f->catalog, &failed, "busy", 600000), 0);
	assert_int_equal(ask(f, catalog_migrate_retry), 1); /* it waits no longer */
	assert_false(queue_is_empty(f, MIGRATE));
}

static void
test_catalog_queue__retry_tries_deletes_now_but_not_as_if_for_the_first_time(void **state)
{
	struct queue_fixture *f = *state;
	struct job waiting, failed;

	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER);
	queue_store(f, 0);
	queue_store(f, 1);
	for (int i = 0; i < 3; i++) {
		waiting = queue_claim(f, CLEANUP, "one", 20000);
		failed = queue_claim(f, CLEANUP, "two", 20000);
		assert_int_equal(job_fail(f->catalog, &waiting, "500", i < 2 ? 0 : 600000), 0);
		assert_int_equal(job_fail(f->catalog, &failed, "no object", i < 2 ? 0 : -1), 0);
	}
	assert_true(queue_is_empty(f, CLEANUP));
	assert_int_equal(ask(f, catalog_migrate_retry), 2);
	assert_int_equal(queue_claim(f, CLEANUP, "one", 20000).attempts, 2);
	assert_int_equal(queue_claim(f, CLEANUP, "two", 20000).attempts, 2);
	assert_int_equal(ask(f, catalog_migrate_retry), 0); /* they run */
}

/* ---- keep_at_twilio ---- */

static void test_catalog_queue__keep_at_twilio_takes_back_the_deletes_that_are_owed(void **state)
{
	struct queue_fixture *f = *state;

	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	queue_store(f, 0);
	queue_set_policy(f, false, false, true);
	assert_int_equal(counts_of(f).cleanup_queued, 0);
	assert_true(queue_is_empty(f, CLEANUP));
	queue_store(f, 1);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_STORED);
	assert_int_equal(queue_get(f, 1).state, CATALOG_STATE_STORED);
	assert_true(queue_is_empty(f, CLEANUP));
	/* Off again: for all that are in both places, and once. */
	queue_set_policy(f, false, false, false);
	assert_int_equal(counts_of(f).cleanup_queued, 2);
	queue_set_policy(f, true, false, false);
	assert_int_equal(counts_of(f).cleanup_queued, 2);
	assert_int_equal(queue_claim(f, CLEANUP, "one", 20000).recording_id, queue_get(f, 0).id);
}

static void
test_catalog_queue__a_delete_that_was_not_sent_yet_is_stopped_by_keep_at_twilio(void **state)
{
	struct queue_fixture *f = *state;
	struct job job;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_store(f, 0);
	job = queue_claim(f, CLEANUP, "one", 20000);
	queue_set_policy(f, false, false, true);
	assert_int_equal(job_mark_sent(f->catalog, &job), -ESTALE);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_STORED);
}

static void test_catalog_queue__a_delete_that_was_sent_ends_but_is_not_sent_again(void **state)
{
	struct queue_fixture *f = *state;
	struct job done, again;

	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER);
	queue_store(f, 0);
	queue_store(f, 1);
	done = queue_claim(f, CLEANUP, "one", 20000);
	again = queue_claim(f, CLEANUP, "two", 20000);
	assert_int_equal(job_mark_sent(f->catalog, &done), 0);
	assert_int_equal(job_mark_sent(f->catalog, &again), 0);
	queue_set_policy(f, false, false, true);
	assert_int_equal(job_done(f->catalog, &done, ""), 0);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_S3);
	assert_int_equal(job_mark_sent(f->catalog, &again), -ESTALE);
	assert_int_equal(job_fail(f->catalog, &again, "500", 0), 0);
	assert_int_equal(counts_of(f).cleanup_queued, 0);
	assert_int_equal(queue_get(f, 1).state, CATALOG_STATE_STORED);
	queue_set_policy(f, false, false, false);
	assert_int_equal(queue_claim(f, CLEANUP, "one", 20000).recording_id, queue_get(f, 1).id);
	assert_true(queue_is_empty(f, CLEANUP));
}

/* ---- what it all weighs, and why not ---- */

static void test_catalog_queue__bytes_are_counted_with_what_they_are_of(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_scope scope = folder_scope(f);
	struct catalog_recording_input input = { .sid = queue_sid(3, 50),
						 .is_completed = true,
						 .duration_secs = 5,
						 .date_created_secs = 1772360000 };
	struct catalog_apply_stats stats = { 0 };
	struct catalog_status status;
	struct catalog_counts counts;
	struct catalog_removal removal;
	struct catalog_size size;
	struct job job;
	int64_t moved;

	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	queue_folder(f);
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(queue_renew(f->catalog, &job, 20000, 1000, 320044, NULL), 0);
	assert_int_equal(catalog_progress_get(f->catalog, &scope, 1, &counts, &moved), 0);
	assert_int_equal(counts.todo_bytes, 3 * 320044);
	assert_int_equal(moved, 1000);
	assert_int_equal(job_put_back(f->catalog, &job), 0);
	ask(f, catalog_migrate_cancel);
	queue_store(f, 0);
	assert_int_equal(catalog_progress_get(f->catalog, &scope, 1, &counts, &moved), 0);
	assert_int_equal(counts.done_bytes, 320044);
	assert_int_equal(counts.todo_bytes, 0);
	assert_int_equal(moved, 0);
	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, 1).id, &removal), 0);
	assert_int_equal(catalog_status_get(f->catalog, scope, &status), 0);
	assert_int_equal(status.bytes_by_state[CATALOG_STATE_TWILIO], 320044);
	assert_int_equal(status.bytes_by_state[CATALOG_STATE_STORED], 320044);

	/* One whose size is not known yet, in `unassigned`: by its duration, until it is. */
	assert_int_equal(catalog_recordings_apply(f->catalog, f->workspace_id, &input, 1, &stats),
			 0);
	scope.id = f->unassigned_id;
	assert_int_equal(catalog_status_get(f->catalog, scope, &status), 0);
	assert_int_equal(status.bytes_by_state[CATALOG_STATE_TWILIO], 5 * 16000 * 2);
	size = (struct catalog_size){ queue_get(f, 50).id, 80044, 1, 1 };
	assert_int_equal(catalog_sizes_set(f->catalog, &size, 1), 0);
	assert_int_equal(catalog_status_get(f->catalog, scope, &status), 0);
	assert_int_equal(status.bytes_by_state[CATALOG_STATE_TWILIO], 80044);
}

struct groups {
	struct catalog_problem_group items[8];
	size_t count;
};

static int note_group(void *arg, const struct catalog_problem_group *group)
{
	struct groups *groups = arg;

	groups->items[groups->count++] = *group;
	return 0;
}

static void test_catalog_queue__problems_are_grouped_by_their_reason(void **state)
{
	struct queue_fixture *f = *state;
	struct groups groups = { .count = 0 };
	struct job job;
	struct sid first = queue_sid(3, 0);

	queue_add(f, f->workspace_id, 0, 8, QUEUE_NUMBER);
	queue_folder(f);
	for (int i = 0; i < 6; i++) {
		job = queue_claim(f, MIGRATE, "one", 20000);
		assert_int_equal(job_fail(f->catalog, &job, i < 5 ? "no audio" : "denied", -1), 0);
	}
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(job_fail(f->catalog, &job, "no audio", 600000), 0);
	assert_int_equal(catalog_problem_groups(f->catalog, folder_scope(f), note_group, &groups),
			 0);
	assert_int_equal(groups.count, 3);
	assert_string_equal(groups.items[0].reason, "no audio");
	assert_int_equal(groups.items[0].count, 5);
	assert_true(groups.items[0].next_msecs == INT64_MAX);
	assert_int_equal(groups.items[0].example_count, CATALOG_PROBLEM_EXAMPLES);
	assert_true(sid_equal(&groups.items[0].examples[0], &first));
	assert_string_equal(groups.items[1].reason, "denied");
	assert_int_equal(groups.items[2].count, 1);
	assert_true(groups.items[2].next_msecs < INT64_MAX); /* tried again by itself */
	/* What is paused is no problem, though it failed once. */
	ask(f, catalog_migrate_pause);
	groups.count = 0;
	assert_int_equal(catalog_problem_groups(f->catalog, folder_scope(f), note_group, &groups),
			 0);
	assert_int_equal(groups.count, 2);
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
		TEST(paused_ones_are_kept_and_given_to_nobody_until_resumed),
		TEST(one_of_a_folder_can_be_paused_alone),
		TEST(a_worker_learns_of_a_pause_and_puts_its_job_back_paused),
		TEST(what_ends_while_it_is_to_be_paused_has_ended),
		TEST(what_a_dead_worker_had_is_paused_when_its_lease_ends),
		TEST(resumed_before_it_was_put_back_it_is_queued),
		TEST(what_is_paused_can_be_removed),
		TEST(what_was_begun_and_put_back_may_have_left_bytes_to_delete),
		TEST(retry_begins_failed_ones_anew_and_no_others),
		TEST(retry_tries_deletes_now_but_not_as_if_for_the_first_time),
		TEST(keep_at_twilio_takes_back_the_deletes_that_are_owed),
		TEST(a_delete_that_was_not_sent_yet_is_stopped_by_keep_at_twilio),
		TEST(a_delete_that_was_sent_ends_but_is_not_sent_again),
		TEST(bytes_are_counted_with_what_they_are_of),
		TEST(problems_are_grouped_by_their_reason),
	};

	return cmocka_run_group_tests_name("catalog_queue", tests, NULL, NULL);
}
