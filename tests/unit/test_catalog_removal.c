/* catalog: removing under each policy, what it queues, what stays away. */
#include "helper_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog/calls-csv.h"
#include "catalog/campaign.h"
#include "catalog/change.h"
#include "catalog/storage.h"
#include "catalog/sync.h"
#include "catalog/tree.h"
#include "util/buf.h"
#include "util/secret.h"
#include "util/times.h"

#define MIGRATE CATALOG_JOB_MIGRATE
#define CLEANUP CATALOG_JOB_CLEANUP_TWILIO
#define DELETE_TWILIO CATALOG_JOB_DELETE_TWILIO
#define DELETE_S3 CATALOG_JOB_DELETE_S3
#define TOMBSTONE CATALOG_JOB_TOMBSTONE

/* A recording in the state wanted, number `number`, in the campaign. */
static void make(struct queue_fixture *f, unsigned number, enum catalog_state state)
{
	struct catalog_scope scope;
	struct job job;
	int64_t queued;

	queue_add(f, f->workspace_id, number, 1, QUEUE_NUMBER);
	scope = (struct catalog_scope){ CATALOG_SCOPE_RECORDING, queue_get(f, number).id };
	if (state == CATALOG_STATE_UPLOADING) {
		assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), 0);
		job = queue_claim(f, MIGRATE, "transfer", 60000);
		assert_int_equal(job.recording_id, scope.id);
	}
	if (state == CATALOG_STATE_STORED || state == CATALOG_STATE_S3)
		queue_store(f, number);
	if (state == CATALOG_STATE_S3) {
		job = queue_claim(f, CLEANUP, "cleaner", 60000);
		assert_int_equal(job.recording_id, scope.id);
		assert_int_equal(job_done(f->catalog, &job, NULL), 0);
	}
	assert_int_equal(queue_get(f, number).state, state);
}

static int note_kind(void *arg, const struct catalog_problem *problem)
{
	++*(int *)arg;
	return 0;
}

/* The kinds of jobs that are due; they are claimed. */
static unsigned due_kinds(struct queue_fixture *f)
{
	unsigned kinds = 0;
	struct job job;
	int64_t next;

	while (queue_claim_from(f->catalog,
				MIGRATE | CLEANUP | DELETE_TWILIO | DELETE_S3 | TOMBSTONE,
				"looking", 60000, &job, &next) == 0)
		kinds |= job.kind;
	return kinds;
}

static struct catalog_removal remove_one(struct queue_fixture *f, unsigned number)
{
	struct catalog_removal removal;

	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, number).id, &removal),
			 0);
	assert_int_equal(queue_get(f, number).state, CATALOG_STATE_DELETED);
	assert_false(queue_get(f, number).is_listed);
	return removal;
}

static bool bucket_has_first(void *arg, const struct sid *sid)
{
	struct sid has = queue_get(arg, 0).sid;

	return sid_equal(sid, &has);
}

static bool bucket_has_none(void *arg, const struct sid *sid)
{
	(void)arg, (void)sid;
	return false;
}

/* How many are queued for a bucket that has the tombstone of recording 0, or none. */
static int64_t tell(struct queue_fixture *f, bool has_first)
{
	int64_t queued;

	assert_int_equal(catalog_removals_tell(f->catalog, f->workspace_id,
					       has_first ? bucket_has_first : bucket_has_none, f,
					       &queued),
			 0);
	return queued;
}

static void test_catalog_removal__each_policy_in_each_state_queues_what_it_says(void **state)
{
	static const struct {
		enum catalog_state from;
		bool delete_s3, delete_twilio;
		unsigned kinds;
		struct catalog_removal removal;
	} cases[] = {
		{ CATALOG_STATE_TWILIO, false, false, TOMBSTONE, { 1, 0, 0, 0, 1 } },
		{ CATALOG_STATE_TWILIO, true, false, TOMBSTONE, { 1, 0, 0, 0, 1 } },
		{ CATALOG_STATE_TWILIO, false, true, DELETE_TWILIO | TOMBSTONE, { 1, 1, 0, 0, 0 } },
		{ CATALOG_STATE_TWILIO, true, true, DELETE_TWILIO | TOMBSTONE, { 1, 1, 0, 0, 0 } },
		{ CATALOG_STATE_STORED, false, false, CLEANUP | TOMBSTONE, { 1, 1, 0, 1, 0 } },
		{ CATALOG_STATE_STORED,
		  true,
		  false,
		  CLEANUP | DELETE_S3 | TOMBSTONE,
		  { 1, 1, 1, 0, 0 } },
		{ CATALOG_STATE_STORED, false, true, DELETE_TWILIO | TOMBSTONE, { 1, 1, 0, 1, 0 } },
		{ CATALOG_STATE_STORED,
		  true,
		  true,
		  DELETE_TWILIO | DELETE_S3 | TOMBSTONE,
		  { 1, 1, 1, 0, 0 } },
		{ CATALOG_STATE_S3, false, false, TOMBSTONE, { 1, 0, 0, 1, 0 } },
		{ CATALOG_STATE_S3, true, false, DELETE_S3 | TOMBSTONE, { 1, 0, 1, 0, 0 } },
		{ CATALOG_STATE_S3, false, true, TOMBSTONE, { 1, 0, 0, 1, 0 } },
		{ CATALOG_STATE_S3, true, true, DELETE_S3 | TOMBSTONE, { 1, 0, 1, 0, 0 } },
	};
	struct queue_fixture *f = *state;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct catalog_removal removal;

		make(f, i, cases[i].from);
		queue_set_policy(f, cases[i].delete_s3, cases[i].delete_twilio, false);
		removal = remove_one(f, i);
		assert_memory_equal(&removal, &cases[i].removal, sizeof removal);
		assert_int_equal(due_kinds(f), cases[i].kinds);
		queue_set_policy(f, false, false, false);
	}
}

static void test_catalog_removal__removing_twice_does_nothing_more(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_removal removal;

	make(f, 0, CATALOG_STATE_STORED);
	queue_set_policy(f, true, true, false);
	remove_one(f, 0);
	removal = remove_one(f, 0);
	assert_int_equal(removal.recordings + removal.twilio_deletes + removal.s3_deletes, 0);
	assert_int_equal(due_kinds(f), DELETE_S3 | DELETE_TWILIO | TOMBSTONE);
	assert_int_equal(catalog_remove_recording(f->catalog, 4711, &removal), -ENOENT);
}

static void test_catalog_removal__a_queued_migration_is_cancelled(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_scope scope;
	int64_t queued;

	make(f, 0, CATALOG_STATE_TWILIO);
	scope = (struct catalog_scope){ CATALOG_SCOPE_RECORDING, queue_get(f, 0).id };
	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), 0);
	remove_one(f, 0);
	assert_int_equal(due_kinds(f), TOMBSTONE);
}

static void test_catalog_removal__a_running_transfer_finds_its_lease_gone(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_object object = queue_object(320044);
	struct catalog_scope scope;
	struct job job, deletion;
	int64_t queued, wait;

	make(f, 0, CATALOG_STATE_TWILIO);
	scope = (struct catalog_scope){ CATALOG_SCOPE_RECORDING, queue_get(f, 0).id };
	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), 0);
	job = queue_claim(f, MIGRATE, "transfer", 300);
	queue_set_policy(f, true, true, false);
	remove_one(f, 0);
	assert_int_equal(queue_renew(f->catalog, &job, 60000, 1, 2, NULL), -ESTALE);
	assert_int_equal(migrate_job_stored(f->catalog, &job, &object, 2), -ESTALE);
	assert_int_equal(job_put_back(f->catalog, &job), -ESTALE);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_DELETED);
	/* What it may have put into the bucket is deleted, but not before it must have stopped. */
	assert_int_equal(queue_claim_from(f->catalog, DELETE_S3, "policy", 60000, &deletion, &wait),
			 -ENOENT);
	assert_true(wait > 0 && wait <= 300);
	usleep(320000);
	deletion = queue_claim(f, DELETE_S3, "policy", 60000);
	assert_int_equal(job_done(f->catalog, &deletion, NULL), 0);
}

static void test_catalog_removal__a_delete_that_may_have_been_sent_is_remembered(void **state)
{
	struct queue_fixture *f = *state;
	struct job job;

	make(f, 0, CATALOG_STATE_STORED);
	job = queue_claim(f, CLEANUP, "cleaner", 60000);
	assert_int_equal(job_mark_sent(f->catalog, &job), 0);
	queue_set_policy(f, false, true, false);
	remove_one(f, 0);
	assert_int_equal(job_done(f->catalog, &job, NULL), -ESTALE);
	job = queue_claim(f, DELETE_TWILIO, "policy", 60000);
	assert_true(job.was_sent);
	assert_int_equal(job_done(f->catalog, &job, NULL), 0);
	assert_int_equal(job_done(f->catalog, &job, NULL), -ESTALE);
}

static void test_catalog_removal__keep_at_twilio_drops_the_delete_that_was_owed(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_removal removal;

	make(f, 0, CATALOG_STATE_STORED);
	queue_set_policy(f, false, false, true);
	removal = remove_one(f, 0);
	assert_int_equal(removal.stay_at_twilio, 1);
	assert_int_equal(removal.twilio_deletes, 0);
	queue_set_policy(f, false, false, false);
	assert_int_equal(due_kinds(f), TOMBSTONE);
}

static void test_catalog_removal__deletes_keep_their_reason_and_come_again(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, f->workspace_id };
	struct catalog_status status;
	struct catalog_object object;
	struct job job;
	int problems = 0;

	make(f, 0, CATALOG_STATE_S3);
	queue_set_policy(f, true, false, false);
	remove_one(f, 0);
	assert_int_equal(catalog_status_get(f->catalog, scope, &status), 0);
	assert_int_equal(status.deletes_queued, 1);
	assert_int_equal(status.by_state[CATALOG_STATE_DELETED], 1);
	job = queue_claim(f, DELETE_S3, "policy", 60000);
	assert_int_equal(job_fail(f->catalog, &job, "retained until 2031-01-01", 3600000), 0);
	assert_int_equal(catalog_status_get(f->catalog, scope, &status), 0);
	assert_int_equal(status.deletes_queued, 0);
	assert_int_equal(status.deletes_failed, 1);
	assert_int_equal(catalog_problem_each(f->catalog, scope, note_kind, &problems), 0);
	assert_int_equal(problems, 1);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_DELETED);
	assert_int_equal(catalog_recording_object(f->catalog, job.recording_id, &object),
			 0); /* where it is */
}

static struct catalog_node node_of(struct queue_fixture *f, const char *path)
{
	struct catalog_node node;

	assert_int_equal(catalog_node_resolve(f->catalog, path, &node), 0);
	return node;
}

static void test_catalog_removal__the_call_leaves_the_log_with_its_last_recording(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_recording_input second = { .sid = queue_sid(3, 100),
						  .call_sid = queue_sid(2, 0),
						  .is_completed = true,
						  .duration_secs = 10,
						  .date_created_secs = 1772360000,
						  .start_time_secs = 1772360000 };
	struct catalog_apply_stats stats = { 0 };
	cleanup_buf struct buf csv = BUF_INIT;
	struct catalog_node before;

	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER);
	assert_int_equal(catalog_recordings_apply(f->catalog, f->workspace_id, &second, 1, &stats),
			 0);
	before = node_of(f, "acme/spring");
	remove_one(f, 0);
	assert_true(node_of(f, "acme/spring").mtime_nsecs > before.mtime_nsecs);
	assert_int_equal(catalog_calls_render(f->catalog, f->folder_id, CATALOG_NAMES_NUMBER, &csv),
			 0);
	assert_int_equal(csv.len, node_of(f, "acme/spring/calls.csv").size_bytes);
	assert_non_null(strstr(buf_str(&csv), "RE03ab00000064")); /* the other one keeps the row */
	assert_null(strstr(buf_str(&csv), "RE03ab00000000"));
	remove_one(f, 100);
	buf_reset(&csv);
	assert_int_equal(catalog_calls_render(f->catalog, f->folder_id, CATALOG_NAMES_NUMBER, &csv),
			 0);
	assert_int_equal(csv.len, node_of(f, "acme/spring/calls.csv").size_bytes);
	assert_null(strstr(buf_str(&csv), "CA02ab00000000"));
	assert_non_null(strstr(buf_str(&csv), "CA02ab00000001"));
}

static void test_catalog_removal__what_was_removed_does_not_come_back(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_node node;

	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER);
	remove_one(f, 0);
	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER); /* the next sync */
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_DELETED);
	assert_int_equal(catalog_node_get(f->catalog, queue_get(f, 0).inode, CATALOG_NAMES_NUMBER,
					  &node),
			 -ENOENT);
	assert_int_equal(catalog_node_get(f->catalog, queue_get(f, 1).inode, CATALOG_NAMES_NUMBER,
					  &node),
			 0);
}

static void test_catalog_removal__a_campaign_goes_with_all_in_it(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_recording_input pending = { .sid = queue_sid(3, 50),
						   .call_sid = queue_sid(2, 1),
						   .duration_secs = -1,
						   .date_created_secs = 1772360000 };
	struct catalog_apply_stats stats = { 0 };
	struct catalog_removal removal;
	struct catalog_node node;

	make(f, 0, CATALOG_STATE_S3);
	make(f, 1, CATALOG_STATE_STORED);
	make(f, 2, CATALOG_STATE_TWILIO);
	assert_int_equal(catalog_recordings_apply(f->catalog, f->workspace_id, &pending, 1, &stats),
			 0); /* not listed */
	assert_int_equal(catalog_remove_campaign(f->catalog, f->folder_id, true, &removal),
			 -ENOTEMPTY);
	queue_set_policy(f, true, true, false);
	assert_int_equal(catalog_remove_campaign(f->catalog, f->folder_id, false, &removal), 0);
	assert_int_equal(removal.recordings, 4);
	assert_int_equal(removal.s3_deletes, 2);
	assert_int_equal(removal.twilio_deletes,
			 3); /* the stored one, the one at Twilio, the pending one */
	assert_int_equal(queue_get(f, 50).state, CATALOG_STATE_DELETED);
	assert_int_equal(catalog_node_resolve(f->catalog, "acme/spring", &node), -ENOENT);
	/* A sync brings nothing back; later calls of its number are unassigned. */
	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	queue_add(f, f->workspace_id, 9, 1, QUEUE_NUMBER);
	assert_int_equal(queue_get(f, 2).state, CATALOG_STATE_DELETED);
	assert_int_equal(queue_get(f, 9).folder_id, f->unassigned_id);
	assert_int_equal(catalog_remove_campaign(f->catalog, f->folder_id, false, &removal),
			 -ENOENT);
}

static void test_catalog_removal__an_emptied_campaign_may_be_removed_by_rmdir(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_removal removal;
	int64_t id;
	const char *numbers[] = { QUEUE_NUMBER };
	char message[CATALOG_MESSAGE_SIZE];

	make(f, 0, CATALOG_STATE_TWILIO);
	remove_one(f, 0);
	assert_int_equal(catalog_remove_campaign(f->catalog, f->folder_id, true, &removal), 0);
	assert_int_equal(removal.recordings, 0);
	/* Its name and number are free again. */
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace_id, "spring", numbers, 1,
					      &id, message),
			 0);
	assert_int_not_equal(id, f->folder_id);
}

static int look_for_unassigned(void *arg, const struct catalog_node *node)
{
	bool *is_listed = arg;

	*is_listed |= strcmp(node->name, CATALOG_UNASSIGNED) == 0;
	return 0;
}

static bool is_unassigned_listed(struct queue_fixture *f)
{
	struct catalog_node workspace;
	bool is_listed = false;

	assert_int_equal(catalog_node_resolve(f->catalog, "acme", &workspace), 0);
	assert_int_equal(catalog_node_list(f->catalog, workspace.inode, 0, 100,
					   CATALOG_NAMES_NUMBER, look_for_unassigned, &is_listed),
			 0);
	return is_listed;
}

/* What rm -r does: the files one by one, then the folder, with campaigns beside it. */
static void test_catalog_removal__unassigned_goes_and_comes_back_with_its_next_call(void **state)
{
	struct queue_fixture *f = *state;
	const struct catalog_recording_input unfinished = { .sid = queue_sid(3, 7),
							    .call_sid = queue_sid(2, 1),
							    .duration_secs = -1,
							    .date_created_secs = 1772360007,
							    .start_time_secs = 1772360007 };
	struct catalog_recording_input finished = unfinished;
	struct catalog_apply_stats stats = { 0 };
	struct catalog_removal removal;

	queue_add(f, f->workspace_id, 0, 2, "+15559999999");
	assert_int_equal(
		catalog_recordings_apply(f->catalog, f->workspace_id, &unfinished, 1, &stats), 0);
	assert_int_equal(catalog_remove_campaign(f->catalog, f->unassigned_id, true, &removal),
			 -ENOTEMPTY);
	remove_one(f, 0);
	remove_one(f, 1);
	assert_int_equal(catalog_remove_campaign(f->catalog, f->unassigned_id, true, &removal), 0);
	assert_int_equal(removal.recordings, 0);
	assert_false(is_unassigned_listed(f));
	/* What was still being recorded was not in the folder, and is not lost. */
	finished.is_completed = true;
	finished.duration_secs = 10;
	assert_int_equal(
		catalog_recordings_apply(f->catalog, f->workspace_id, &finished, 1, &stats), 0);
	assert_true(queue_get(f, 7).is_listed);
	queue_add(f, f->workspace_id, 5, 1, "+15559999999");
	assert_int_equal(queue_get(f, 5).folder_id, f->unassigned_id);
	assert_true(queue_get(f, 5).is_listed);
	assert_true(is_unassigned_listed(f));
	assert_int_equal(catalog_remove_campaign(f->catalog, f->unassigned_id, false, &removal), 0);
	assert_int_equal(removal.recordings, 2);
	assert_false(is_unassigned_listed(f));
}

static void test_catalog_removal__the_secrets_go_with_the_last_job(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_workspace workspace;
	struct catalog_removal removal;
	struct job job;
	char *secret;

	make(f, 0, CATALOG_STATE_S3);
	queue_set_policy(f, true, false, false);
	assert_int_equal(catalog_remove_workspace(f->catalog, f->workspace_id, true, &removal),
			 -ENOTEMPTY);
	assert_int_equal(catalog_remove_workspace(f->catalog, f->workspace_id, false, &removal), 0);
	assert_int_equal(removal.s3_deletes, 1);
	assert_int_equal(catalog_workspace_find(f->catalog, "acme", &workspace), -ENOENT);

	assert_int_equal(catalog_workspace_secret(f->catalog, f->workspace_id, &secret), 0);
	assert_string_equal(secret, "a secret");
	secret_free(secret);
	job = queue_claim(f, DELETE_S3, "policy", 60000);
	assert_int_equal(job_done(f->catalog, &job, "a version stays"), 0);
	job = queue_claim(f, TOMBSTONE, "policy", 60000);
	assert_int_equal(job_done(f->catalog, &job, NULL), 0);
	assert_int_equal(catalog_workspace_secret(f->catalog, f->workspace_id, &secret), 0);
	assert_string_equal(secret, "");
	secret_free(secret);
	assert_int_equal(catalog_storage_secret(f->catalog, f->workspace_id, &secret), 0);
	assert_string_equal(secret, "");
	secret_free(secret);
}

static void test_catalog_removal__a_workspace_can_be_added_again_and_stays_without_what_was_removed(
	void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_removal removal;
	char *secret;

	queue_set_storage(f, f->workspace_id, false);
	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER);
	assert_int_equal(catalog_remove_workspace(f->catalog, f->workspace_id, false, &removal), 0);
	assert_int_equal(removal.recordings, 2);
	assert_int_equal(removal.stay_at_twilio, 2);
	assert_int_equal(catalog_workspace_secret(f->catalog, f->workspace_id, &secret), 0);
	assert_string_equal(secret, ""); /* no job, no credentials */
	secret_free(secret);
	f->workspace_id = queue_add_workspace(f, "acme", 1);
	queue_add(f, f->workspace_id, 0, 3, QUEUE_NUMBER);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_DELETED);
	assert_int_equal(queue_get(f, 1).state, CATALOG_STATE_DELETED);
	assert_true(queue_get(f, 2).is_listed);
	/* Its new bucket is told, too. */
	queue_set_storage(f, f->workspace_id, true);
	assert_int_equal(tell(f, false), 2);
	assert_int_equal(queue_claim(f, TOMBSTONE, "policy", 60000).workspace_id, f->workspace_id);
}

/* ---- tombstones ---- */

static void test_catalog_removal__a_bucket_that_is_not_in_use_is_told_when_it_is(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_sync_state sync = { 5, 5, 5 };

	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER);
	queue_set_storage(f, f->workspace_id, false);
	remove_one(f, 0);
	assert_int_equal(due_kinds(f), 0);
	assert_int_equal(tell(f, false), 0);
	assert_int_equal(catalog_sync_state_set(f->catalog, f->workspace_id, &sync), 0);

	assert_int_equal(catalog_storage_enable(f->catalog, f->workspace_id, true), 0);
	assert_int_equal(catalog_sync_state_get(f->catalog, f->workspace_id, &sync), 0);
	assert_int_equal(sync.last_sweep_secs, 0); /* the next sync is a full one */
	assert_int_equal(tell(f, true), 0);        /* it has it */
	assert_int_equal(tell(f, false), 1);
	assert_int_equal(tell(f, false), 0); /* queued already */
	assert_int_equal(due_kinds(f), TOMBSTONE);
}

static void test_catalog_removal__what_another_machine_removed_is_hidden_for_good(void **state)
{
	static const enum catalog_state from[] = { CATALOG_STATE_TWILIO, CATALOG_STATE_S3,
						   CATALOG_STATE_STORED, CATALOG_STATE_UPLOADING };
	struct queue_fixture *f = *state;
	struct sid sids[6];
	int64_t hidden, queued;
	struct catalog_scope scope;

	for (unsigned i = 0; i < 4; i++) {
		make(f, i, from[i]);
		sids[i] = queue_get(f, i).sid;
	}
	make(f, 4, CATALOG_STATE_TWILIO);
	scope = (struct catalog_scope){ CATALOG_SCOPE_RECORDING, queue_get(f, 0).id };
	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), 0);
	sids[4] = sids[0];
	sids[5] = queue_sid(1, 4711); /* nobody's */
	queue_set_policy(f, true, true, false);
	assert_int_equal(catalog_removals_learn(f->catalog, f->workspace_id, sids, 6, &hidden), 0);
	assert_int_equal(hidden, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(queue_get(f, i).state, CATALOG_STATE_DELETED);
		assert_false(queue_get(f, i).is_listed);
	}
	assert_true(queue_get(f, 4).is_listed);
	/* Nothing is deleted by another's word, but for what a migration owed before. */
	assert_int_equal(due_kinds(f), CLEANUP);
	assert_int_equal(catalog_removals_learn(f->catalog, f->workspace_id, sids, 6, &hidden), 0);
	assert_int_equal(hidden, 0);
	queue_add(f, f->workspace_id, 0, 5, QUEUE_NUMBER);
	assert_int_equal(queue_get(f, 0).state, CATALOG_STATE_DELETED);
	assert_int_equal(tell(f, false), 4); /* another bucket is told as well */
}

static void
test_catalog_removal__what_was_removed_before_it_was_known_is_noted_and_its_call_goes(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_call_input call = { .sid = queue_sid(2, 0),
					   .from = "+15551234567",
					   .to = QUEUE_NUMBER,
					   .direction = "inbound",
					   .status = "completed",
					   .start_secs = 1772360100,
					   .date_created_secs = 1772360100,
					   .duration_secs = 5,
					   .is_finished = true };
	struct catalog_recording_input input = { .sid = queue_sid(1, 0),
						 .call_sid = call.sid,
						 .is_completed = true,
						 .is_removed = true,
						 .date_created_secs = 1772360100 };
	struct catalog_recording found;
	struct catalog_status status;
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, f->workspace_id };

	assert_int_equal(catalog_recordings_apply(f->catalog, f->workspace_id, &input, 1, NULL), 0);
	assert_int_equal(catalog_calls_apply(f->catalog, f->workspace_id, &call, 1, NULL), 0);
	assert_int_equal(catalog_removals_settle(f->catalog, f->workspace_id), 0);
	assert_int_equal(catalog_recording_find(f->catalog, &input.sid, &found), 0);
	assert_int_equal(found.state, CATALOG_STATE_DELETED);
	assert_int_equal(catalog_status_get(f->catalog, scope, &status), 0);
	assert_int_equal(status.calls, 0);
	/* Another recording of the call brings its entry back. */
	input.is_removed = false;
	input.sid.bytes[0] ^= 0x80;
	assert_int_equal(catalog_recordings_apply(f->catalog, f->workspace_id, &input, 1, NULL), 0);
	assert_int_equal(catalog_recording_find(f->catalog, &input.sid, &found), 0);
	assert_true(found.is_listed);
	assert_int_equal(catalog_status_get(f->catalog, scope, &status), 0);
	assert_int_equal(status.calls, 1);
}

static void test_catalog_removal__of_a_removed_workspace_nothing_new_is_queued(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, f->workspace_id };
	struct catalog_removal removal;
	int64_t queued;

	queue_add(f, f->workspace_id, 0, 2, QUEUE_NUMBER);
	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), 0);
	assert_int_equal(catalog_remove_workspace(f->catalog, f->workspace_id, false, &removal), 0);
	assert_true(queue_is_empty(f, MIGRATE));
	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), -ENOENT);
	assert_int_equal(catalog_remove_workspace(f->catalog, f->workspace_id, false, &removal),
			 -ENOENT);
}

static int note_gone(void *arg, const struct catalog_change *change)
{
	if (change->kind == CATALOG_CHANGE_ENTRY_GONE && strcmp(change->name, "spring") == 0)
		*(uint64_t *)arg = change->parent;
	return 0;
}

static void test_catalog_removal__mounts_are_told_of_a_folder(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_node workspace = node_of(f, "acme");
	struct catalog_removal removal;
	uint64_t parent = 0;

	assert_int_equal(catalog_remove_campaign(f->catalog, f->folder_id, true, &removal), 0);
	assert_int_equal(catalog_change_each(f->catalog, 0, note_gone, &parent), 0);
	assert_true(parent == workspace.inode);
	assert_true(node_of(f, "acme").mtime_nsecs > workspace.mtime_nsecs);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_catalog_removal__##name, queue_fixture_setup, \
					queue_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_policy_in_each_state_queues_what_it_says),
		TEST(removing_twice_does_nothing_more),
		TEST(a_queued_migration_is_cancelled),
		TEST(a_running_transfer_finds_its_lease_gone),
		TEST(a_delete_that_may_have_been_sent_is_remembered),
		TEST(keep_at_twilio_drops_the_delete_that_was_owed),
		TEST(deletes_keep_their_reason_and_come_again),
		TEST(the_call_leaves_the_log_with_its_last_recording),
		TEST(what_was_removed_does_not_come_back),
		TEST(a_campaign_goes_with_all_in_it),
		TEST(an_emptied_campaign_may_be_removed_by_rmdir),
		TEST(unassigned_goes_and_comes_back_with_its_next_call),
		TEST(the_secrets_go_with_the_last_job),
		TEST(a_workspace_can_be_added_again_and_stays_without_what_was_removed),
		TEST(of_a_removed_workspace_nothing_new_is_queued),
		TEST(mounts_are_told_of_a_folder),
		TEST(a_bucket_that_is_not_in_use_is_told_when_it_is),
		TEST(what_another_machine_removed_is_hidden_for_good),
		TEST(what_was_removed_before_it_was_known_is_noted_and_its_call_goes),
	};

	return cmocka_run_group_tests_name("catalog_removal", tests, NULL, NULL);
}
