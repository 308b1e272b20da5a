/* The effect of a job's step on its recording and workspace, inside the job's transaction. */
#include <errno.h>

#include "catalog/change.h"
#include "catalog/queue-private.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/times.h"

#define OTHER_KINDS (CATALOG_JOB_DELETE_TWILIO | CATALOG_JOB_DELETE_S3 | CATALOG_JOB_TOMBSTONE)

/* ---- claiming ---- */

int catalog_queue_sources(struct db_conn *conn, struct catalog_queue_source **ret_sources,
			  size_t *ret_count)
{
	cleanup_free struct catalog_queue_source *sources = NULL;
	cleanup_stmt struct db_stmt *stmt = NULL;
	size_t count = 0;
	int err = db_query(
		conn, &stmt,
		"SELECT w.id, w.keep_at_twilio, w.removed, coalesce(s.enabled, 0) FROM workspace w"
		" LEFT JOIN storage s ON s.workspace_id = w.id"
		" WHERE w.removed = 0 OR EXISTS (SELECT 1 FROM job j WHERE j.workspace_id = w.id)",
		"");

	while (db_next(stmt, &err)) {
		struct catalog_queue_source *source = array_add(&sources, &count);

		if (!source)
			return -ENOMEM;
		source->workspace_id = db_int64(stmt, 0);
		source->kinds = OTHER_KINDS;
		if (!db_int(stmt, 1)) /* else deletes that were owed before it was set wait */
			source->kinds |= CATALOG_JOB_CLEANUP_TWILIO;
		if (!db_int(stmt, 2) && db_int(stmt, 3))
			source->kinds |= CATALOG_JOB_MIGRATE;
	}
	if (err)
		return err;
	*ret_sources = steal_pointer(&sources);
	*ret_count = count;
	return 0;
}

static bool is_in_place(enum catalog_job_kind kind, enum catalog_state state)
{
	switch (kind) {
	case CATALOG_JOB_MIGRATE:
		return state == CATALOG_STATE_TWILIO || state == CATALOG_STATE_UPLOADING;
	case CATALOG_JOB_CLEANUP_TWILIO:
		return state == CATALOG_STATE_STORED || state == CATALOG_STATE_DELETED;
	default:
		return state == CATALOG_STATE_DELETED;
	}
}

int catalog_queue_begin(struct db_conn *conn, enum catalog_job_kind kind, int64_t recording_id,
			struct catalog_recording *ret_recording)
{
	int err = recording_load(conn, recording_id, ret_recording);

	if (err)
		return err;
	if (!is_in_place(kind, ret_recording->state))
		return -ESTALE;
	if (kind != CATALOG_JOB_MIGRATE)
		return 0;
	ret_recording->state = CATALOG_STATE_UPLOADING;
	ret_recording->migration = CATALOG_MIGRATION_RUNNING;
	return db_run(conn,
		      "UPDATE recording SET state = " SQL_STATE_UPLOADING
		      ", migration = " SQL_MIGRATION_RUNNING " WHERE id = ?",
		      "i", recording_id);
}

/* ---- not done ---- */

int catalog_queue_let_go(struct db_conn *conn, enum catalog_job_kind kind, int64_t recording_id,
			 enum catalog_migration migration)
{
	if (kind != CATALOG_JOB_MIGRATE)
		return 0;
	return db_run(conn,
		      "UPDATE recording SET state = " SQL_STATE_TWILIO ", migration = ?2"
		      " WHERE id = ?1 AND state IN (" SQL_STATE_TWILIO ", " SQL_STATE_UPLOADING ")",
		      "ii", recording_id, (int64_t)migration);
}

int catalog_queue_is_owed(struct db_conn *conn, enum catalog_job_kind kind, int64_t workspace_id,
			  bool *ret_owed)
{
	int64_t keep = 0;
	int err = 0;

	if (kind == CATALOG_JOB_CLEANUP_TWILIO)
		err = db_query_int(conn, &keep, "SELECT keep_at_twilio FROM workspace WHERE id = ?",
				   "i", workspace_id);
	*ret_owed = !keep;
	return err;
}

/* ---- done ---- */

static int queue_cleanup(struct db_conn *conn, const struct catalog_recording *recording)
{
	bool owed;
	int64_t now;
	int err = catalog_queue_is_owed(conn, CATALOG_JOB_CLEANUP_TWILIO, recording->workspace_id,
					&owed);

	if (err == 0 && owed)
		err = db_now(conn, &now);
	if (err || !owed)
		return err;
	return db_run(conn,
		      "INSERT INTO job (kind, recording_id, workspace_id, state, due_msecs)"
		      " VALUES (" SQL_JOB_CLEANUP_TWILIO ", ?1, ?2, " SQL_JOB_QUEUED ", ?3)"
		      " ON CONFLICT (recording_id, kind) DO NOTHING",
		      "iii", recording->id, recording->workspace_id, now);
}

int catalog_queue_stored(struct db_conn *conn, int64_t recording_id,
			 const struct catalog_object *object, int channels_stored)
{
	struct catalog_recording now;
	int err = recording_load(conn, recording_id, &now);

	if (err)
		return err;
	if (now.state != CATALOG_STATE_UPLOADING)
		return -ESTALE;
	/* A file's size never changes by migration. */
	if (object->size_bytes < 0 || !object->key[0] ||
	    (now.size_bytes >= 0 && now.size_bytes != object->size_bytes))
		return -EINVAL;
	err = object_store(conn, now.id, object);
	if (err == 0)
		err = db_run(conn,
			     "UPDATE recording SET state = " SQL_STATE_STORED
			     ", migration = " SQL_MIGRATION_DONE ", size_bytes = ?2,"
			     " channels_stored = CASE WHEN ?3 > 0 THEN ?3 ELSE channels_stored END"
			     " WHERE id = ?1",
			     "iii", now.id, object->size_bytes, (int64_t)channels_stored);
	if (err == 0 && now.size_bytes < 0 && now.is_listed)
		err = change_add(conn, CATALOG_CHANGE_ATTRIBUTES, &now);
	return err ? err : queue_cleanup(conn, &now);
}

int catalog_queue_done(struct db_conn *conn, enum catalog_job_kind kind, int64_t workspace_id,
		       int64_t recording_id, const char *note)
{
	static const char *const actions[] = {
		[CATALOG_JOB_CLEANUP_TWILIO] = "cleanup_twilio",
		[CATALOG_JOB_DELETE_TWILIO] = "delete_twilio",
		[CATALOG_JOB_DELETE_S3] = "delete_s3",
		[CATALOG_JOB_TOMBSTONE] = "tombstone",
	};
	int err = 0;

	if (kind > CATALOG_JOB_TOMBSTONE || !actions[kind])
		return -EINVAL;
	if (kind == CATALOG_JOB_CLEANUP_TWILIO)
		err = db_run(conn,
			     "UPDATE recording SET state = " SQL_STATE_S3
			     " WHERE id = ? AND state = " SQL_STATE_STORED,
			     "i", recording_id);
	else if (kind == CATALOG_JOB_DELETE_S3)
		err = db_run(conn, "DELETE FROM object WHERE recording_id = ?", "i", recording_id);
	return err ? err : audit_add(conn, actions[kind], workspace_id, recording_id, note);
}

int audit_add(struct db_conn *conn, const char *action, int64_t workspace_id, int64_t recording_id,
	      const char *note)
{
	return db_run(
		conn,
		"INSERT INTO audit (at_secs, action, workspace_id, recording_id, note) VALUES (?, ?, ?, ?, ?)",
		"isiis", time_now_secs(), action, workspace_id, recording_id, note ? note : "");
}

int catalog_queue_settle(struct db_conn *conn, int64_t workspace_id)
{
	int err = db_run(conn,
			 "UPDATE workspace SET secret = '', api_key_sid = '', callback_token = ''"
			 " WHERE id = ?1 AND removed = 1"
			 " AND NOT EXISTS (SELECT 1 FROM job WHERE workspace_id = ?1)",
			 "i", workspace_id);

	if (err || !db_changes(conn))
		return err;
	err = db_run(conn, "DELETE FROM callback WHERE workspace_id = ?", "i", workspace_id);
	if (err)
		return err;
	return db_run(conn,
		      "UPDATE storage SET secret_key = '', access_key = '', enabled = 0"
		      " WHERE workspace_id = ?",
		      "i", workspace_id);
}
