/* jobs: the queue: leases, takeover, owners that are too late, counts. */
#include "catalog/belief.h"
#include "catalog/campaign.h"
#include "catalog/change.h"
#include "catalog/tree.h"
#include "helper_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "jobs/lease.h"
#include "util/times.h"

#define MIGRATE CATALOG_JOB_MIGRATE
#define CLEANUP CATALOG_JOB_CLEANUP_TWILIO

static int64_t queue_folder(struct queue_fixture *f)
{
	struct catalog_scope scope = { CATALOG_SCOPE_FOLDER, f->folder_id };
	int64_t queued;

	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), 0);
	return queued;
}

static struct catalog_counts counts_of(struct queue_fixture *f)
{
	struct catalog_scope scope = { CATALOG_SCOPE_FOLDER, f->folder_id };
	struct catalog_counts counts;

	assert_int_equal(catalog_counts_get(f->catalog, scope, &counts), 0);
	return counts;
}

static void test_jobs_queue__a_folder_is_queued_once(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_counts counts;

	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	queue_add(f, f->workspace_id, 10, 2, "+15559999999"); /* elsewhere */
	assert_int_equal(queue_folder(f), 3);
	assert_int_equal(queue_folder(f), 0);
	counts = counts_of(f);
	assert_int_equal(counts.queued, 3);
	assert_int_equal(counts.none, 0);
	assert_int_equal(queue_get(f, 10).migration, CATALOG_MIGRATION_NONE);
	assert_int_equal(queue_get(f, 1).migration, CATALOG_MIGRATION_QUEUED);
	assert_int_equal(queue_get(f, 1).state, CATALOG_STATE_TWILIO);
}

static void test_jobs_queue__without_storage_nothing_is_queued(void **state)
{
	struct queue_fixture *f = *state;
	int64_t other = queue_add_workspace(f, "other", 2), queued = 5;
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, other };

	queue_add(f, other, 0, 1, "+15551111111");
	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), -ENOENT);
	assert_int_equal(queued, 0);
	queue_set_storage(f, other, false);
	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), -ENODEV);
	scope.kind = CATALOG_SCOPE_ALL; /* whatever has a place to go to */
	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), 0);
	assert_int_equal(queued, 0);
	scope = (struct catalog_scope){ CATALOG_SCOPE_FOLDER, 4711 };
	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), -ENOENT);
}

static void test_jobs_queue__a_claim_is_one_owners(void **state)
{
	struct queue_fixture *f = *state;
	struct job job, again;
	int64_t wait, before = job_clock_msecs();

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_folder(f);
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_true(job.lease_end_msecs >= before + 20000);
	assert_true(job.lease_end_msecs <= job_clock_msecs() + 20000);
	assert_int_equal(job.attempts, 1);
	assert_string_equal(job.owner, "one");
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_UPLOADING);
	assert_int_equal(queue_get(f, 0).migration, CATALOG_MIGRATION_RUNNING);
	assert_int_equal(queue_claim_from(f->catalog, MIGRATE, "two", 20000, &again, &wait),
			 -ENOENT);
	assert_true(wait > 0 && wait <= 20000); /* the lease's end */
}

static void test_jobs_queue__a_dead_workers_job_is_taken_over_and_it_comes_too_late(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_object object = queue_object(320044);
	struct catalog *other = queue_open_again(f);
	struct job dead, job;
	int64_t wait;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_folder(f);
	dead = queue_claim(f, MIGRATE, "one", 50);
	usleep(60000);
	assert_int_equal(queue_claim_from(other, MIGRATE, "two", 20000, &job, &wait), 0);
	assert_int_equal(job.id, dead.id);
	assert_int_equal(job.attempts, 2);
	assert_int_equal(queue_renew(f->catalog, &dead, 20000, 1, 2, NULL), -ESTALE);
	assert_int_equal(job_mark_sent(f->catalog, &dead), -ESTALE);
	assert_int_equal(job_put_back(f->catalog, &dead), -ESTALE);
	assert_int_equal(job_fail(f->catalog, &dead, "late", 0), -ESTALE);
	assert_int_equal(migrate_job_stored(f->catalog, &dead, &object, 2), -ESTALE);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_UPLOADING);
	assert_int_equal(migrate_job_stored(other, &job, &object, 2), 0);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_STORED);
	catalog_close(other);
}

static void test_jobs_queue__the_same_owner_with_an_older_attempt_is_too_late(void **state)
{
	struct queue_fixture *f = *state;
	struct job first, second;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_folder(f);
	first = queue_claim(f, MIGRATE, "one", 20);
	usleep(30000);
	second = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(queue_renew(f->catalog, &first, 1000, 0, 0, NULL), -ESTALE);
	assert_int_equal(queue_renew(f->catalog, &second, 1000, 0, 0, NULL), 0);
}

static void test_jobs_queue__an_ended_lease_marks_nothing_as_sent(void **state)
{
	struct queue_fixture *f = *state;
	struct job job;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_store(f, 0);
	job = queue_claim(f, CLEANUP, "one", 30);
	usleep(40000);
	assert_int_equal(job_mark_sent(f->catalog, &job), -ESTALE);
	/* Nobody took it: it may be renewed, and then sent. */
	assert_int_equal(queue_renew(f->catalog, &job, 20000, 0, 0, NULL), 0);
	assert_int_equal(job_mark_sent(f->catalog, &job), 0);
	assert_int_equal(job_fail(f->catalog, &job, "500", 0), 0);
	job = queue_claim(f, CLEANUP, "two", 20000);
	assert_true(job.was_sent);
	assert_int_equal(job.attempts, 2);
}

static void test_jobs_queue__put_back_is_no_attempt(void **state)
{
	struct queue_fixture *f = *state;
	struct job job;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_folder(f);
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(job_put_back(f->catalog, &job), 0);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_TWILIO);
	assert_int_equal(queue_get(f, 0).migration, CATALOG_MIGRATION_QUEUED);
	job = queue_claim(f, MIGRATE, "two", 20000);
	assert_int_equal(job.attempts, 1);
}

static int note_problem(void *arg, const struct catalog_problem *problem)
{
	*(struct catalog_problem *)arg = *problem;
	return 0;
}

static void test_jobs_queue__failures_wait_or_stay_and_say_why(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, f->workspace_id };
	enum catalog_migration migration;
	struct catalog_problem problem = { 0 };
	char reason[CATALOG_REASON_SIZE];
	struct job job;
	int64_t wait;
	int percent;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_folder(f);
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(job_fail(f->catalog, &job, "busy", 60000), 0);
	assert_int_equal(queue_claim_from(f->catalog, MIGRATE, "one", 20000, &job, &wait), -ENOENT);
	assert_true(wait > 50000 && wait <= 60000);
	assert_int_equal(catalog_migrate_status(f->catalog, job.recording_id, &migration, &percent,
						reason),
			 0);
	assert_int_equal(migration, CATALOG_MIGRATION_QUEUED);
	assert_string_equal(reason, "busy");

	/* Asked for again, it waits no longer. */
	assert_int_equal(queue_folder(f), 0);
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(job.attempts, 2);
	assert_int_equal(job_fail(f->catalog, &job, "no audio", -1), 0);
	assert_int_equal(queue_claim_from(f->catalog, MIGRATE, "one", 20000, &job, &wait), -ENOENT);
	assert_true(wait == INT64_MAX);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_TWILIO);
	assert_int_equal(counts_of(f).failed, 1);
	assert_int_equal(catalog_problem_each(f->catalog, scope, note_problem, &problem), 0);
	assert_string_equal(problem.reason, "no audio");
	assert_int_equal(problem.attempts, 2);
	assert_true(problem.next_msecs == INT64_MAX);

	assert_int_equal(queue_folder(f), 1); /* failed ones again */
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(job.attempts, 1);
	assert_int_equal(catalog_migrate_status(f->catalog, job.recording_id, &migration, &percent,
						reason),
			 0);
	assert_int_equal(migration, CATALOG_MIGRATION_RUNNING);
	assert_string_equal(reason, "");
}

static void test_jobs_queue__progress_is_shown_and_never_100_before_it_is_stored(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_object object = queue_object(320044);
	enum catalog_migration migration;
	char reason[CATALOG_REASON_SIZE];
	struct job job;
	int percent;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_folder(f);
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(queue_renew(f->catalog, &job, 20000, 43, 100, NULL), 0);
	assert_int_equal(catalog_migrate_status(f->catalog, job.recording_id, &migration, &percent,
						reason),
			 0);
	assert_int_equal(percent, 43);
	assert_int_equal(queue_renew(f->catalog, &job, 20000, 100, 100, NULL), 0);
	assert_int_equal(catalog_migrate_status(f->catalog, job.recording_id, &migration, &percent,
						reason),
			 0);
	assert_int_equal(percent, 99);
	assert_int_equal(migrate_job_stored(f->catalog, &job, &object, 2), 0);
	assert_int_equal(catalog_migrate_status(f->catalog, job.recording_id, &migration, &percent,
						reason),
			 0);
	assert_int_equal(percent, 100);
	assert_int_equal(migration, CATALOG_MIGRATION_DONE);
}

static void test_jobs_queue__stored_owes_a_delete_and_then_it_is_in_s3(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_object object;
	struct job job;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	assert_true(queue_is_empty(f, CLEANUP));
	queue_store(f, 0);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_STORED);
	assert_int_equal(counts_of(f).cleanup_queued, 1);
	assert_int_equal(counts_of(f).done, 1);
	assert_int_equal(catalog_recording_object(f->catalog, queue_get(f, 0).id, &object), 0);
	assert_string_equal(object.key, "a/key");
	assert_true(object.stored_secs > 0);
	job = queue_claim(f, CLEANUP, "one", 20000);
	assert_int_equal(job_done(f->catalog, &job, NULL), 0);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_S3);
	assert_int_equal(counts_of(f).cleanup_queued, 0);
	assert_int_equal(job_done(f->catalog, &job, NULL), -ESTALE);
}

static void test_jobs_queue__migrating_changes_no_name_size_or_time(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_node file, folder, file_after, folder_after;
	struct catalog_campaign campaign;
	int64_t seq, seq_after;
	struct job job;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	assert_int_equal(catalog_campaign_get(f->catalog, f->folder_id, &campaign), 0);
	assert_int_equal(catalog_node_resolve(f->catalog, "acme/spring", &folder), 0);
	assert_int_equal(catalog_node_get(f->catalog, queue_get(f, 0).inode, CATALOG_NAMES_NUMBER,
					  &file),
			 0);
	assert_int_equal(catalog_change_last(f->catalog, &seq), 0);
	queue_store(f, 0);
	job = queue_claim(f, CLEANUP, "one", 20000);
	assert_int_equal(job_mark_sent(f->catalog, &job), 0);
	assert_int_equal(job_done(f->catalog, &job, NULL), 0);
	assert_int_equal(catalog_node_resolve(f->catalog, "acme/spring", &folder_after), 0);
	assert_int_equal(catalog_node_get(f->catalog, queue_get(f, 0).inode, CATALOG_NAMES_NUMBER,
					  &file_after),
			 0);
	assert_int_equal(catalog_change_last(f->catalog, &seq_after), 0);
	assert_int_equal(seq, seq_after);
	assert_int_equal(folder.mtime_nsecs, folder_after.mtime_nsecs);
	assert_int_equal(file.mtime_nsecs, file_after.mtime_nsecs);
	assert_int_equal(file.size_bytes, file_after.size_bytes);
	assert_int_equal(file.cookie, file_after.cookie);
	assert_string_equal(file.name, file_after.name);
}

static void test_jobs_queue__another_size_than_the_files_is_never_stored(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_object object = queue_object(320043);
	struct job job;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_folder(f);
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(migrate_job_stored(f->catalog, &job, &object, 2), -EINVAL);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_UPLOADING);
	assert_int_equal(catalog_recording_object(f->catalog, job.recording_id, &object), -ENOENT);
}

static void test_jobs_queue__cancel_takes_back_what_is_queued_only(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_scope scope = { CATALOG_SCOPE_FOLDER, f->folder_id };
	struct catalog_object object = queue_object(320044);
	struct job job;
	int64_t cancelled;

	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	queue_folder(f);
	job = queue_claim(f, MIGRATE, "one", 20000);
	assert_int_equal(catalog_migrate_cancel(f->catalog, scope, &cancelled), 0);
	assert_int_equal(cancelled, 2);
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(counts_of(f).none, 2);
	assert_int_equal(migrate_job_stored(f->catalog, &job, &object, 2), 0);
}

static void
test_jobs_queue__a_disabled_bucket_stops_new_transfers_and_enabling_goes_on(void **state)
{
	struct queue_fixture *f = *state;
	struct job job;

	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER);
	queue_folder(f);
	job = queue_claim(f, MIGRATE, "one", 30);
	queue_set_storage(f, f->workspace_id, false);
	usleep(40000);
	/* What a dead worker left is at Twilio again, and nothing is given out. */
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_TWILIO);
	assert_int_equal(queue_get(f, 0).migration, CATALOG_MIGRATION_QUEUED);
	assert_int_equal(queue_renew(f->catalog, &job, 1000, 0, 0, NULL), -ESTALE);
	queue_set_storage(f, f->workspace_id, true);
	queue_claim(f, MIGRATE, "two", 20000);
	queue_claim(f, MIGRATE, "three", 20000);
}

static void test_jobs_queue__workspaces_take_turns(void **state)
{
	struct queue_fixture *f = *state;
	int64_t other = queue_add_workspace(f, "other", 2), queued;
	struct catalog_scope scope = { CATALOG_SCOPE_ALL, 0 };

	queue_set_storage(f, other, true);
	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	queue_folder(f);
	queue_add(f, other, 10, 1, "+15551111111");
	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), 0);
	assert_int_equal(queued, 1);
	assert_int_equal(queue_claim(f, MIGRATE, "a", 20000).recording_id, queue_get(f, 0).id);
	assert_int_equal(queue_claim(f, MIGRATE, "b", 20000).workspace_id, other);
	assert_int_equal(queue_claim(f, MIGRATE, "c", 20000).recording_id, queue_get(f, 1).id);
}

static void test_jobs_queue__new_recordings_queue_themselves_where_asked_for(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_workspace workspace = queue_workspace(f);

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	workspace.migrate_new = true;
	assert_int_equal(catalog_workspace_update(f->catalog, &workspace, NULL), 0);
	queue_add(f, f->workspace_id, 1, 1, QUEUE_NUMBER);
	assert_int_equal(queue_get(f, 0).migration, CATALOG_MIGRATION_NONE);
	assert_int_equal(queue_get(f, 1).migration, CATALOG_MIGRATION_QUEUED);
	assert_int_equal(queue_claim(f, MIGRATE, "a", 20000).recording_id, queue_get(f, 1).id);
}

static void test_jobs_queue__what_moved_on_meanwhile_is_not_given_out(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_object object = queue_object(320044);

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_folder(f);
	assert_int_equal(catalog_recording_found_in_s3(f->catalog, queue_get(f, 0).id, &object), 0);
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_S3);
}

#define RACE_JOBS 60
#define RACE_THREADS 6

struct racer {
	struct catalog *catalog;
	int claimed[RACE_JOBS], stored, number;
	pthread_t thread;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	char owner[CATALOG_OWNER_SIZE];
	struct job job;
	int64_t wait;

	job_owner_new(owner);
	while (queue_claim_from(r->catalog, MIGRATE, owner, 20000, &job, &wait) == 0) {
		struct catalog_object object = queue_object(320044);

		r->claimed[job.recording_sid.bytes[5]]++;
		r->stored += migrate_job_stored(r->catalog, &job, &object, 2) == 0;
	}
	return NULL;
}

static void test_jobs_queue__two_processes_do_nothing_twice(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog *other = queue_open_again(f);
	struct racer racers[RACE_THREADS] = { 0 };
	int stored = 0;

	queue_add(f, f->workspace_id, 0, RACE_JOBS, QUEUE_NUMBER);
	assert_int_equal(queue_folder(f), RACE_JOBS);
	for (int i = 0; i < RACE_THREADS; i++) {
		racers[i].catalog = i % 2 ? other : f->catalog;
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < RACE_THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		stored += racers[i].stored;
	}
	assert_int_equal(stored, RACE_JOBS);
	for (int job = 0; job < RACE_JOBS; job++) {
		int claims = 0;

		for (int i = 0; i < RACE_THREADS; i++)
			claims += racers[i].claimed[job];
		assert_int_equal(claims, 1);
	}
	assert_int_equal(counts_of(f).done, RACE_JOBS);
	catalog_close(other);
}

static void test_jobs_queue__owners_differ(void **state)
{
	char one[CATALOG_OWNER_SIZE], two[CATALOG_OWNER_SIZE];

	job_owner_new(one);
	job_owner_new(two);
	assert_string_not_equal(one, two);
	assert_true(strlen(one) > 20);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_jobs_queue__##name, queue_fixture_setup, \
					queue_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_folder_is_queued_once),
		TEST(without_storage_nothing_is_queued),
		TEST(a_claim_is_one_owners),
		TEST(a_dead_workers_job_is_taken_over_and_it_comes_too_late),
		TEST(the_same_owner_with_an_older_attempt_is_too_late),
		TEST(an_ended_lease_marks_nothing_as_sent),
		TEST(put_back_is_no_attempt),
		TEST(failures_wait_or_stay_and_say_why),
		TEST(progress_is_shown_and_never_100_before_it_is_stored),
		TEST(stored_owes_a_delete_and_then_it_is_in_s3),
		TEST(migrating_changes_no_name_size_or_time),
		TEST(another_size_than_the_files_is_never_stored),
		TEST(cancel_takes_back_what_is_queued_only),
		TEST(a_disabled_bucket_stops_new_transfers_and_enabling_goes_on),
		TEST(workspaces_take_turns),
		TEST(new_recordings_queue_themselves_where_asked_for),
		TEST(what_moved_on_meanwhile_is_not_given_out),
		TEST(two_processes_do_nothing_twice),
		cmocka_unit_test(test_jobs_queue__owners_differ),
	};

	return cmocka_run_group_tests_name("jobs_queue", tests, NULL, NULL);
}
