/*
 * What became of everything: counts, and jobs that do not come to their end. Counts of recordings
 * come from counters, never from a scan.
 */
#include <errno.h>
#include <string.h>

#include "catalog/job-private.h"
#include "util/cleanup.h"

/* ---- counts of recordings ---- */

typedef void count_fn(void *arg, bool listed, enum catalog_state state,
		      enum catalog_migration migration, int64_t n);

static int count_each(struct conn *conn, const char *sql, int64_t id, count_fn *fn, void *arg)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int err = conn_query(conn, &stmt, sql, "i", id);

	if (err)
		return err;
	while ((err = conn_step(conn, stmt)) > 0) {
		int state = sqlite3_column_int(stmt, 1), migration = sqlite3_column_int(stmt, 2);

		if (state > 0 && state < CATALOG_STATE_COUNT && migration >= 0 &&
		    migration < CATALOG_MIGRATION_COUNT)
			fn(arg, sqlite3_column_int(stmt, 0), state, migration,
			   sqlite3_column_int64(stmt, 3));
	}
	return err;
}

static int count_scope(struct conn *conn, struct catalog_scope scope, count_fn *fn, void *arg)
{
	cleanup_free int64_t *folders = NULL;
	size_t count = 0;
	int err;

	if (scope.kind == CATALOG_SCOPE_RECORDING)
		return count_each(conn,
				  "SELECT listed, state, migration, 1 FROM recording WHERE id = ?",
				  scope.id, fn, arg);
	err = scope_folders(conn, scope, true, &folders, &count);
	for (size_t i = 0; i < count && err == 0; i++)
		err = count_each(
			conn,
			"SELECT listed, state, migration, n FROM folder_count WHERE folder_id = ?",
			folders[i], fn, arg);
	return err;
}

static void add_migration(struct catalog_counts *counts, enum catalog_state state,
			  enum catalog_migration migration, int64_t n)
{
	if (state == CATALOG_STATE_STORED || state == CATALOG_STATE_S3)
		counts->done += n;
	else if (migration == CATALOG_MIGRATION_QUEUED)
		counts->queued += n;
	else if (migration == CATALOG_MIGRATION_RUNNING)
		counts->running += n;
	else if (migration == CATALOG_MIGRATION_FAILED)
		counts->failed += n;
	else
		counts->none += n;
}

struct counting {
	struct catalog_counts counts;
	int64_t by_state[CATALOG_STATE_COUNT];
	int64_t stored; /* or removed while it was: nothing else can owe a delete */
};

static void add_count(void *arg, bool listed, enum catalog_state state,
		      enum catalog_migration migration, int64_t n)
{
	struct counting *c = arg;

	if (listed)
		add_migration(&c->counts, state, migration, n);
	if (listed || state == CATALOG_STATE_MISSING || state == CATALOG_STATE_DELETED)
		c->by_state[state] += n;
	if (state == CATALOG_STATE_STORED || state == CATALOG_STATE_DELETED)
		c->stored += n;
}

/* ---- counts of jobs ---- */

/* Each kind apart, those that failed or wait after a failure (reason is not empty) from the rest.
 */
#define JOB_COUNTS "SELECT j.kind, j.reason <> '', count(*) FROM job j "
#define JOB_GROUPS " GROUP BY 1, 2"

static int jobs_query(struct conn *conn, struct catalog_scope scope, sqlite3_stmt **ret_stmt)
{
	switch (scope.kind) {
	case CATALOG_SCOPE_WORKSPACE:
		return conn_query(conn, ret_stmt,
				  JOB_COUNTS "WHERE j.workspace_id = ?1 AND j.kind <> 1" JOB_GROUPS,
				  "i", scope.id);
	case CATALOG_SCOPE_FOLDER:
		return conn_query(
			conn, ret_stmt,
			JOB_COUNTS
			"JOIN recording r ON r.id = j.recording_id"
			" WHERE j.workspace_id = (SELECT workspace_id FROM folder WHERE id = ?1)"
			" AND j.kind <> 1 AND r.folder_id = ?1" JOB_GROUPS,
			"i", scope.id);
	case CATALOG_SCOPE_RECORDING:
		return conn_query(conn, ret_stmt,
				  JOB_COUNTS "WHERE j.recording_id = ?1 AND j.kind <> 1" JOB_GROUPS,
				  "i", scope.id);
	default:
		return conn_query(conn, ret_stmt, JOB_COUNTS "WHERE j.kind <> 1" JOB_GROUPS, "");
	}
}

struct job_counts {
	int64_t cleanups, deletes, deletes_failed;
};

static int count_jobs(struct conn *conn, struct catalog_scope scope, struct job_counts *ret_counts)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int err = jobs_query(conn, scope, &stmt);

	memset(ret_counts, 0, sizeof *ret_counts);
	if (err)
		return err;
	while ((err = conn_step(conn, stmt)) > 0) {
		int kind = sqlite3_column_int(stmt, 0);
		int64_t n = sqlite3_column_int64(stmt, 2);

		if (kind == CATALOG_JOB_CLEANUP_TWILIO)
			ret_counts->cleanups += n;
		else if (kind == CATALOG_JOB_TOMBSTONE)
			continue; /* says that something was removed, and deletes nothing itself */
		else if (sqlite3_column_int(stmt, 1))
			ret_counts->deletes_failed += n;
		else
			ret_counts->deletes += n;
	}
	return err;
}

/* ---- what others ask ---- */

int catalog_counts_get(struct catalog *catalog, struct catalog_scope scope,
		       struct catalog_counts *ret_counts)
{
	cleanup_conn struct conn_guard read = { catalog, NULL };
	struct counting counting = { .stored = 0 };
	struct job_counts jobs = { 0 };
	int err = catalog_read_begin(catalog, &read.conn);

	if (err == 0)
		err = count_scope(read.conn, scope, add_count, &counting);
	if (err == 0 && counting.stored)
		err = count_jobs(read.conn, scope, &jobs);
	counting.counts.cleanup_queued = jobs.cleanups;
	*ret_counts = counting.counts;
	return err;
}

static int sizes_unknown(struct conn *conn, struct catalog_scope scope, int64_t *ret_count)
{
	cleanup_free int64_t *folders = NULL;
	size_t count = 0;
	int64_t n;
	int err;

	*ret_count = 0;
	if (scope.kind == CATALOG_SCOPE_RECORDING)
		return conn_query_int(
			conn, ret_count,
			"SELECT count(*) FROM recording WHERE id = ? AND listed = 1 AND size_bytes < 0",
			"i", scope.id);
	err = scope_folders(conn, scope, true, &folders, &count);
	for (size_t i = 0; i < count && err == 0; i++) {
		err = conn_query_int(
			conn, &n,
			"SELECT count(*) FROM recording WHERE folder_id = ? AND listed = 1 AND size_bytes < 0",
			"i", folders[i]);
		if (err == 0)
			*ret_count += n;
	}
	return err;
}

static int calls_count(struct conn *conn, struct catalog_scope scope, int64_t *ret_count)
{
	if (scope.kind == CATALOG_SCOPE_RECORDING)
		return conn_query_int(conn, ret_count,
				      "SELECT call_id <> 0 FROM recording WHERE id = ?", "i",
				      scope.id);
	return conn_query_int(conn, ret_count,
			      "SELECT coalesce(sum(calls), 0) FROM folder WHERE removed = 0 AND"
			      " (?1 = 0 OR (?1 = 1 AND workspace_id = ?2) OR (?1 = 2 AND id = ?2))",
			      "ii", (int64_t)scope.kind, scope.id);
}

int catalog_status_get(struct catalog *catalog, struct catalog_scope scope,
		       struct catalog_status *ret_status)
{
	cleanup_conn struct conn_guard read = { catalog, NULL };
	struct catalog_status *s = ret_status;
	struct counting counting = { .stored = 0 };
	struct job_counts jobs = { 0 };
	int err = catalog_read_begin(catalog, &read.conn);

	memset(s, 0, sizeof *s);
	if (err == 0)
		err = count_scope(read.conn, scope, add_count, &counting);
	if (err == 0)
		err = count_jobs(read.conn, scope, &jobs);
	if (err == 0)
		err = calls_count(read.conn, scope, &s->calls);
	if (err == 0)
		err = sizes_unknown(read.conn, scope, &s->sizes_unknown);
	if (err)
		return err;
	memcpy(s->by_state, counting.by_state, sizeof s->by_state);
	s->counts = counting.counts;
	s->counts.cleanup_queued = jobs.cleanups;
	s->deletes_queued = jobs.deletes;
	s->deletes_failed = jobs.deletes_failed;
	return 0;
}

int catalog_migrate_status(struct catalog *catalog, int64_t recording_id,
			   enum catalog_migration *ret_migration, int *ret_percent,
			   char ret_reason[CATALOG_REASON_SIZE])
{
	cleanup_conn struct conn_guard read = { catalog, NULL };
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int64_t state, done, total;
	int err = catalog_read_begin(catalog, &read.conn);

	*ret_percent = 0;
	ret_reason[0] = '\0';
	if (err == 0)
		err = conn_query(
			read.conn, &stmt,
			"SELECT r.state, r.migration, coalesce(j.done_bytes, 0), coalesce(j.total_bytes, 0),"
			" coalesce(j.reason, '') FROM recording r"
			" LEFT JOIN job j ON j.recording_id = r.id AND j.kind = 1 WHERE r.id = ?",
			"i", recording_id);
	if (err == 0)
		err = conn_step(read.conn, stmt);
	if (err <= 0)
		return err < 0 ? err : -ENOENT;
	state = sqlite3_column_int64(stmt, 0);
	*ret_migration = sqlite3_column_int(stmt, 1);
	done = sqlite3_column_int64(stmt, 2);
	total = sqlite3_column_int64(stmt, 3);
	column_text(stmt, 4, ret_reason, CATALOG_REASON_SIZE);
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

int catalog_problem_each(struct catalog *catalog, struct catalog_scope scope,
			 catalog_problem_fn *fn, void *arg)
{
	cleanup_conn struct conn_guard read = { catalog, NULL };
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int err = catalog_read_begin(catalog, &read.conn);

	if (err == 0)
		err = conn_query(
			read.conn, &stmt,
			"SELECT j.kind, r.sid, j.reason, j.attempts, j.due_msecs FROM job j"
			" JOIN recording r ON r.id = j.recording_id"
			" WHERE j.reason <> '' AND j.state <> 1 AND (?1 = 0 OR (?1 = 1 AND j.workspace_id = ?2) OR"
			" (?1 = 2 AND r.folder_id = ?2) OR (?1 = 3 AND r.id = ?2)) ORDER BY j.kind, j.id",
			"ii", (int64_t)scope.kind, scope.id);
	if (err)
		return err;
	while ((err = conn_step(read.conn, stmt)) > 0) {
		struct catalog_problem problem = {
			.kind = sqlite3_column_int(stmt, 0),
			.attempts = (unsigned)sqlite3_column_int(stmt, 3),
			.next_msecs = sqlite3_column_int64(stmt, 4),
		};

		column_sid(stmt, 1, &problem.recording_sid);
		column_text(stmt, 2, problem.reason, sizeof problem.reason);
		err = fn(arg, &problem);
		if (err)
			return err;
	}
	return err;
}
