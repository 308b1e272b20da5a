/* Filling the queue: migrations are asked for, taken back, paused, retried. Jobs are claimed and
 * ended by the room jobs; what that means for a recording is in queue-step.c. */
#include <errno.h>

#include "catalog/queue-private.h"
#include "util/cleanup.h"

int scope_folders(struct db_conn *conn, struct catalog_scope scope, bool with_removed,
		  int64_t **ret_ids, size_t *ret_count)
{
	cleanup_free int64_t *ids = NULL;
	size_t count;
	int err =
		db_query_ids(conn, &ids, &count,
			     "SELECT id FROM folder WHERE (removed = 0 OR ?3 = 1) AND"
			     " (?1 = 0 OR (?1 = 1 AND workspace_id = ?2) OR (?1 = 2 AND id = ?2))",
			     "iii", (int64_t)scope.kind, scope.id, (int64_t)with_removed);

	if (err)
		return err;
	if (!count && scope.kind != CATALOG_SCOPE_ALL)
		return -ENOENT;
	*ret_ids = steal_pointer(&ids);
	*ret_count = count;
	return 0;
}

/* ---- parts: a scope is one recording, or folders ---- */

struct part {
	bool is_folder;
	int64_t id, workspace_id, now_msecs;
};

/* A statement has two forms, for one recording and for a folder: ?1 is its id, ?2 the workspace, ?3
 * the time. FORMS_BY_JOB is for statements on jobs, which look up the folder of each job. */
struct step {
	const char *forms[2];
	const char *format; /* a letter for each of ?1 … ?3 that the statement uses */
	bool is_counted;    /* the rows that it changes */
};
#define FORMS(statement) { statement("id = ?1"), statement("folder_id = ?1") }
#define IN_FOLDER "(SELECT folder_id FROM recording r WHERE r.id = job.recording_id) = ?1"
#define FORMS_BY_JOB(statement) { statement("recording_id = ?1"), statement(IN_FOLDER) }

/* A request for a part of the queue. */
struct change {
	bool needs_storage;
	struct step steps[5]; /* up to the first without a format */
};

static int storage_check(struct db_conn *conn, int64_t workspace_id)
{
	int64_t enabled;
	int err = db_query_int(
		conn, &enabled,
		"SELECT s.enabled FROM storage s JOIN workspace w ON w.id = s.workspace_id"
		" WHERE w.id = ? AND w.removed = 0",
		"i", workspace_id);

	return err ? err : enabled ? 0 : -ENODEV;
}

static int workspace_of(struct db_conn *conn, bool is_folder, int64_t id, int64_t *ret_workspace_id)
{
	return db_query_int(conn, ret_workspace_id,
			    is_folder ? "SELECT workspace_id FROM folder WHERE id = ?"
				      : "SELECT workspace_id FROM recording WHERE id = ?",
			    "i", id);
}

/* Adds the number of changed rows to *count. */
static int part_run(struct db_conn *conn, struct part *part, const struct change *change,
		    int64_t *count)
{
	int err = workspace_of(conn, part->is_folder, part->id, &part->workspace_id);

	if (err == 0)
		err = db_now(conn, &part->now_msecs);
	if (err == 0 && change->needs_storage)
		err = storage_check(conn, part->workspace_id);
	for (const struct step *step = change->steps; err == 0 && step->format; step++) {
		err = db_run(conn, step->forms[part->is_folder], step->format, part->id,
			     part->workspace_id, part->now_msecs);
		if (err == 0 && step->is_counted)
			*count += db_changes(conn);
	}
	return err;
}

struct ask {
	struct catalog_scope scope;
	const struct change *change;
	int64_t count;
};

static int ask_in_write(struct db_conn *conn, void *arg)
{
	struct ask *a = arg;
	cleanup_free int64_t *folders = NULL;
	struct part part = { .id = a->scope.id };
	size_t count = 0;
	int err;

	a->count = 0;
	if (a->scope.kind == CATALOG_SCOPE_RECORDING)
		return part_run(conn, &part, a->change, &a->count);
	err = scope_folders(conn, a->scope, false, &folders, &count);
	part.is_folder = true;
	for (size_t i = 0; i < count && err == 0; i++) {
		part.id = folders[i];
		err = part_run(conn, &part, a->change, &a->count);
		/* Workspaces without a bucket are left out where everything is asked for. */
		if (a->scope.kind == CATALOG_SCOPE_ALL && (err == -ENOENT || err == -ENODEV))
			err = 0;
	}
	return err;
}

static int ask(struct catalog *catalog, struct catalog_scope scope, const struct change *change,
	       int64_t *ret_count)
{
	struct ask a = { .scope = scope, .change = change };
	int err = db_write(catalog->db, ask_in_write, &a);

	*ret_count = err ? 0 : a.count;
	return err;
}

/* ---- asking for migrations ---- */

#define WANTS_MIGRATION \
	"listed = 1 AND state = " SQL_STATE_TWILIO " AND migration IN (" SQL_MIGRATION_NONE \
	", " SQL_MIGRATION_FAILED ")"
#define QUEUE_JOBS(where) \
	"INSERT INTO job (kind, recording_id, workspace_id, state, due_msecs)" \
	" SELECT " SQL_JOB_MIGRATE ", id, ?2, " SQL_JOB_QUEUED ", ?3 FROM recording WHERE " where \
	" AND " WANTS_MIGRATION \
	" ON CONFLICT (recording_id, kind) DO UPDATE SET state = " SQL_JOB_QUEUED "," \
	" due_msecs = excluded.due_msecs, attempts = 0," \
	" owner = '', reason = '', done_bytes = 0, total_bytes = 0"
#define QUEUE_RECORDINGS(where) \
	"UPDATE recording SET migration = " SQL_MIGRATION_QUEUED " WHERE " where \
	" AND " WANTS_MIGRATION
/* Jobs that wait after a failure become due: somebody asks for them now. */
#define HURRY_JOBS(where) \
	"UPDATE job SET due_msecs = ?3 WHERE workspace_id = ?2 AND kind = " SQL_JOB_MIGRATE \
	" AND due_msecs > ?3 AND state = " SQL_JOB_QUEUED " AND " where

static const struct change queueing = {
	.needs_storage = true,
	.steps = {
		{ FORMS(QUEUE_JOBS), "iii", false },
		{ FORMS(QUEUE_RECORDINGS), "i", true },
		{ FORMS_BY_JOB(HURRY_JOBS), "iii", false },
	},
};

int catalog_migrate_queue(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_count)
{
	return ask(catalog, scope, &queueing, ret_count);
}

int catalog_migrate_check(struct catalog *catalog, struct catalog_scope scope)
{
	cleanup_db_read struct db_conn *read = NULL;
	int64_t workspace_id = scope.id;
	int err = db_read_begin(catalog->db, &read);

	if (err)
		return err;
	if (scope.kind == CATALOG_SCOPE_ALL)
		return db_query_int(
			read, &workspace_id,
			"SELECT w.id FROM storage s JOIN workspace w ON w.id = s.workspace_id"
			" WHERE w.removed = 0 AND s.enabled = 1 LIMIT 1",
			"");
	if (scope.kind != CATALOG_SCOPE_WORKSPACE)
		err = workspace_of(read, scope.kind == CATALOG_SCOPE_FOLDER, scope.id,
				   &workspace_id);
	return err ? err : storage_check(read, workspace_id);
}

/* ---- migrate_new ---- */

static int queue_recording(struct db_conn *conn, int64_t id)
{
	struct part part = { .id = id };
	int64_t count = 0;

	return part_run(conn, &part, &queueing, &count);
}

int migrate_queue_one(struct db_conn *conn, int64_t recording_id)
{
	int err = queue_recording(conn, recording_id);

	if (err != -ENOENT && err != -ENODEV)
		return err;
	return db_run(conn,
		      "INSERT INTO arrived (workspace_id, recording_id)"
		      " SELECT workspace_id, id FROM recording WHERE id = ?"
		      " ON CONFLICT (workspace_id, recording_id) DO NOTHING",
		      "i", recording_id);
}

int migrate_queue_arrived(struct db_conn *conn, int64_t workspace_id)
{
	cleanup_free int64_t *ids = NULL;
	size_t count = 0;
	int err = db_query_ids(conn, &ids, &count,
			       "SELECT recording_id FROM arrived WHERE workspace_id = ?", "i",
			       workspace_id);

	for (size_t i = 0; i < count && err == 0; i++)
		err = queue_recording(conn, ids[i]);
	return err ? err : migrate_forget_arrived(conn, workspace_id);
}

int migrate_forget_arrived(struct db_conn *conn, int64_t workspace_id)
{
	return db_run(conn, "DELETE FROM arrived WHERE workspace_id = ?", "i", workspace_id);
}

/* ---- taking back ---- */

#define IS_WAITING \
	"listed = 1 AND migration IN (" SQL_MIGRATION_QUEUED ", " SQL_MIGRATION_PAUSED ")"
#define CANCEL_JOBS(where) \
	"DELETE FROM job WHERE kind = " SQL_JOB_MIGRATE " AND state IN (" SQL_JOB_QUEUED \
	", " SQL_JOB_PAUSED ") AND recording_id IN" \
	" (SELECT id FROM recording WHERE " where " AND " IS_WAITING ")"
#define CANCEL_RECORDINGS(where) \
	"UPDATE recording SET migration = " SQL_MIGRATION_NONE " WHERE " where " AND " IS_WAITING

static const struct change cancelling = {
	.steps = {
		{ FORMS(CANCEL_JOBS), "i", false },
		{ FORMS(CANCEL_RECORDINGS), "i", true },
	},
};

int catalog_migrate_cancel(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_count)
{
	return ask(catalog, scope, &cancelling, ret_count);
}

/* ---- pausing ---- */

#define MOVE_RECORDINGS(where, from, to) \
	"UPDATE recording SET migration = " to " WHERE " where \
	" AND listed = 1 AND migration = " from
#define PAUSE_JOBS(where) \
	"UPDATE job SET state = " SQL_JOB_PAUSED ", due_msecs = " SQL_NEVER \
	" WHERE kind = " SQL_JOB_MIGRATE " AND state = " SQL_JOB_QUEUED \
	" AND recording_id IN (SELECT id FROM recording WHERE " where \
	" AND listed = 1 AND migration = " SQL_MIGRATION_QUEUED ")"
#define PAUSE_RECORDINGS(where) MOVE_RECORDINGS(where, SQL_MIGRATION_QUEUED, SQL_MIGRATION_PAUSED)
#define PAUSE_RUNNING(where) \
	"UPDATE job SET pause_asked = 1 WHERE workspace_id = ?2 AND kind = " SQL_JOB_MIGRATE \
	" AND state = " SQL_JOB_RUNNING " AND pause_asked = 0 AND " where

static const struct change pausing = {
	.steps = {
		{ FORMS(PAUSE_JOBS), "i", false },
		{ FORMS(PAUSE_RECORDINGS), "i", true },
		{ FORMS_BY_JOB(PAUSE_RUNNING), "ii", true },
	},
};

int catalog_migrate_pause(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_count)
{
	return ask(catalog, scope, &pausing, ret_count);
}

#define RESUME_JOBS(where) \
	"UPDATE job SET state = " SQL_JOB_QUEUED ", due_msecs = ?3" \
	" WHERE workspace_id = ?2 AND kind = " SQL_JOB_MIGRATE " AND state = " SQL_JOB_PAUSED \
	" AND recording_id IN (SELECT id FROM recording WHERE " where \
	" AND listed = 1 AND migration = " SQL_MIGRATION_PAUSED ")"
#define RESUME_RECORDINGS(where) MOVE_RECORDINGS(where, SQL_MIGRATION_PAUSED, SQL_MIGRATION_QUEUED)
#define RESUME_RUNNING(where) \
	"UPDATE job SET pause_asked = 0 WHERE workspace_id = ?2 AND kind = " SQL_JOB_MIGRATE \
	" AND state = " SQL_JOB_RUNNING " AND pause_asked = 1 AND " where

static const struct change resuming = {
	.steps = {
		{ FORMS(RESUME_JOBS), "iii", false },
		{ FORMS(RESUME_RECORDINGS), "i", true },
		{ FORMS_BY_JOB(RESUME_RUNNING), "ii", true },
	},
};

int catalog_migrate_resume(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_count)
{
	return ask(catalog, scope, &resuming, ret_count);
}

/* ---- retrying ---- */

#define RETRY_JOBS(where) \
	"UPDATE job SET state = " SQL_JOB_QUEUED ", due_msecs = ?3, attempts = 0, reason = ''" \
	" WHERE workspace_id = ?2 AND kind = " SQL_JOB_MIGRATE " AND state = " SQL_JOB_FAILED \
	" AND recording_id IN (SELECT id FROM recording WHERE " where \
	" AND listed = 1 AND migration = " SQL_MIGRATION_FAILED ")"
#define RETRY_RECORDINGS(where) MOVE_RECORDINGS(where, SQL_MIGRATION_FAILED, SQL_MIGRATION_QUEUED)
/* A delete keeps one attempt: only a first attempt may skip the check of a fresh object. */
#define RETRY_DELETES(where) \
	"UPDATE job SET state = " SQL_JOB_QUEUED ", due_msecs = ?3," \
	" attempts = CASE WHEN attempts > 1 THEN 1 ELSE attempts END" \
	" WHERE workspace_id = ?2 AND kind IN (" SQL_JOB_CLEANUP_TWILIO ", " SQL_JOB_DELETE_TWILIO \
	", " SQL_JOB_DELETE_S3 ", " SQL_JOB_TOMBSTONE ")" \
	" AND state IN (" SQL_JOB_QUEUED ", " SQL_JOB_FAILED ") AND reason <> '' AND " where

static const struct change retrying = {
	.steps = {
		{ FORMS(RETRY_JOBS), "iii", false },
		{ FORMS(RETRY_RECORDINGS), "i", true },
		{ FORMS_BY_JOB(HURRY_JOBS), "iii", true },
		{ FORMS_BY_JOB(RETRY_DELETES), "iii", true },
	},
};

int catalog_migrate_retry(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_count)
{
	return ask(catalog, scope, &retrying, ret_count);
}

/* ---- keep_at_twilio ---- */

int cleanups_take_back(struct db_conn *conn, int64_t workspace_id)
{
	return db_run(conn,
		      "DELETE FROM job WHERE workspace_id = ? AND kind = " SQL_JOB_CLEANUP_TWILIO
		      " AND NOT (state = " SQL_JOB_RUNNING " AND was_sent = 1)",
		      "i", workspace_id);
}

int cleanups_queue(struct db_conn *conn, int64_t workspace_id)
{
	int64_t now;
	int err = db_now(conn, &now);

	if (err)
		return err;
	return db_run(conn,
		      "INSERT INTO job (kind, recording_id, workspace_id, state, due_msecs)"
		      " SELECT " SQL_JOB_CLEANUP_TWILIO ", r.id, r.workspace_id, " SQL_JOB_QUEUED
		      ", ?2 FROM folder f JOIN recording r ON r.folder_id = f.id AND r.listed = 1"
		      " AND r.state = " SQL_STATE_STORED " WHERE f.workspace_id = ?1"
		      " ON CONFLICT (recording_id, kind) DO NOTHING",
		      "ii", workspace_id, now);
}
