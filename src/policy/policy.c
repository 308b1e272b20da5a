/*
 * Carries out what catalog/removal.h queued. A job is done when the bytes, or the lack of them, have been seen; until then it stays.
 */
#include "policy/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "account/deletion.h"
#include "catalog/pool.h"
#include "storage/storage.h"
#include "util/buf.h"
#include "util/times.h"

#define WORKERS 4
#define PAUSE_FIRST_MSECS (60 * 1000)
#define PAUSE_LIMIT_MSECS (6 * 60 * 60 * 1000)
#define RETENTION_PAUSE_MSECS ((int64_t)PAUSE_LIMIT_MSECS)

struct policy {
	struct catalog *catalog;
	struct http *http;
	struct job_pool *pool;
};

/* What S3 refused today it may allow tomorrow: nothing that was promised to be deleted is given up. */
static int s3_failed(struct job_result *result, const struct remote_error *error)
{
	if (error->error == -EPERM) {
		job_result_set(result, JOB_OUTCOME_RETRY, "S3: retention or a legal hold forbids it (%s)", error->message);
		result->retry_after_msecs = RETENTION_PAUSE_MSECS;
	} else {
		job_result_set_remote(result, "S3", error);
		if (result->outcome == JOB_OUTCOME_FAILED)
			result->outcome = JOB_OUTCOME_RETRY;
	}
	result->max_attempts = 0;
	return error->error ? error->error : -EIO;
}

/* ---- deleting in S3 ---- */

struct deletion {
	struct s3_client *s3;
	const char *key;
	int err;
	unsigned deleted;
	struct remote_error error;
};

static int delete_version(void *arg, const struct s3_list_entry *entry)
{
	struct deletion *deletion = arg;

	if (strcmp(entry->key, deletion->key))
		return 0; /* another key that begins alike */
	deletion->err = s3_delete_object(deletion->s3, entry->key, entry->version_id, &deletion->error);
	deletion->deleted += deletion->err == 0;
	return deletion->err;
}

static int abort_upload(void *arg, const struct s3_list_entry *entry)
{
	struct deletion *deletion = arg;

	if (strcmp(entry->key, deletion->key))
		return 0;
	deletion->err = s3_upload_abort(deletion->s3, entry->key, entry->upload_id, &deletion->error);
	return deletion->err;
}

/* Every version, where they may be listed; else what the key shows now. 0 and perhaps a note for the audit. */
static int delete_all(struct deletion *deletion, const char **ret_note)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	int err = s3_list_versions(deletion->s3, deletion->key, delete_version, deletion, &error);

	*ret_note = NULL;
	if (deletion->err)
		return deletion->err;
	if (err == 0)
		return 0;
	if (error.kind != REMOTE_REJECTED && error.kind != REMOTE_NOT_FOUND) {
		deletion->error = error;
		return err;
	}
	*ret_note = "versions could not be listed; in a versioned bucket one stays";
	return s3_delete_object(deletion->s3, deletion->key, NULL, &deletion->error);
}

/* Of a transfer that was cut off by the removal: parts without an object. */
static int delete_uploads(struct deletion *deletion)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	int err = s3_list_uploads(deletion->s3, deletion->key, abort_upload, deletion, &error);

	if (deletion->err)
		return deletion->err;
	if (err == 0 || error.kind == REMOTE_REJECTED || error.kind == REMOTE_NOT_FOUND)
		return 0; /* a server without multipart uploads has none; who may not list them has the bucket's own lifecycle */
	deletion->error = error;
	return err;
}

static void finish(struct policy *policy, struct job_run *run, const char *note, struct job_result *ret_result)
{
	int err = catalog_job_done(policy->catalog, &run->job, note);

	if (err && err != -ESTALE)
		job_result_set(ret_result, JOB_OUTCOME_RETRY, "the catalog: %s", strerror(-err));
	else
		ret_result->outcome = err ? JOB_OUTCOME_STALE : JOB_OUTCOME_DONE;
}

static void work_delete_s3(struct policy *policy, struct job_run *run, struct s3_client *s3, const char *derived_key,
			   struct job_result *ret_result)
{
	struct deletion deletion = { .s3 = s3, .key = derived_key, .error = REMOTE_ERROR_INIT };
	struct catalog_object object;
	const char *note = NULL;
	int err = catalog_recording_object(policy->catalog, run->job.recording.id, &object);
	bool was_stored = err == 0;

	if (err && err != -ENOENT) {
		job_result_set(ret_result, JOB_OUTCOME_RETRY, "the catalog: %s", strerror(-err));
		return;
	}
	if (was_stored)
		deletion.key = object.key;
	err = catalog_job_mark_sent(policy->catalog, &run->job);
	if (err) {
		job_result_set(ret_result, err == -ESTALE ? JOB_OUTCOME_STALE : JOB_OUTCOME_RETRY, "the catalog: %s",
			       strerror(-err));
		return;
	}
	if (!was_stored)
		err = delete_uploads(&deletion);
	if (err == 0)
		err = delete_all(&deletion, &note);
	if (err)
		s3_failed(ret_result, &deletion.error);
	else
		finish(policy, run, note, ret_result);
}

/* ---- saying in the bucket that something was removed ---- */

static void work_tombstone(struct policy *policy, struct job_run *run, struct s3_client *s3, const char *key,
			   struct job_result *ret_result)
{
	char removed[TIME_ISO8601_SIZE], sid[SID_SIZE], body[160];
	struct remote_error error = REMOTE_ERROR_INIT;
	struct s3_object object;
	struct s3_put put = { .key = key, .body = body, .content_type = "application/json" };
	int err;

	time_format_iso8601(time_now_secs(), removed);
	sid_format(&run->job.recording.sid, "RE", sid);
	put.body_len = (size_t)snprintf(body, sizeof body, "{\"recording_sid\":\"%s\",\"removed\":\"%s\"}\n", sid, removed);
	err = s3_put_object(s3, &put, &object, &error);
	if (err)
		s3_failed(ret_result, &error);
	else
		finish(policy, run, NULL, ret_result);
}

/* ---- jobs ---- */

static void work_in_s3(struct policy *policy, struct job_run *run, struct job_result *ret_result)
{
	struct catalog_workspace workspace;
	struct catalog_storage storage;
	struct s3_client *s3;
	char key[CATALOG_KEY_TEXT_SIZE];
	int err = catalog_workspace_get(policy->catalog, run->job.workspace_id, &workspace);

	if (err == 0)
		err = storage_client_new(policy->catalog, policy->http, run->job.workspace_id, &run->is_cancelled, &s3, &storage);
	if (err) {
		job_result_set(ret_result, JOB_OUTCOME_RETRY, "the bucket cannot be used: %s", strerror(-err));
		return;
	}
	if (run->job.kind == CATALOG_JOB_DELETE_S3) {
		catalog_object_key(storage.prefix, &workspace.account_sid, &run->job.recording, key);
		work_delete_s3(policy, run, s3, key, ret_result);
	} else {
		catalog_tombstone_key(storage.prefix, &run->job.recording.sid, key);
		work_tombstone(policy, run, s3, key, ret_result);
	}
	s3_client_free(s3);
}

static void work_at_twilio(struct policy *policy, struct job_run *run, struct job_result *ret_result)
{
	struct twilio_client *twilio;
	int err = account_client_new(policy->catalog, policy->http, run->job.workspace_id, 0, &run->is_cancelled, &twilio, NULL);

	if (err) {
		job_result_set(ret_result, JOB_OUTCOME_RETRY, "the Twilio account cannot be used: %s", strerror(-err));
		return;
	}
	err = account_delete_recording(policy->catalog, twilio, run, ret_result);
	twilio_client_free(twilio);
	if (err == 0)
		finish(policy, run, NULL, ret_result);
}

static void work(void *arg, struct job_run *run, struct job_result *ret_result)
{
	if (run->job.kind == CATALOG_JOB_DELETE_TWILIO)
		work_at_twilio(arg, run, ret_result);
	else
		work_in_s3(arg, run, ret_result);
}

int policy_start(struct catalog *catalog, struct http *http, struct policy **ret_policy)
{
	struct policy *policy = calloc(1, sizeof *policy);
	struct job_pool_settings settings = {
		.name = "policy",
		.kinds = CATALOG_JOB_DELETE_TWILIO | CATALOG_JOB_DELETE_S3 | CATALOG_JOB_TOMBSTONE,
		.workers = WORKERS,
		.pause_first_msecs = PAUSE_FIRST_MSECS,
		.pause_limit_msecs = PAUSE_LIMIT_MSECS,
		.work = work,
		.arg = policy,
	};
	int err;

	if (!policy)
		return -ENOMEM;
	policy->catalog = catalog;
	policy->http = http;
	err = job_pool_start(catalog, &settings, &policy->pool);
	if (err) {
		free(policy);
		return err;
	}
	*ret_policy = policy;
	return 0;
}

void policy_stop(struct policy *policy, unsigned grace_msecs)
{
	if (!policy)
		return;
	job_pool_stop(policy->pool, grace_msecs);
	free(policy);
}
