/* Between the files of the catalog that keep the queue. */
#ifndef TONICFS_CATALOG_JOB_PRIVATE_H
#define TONICFS_CATALOG_JOB_PRIVATE_H

#include "catalog/job.h"
#include "catalog/recording-private.h"

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_FAILED, JOB_PAUSED };

/* The folders of a scope that is not one recording: with_removed also those that were removed. The
 * caller frees *ret_ids. -ENOENT: no such folder or workspace. */
int scope_folders(struct db_conn *conn, struct catalog_scope scope, bool with_removed,
		  int64_t **ret_ids, size_t *ret_count);

/* 0 while the job is this worker's: running, same owner, same attempt. -ESTALE. */
int job_check(struct db_conn *conn, const struct catalog_job *job);
/* A MIGRATE that did not come to its end: the recording is at Twilio (again). */
int recording_put_back(struct db_conn *conn, int64_t recording_id,
		       enum catalog_migration migration);
/* A worker, alive or dead, lets go of a job that is not done: it is due again then; paused, where
 * that was asked for meanwhile; gone, where it is a delete of what the workspace keeps at Twilio by
 * now. */
int job_let_go(struct db_conn *conn, const struct catalog_job *job, int64_t due_msecs);
/* keep_at_twilio was set: deletes that are owed are taken back, but for those that may be on their
 * way. Was unset: everything stored owes one. */
int cleanups_take_back(struct db_conn *conn, int64_t workspace_id);
int cleanups_queue(struct db_conn *conn, int64_t workspace_id);
/* A removed workspace whose last job is gone has no use for its credentials: they are wiped. */
int workspace_settle(struct db_conn *conn, int64_t workspace_id);
int audit_add(struct db_conn *conn, const char *action, int64_t workspace_id, int64_t recording_id,
	      const char *note);

#endif
