/*
 * Removal by the workspace's policy: writes tombstones, queues deletes, cancels migrations. The
 * same statements remove one recording or all files of a folder, each in two forms.
 */
#include <errno.h>

#include "catalog/removal-private.h"
#include "util/times.h"

int removal_policy_load(struct db_conn *conn, int64_t workspace_id,
			struct removal_policy *ret_policy)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query_row(
		conn, &stmt,
		"SELECT delete_s3, delete_twilio, keep_at_twilio FROM workspace WHERE id = ?", "i",
		workspace_id);

	if (err)
		return err;
	ret_policy->workspace_id = workspace_id;
	ret_policy->delete_s3 = db_int(stmt, 0);
	ret_policy->delete_twilio = db_int(stmt, 1);
	ret_policy->keep_at_twilio = db_int(stmt, 2);
	return 0;
}

/* ---- the statements: ?1 is the recording or the folder, ?2 the time ---- */

#define ONE_RECORDING "r.id = ?1"
#define FILES_OF_FOLDER "r.folder_id = ?1 AND r.listed = 1" /* by the listing's index */
#define FORMS(statement) { statement(ONE_RECORDING), statement(FILES_OF_FOLDER) }

#define NEW_JOB "INSERT INTO job (kind, recording_id, workspace_id, state, due_msecs"
#define UNLESS_QUEUED " ON CONFLICT (recording_id, kind) DO NOTHING"
#define IS_CLEANUP "j.recording_id = r.id AND j.kind = " SQL_JOB_CLEANUP_TWILIO
#define IS_STORED "r.state = " SQL_STATE_STORED
#define IS_NOT_DELETED "r.state <> " SQL_STATE_DELETED

/* Remembers what a cleanup may have sent already. */
#define TWILIO_DELETES(where) \
	NEW_JOB ", was_sent) SELECT " SQL_JOB_DELETE_TWILIO \
		", r.id, r.workspace_id, " SQL_JOB_QUEUED \
		", ?2, coalesce((SELECT j.was_sent FROM job j WHERE " IS_CLEANUP "), 0)" \
		" FROM recording r WHERE " where " AND r.state IN " SQL_AT_TWILIO UNLESS_QUEUED
#define DROP_CLEANUPS(where) \
	"DELETE FROM job WHERE kind = " SQL_JOB_CLEANUP_TWILIO " AND recording_id IN" \
	" (SELECT r.id FROM recording r WHERE " where " AND " IS_STORED ")"
#define CLEANUPS_OWED(where) \
	"SELECT count(*) FROM recording r JOIN job j ON " IS_CLEANUP " WHERE " where \
	" AND " IS_STORED
#define AT_TWILIO(where) \
	"SELECT count(*) FROM recording r WHERE " where " AND r.state IN " SQL_AT_TWILIO
/* Also where a worker has begun a migration (was_sent). */
#define WITH_MIGRATION \
	"recording r LEFT JOIN job m ON m.recording_id = r.id AND m.kind = " SQL_JOB_MIGRATE
#define MAY_BE_IN_S3 \
	"(r.state IN (" SQL_STATE_UPLOADING ", " SQL_STATE_STORED ", " SQL_STATE_S3 ")" \
	" OR (r.state = " SQL_STATE_TWILIO " AND (m.was_sent = 1 OR m.attempts > 0)))"
#define IN_S3(where) "SELECT count(*) FROM " WITH_MIGRATION " WHERE " where " AND " MAY_BE_IN_S3
/* A running transfer finds its lease gone and stops. The delete of its object waits until that
 * lease has expired, so that no upload comes after it. */
#define S3_DELETES(where) \
	NEW_JOB ") SELECT " SQL_JOB_DELETE_S3 ", r.id, r.workspace_id, " SQL_JOB_QUEUED \
		", CASE WHEN m.state = " SQL_JOB_RUNNING " AND m.due_msecs > ?2" \
		" THEN m.due_msecs ELSE ?2 END FROM " WITH_MIGRATION " WHERE " where \
		" AND " MAY_BE_IN_S3 UNLESS_QUEUED
/* Wherever the bytes are, and whatever the policy: other catalogs of the account learn of the
 * removal from the bucket. Sync tells a bucket that is not in use when it is
 * (removal-learned.c). */
#define NOTES(where) \
	NEW_JOB ") SELECT " SQL_JOB_TOMBSTONE ", r.id, r.workspace_id, " SQL_JOB_QUEUED \
		", ?2 FROM " WITH_MIGRATION \
		" JOIN storage s ON s.workspace_id = r.workspace_id WHERE " where \
		" AND " IS_NOT_DELETED " AND (s.enabled = 1 OR " MAY_BE_IN_S3 ")" UNLESS_QUEUED
/* The condition of the partial index, and what is locked now. ?2 is in seconds. */
#define LOCKED(where) \
	"SELECT count(*) FROM recording r JOIN object o ON o.recording_id = r.id WHERE " where \
	" AND r.state IN " SQL_IN_S3 " AND (o.retain_until_secs > 0 OR o.legal_hold = 1)" \
	" AND (o.retain_until_secs > ?2 OR o.legal_hold = 1)"
#define DROP_MIGRATIONS(where) \
	"DELETE FROM job WHERE kind = " SQL_JOB_MIGRATE " AND recording_id IN" \
	" (SELECT r.id FROM recording r WHERE " where " AND " IS_NOT_DELETED ")"
#define AUDIT(where) \
	"INSERT INTO audit (at_secs, action, workspace_id, recording_id, note)" \
	" SELECT ?2, 'remove', r.workspace_id, r.id, ?3 FROM recording r WHERE " where \
	" AND " IS_NOT_DELETED
#define TOMBSTONES(where) \
	"UPDATE recording AS r SET state = " SQL_STATE_DELETED \
	", migration = CASE WHEN r.state IN " SQL_IN_S3 " THEN " SQL_MIGRATION_DONE \
	" ELSE " SQL_MIGRATION_NONE " END," \
	" removed_secs = ?2, removed_policy = ?3 WHERE " where " AND " IS_NOT_DELETED

/* ---- running them ---- */

static int at_twilio(struct db_conn *conn, enum removal_part part, int64_t id, int64_t now_msecs,
		     const struct removal_policy *policy, struct catalog_removal *removal)
{
	static const char *const deletes[] = FORMS(TWILIO_DELETES),
				 *const drop_cleanups[] = FORMS(DROP_CLEANUPS),
				 *const owed_sql[] = FORMS(CLEANUPS_OWED),
				 *const there_sql[] = FORMS(AT_TWILIO);
	int64_t there, owed;
	int err;

	if (policy->delete_twilio) {
		err = db_run(conn, deletes[part], "ii", id, now_msecs);
		if (err)
			return err;
		removal->twilio_deletes += db_changes(conn);
		return db_run(conn, drop_cleanups[part], "i", id);
	}
	/* Deletes that keep_at_twilio holds back would be held back for ever. */
	err = policy->keep_at_twilio ? db_run(conn, drop_cleanups[part], "i", id) : 0;
	if (err == 0)
		err = db_query_int(conn, &owed, owed_sql[part], "i", id);
	if (err == 0)
		err = db_query_int(conn, &there, there_sql[part], "i", id);
	if (err)
		return err;
	removal->twilio_deletes += owed;
	removal->stay_at_twilio += there - owed;
	return 0;
}

static int in_s3(struct db_conn *conn, enum removal_part part, int64_t id, int64_t now_msecs,
		 const struct removal_policy *policy, struct catalog_removal *removal)
{
	static const char *const notes[] = FORMS(NOTES), *const deletes[] = FORMS(S3_DELETES),
				 *const stay_sql[] = FORMS(IN_S3);
	int64_t stay = 0;
	int err = db_run(conn, notes[part], "ii", id, now_msecs);

	if (err == 0 && policy->delete_s3) {
		err = db_run(conn, deletes[part], "ii", id, now_msecs);
		removal->s3_deletes += err ? 0 : db_changes(conn);
	} else if (err == 0) {
		err = db_query_int(conn, &stay, stay_sql[part], "i", id);
		removal->stay_in_s3 += stay;
	}
	return err;
}

/* An object under retention or legal hold stays in the tree. */
static int check_locks(struct db_conn *conn, enum removal_part part, int64_t id,
		       const struct removal_policy *policy)
{
	static const char *const locked_sql[] = FORMS(LOCKED);
	int64_t locked = 0;
	int err = policy->delete_s3
			  ? db_query_int(conn, &locked, locked_sql[part], "ii", id, time_now_secs())
			  : 0;

	return err ? err : locked ? -EPERM : 0;
}

int removal_run(struct db_conn *conn, enum removal_part part, int64_t id,
		const struct removal_policy *policy, struct catalog_removal *removal)
{
	static const char *const drop_migrations[] = FORMS(DROP_MIGRATIONS),
				 *const audit[] = FORMS(AUDIT),
				 *const tombstones[] = FORMS(TOMBSTONES);
	int64_t bits = (policy->delete_s3 ? REMOVED_DELETE_S3 : 0) |
		       (policy->delete_twilio ? REMOVED_DELETE_TWILIO : 0);
	const char *note = policy->delete_s3
				   ? policy->delete_twilio ? "delete_s3 delete_twilio" : "delete_s3"
			   : policy->delete_twilio ? "delete_twilio"
						   : "";
	int64_t now_msecs;
	int err = check_locks(conn, part, id, policy);

	if (err == 0)
		err = db_now(conn, &now_msecs);
	if (err == 0)
		err = at_twilio(conn, part, id, now_msecs, policy, removal);
	if (err == 0)
		err = in_s3(conn, part, id, now_msecs, policy, removal);
	if (err == 0)
		err = db_run(conn, drop_migrations[part], "i", id);
	if (err == 0)
		err = db_run(conn, audit[part], "iis", id, time_now_secs(), note);
	if (err == 0)
		err = db_run(conn, tombstones[part], "iii", id, time_now_secs(), bits);
	if (err == 0)
		removal->recordings += db_changes(conn);
	return err;
}
