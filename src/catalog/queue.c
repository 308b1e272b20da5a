/*
 * The queue, seen by those who fill it: what is asked for, taken back, paused, tried again. Those
 * who take from it are in job-claim.c.
 */
#include <errno.h>

#include "catalog/job-private.h"
#include "catalog/recording-private.h"
#include "util/cleanup.h"
#include "util/times.h"

int scope_folders(struct db_conn *conn, struct catalog_scope scope, bool with_removed,
		  int64_t **ret_ids, size_t *ret_count)
{
	cleanup_free int64_t *ids = NULL;
	size_t count;
	int err =
		db_query_ids(conn, &ids, &count,
			     "SELECT id FROM folder WHERE (removed = 0 OR ?3) AND"
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

/* Each statement comes in two forms, of one recording and of a folder's: ?1 is its id, ?2 the
 * workspace, ?3 the time; those that begin with jobs ask for each one's folder. */
#define FORMS(statement) { statement("id = ?1"), statement("folder_id = ?1") }
#define IN_FOLDER "(SELECT folder_id FROM recording r WHERE r.id = job.recording_id) = ?1"
#define FORMS_BY_JOB(statement) { statement("recording_id = ?1"), statement(IN_FOLDER) }

/* format: how many of the three it has. Adds what it changed to *count, where that is not NULL. */
static int part_change(struct db_conn *conn, const struct part *part, const char *const forms[2],
		       const char *format, int64_t *count)
{
	int err = db_run(conn, forms[part->is_folder], format, part->id, part->workspace_id,
			 part->now_msecs);

	if (err == 0 && count)
		*count += db_changes(conn);
	return err;
}

typedef int part_fn(struct db_conn *conn, const struct part *part, int64_t *count);

static int part_run(struct db_conn *conn, struct part *part, part_fn *fn, int64_t *count)
{
	int err = part->is_folder ? db_query_int(conn, &part->workspace_id,
						 "SELECT workspace_id FROM folder WHERE id = ?",
						 "i", part->id)
				  : db_query_int(conn, &part->workspace_id,
						 "SELECT workspace_id FROM recording WHERE id = ?",
						 "i", part->id);

	part->now_msecs = time_now_msecs();
	return err ? err : fn(conn, part, count);
}

struct ask {
	struct catalog_scope scope;
	part_fn *fn;
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
		return part_run(conn, &part, a->fn, &a->count);
	err = scope_folders(conn, a->scope, false, &folders, &count);
	part.is_folder = true;
	for (size_t i = 0; i < count && err == 0; i++) {
		part.id = folders[i];
		err = part_run(conn, &part, a->fn, &a->count);
		/* Of everything, what has a place to go to. */
		if (a->scope.kind == CATALOG_SCOPE_ALL && (err == -ENOENT || err == -ENODEV))
			err = 0;
	}
	return err;
}

static int ask(struct catalog *catalog, struct catalog_scope scope, part_fn *fn, int64_t *ret_count)
{
	struct ask a = { .scope = scope, .fn = fn };
	int err = db_write(catalog->db, ask_in_write, &a);

	*ret_count = err ? 0 : a.count;
	return err;
}

/* ---- asking for migrations ---- */

#define WANTS_MIGRATION "listed = 1 AND state = 1 AND migration IN (0, 4)"
#define QUEUE_JOBS(where) \
	"INSERT INTO job (kind, recording_id, workspace_id, state, due_msecs)" \
	" SELECT 1, id, ?2, 0, ?3 FROM recording WHERE " where " AND " WANTS_MIGRATION \
	" ON CONFLICT (recording_id, kind) DO UPDATE SET state = 0," \
	" due_msecs = excluded.due_msecs, attempts = 0," \
	" owner = '', reason = '', done_bytes = 0, total_bytes = 0"
#define QUEUE_RECORDINGS(where) \
	"UPDATE recording SET migration = 1 WHERE " where " AND " WANTS_MIGRATION
/* Those that wait after a failure: somebody asks for them now. */
#define HURRY_JOBS(where) \
	"UPDATE job SET due_msecs = ?3 WHERE workspace_id = ?2 AND kind = 1 AND due_msecs > ?3" \
	" AND state = 0 AND " where

static int storage_check(struct db_conn *conn, int64_t workspace_id)
{
	int64_t enabled;
	int err = db_query_int(
		conn, &enabled,
		"SELECT s.enabled FROM storage s JOIN workspace w ON w.id = s.workspace_id"
		" WHERE w.id = ? AND w.removed = 0",
		"i", workspace_id);

	if (err)
		return err;
	return enabled ? 0 : -ENODEV;
}

static int queue_part(struct db_conn *conn, const struct part *part, int64_t *count)
{
	static const char *const jobs[] = FORMS(QUEUE_JOBS),
				 *const recordings[] = FORMS(QUEUE_RECORDINGS),
				 *const hurry[] = FORMS_BY_JOB(HURRY_JOBS);
	int err = storage_check(conn, part->workspace_id);

	if (err == 0)
		err = part_change(conn, part, jobs, "iii", NULL);
	if (err == 0)
		err = part_change(conn, part, recordings, "i", count);
	return err ? err : part_change(conn, part, hurry, "iii", NULL);
}

int catalog_migrate_queue(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_count)
{
	return ask(catalog, scope, queue_part, ret_count);
}

int catalog_migrate_check(struct catalog *catalog, struct catalog_scope scope)
{
	cleanup_db_read struct db_conn *read = NULL;
	int64_t workspace_id = scope.id;
	int err = db_read_begin(catalog->db, &read);

	if (err)
		return err;
	switch (scope.kind) {
	case CATALOG_SCOPE_RECORDING:
		err = db_query_int(read, &workspace_id,
				   "SELECT workspace_id FROM recording WHERE id = ?", "i",
				   scope.id);
		break;
	case CATALOG_SCOPE_FOLDER:
		err = db_query_int(read, &workspace_id,
				   "SELECT workspace_id FROM folder WHERE id = ?", "i", scope.id);
		break;
	case CATALOG_SCOPE_WORKSPACE:
		break;
	case CATALOG_SCOPE_ALL:
		return db_query_int(
			read, &workspace_id,
			"SELECT w.id FROM storage s JOIN workspace w ON w.id = s.workspace_id"
			" WHERE w.removed = 0 AND s.enabled = 1 LIMIT 1",
			"");
	}
	return err ? err : storage_check(read, workspace_id);
}

/* ---- migrate_new ---- */

static int queue_recording(struct db_conn *conn, int64_t id)
{
	struct part part = { .id = id };
	int64_t count = 0;

	return part_run(conn, &part, queue_part, &count);
}

int migrate_queue_one(struct db_conn *conn, int64_t recording_id)
{
	int err = queue_recording(conn, recording_id);

	if (err != -ENOENT && err != -ENODEV)
		return err;
	return db_run(conn,
		      "INSERT OR IGNORE INTO arrived (workspace_id, recording_id)"
		      " SELECT workspace_id, id FROM recording WHERE id = ?",
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

#define CANCEL_JOBS(where) \
	"DELETE FROM job WHERE kind = 1 AND state IN (0, 3) AND recording_id IN" \
	" (SELECT id FROM recording WHERE " where " AND listed = 1 AND migration IN (1, 5))"
#define CANCEL_RECORDINGS(where) \
	"UPDATE recording SET migration = 0 WHERE " where " AND listed = 1 AND migration IN (1, 5)"

static int cancel_part(struct db_conn *conn, const struct part *part, int64_t *count)
{
	static const char *const jobs[] = FORMS(CANCEL_JOBS), *const recordings[] =
								      FORMS(CANCEL_RECORDINGS);
	int err = part_change(conn, part, jobs, "i", NULL);

	return err ? err : part_change(conn, part, recordings, "i", count);
}

int catalog_migrate_cancel(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_count)
{
	return ask(catalog, scope, cancel_part, ret_count);
}

/* ---- pausing ---- */

#define NEVER "0x7fffffffffffffff"
#define PAUSE_JOBS(where) \
	"UPDATE job SET state = 3, due_msecs = " NEVER " WHERE kind = 1 AND state = 0 AND" \
	" recording_id IN (SELECT id FROM recording WHERE " where \
	" AND listed = 1 AND migration = 1)"
#define PAUSE_RECORDINGS(where) \
	"UPDATE recording SET migration = 5 WHERE " where " AND listed = 1 AND migration = 1"
#define PAUSE_RUNNING(where) \
	"UPDATE job SET pause_asked = 1 WHERE workspace_id = ?2 AND kind = 1 AND state = 1 AND" \
	" pause_asked = 0 AND " where

static int pause_part(struct db_conn *conn, const struct part *part, int64_t *count)
{
	static const char *const jobs[] = FORMS(PAUSE_JOBS),
				 *const recordings[] = FORMS(PAUSE_RECORDINGS),
				 *const running[] = FORMS_BY_JOB(PAUSE_RUNNING);
	int err = part_change(conn, part, jobs, "i", NULL);

	if (err == 0)
		err = part_change(conn, part, recordings, "i", count);
	return err ? err : part_change(conn, part, running, "ii", count);
}

int catalog_migrate_pause(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_count)
{
	return ask(catalog, scope, pause_part, ret_count);
}

#define RESUME_JOBS(where) \
	"UPDATE job SET state = 0, due_msecs = ?3 WHERE workspace_id = ?2 AND kind = 1" \
	" AND state = 3 AND recording_id IN (SELECT id FROM recording WHERE " where \
	" AND listed = 1 AND migration = 5)"
#define RESUME_RECORDINGS(where) \
	"UPDATE recording SET migration = 1 WHERE " where " AND listed = 1 AND migration = 5"
#define RESUME_RUNNING(where) \
	"UPDATE job SET pause_asked = 0 WHERE workspace_id = ?2 AND kind = 1 AND state = 1 AND" \
	" pause_asked = 1 AND " where

static int resume_part(struct db_conn *conn, const struct part *part, int64_t *count)
{
	static const char *const jobs[] = FORMS(RESUME_JOBS),
				 *const recordings[] = FORMS(RESUME_RECORDINGS),
				 *const running[] = FORMS_BY_JOB(RESUME_RUNNING);
	int err = part_change(conn, part, jobs, "iii", NULL);

	if (err == 0)
		err = part_change(conn, part, recordings, "i", count);
	return err ? err : part_change(conn, part, running, "ii", count);
}

int catalog_migrate_resume(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_count)
{
	return ask(catalog, scope, resume_part, ret_count);
}

/* ---- trying again ---- */

#define RETRY_JOBS(where) \
	"UPDATE job SET state = 0, due_msecs = ?3, attempts = 0, reason = ''" \
	" WHERE workspace_id = ?2 AND kind = 1 AND state = 2 AND recording_id IN" \
	" (SELECT id FROM recording WHERE " where " AND listed = 1 AND migration = 4)"
#define RETRY_RECORDINGS(where) \
	"UPDATE recording SET migration = 1 WHERE " where " AND listed = 1 AND migration = 4"
/* A delete keeps one attempt: a first one may skip the look at an object that was just verified. */
#define RETRY_DELETES(where) \
	"UPDATE job SET state = 0, due_msecs = ?3, attempts = min(attempts, 1)" \
	" WHERE workspace_id = ?2 AND kind IN (2, 4, 8, 16) AND state IN (0, 2) AND reason <> ''" \
	" AND " where

static int retry_part(struct db_conn *conn, const struct part *part, int64_t *count)
{
	static const char *const jobs[] = FORMS(RETRY_JOBS),
				 *const recordings[] = FORMS(RETRY_RECORDINGS),
				 *const hurry[] = FORMS_BY_JOB(HURRY_JOBS),
				 *const deletes[] = FORMS_BY_JOB(RETRY_DELETES);
	int err = part_change(conn, part, jobs, "iii", NULL);

	if (err == 0)
		err = part_change(conn, part, recordings, "i", count);
	if (err == 0)
		err = part_change(conn, part, hurry, "iii", count);
	return err ? err : part_change(conn, part, deletes, "iii", count);
}

int catalog_migrate_retry(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_count)
{
	return ask(catalog, scope, retry_part, ret_count);
}

/* ---- keep_at_twilio ---- */

int cleanups_take_back(struct db_conn *conn, int64_t workspace_id)
{
	return db_run(conn,
		      "DELETE FROM job WHERE workspace_id = ? AND kind = 2"
		      " AND NOT (state = 1 AND was_sent = 1)",
		      "i", workspace_id);
}

int cleanups_queue(struct db_conn *conn, int64_t workspace_id)
{
	return db_run(
		conn,
		"INSERT INTO job (kind, recording_id, workspace_id, state, due_msecs)"
		" SELECT 2, r.id, r.workspace_id, 0, ?2 FROM folder f JOIN recording r"
		" ON r.folder_id = f.id AND r.listed = 1 AND r.state = 3 WHERE f.workspace_id = ?1"
		" ON CONFLICT (recording_id, kind) DO NOTHING",
		"ii", workspace_id, time_now_msecs());
}
