/* Counts of recordings and jobs. Those of recordings come from counters, never from a scan. Jobs
 * that failed are in problem.c. */
#include <string.h>

#include "catalog/queue-private.h"
#include "catalog/status.h"
#include "util/cleanup.h"

/* ---- counts of recordings ---- */

/* Recordings and their bytes. */
struct amount {
	int64_t n, bytes;
};
static void add_migration(struct catalog_counts *counts, enum catalog_state state,
			  enum catalog_migration migration, struct amount amount)
{
	counts->bytes += amount.bytes;
	if (state == CATALOG_STATE_STORED || state == CATALOG_STATE_S3) {
		counts->done += amount.n;
		counts->done_bytes += amount.bytes;
		return;
	}
	switch (migration) {
	case CATALOG_MIGRATION_QUEUED:
		counts->queued += amount.n;
		counts->todo_bytes += amount.bytes;
		break;
	case CATALOG_MIGRATION_RUNNING:
		counts->running += amount.n;
		counts->todo_bytes += amount.bytes;
		break;
	case CATALOG_MIGRATION_PAUSED:
		counts->paused += amount.n;
		break;
	case CATALOG_MIGRATION_FAILED:
		counts->failed += amount.n;
		break;
	default:
		counts->none += amount.n;
	}
}

struct counting {
	struct catalog_counts counts;
	struct amount by_state[CATALOG_STATE_COUNT];
	int64_t stored; /* or removed: nothing else can owe a delete */
};

static void add_count(struct counting *c, bool listed, enum catalog_state state,
		      enum catalog_migration migration, struct amount amount)
{
	if (listed)
		add_migration(&c->counts, state, migration, amount);
	if (listed || state == CATALOG_STATE_MISSING || state == CATALOG_STATE_DELETED) {
		c->by_state[state].n += amount.n;
		c->by_state[state].bytes += amount.bytes;
	}
	if (state == CATALOG_STATE_STORED || state == CATALOG_STATE_DELETED)
		c->stored += amount.n;
}

static int count_each(struct db_conn *conn, const char *sql, int64_t id, struct counting *counting)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query(conn, &stmt, sql, "i", id);

	while (db_next(stmt, &err)) {
		int state = db_int(stmt, 1), migration = db_int(stmt, 2);

		if (state > 0 && state < CATALOG_STATE_COUNT && migration >= 0 &&
		    migration < CATALOG_MIGRATION_COUNT)
			add_count(counting, db_int(stmt, 0), state, migration,
				  (struct amount){ db_int64(stmt, 3), db_int64(stmt, 4) });
	}
	return err;
}

static int count_scope(struct db_conn *conn, struct catalog_scope scope, struct counting *counting)
{
	cleanup_free int64_t *folders = NULL;
	size_t count = 0;
	int err;

	if (scope.kind == CATALOG_SCOPE_RECORDING)
		return count_each(conn,
				  "SELECT listed, state, migration, 1, " RECORDING_BYTES(
					  "r") " FROM recording r WHERE id = ?",
				  scope.id, counting);
	err = scope_folders(conn, scope, true, &folders, &count);
	for (size_t i = 0; i < count && err == 0; i++)
		err = count_each(
			conn,
			"SELECT listed, state, migration, n, bytes FROM folder_count WHERE folder_id = ?",
			folders[i], counting);
	return err;
}

/* ---- counts of jobs ---- */

/* Of each kind: how many, and how many of these failed or wait after a failure (their reason is not
 * empty). Migrations are counted with their recordings. */
#define DELETES \
	"j.kind IN (" SQL_JOB_CLEANUP_TWILIO ", " SQL_JOB_DELETE_TWILIO ", " SQL_JOB_DELETE_S3 \
	", " SQL_JOB_TOMBSTONE ")"
#define JOBS "SELECT j.kind, count(*), " SQL_COUNT_IF("j.reason <> ''") " FROM job j"
#define RUNNING_MIGRATION "j.kind = " SQL_JOB_MIGRATE " AND j.state = " SQL_JOB_RUNNING
#define MOVED_BYTES "SELECT coalesce(sum(j.done_bytes), 0) FROM job j"
#define OF_FOLDER(condition) \
	" JOIN recording r ON r.id = j.recording_id" \
	" WHERE j.workspace_id = (SELECT workspace_id FROM folder WHERE id = ?1) AND " condition \
	" AND r.folder_id = ?1"

static const char *const jobs_sql[] = {
	[CATALOG_SCOPE_ALL] = JOBS " WHERE " DELETES " GROUP BY j.kind",
	[CATALOG_SCOPE_WORKSPACE] = /* by two indices alone */
	"SELECT j.kind, count(*), (SELECT count(*) FROM job p WHERE p.workspace_id = ?1"
	" AND p.kind = j.kind AND p.reason <> '')"
	" FROM job j WHERE j.workspace_id = ?1 AND " DELETES " GROUP BY j.kind",
	[CATALOG_SCOPE_FOLDER] = JOBS OF_FOLDER(DELETES) " GROUP BY j.kind",
	[CATALOG_SCOPE_RECORDING] =
		JOBS " WHERE j.recording_id = ?1 AND " DELETES " GROUP BY j.kind",
};
static const char *const moved_bytes_sql[] = {
	[CATALOG_SCOPE_ALL] =
		MOVED_BYTES " JOIN workspace w ON w.id = j.workspace_id WHERE " RUNNING_MIGRATION,
	[CATALOG_SCOPE_WORKSPACE] = MOVED_BYTES " WHERE j.workspace_id = ?1 AND " RUNNING_MIGRATION,
	[CATALOG_SCOPE_FOLDER] = MOVED_BYTES OF_FOLDER(RUNNING_MIGRATION),
	[CATALOG_SCOPE_RECORDING] = MOVED_BYTES " WHERE j.recording_id = ?1 AND " RUNNING_MIGRATION,
};

static const char *scope_format(struct catalog_scope scope)
{
	return scope.kind == CATALOG_SCOPE_ALL ? "" : "i";
}

struct job_counts {
	int64_t cleanups, deletes, deletes_failed, tombstones;
};

static int count_jobs(struct db_conn *conn, struct catalog_scope scope,
		      struct job_counts *ret_counts)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query(conn, &stmt, jobs_sql[scope.kind], scope_format(scope), scope.id);

	memset(ret_counts, 0, sizeof *ret_counts);
	while (db_next(stmt, &err)) {
		int kind = db_int(stmt, 0);
		int64_t n = db_int64(stmt, 1), failed = db_int64(stmt, 2);

		if (kind == CATALOG_JOB_CLEANUP_TWILIO) {
			ret_counts->cleanups += n;
		} else if (kind == CATALOG_JOB_TOMBSTONE) {
			ret_counts->tombstones += n - failed;
		} else {
			ret_counts->deletes_failed += failed;
			ret_counts->deletes += n - failed;
		}
	}
	return err;
}

/* ---- what others ask ---- */

int catalog_counts_get(struct catalog *catalog, struct catalog_scope scope,
		       struct catalog_counts *ret_counts)
{
	cleanup_db_read struct db_conn *read = NULL;
	struct counting counting = { .stored = 0 };
	struct job_counts jobs = { 0 };
	int err = db_read_begin(catalog->db, &read);

	if (err == 0)
		err = count_scope(read, scope, &counting);
	if (err == 0 && counting.stored)
		err = count_jobs(read, scope, &jobs);
	counting.counts.cleanup_queued = jobs.cleanups;
	*ret_counts = counting.counts;
	return err;
}

int catalog_progress_get(struct catalog *catalog, const struct catalog_scope *scopes, size_t count,
			 struct catalog_counts *ret_counts, int64_t *ret_moved_bytes)
{
	cleanup_db_read struct db_conn *read = NULL;
	struct counting counting = { .stored = 0 };
	int64_t moved = 0, bytes;
	int err = db_read_begin(catalog->db, &read);

	for (size_t i = 0; i < count && err == 0; i++) {
		err = count_scope(read, scopes[i], &counting);
		if (err == 0 && counting.counts.running)
			err = db_query_int(read, &bytes, moved_bytes_sql[scopes[i].kind],
					   scope_format(scopes[i]), scopes[i].id);
		if (err == 0 && counting.counts.running)
			moved += bytes;
	}
	*ret_counts = counting.counts;
	*ret_moved_bytes = moved;
	return err;
}

static int sizes_unknown(struct db_conn *conn, struct catalog_scope scope, int64_t *ret_count)
{
	cleanup_free int64_t *folders = NULL;
	size_t count = 0;
	int64_t n;
	int err;

	*ret_count = 0;
	if (scope.kind == CATALOG_SCOPE_RECORDING)
		return db_query_int(
			conn, ret_count,
			"SELECT count(*) FROM recording WHERE id = ? AND listed = 1 AND size_bytes < 0",
			"i", scope.id);
	err = scope_folders(conn, scope, true, &folders, &count);
	for (size_t i = 0; i < count && err == 0; i++) {
		/* Nothing listed is DELETED. But without a column that the listing's index lacks,
		 * SQLite reads all of that index and not recording_sizes. */
		err = db_query_int(
			conn, &n,
			"SELECT count(*) FROM recording WHERE folder_id = ? AND listed = 1"
			" AND size_bytes < 0 AND state <> " SQL_STATE_DELETED,
			"i", folders[i]);
		if (err == 0)
			*ret_count += n;
	}
	return err;
}

static int calls_count(struct db_conn *conn, struct catalog_scope scope, int64_t *ret_count)
{
	if (scope.kind == CATALOG_SCOPE_RECORDING)
		return db_query_int(
			conn, ret_count,
			"SELECT " SQL_BOOL("call_id <> 0") " FROM recording WHERE id = ?", "i",
			scope.id);
	return db_query_int(conn, ret_count,
			    "SELECT coalesce(sum(calls), 0) FROM folder WHERE removed = 0 AND"
			    " (" SQL_IN_FOLDERS("workspace_id", "id") ")",
			    "ii", (int64_t)scope.kind, scope.id);
}

int catalog_status_get(struct catalog *catalog, struct catalog_scope scope,
		       struct catalog_status *ret_status)
{
	cleanup_db_read struct db_conn *read = NULL;
	struct catalog_status *s = ret_status;
	struct counting counting = { .stored = 0 };
	struct job_counts jobs = { 0 };
	int err = db_read_begin(catalog->db, &read);

	memset(s, 0, sizeof *s);
	if (err == 0)
		err = count_scope(read, scope, &counting);
	if (err == 0)
		err = count_jobs(read, scope, &jobs);
	if (err == 0)
		err = calls_count(read, scope, &s->calls);
	if (err == 0)
		err = sizes_unknown(read, scope, &s->sizes_unknown);
	if (err)
		return err;
	for (int i = 0; i < CATALOG_STATE_COUNT; i++) {
		s->by_state[i] = counting.by_state[i].n;
		s->bytes_by_state[i] = counting.by_state[i].bytes;
	}
	s->counts = counting.counts;
	s->counts.cleanup_queued = jobs.cleanups;
	s->deletes_queued = jobs.deletes;
	s->deletes_failed = jobs.deletes_failed;
	s->tombstones_queued = jobs.tombstones;
	return 0;
}

int catalog_migrate_status(struct catalog *catalog, int64_t recording_id,
			   enum catalog_migration *ret_migration, int *ret_percent,
			   char ret_reason[CATALOG_REASON_SIZE])
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int64_t state, done, total;
	int err = db_read_row(
		catalog->db, &stmt,
		"SELECT r.state, r.migration, coalesce(j.done_bytes, 0), coalesce(j.total_bytes, 0),"
		" coalesce(j.reason, '') FROM recording r"
		" LEFT JOIN job j ON j.recording_id = r.id AND j.kind = " SQL_JOB_MIGRATE
		" WHERE r.id = ?",
		"i", recording_id);

	*ret_percent = 0;
	ret_reason[0] = '\0';
	if (err)
		return err;
	state = db_int64(stmt, 0);
	*ret_migration = db_int(stmt, 1);
	done = db_int64(stmt, 2);
	total = db_int64(stmt, 3);
	db_text_copy(stmt, 4, ret_reason, CATALOG_REASON_SIZE);
	if (state == CATALOG_STATE_STORED || state == CATALOG_STATE_S3)
		*ret_migration = CATALOG_MIGRATION_DONE;
	if (*ret_migration == CATALOG_MIGRATION_DONE)
		*ret_percent = 100;
	else if (*ret_migration == CATALOG_MIGRATION_RUNNING && total > 0)
		*ret_percent = done >= total
				       ? 99
				       : (int)(done * 100 / total); /* 100 is for what is stored */
	return 0;
}
