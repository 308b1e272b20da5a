/* jobs: the workers' pool: leases are kept, failures come again, the end is in good order. */
#include "helper_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "catalog/settings.h"
#include "db/db.h"
#include "jobs/jobs.h"
#include "util/times.h"

#define JOBS 12

struct room {
	struct queue_fixture *f;
	atomic_int started, ended, admitted, released, at_a_time, most_at_a_time;
	_Atomic enum job_outcome outcome;
	_Atomic bool hold; /* work lasts until it is cancelled, or this is false */
	unsigned max_attempts;
	_Atomic int64_t closed_workspace_id;
};

static void work(void *arg, struct job_run *run, struct job_result *ret_result)
{
	struct room *room = arg;
	struct catalog_object object = queue_object(320044);
	int now = atomic_fetch_add(&room->at_a_time, 1) + 1;

	if (now > room->most_at_a_time)
		room->most_at_a_time = now;
	room->started++;
	run->done_bytes = 50;
	run->total_bytes = 100;
	while (room->hold && !cancel_is_set(&run->cancel))
		usleep(2000);
	job_result_set(ret_result, room->outcome, "as told");
	ret_result->max_attempts = room->max_attempts;
	if (room->outcome == JOB_OUTCOME_DONE) {
		int err = migrate_job_stored(room->f->catalog, &run->job, &object, 2);

		if (err)
			ret_result->outcome =
				err == -ESTALE ? JOB_OUTCOME_STALE : JOB_OUTCOME_RETRY;
	}
	room->at_a_time--;
	room->ended++;
}

struct test_run {
	struct job_run run;
	int64_t recording_id; /* noted when it was claimed */
	int is_admitted;
};

static void claimed(void *arg, struct job_run *run, const struct catalog_recording *recording)
{
	((struct test_run *)run)->recording_id = recording->id;
}

static enum job_admission admit(void *arg, struct job_run *run)
{
	struct room *room = arg;

	if (room->closed_workspace_id == run->job.workspace_id)
		return JOB_WAITS;
	assert_int_equal(((struct test_run *)run)->recording_id, run->job.recording_id);
	((struct test_run *)run)->is_admitted = 1;
	room->admitted++;
	return JOB_ADMITTED;
}

static void release(void *arg, struct job_run *run)
{
	struct room *room = arg;

	room->released += ((struct test_run *)run)->is_admitted;
}

static struct jobs *jobs;

static void stop(struct job_pool *pool, unsigned grace_msecs)
{
	job_pool_stop(pool, grace_msecs);
	jobs_free(jobs);
}

static struct job_pool *start(struct room *room, struct queue_fixture *f, unsigned workers,
			      enum job_outcome outcome)
{
	struct job_pool_settings settings = {
		.name = "test",
		.kinds = CATALOG_JOB_MIGRATE,
		.workers = workers,
		.pause_first_msecs = 20,
		.pause_limit_msecs = 40,
		.run_size = sizeof(struct test_run),
		.claimed = claimed,
		.admit = admit,
		.work = work,
		.release = release,
		.arg = room,
	};
	struct job_pool *pool;

	room->f = f;
	room->outcome = outcome;
	assert_int_equal(jobs_new(f->catalog, &jobs), 0);
	assert_int_equal(job_pool_start(jobs, &settings, &pool), 0);
	return pool;
}

static void queue_all(struct queue_fixture *f)
{
	struct catalog_scope scope = { CATALOG_SCOPE_FOLDER, f->folder_id };
	int64_t queued;

	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), 0);
}

static struct catalog_counts counts_of(struct queue_fixture *f)
{
	struct catalog_scope scope = { CATALOG_SCOPE_FOLDER, f->folder_id };
	struct catalog_counts counts;

	assert_int_equal(catalog_counts_get(f->catalog, scope, &counts), 0);
	return counts;
}

#define WAIT_FOR(condition) \
	do { \
		int64_t end = time_mono_msecs() + 15000; \
		while (!(condition)) { \
			if (time_mono_msecs() > end) \
				fail_msg("not in time: %s", #condition); \
			usleep(2000); \
		} \
	} while (0)

static void test_jobs_pool__all_that_is_queued_is_done_also_what_comes_later(void **state)
{
	struct queue_fixture *f = *state;
	struct room room = { 0 };
	struct job_pool *pool;

	queue_add(f, f->workspace_id, 0, JOBS, QUEUE_NUMBER);
	queue_all(f);
	pool = start(&room, f, 4, JOB_OUTCOME_DONE);
	WAIT_FOR(counts_of(f).done == JOBS);
	queue_add(f, f->workspace_id, 100, 1, QUEUE_NUMBER);
	queue_all(f);
	WAIT_FOR(counts_of(f).done == JOBS + 1);
	stop(pool, 1000);
	assert_int_equal(room.started, JOBS + 1);
	assert_int_equal(room.released, JOBS + 1);
	assert_in_range(room.most_at_a_time, 1, 4);
}

static void test_jobs_pool__what_fails_is_tried_again_so_often_and_then_fails(void **state)
{
	struct queue_fixture *f = *state;
	struct room room = { .max_attempts = 3 };
	enum catalog_migration migration;
	char reason[CATALOG_REASON_SIZE];
	struct job_pool *pool;
	int percent;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_all(f);
	pool = start(&room, f, 2, JOB_OUTCOME_RETRY);
	WAIT_FOR(counts_of(f).failed == 1);
	stop(pool, 1000);
	assert_int_equal(room.started, 3);
	assert_int_equal(catalog_migrate_status(f->catalog, queue_get(f, 0).id, &migration,
						&percent, reason),
			 0);
	assert_string_equal(reason, "as told");
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_TWILIO);
}

static void test_jobs_pool__the_end_waits_for_what_runs(void **state)
{
	struct queue_fixture *f = *state;
	struct room room = { .hold = true };
	struct job_pool *pool;

	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	queue_all(f);
	pool = start(&room, f, 1, JOB_OUTCOME_DONE);
	WAIT_FOR(room.started == 1);
	room.hold = false;
	stop(pool, 5000);
	assert_int_equal(counts_of(f).running, 0);
	assert_in_range(counts_of(f).done, 1, 3);
}

static void test_jobs_pool__what_does_not_end_is_put_back_and_was_no_attempt(void **state)
{
	struct queue_fixture *f = *state;
	struct room room = { .hold = true };
	struct job_pool *pool;
	int64_t began;

	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	queue_all(f);
	pool = start(&room, f, 2, JOB_OUTCOME_RETRY);
	WAIT_FOR(room.started == 2);
	began = time_mono_msecs();
	stop(pool, 100);
	assert_true(time_mono_msecs() - began < 3000);
	assert_int_equal(counts_of(f).queued, 3);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_TWILIO);
	assert_int_equal(queue_claim(f, CATALOG_JOB_MIGRATE, "next", 1000).attempts, 1);
	assert_int_equal(room.released, room.admitted);
}

static void test_jobs_pool__a_removed_recordings_job_is_cancelled(void **state)
{
	struct queue_fixture *f = *state;
	struct room room = { .hold = true };
	struct catalog_removal removal;
	struct job_pool *pool;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_all(f);
	pool = start(&room, f, 1, JOB_OUTCOME_RETRY);
	WAIT_FOR(room.started == 1);
	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, 0).id, &removal), 0);
	WAIT_FOR(room.ended == 1); /* by the next renewal */
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_DELETED);
	stop(pool, 1000);
	assert_int_equal(room.started, 1);
}

static void test_jobs_pool__progress_is_noted_and_the_lease_kept(void **state)
{
	struct queue_fixture *f = *state;
	struct room room = { .hold = true };
	enum catalog_migration migration;
	char reason[CATALOG_REASON_SIZE];
	struct job_pool *pool;
	int percent = 0;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_all(f);
	pool = start(&room, f, 1, JOB_OUTCOME_DONE);
	WAIT_FOR(catalog_migrate_status(f->catalog, queue_get(f, 0).id, &migration, &percent,
					reason) == 0 &&
		 percent == 50);
	assert_int_equal(migration, CATALOG_MIGRATION_RUNNING);
	room.hold = false;
	WAIT_FOR(counts_of(f).done == 1);
	stop(pool, 1000);
}

static struct catalog_counts counts_of_workspace(struct queue_fixture *f, int64_t workspace_id)
{
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, workspace_id };
	struct catalog_counts counts;

	assert_int_equal(catalog_counts_get(f->catalog, scope, &counts), 0);
	return counts;
}

static void queue_everything(struct queue_fixture *f)
{
	struct catalog_scope all = { CATALOG_SCOPE_ALL, 0 };
	int64_t queued;

	assert_int_equal(catalog_migrate_queue(f->catalog, all, &queued), 0);
}

static void test_jobs_pool__a_workspace_that_waits_is_overtaken_by_another(void **state)
{
	struct queue_fixture *f = *state;
	struct room room = { 0 };
	struct job_pool *pool;
	int64_t other = queue_add_workspace(f, "globex", 2);

	queue_set_storage(f, other, true);
	queue_add(f, f->workspace_id, 0, 40, QUEUE_NUMBER);
	queue_add(f, other, 100, JOBS, QUEUE_NUMBER);
	queue_everything(f);
	room.closed_workspace_id = f->workspace_id;
	pool = start(&room, f, 2, JOB_OUTCOME_DONE);
	WAIT_FOR(counts_of_workspace(f, other).done == JOBS);
	assert_int_equal(counts_of_workspace(f, f->workspace_id).done, 0);
	/* No more of it is held than may be claimed ahead. */
	assert_true(counts_of_workspace(f, f->workspace_id).running <= JOB_POOL_AHEAD);
	room.closed_workspace_id = 0;
	WAIT_FOR(counts_of_workspace(f, f->workspace_id).done == 40);
	stop(pool, 1000);
}

static void test_jobs_pool__what_was_claimed_and_not_begun_is_put_back_at_the_end(void **state)
{
	struct queue_fixture *f = *state;
	struct room room = { 0 };
	struct job_pool *pool;
	int64_t began;

	queue_add(f, f->workspace_id, 0, JOBS, QUEUE_NUMBER);
	queue_all(f);
	room.closed_workspace_id = f->workspace_id;
	pool = start(&room, f, 2, JOB_OUTCOME_DONE);
	WAIT_FOR(counts_of(f).running > 0);
	began = time_mono_msecs();
	stop(pool, 30000);
	assert_true(time_mono_msecs() - began < 15000);
	assert_int_equal(counts_of(f).queued, JOBS);
	assert_int_equal(room.started, 0);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(queue_claim(f, CATALOG_JOB_MIGRATE, "next", 60000).attempts, 1);
}

static void delete_work(void *arg, struct job_run *run, struct job_result *ret_result)
{
	struct room *room = arg;

	room->started++;
	assert_int_equal(run->job.kind, CATALOG_JOB_CLEANUP_TWILIO);
	ret_result->outcome =
		job_done(room->f->catalog, &run->job, NULL) ? JOB_OUTCOME_STALE : JOB_OUTCOME_DONE;
}

static void test_jobs_pool__one_claimer_finds_the_jobs_of_all_pools(void **state)
{
	struct queue_fixture *f = *state;
	struct room room = { 0 }, deletes = { .f = f };
	struct job_pool_settings settings = {
		.name = "deletes",
		.kinds = CATALOG_JOB_CLEANUP_TWILIO,
		.workers = 1,
		.work = delete_work,
		.arg = &deletes,
	};
	struct job_pool *pool, *delete_pool;

	queue_add(f, f->workspace_id, 0, JOBS, QUEUE_NUMBER);
	queue_all(f);
	pool = start(&room, f, 2, JOB_OUTCOME_DONE);
	assert_int_equal(job_pool_start(jobs, &settings, &delete_pool), 0);
	WAIT_FOR(queue_get(f, 0).state == CATALOG_STATE_S3 && deletes.started == JOBS);
	assert_int_equal(room.started, JOBS);
	job_pool_stop(delete_pool, 1000);
	stop(pool, 1000);
	assert_int_equal(counts_of(f).cleanup_queued, 0);
}

static void test_jobs_pool__a_pool_that_stops_leaves_the_others_alone(void **state)
{
	struct queue_fixture *f = *state;
	struct room room = { .hold = true }, deletes = { .f = f };
	struct job_pool_settings settings = {
		.name = "deletes",
		.kinds = CATALOG_JOB_CLEANUP_TWILIO,
		.workers = 1,
		.work = delete_work,
		.arg = &deletes,
	};
	struct job_pool *pool, *delete_pool;

	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER);
	queue_all(f);
	pool = start(&room, f, 1, JOB_OUTCOME_DONE);
	WAIT_FOR(room.started == 1);
	assert_int_equal(job_pool_start(jobs, &settings, &delete_pool), 0);
	job_pool_stop(delete_pool, 1000);
	assert_int_equal(counts_of(f).running, 1);
	room.hold = false;
	WAIT_FOR(counts_of(f).done == 2);
	stop(pool, 1000);
}

static unsigned threads_of_this_process(void)
{
	DIR *folder = opendir("/proc/self/task");
	unsigned count = 0;

	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

static void test_jobs_pool__workers_exist_only_while_there_is_work(void **state)
{
	struct queue_fixture *f = *state;
	struct room room = { .hold = true };
	struct job_pool *pool = start(&room, f, 8, JOB_OUTCOME_DONE);
	unsigned idle;

	usleep(200000); /* the database's own thread begins */
	idle = threads_of_this_process();
	queue_add(f, f->workspace_id, 0, 8, QUEUE_NUMBER);
	queue_all(f);
	WAIT_FOR(room.started == 8);
	assert_true(threads_of_this_process() >= idle + 8);
	room.hold = false;
	WAIT_FOR(counts_of(f).done == 8);
	WAIT_FOR(threads_of_this_process() <= idle);
	stop(pool, 1000);
}

#ifndef __SANITIZE_THREAD__ /* which has a pthread_create of its own */
static atomic_bool no_threads;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the library's have __ */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	if (!real)
		real = dlsym(RTLD_NEXT, "pthread_create");
	return no_threads ? EAGAIN : real(thread, attr, fn, arg);
}

static void test_jobs_pool__jobs_are_put_back_while_no_thread_can_be_started(void **state)
{
	struct queue_fixture *f = *state;
	struct room room = { 0 };
	struct job_pool *pool = start(&room, f, 4, JOB_OUTCOME_DONE);

	usleep(200000);
	no_threads = true;
	queue_add(f, f->workspace_id, 0, JOBS, QUEUE_NUMBER);
	queue_all(f);
	WAIT_FOR(room.admitted > 0);
	WAIT_FOR(room.released == room.admitted && counts_of(f).queued == JOBS);
	assert_int_equal(room.started, 0);
	no_threads = false;
	WAIT_FOR(counts_of(f).done == JOBS);
	stop(pool, 1000);
	assert_int_equal(room.released, room.admitted);
}
#endif

static void test_jobs_pool__a_run_is_ours_until_its_lease_may_have_ended(void **state)
{
	struct queue_fixture *f = *state;
	struct job_run run = { 0 };

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_all(f);
	run.job = queue_claim(f, CATALOG_JOB_MIGRATE, "one", 100);
	assert_true(job_run_is_ours(&run));
	usleep(110000);
	assert_false(job_run_is_ours(&run));
	run.job.lease_end_msecs += 60000;
	assert_true(job_run_is_ours(&run));
	cancel_set(&run.cancel);
	assert_false(job_run_is_ours(&run));
}

/* ---- a job that is lost, and claimed again by the same process ---- */

struct twice {
	atomic_int started;
	_Atomic bool first_ends, second_ends;
	_Atomic bool is_first_lost;
	_Atomic int64_t lease_end_msecs; /* the second run's */
};

/* The first run does not come back when it is cancelled. */
static void work_twice(void *arg, struct job_run *run, struct job_result *ret_result)
{
	struct twice *twice = arg;

	if (twice->started++ == 0) {
		for (; !twice->first_ends; usleep(2000))
			twice->is_first_lost = cancel_is_set(&run->cancel);
		return;
	}
	for (; !twice->second_ends && !cancel_is_set(&run->cancel); usleep(2000))
		twice->lease_end_msecs = run->job.lease_end_msecs;
	ret_result->outcome = JOB_OUTCOME_PUT_BACK;
}

static int write_taken_over(struct db_conn *conn, void *arg)
{
	return db_run(conn, "UPDATE job SET owner = 'other', due_msecs = 0", "");
}

static void test_jobs_pool__a_job_keeps_its_lease_beside_a_lost_run_of_the_same_job(void **state)
{
	struct queue_fixture *f = *state;
	struct twice twice = { 0 };
	struct job_pool_settings settings = {
		.name = "twice",
		.kinds = CATALOG_JOB_MIGRATE,
		.workers = 2,
		.work = work_twice,
		.arg = &twice,
	};
	struct job_pool *pool;
	int64_t lease_end_msecs;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_all(f);
	assert_int_equal(jobs_new(f->catalog, &jobs), 0);
	assert_int_equal(job_pool_start(jobs, &settings, &pool), 0);
	WAIT_FOR(twice.started == 1);
	assert_int_equal(db_write(catalog_db(f->catalog), write_taken_over, NULL), 0);
	WAIT_FOR(twice.started == 2 && twice.is_first_lost && twice.lease_end_msecs);
	lease_end_msecs = twice.lease_end_msecs;
	WAIT_FOR(twice.lease_end_msecs > lease_end_msecs);
	twice.first_ends = twice.second_ends = true;
	stop(pool, 1000);
}

/* ---- looks ---- */

static atomic_int looks;

static unsigned no_room(void *arg, int64_t workspace_id)
{
	looks++;
	return 0;
}

static void test_jobs_pool__commits_cause_no_looks_for_jobs_that_there_is_no_room_for(void **state)
{
	struct queue_fixture *f = *state;
	struct room deletes = { .f = f };
	struct job_pool_settings settings = {
		.name = "full",
		.kinds = CATALOG_JOB_MIGRATE,
		.workers = 2,
		.room = no_room,
	};
	struct job_pool_settings idle = {
		.name = "idle",
		.kinds = CATALOG_JOB_CLEANUP_TWILIO,
		.workers = 1,
		.work = delete_work,
		.arg = &deletes,
	};
	struct job_pool *pool, *idle_pool;
	int64_t until;

	queue_add(f, f->workspace_id, 0, 1, QUEUE_NUMBER);
	queue_all(f);
	assert_int_equal(jobs_new(f->catalog, &jobs), 0);
	assert_int_equal(job_pool_start(jobs, &settings, &pool), 0);
	assert_int_equal(job_pool_start(jobs, &idle, &idle_pool), 0);
	WAIT_FOR(looks > 1);
	looks = 0;
	until = time_mono_msecs() + 1000;
	for (int n = 0; time_mono_msecs() < until; n++)
		assert_int_equal(catalog_setting_set(f->catalog, "test", n % 2 ? "a" : "b"), 0);
	job_pool_stop(idle_pool, 1000);
	stop(pool, 1000);
	assert_in_range(looks, 1, 80); /* there is a gap of 20 ms between two */
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_jobs_pool__##name, queue_fixture_setup, \
					queue_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_that_is_queued_is_done_also_what_comes_later),
		TEST(what_fails_is_tried_again_so_often_and_then_fails),
		TEST(the_end_waits_for_what_runs),
		TEST(what_does_not_end_is_put_back_and_was_no_attempt),
		TEST(a_workspace_that_waits_is_overtaken_by_another),
		TEST(what_was_claimed_and_not_begun_is_put_back_at_the_end),
		TEST(a_removed_recordings_job_is_cancelled),
		TEST(progress_is_noted_and_the_lease_kept),
		TEST(one_claimer_finds_the_jobs_of_all_pools),
		TEST(a_pool_that_stops_leaves_the_others_alone),
		TEST(workers_exist_only_while_there_is_work),
#ifndef __SANITIZE_THREAD__
		TEST(jobs_are_put_back_while_no_thread_can_be_started),
#endif
		TEST(a_run_is_ours_until_its_lease_may_have_ended),
		TEST(a_job_keeps_its_lease_beside_a_lost_run_of_the_same_job),
		TEST(commits_cause_no_looks_for_jobs_that_there_is_no_room_for),
	};

	return cmocka_run_group_tests_name("jobs_pool", tests, NULL, NULL);
}
