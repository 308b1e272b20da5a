/* Jobs that do not come to their end: each with its reason, and grouped by it. */
#include <string.h>

#include "catalog/job-private.h"
#include "util/cleanup.h"

/* Failed for good, or waiting after a failure; of the scope ?1, ?2. Those that do well, perhaps a
 * million, are not looked at. */
#define JOBS "job j INDEXED BY job_problem"
#define JOBS_AND_RECORDINGS JOBS " CROSS JOIN recording r ON r.id = j.recording_id"
#define IS_PROBLEM \
	"j.reason <> '' AND j.state IN (0, 2) AND (?1 = 0 OR (?1 = 1 AND j.workspace_id = ?2)" \
	" OR (?1 = 2 AND (SELECT folder_id FROM recording f WHERE f.id = j.recording_id) = ?2)" \
	" OR (?1 = 3 AND j.recording_id = ?2))"

int catalog_problem_each(struct catalog *catalog, struct catalog_scope scope,
			 catalog_problem_fn *fn, void *arg)
{
	cleanup_conn struct conn_guard read = { catalog, NULL };
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int err = catalog_read_begin(catalog, &read.conn);

	if (err == 0)
		err = conn_query(
			read.conn, &stmt,
			"SELECT j.kind, r.sid, j.reason, j.attempts, j.due_msecs FROM " JOBS_AND_RECORDINGS
			" WHERE " IS_PROBLEM " ORDER BY j.kind, j.id",
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

static int group_examples(struct conn *conn, struct catalog_scope scope, int64_t state,
			  struct catalog_problem_group *group)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int err = conn_query(conn, &stmt,
			     "SELECT r.sid FROM " JOBS_AND_RECORDINGS
			     " WHERE j.kind = ?3 AND j.state = ?4 AND j.reason = ?5 AND " IS_PROBLEM
			     " LIMIT ?6",
			     "iiiisi", (int64_t)scope.kind, scope.id, (int64_t)group->kind, state,
			     group->reason, (int64_t)CATALOG_PROBLEM_EXAMPLES);

	while (err == 0 && (err = conn_step(conn, stmt)) > 0) {
		column_sid(stmt, 0, &group->examples[group->example_count++]);
		err = 0;
	}
	return err;
}

int catalog_problem_groups(struct catalog *catalog, struct catalog_scope scope,
			   catalog_problem_group_fn *fn, void *arg)
{
	cleanup_conn struct conn_guard read = { catalog, NULL };
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int err = catalog_read_begin(catalog, &read.conn);

	if (err == 0)
		err = conn_query(read.conn, &stmt,
				 "SELECT j.kind, j.state, j.reason, count(*), min(j.due_msecs),"
				 " max(j.attempts)"
				 " FROM " JOBS " WHERE " IS_PROBLEM
				 " GROUP BY 1, 2, 3 ORDER BY j.kind, j.state DESC, 4 DESC",
				 "ii", (int64_t)scope.kind, scope.id);
	if (err)
		return err;
	while ((err = conn_step(read.conn, stmt)) > 0) {
		int64_t state = sqlite3_column_int64(stmt, 1);
		struct catalog_problem_group group = {
			.kind = sqlite3_column_int(stmt, 0),
			.count = sqlite3_column_int64(stmt, 3),
			.next_msecs = sqlite3_column_int64(stmt, 4),
			.attempts = (unsigned)sqlite3_column_int(stmt, 5),
		};

		column_text(stmt, 2, group.reason, sizeof group.reason);
		err = group_examples(read.conn, scope, state, &group);
		if (err == 0)
			err = fn(arg, &group);
		if (err)
			return err;
	}
	return err;
}
