/* An object and all its versions. In a versioned bucket a plain DELETE only hides the bytes, so
 * each version is deleted by its id where that is allowed; where it is not, the object is hidden
 * and the audit says that a version stays. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/workspace.h"
#include "policy/policy-private.h"
#include "storage/object.h"
#include "storage/restore.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/times.h"

#define BATCH 64
#define BATCHES_LIMIT 1000
#define DATE_LENGTH 10 /* of "2027-01-31T…" */

struct deletion {
	struct policy *policy;
	struct job_run *run;
	struct job_result *result;
	struct s3_client *s3;
	char key[CATALOG_KEY_TEXT_SIZE];
	char versions[BATCH][128];
	unsigned count;
	bool is_older_bucket; /* the workspace had it before: it may be gone */
};

/* ---- retention ---- */

static int retained(struct deletion *d)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	int64_t recording_id = d->run->job.recording_id;
	char until[TIME_ISO8601_SIZE];
	struct s3_object object;
	int64_t now = time_now_secs();

	if (s3_head_object(d->s3, d->key, &object, &error) == 0 &&
	    storage_object_note(d->policy->catalog, recording_id, &object))
		log_info("delete: a retention cannot be noted");
	if (error.kind == REMOTE_OK && object.retain_until_secs > now) {
		time_format_iso8601(object.retain_until_secs, until);
		job_result_set(d->result, JOB_OUTCOME_RETRY,
			       "the bucket retains the object until %.*s", DATE_LENGTH, until);
		d->result->retry_after_msecs = (object.retain_until_secs - now) * 1000;
	} else {
		job_result_set(d->result, JOB_OUTCOME_RETRY,
			       "the bucket retains the object (retention or legal hold)");
	}
	return -EPERM;
}

/* ---- versions ---- */

static int note_version(void *arg, const struct s3_list_entry *entry)
{
	struct deletion *d = arg;

	if (strcmp(entry->key, d->key) != 0 || !entry->version_id || !*entry->version_id ||
	    strlen(entry->version_id) >= sizeof d->versions[0])
		return 0;
	snprintf(d->versions[d->count], sizeof d->versions[0], "%s", entry->version_id);
	return ++d->count == BATCH;
}

static int versions_failed(struct deletion *d, const struct remote_error *error)
{
	bool is_unsupported = error->status == 501 || error->status == 405 ||
			      strcmp(error->code, "NotImplemented") == 0 ||
			      strcmp(error->code, "MethodNotAllowed") == 0;

	return error->error == -EACCES || is_unsupported
		       ? 1
		       : job_result_set_again(d->result, "S3", error);
}

/* 0: all are deleted; 1: versions may not be listed, or not be deleted by id. */
static int delete_versions(struct deletion *d)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	int err;

	for (unsigned batch = 0; batch < BATCHES_LIMIT; batch++) {
		d->count = 0;
		err = s3_list(d->s3, S3_VERSIONS, d->key, note_version, d, &error);
		if (err < 0 && d->is_older_bucket && strcmp(error.code, "NoSuchBucket") == 0)
			return 0;
		if (err < 0)
			return versions_failed(d, &error);
		if (!d->count)
			return 0;
		for (unsigned i = 0; i < d->count; i++) {
			err = s3_delete_object(d->s3, d->key, d->versions[i], &error);
			if (err == -EPERM)
				return retained(d);
			if (err)
				return versions_failed(d, &error);
		}
	}
	job_result_set(d->result, JOB_OUTCOME_RETRY,
		       "the object has more versions than are deleted at a time");
	return -EAGAIN;
}

static int delete_plainly(struct deletion *d, char *ret_note)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct s3_object object;
	bool is_versioned;
	int err = s3_head_object(d->s3, d->key, &object, &error);

	if (err && error.kind != REMOTE_NOT_FOUND)
		return job_result_set_again(d->result, "S3", &error);
	is_versioned = err == 0 && object.version_id[0] && strcmp(object.version_id, "null") != 0;
	if (err == 0) {
		err = s3_delete_object(d->s3, d->key, NULL, &error);
		if (err == -EPERM)
			return retained(d);
		if (err)
			return job_result_set_again(d->result, "S3", &error);
	}
	if (is_versioned)
		snprintf(
			ret_note, POLICY_NOTE_SIZE,
			"a version stays: the bucket is versioned, and versions may not be deleted");
	return 0;
}

/* ---- the job ---- */

/* The key, and the bucket that the object was put into. "": it was never noted as stored; an upload
 * may have left something under the key. */
static int find_key(struct deletion *d, const struct catalog_storage *storage,
		    char ret_bucket[CATALOG_BUCKET_SIZE])
{
	struct catalog *catalog = d->policy->catalog;
	struct catalog_recording recording;
	struct catalog_workspace workspace;
	struct catalog_object stored;
	int err = catalog_recording_object(catalog, d->run->job.recording_id, &stored);

	ret_bucket[0] = '\0';
	if (err == 0) {
		snprintf(ret_bucket, CATALOG_BUCKET_SIZE, "%s", stored.bucket);
		snprintf(d->key, sizeof d->key, "%s", stored.key);
		return 0;
	}
	if (err != -ENOENT)
		return job_result_set_local(d->result, "the catalog", err);
	err = catalog_workspace_get(catalog, d->run->job.workspace_id, &workspace);
	if (err == 0)
		err = catalog_recording_get(catalog, d->run->job.recording_id, &recording);
	if (err)
		return job_result_set_local(d->result, "the catalog", err);
	catalog_object_key(storage->prefix, &workspace.account_sid, &recording, d->key);
	return 0;
}

/* In the bucket of d->s3. */
static int delete_object(struct deletion *d, char *ret_note)
{
	int err;

	/* A cancelled transfer may have left uploads. Best effort: they are no objects. */
	storage_uploads_abort(d->s3, d->key);
	err = delete_versions(d);
	return err > 0 ? delete_plainly(d, ret_note) : err;
}

static int delete_in_older_bucket(struct deletion *d, const char *bucket, char *ret_note)
{
	struct s3_client *now = d->s3;
	int err =
		storage_client_new_of(d->policy->catalog, d->policy->http, d->run->job.workspace_id,
				      bucket, &d->run->cancel, &d->s3, NULL);

	if (err) {
		d->s3 = now;
		return job_result_set_local(d->result, "the older bucket cannot be used", err);
	}
	d->is_older_bucket = true;
	err = delete_object(d, ret_note);
	d->is_older_bucket = false;
	s3_client_free(d->s3);
	d->s3 = now;
	return err;
}

int policy_delete_s3(struct policy *policy, struct job_run *run, struct job_result *result,
		     char ret_note[POLICY_NOTE_SIZE])
{
	cleanup_free struct deletion *d = calloc(1, sizeof *d);
	struct catalog_storage storage;
	char bucket[CATALOG_BUCKET_SIZE];
	int err;

	if (!d)
		return job_result_set_local(result, "the object cannot be deleted", -ENOMEM);
	d->policy = policy;
	d->run = run;
	d->result = result;
	err = storage_client_new(policy->catalog, policy->http, run->job.workspace_id, &run->cancel,
				 &d->s3, &storage);
	if (err)
		return job_result_set_local(result, "the bucket cannot be used", err);
	err = find_key(d, &storage, bucket);
	if (err == 0 && bucket[0] && strcmp(bucket, storage.bucket) != 0)
		err = delete_in_older_bucket(d, bucket, ret_note);
	/* In the workspace's present bucket, too: its owner may have copied the objects there. */
	if (err == 0)
		err = delete_object(d, ret_note);
	s3_client_free(d->s3);
	return err;
}
