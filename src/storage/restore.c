/* Carries out restores: requests them from S3 and checks on them. */
#include "storage/restore.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "catalog/object.h"
#include "storage/storage.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/times.h"

#define BATCH 32
#define CHECK_MSECS (5 * 60 * 1000)
#define AGAIN_MSECS (60 * 1000)

const char *storage_restore_tier(const char *name)
{
	static const char *const tiers[] = { "Bulk", "Standard", "Expedited" };

	for (size_t i = 0; i < ARRAY_SIZE(tiers); i++)
		if (strcasecmp(tiers[i], name) == 0)
			return tiers[i];
	return NULL;
}

/* ---- an object's state in S3 ---- */

int storage_object_note(struct catalog *catalog, int64_t recording_id,
			const struct s3_object *object)
{
	const struct catalog_object_seen seen = {
		.storage_class = object->storage_class,
		.is_restoring = object->is_restoring,
		.restored_until_secs = object->restored_until_secs,
		.lock_mode = object->lock_mode,
		.retain_until_secs = object->retain_until_secs,
		.has_legal_hold = object->has_legal_hold,
	};

	return catalog_object_seen(catalog, recording_id, &seen);
}

static int look(struct catalog *catalog, struct s3_client *s3, int64_t recording_id,
		const char *key, struct remote_error *ret_error)
{
	struct s3_object object;
	int err = s3_head_object(s3, key, &object, ret_error);

	if (err)
		return err;
	err = storage_object_note(catalog, recording_id, &object);
	if (err)
		remote_error_set(ret_error, REMOTE_TRANSIENT, err, "the catalog: %s",
				 strerror(-err));
	return err;
}

int storage_object_refresh(struct catalog *catalog, struct http *http, int64_t recording_id,
			   const struct cancel *cancel, struct remote_error *ret_error)
{
	struct catalog_recording recording;
	struct catalog_object object;
	struct s3_client *s3;
	int err = catalog_recording_get(catalog, recording_id, &recording);

	remote_error_clear(ret_error);
	if (err == 0)
		err = catalog_recording_object(catalog, recording_id, &object);
	if (err == 0)
		err = storage_client_new(catalog, http, recording.workspace_id, cancel, &s3, NULL);
	if (err)
		return remote_error_set(ret_error, REMOTE_REJECTED, err, "%s", strerror(-err));
	err = look(catalog, s3, recording_id, object.key, ret_error);
	s3_client_free(s3);
	return err;
}

/* ---- one restore ---- */

/* It can be read without a restore: some servers have archive classes in name only. */
static bool is_readable(struct s3_client *s3, const char *key)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	cleanup_buf struct buf byte = BUF_INIT;
	struct s3_object object;

	return s3_get_object(s3, key, 0, 1, 1, &byte, &object, &error) == 0;
}

static int refuse(struct catalog *catalog, const struct catalog_restore_job *job,
		  const struct remote_error *error, struct storage_restore_stats *stats)
{
	bool may_pass = error->kind == REMOTE_BUSY || error->kind == REMOTE_TRANSIENT ||
			error->kind == REMOTE_UNCERTAIN;
	char sid[SID_SIZE];

	if (error->kind == REMOTE_CANCELLED)
		return 0;
	stats->last_error = *error;
	if (may_pass) {
		stats->postponed++;
		return catalog_restore_set(catalog, job->recording_id, CATALOG_RESTORE_WANTED,
					   time_now_msecs() + AGAIN_MSECS, error->message);
	}
	stats->refused++;
	sid_format(&job->recording_sid, "RE", sid);
	log_warning("restore: %s: %s", sid, error->message);
	return catalog_restore_set(catalog, job->recording_id, CATALOG_RESTORE_REFUSED, 0,
				   error->message);
}

static int ask(struct catalog *catalog, struct s3_client *s3, const struct catalog_restore_job *job,
	       struct storage_restore_stats *stats)
{
	struct remote_error error = REMOTE_ERROR_INIT, head_error = REMOTE_ERROR_INIT;
	int err = s3_restore_object(s3, job->key, job->days, job->tier, &error);

	if (err == 0) {
		stats->asked++;
		err = catalog_restore_set(catalog, job->recording_id, CATALOG_RESTORE_ONGOING,
					  time_now_msecs() + CHECK_MSECS, NULL);
		/* Some restores complete at once. A failed look changes nothing. */
		if (err == 0)
			look(catalog, s3, job->recording_id, job->key, &head_error);
		return err;
	}
	/* In another class meanwhile, or on a server that does not archive. */
	if ((err == -EREMOTE || err == -EOPNOTSUPP || error.status == 405) &&
	    is_readable(s3, job->key)) {
		stats->readable_at_once++;
		err = catalog_restore_set(catalog, job->recording_id, CATALOG_RESTORE_NONE, 0,
					  NULL);
		if (err == 0 && error.error != -EREMOTE)
			return catalog_archive_readable_set(catalog, job->workspace_id, 1);
		if (err == 0)
			look(catalog, s3, job->recording_id, job->key, &head_error);
		return err;
	}
	return refuse(catalog, job, &error, stats);
}

static int look_again(struct catalog *catalog, struct s3_client *s3,
		      const struct catalog_restore_job *job, struct storage_restore_stats *stats)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	int err = look(catalog, s3, job->recording_id, job->key, &error);

	stats->looked_at++;
	if (err && error.kind != REMOTE_CANCELLED)
		return catalog_restore_set(catalog, job->recording_id, CATALOG_RESTORE_ONGOING,
					   time_now_msecs() + CHECK_MSECS, error.message);
	return 0;
}

/* ---- batches ---- */

int storage_restore_step(struct catalog *catalog, struct http *http, int64_t workspace_id,
			 const struct cancel *cancel, struct storage_restore_stats *stats,
			 bool *ret_left)
{
	cleanup_free struct catalog_restore_job *jobs = calloc(BATCH, sizeof *jobs);
	struct s3_client *s3 = NULL; /* of the workspace whose turn it is */
	size_t count = 0;
	int err = jobs ? catalog_restore_due(catalog, workspace_id, jobs, BATCH, &count) : -ENOMEM;

	*ret_left = count == BATCH;
	for (size_t i = 0; i < count && err == 0; i++) {
		if (cancel_is_set(cancel)) {
			*ret_left = false;
			break;
		}
		if (!s3 || jobs[i].workspace_id != jobs[i - 1].workspace_id) {
			s3_client_free(s3);
			err = storage_client_new(catalog, http, jobs[i].workspace_id, cancel, &s3,
						 NULL);
		}
		if (err == -ENOENT) {
			struct remote_error error = REMOTE_ERROR_INIT;

			remote_error_set(&error, REMOTE_REJECTED, err,
					 "the workspace has no bucket");
			err = refuse(catalog, &jobs[i], &error, stats);
		} else if (err == 0 && jobs[i].restore == CATALOG_RESTORE_WANTED) {
			err = ask(catalog, s3, &jobs[i], stats);
		} else if (err == 0) {
			err = look_again(catalog, s3, &jobs[i], stats);
		}
	}
	s3_client_free(s3);
	return err;
}
