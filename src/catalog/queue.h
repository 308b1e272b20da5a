/* The queue, as far as it belongs to the domain. A job is a row that says what is to be done with a
 * recording. Writes of the domain add such rows and take them back in their own transaction: asking
 * for migrations (below), removing (catalog/removal.h), a change of a workspace or its bucket. The
 * room jobs claims the rows, leases them and ends them; what that means for the recording and its
 * workspace is in the last section. */
#pragma once

#include "catalog/object.h"

struct db_conn;

enum catalog_job_kind {
	CATALOG_JOB_MIGRATE = 1,
	CATALOG_JOB_CLEANUP_TWILIO = 2, /* the delete that a finished migration owes */
	CATALOG_JOB_DELETE_TWILIO = 4,  /* policy: rm with delete_twilio */
	CATALOG_JOB_DELETE_S3 = 8,      /* policy: rm with delete_s3 */
	CATALOG_JOB_TOMBSTONE = 16,     /* removed, bytes stay in S3: note it in the bucket */
};

#define CATALOG_REASON_SIZE 200
#define CATALOG_OWNER_SIZE 33 /* of the name under which a lease is held */

/* ---- asking for migrations ---- */

/* *ret_count: how many recordings (retry: and deletes) of the scope it concerned. A job keeps its
 * place in the queue until it is done, whoever asks again. */
typedef int catalog_migrate_fn(struct catalog *catalog, struct catalog_scope scope,
			       int64_t *ret_count);
/* Queues every listed recording of the scope that is at Twilio and neither queued nor paused;
 * failed ones again. -ENOENT: the workspace (of a recording, folder or workspace scope) has no
 * storage, -ENODEV: its storage is disabled. */
catalog_migrate_fn catalog_migrate_queue;
/* Takes back queued and paused jobs. Running ones go on. */
catalog_migrate_fn catalog_migrate_cancel;
/* Queued jobs are not claimed until they are resumed. The worker of a running job learns of the
 * pause when it renews its lease, and puts the job back: it will begin anew. Jobs that are queued
 * later are not paused, and the deletes that finished migrations owe go on. */
catalog_migrate_fn catalog_migrate_pause;
catalog_migrate_fn catalog_migrate_resume;
/* Queues failed migrations again and resets their attempts. Jobs that wait after a failure, and
 * deletes that failed or wait, become due now. */
catalog_migrate_fn catalog_migrate_retry;
/* Are jobs of the scope given out? -ENOENT, -ENODEV as above. */
int catalog_migrate_check(struct catalog *catalog, struct catalog_scope scope);

/* ---- for the room jobs: the recording's side of a step, inside the job's transaction ---- */

/* A workspace that has jobs or may get some. */
struct catalog_queue_source {
	int64_t workspace_id;
	unsigned kinds; /* mask of what may be given out now */
};
/* The caller frees *ret_sources. */
int catalog_queue_sources(struct db_conn *conn, struct catalog_queue_source **ret_sources,
			  size_t *ret_count);
/* A worker begins. MIGRATE: the recording is UPLOADING. -ESTALE: the job makes no sense any more
 * where the recording is now. */
int catalog_queue_begin(struct db_conn *conn, enum catalog_job_kind kind, int64_t recording_id,
			struct catalog_recording *ret_recording);
/* A worker let go of its job, which is QUEUED, PAUSED or FAILED now. MIGRATE: the recording is at
 * Twilio again. */
int catalog_queue_let_go(struct db_conn *conn, enum catalog_job_kind kind, int64_t recording_id,
			 enum catalog_migration migration);
/* False: a delete of what the workspace keeps at Twilio by now. Never send it, drop it. */
int catalog_queue_is_owed(struct db_conn *conn, enum catalog_job_kind kind, int64_t workspace_id,
			  bool *ret_owed);
/* MIGRATE is done: the object was verified. STORED, the size where it was unknown, and (unless
 * keep_at_twilio) a CLEANUP_TWILIO job. -ESTALE: the recording is not UPLOADING; -EINVAL: another
 * size than the file has. */
int catalog_queue_stored(struct db_conn *conn, int64_t recording_id,
			 const struct catalog_object *object, int channels_stored);
/* Any other kind is done: CLEANUP_TWILIO: STORED -> S3; DELETE_S3: there is no object any more.
 * note: for the audit, e.g. "a version stays". */
int catalog_queue_done(struct db_conn *conn, enum catalog_job_kind kind, int64_t workspace_id,
		       int64_t recording_id, const char *note);
/* A job is gone. The credentials of a removed workspace are wiped with its last job. */
int catalog_queue_settle(struct db_conn *conn, int64_t workspace_id);
