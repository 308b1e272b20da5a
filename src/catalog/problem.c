/* Jobs that failed, or wait after a failure: each with its reason, and grouped by it. */

#include "catalog/problem.h"
#include "catalog/catalog-private.h"
#include "util/cleanup.h"

/* The scope is ?1, ?2. The leading columns of the partial index job_problem are named, so that it
 * is used and jobs without a problem, perhaps a million, are not read. */
#define KINDS \
	"(" SQL_JOB_MIGRATE ", " SQL_JOB_CLEANUP_TWILIO ", " SQL_JOB_DELETE_TWILIO \
	", " SQL_JOB_DELETE_S3 ", " SQL_JOB_TOMBSTONE ")"
#define IS_PROBLEM \
	"j.workspace_id IN (SELECT id FROM workspace) AND j.kind IN " KINDS \
	" AND j.state IN (" SQL_JOB_QUEUED ", " SQL_JOB_FAILED ") AND j.reason <> ''" \
	" AND " SQL_IN_SCOPE("j.workspace_id", \
			     "(SELECT f.folder_id FROM recording f WHERE f.id = j.recording_id)", \
			     "j.recording_id")

int catalog_problem_each(struct catalog *catalog, struct catalog_scope scope,
			 catalog_problem_fn *fn, void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read(catalog->db, &stmt,
			  "SELECT j.kind, r.sid, j.reason, j.attempts, j.due_msecs FROM job j"
			  " JOIN recording r ON r.id = j.recording_id"
			  " WHERE " IS_PROBLEM " ORDER BY j.kind, j.id",
			  "ii", (int64_t)scope.kind, scope.id);

	while (db_next(stmt, &err)) {
		struct catalog_problem problem = {
			.kind = db_int(stmt, 0),
			.attempts = (unsigned)db_int(stmt, 3),
			.next_msecs = db_int64(stmt, 4),
		};

		db_sid(stmt, 1, &problem.recording_sid);
		db_text_copy(stmt, 2, problem.reason, sizeof problem.reason);
		err = fn(arg, &problem);
	}
	return err;
}

static int group_examples(struct db_conn *conn, struct catalog_scope scope, int64_t state,
			  struct catalog_problem_group *group)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query(conn, &stmt,
			   "SELECT r.sid FROM job j JOIN recording r ON r.id = j.recording_id"
			   " WHERE j.kind = ?3 AND j.state = ?4 AND j.reason = ?5 AND " IS_PROBLEM
			   " LIMIT ?6",
			   "iiiisi", (int64_t)scope.kind, scope.id, (int64_t)group->kind, state,
			   group->reason, (int64_t)CATALOG_PROBLEM_EXAMPLES);

	while (db_next(stmt, &err))
		db_sid(stmt, 0, &group->examples[group->example_count++]);
	return err;
}

int catalog_problem_groups(struct catalog *catalog, struct catalog_scope scope,
			   catalog_problem_group_fn *fn, void *arg)
{
	cleanup_db_read struct db_conn *read = NULL;
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read_begin(catalog->db, &read);

	if (err == 0)
		err = db_query(read, &stmt,
			       "SELECT j.kind, j.state, j.reason, count(*), min(j.due_msecs),"
			       " max(j.attempts) FROM job j WHERE " IS_PROBLEM
			       " GROUP BY 1, 2, 3 ORDER BY j.kind, j.state DESC, 4 DESC",
			       "ii", (int64_t)scope.kind, scope.id);
	while (db_next(stmt, &err)) {
		int64_t state = db_int64(stmt, 1);
		struct catalog_problem_group group = {
			.kind = db_int(stmt, 0),
			.count = db_int64(stmt, 3),
			.next_msecs = db_int64(stmt, 4),
			.attempts = (unsigned)db_int(stmt, 5),
		};

		db_text_copy(stmt, 2, group.reason, sizeof group.reason);
		err = group_examples(read, scope, state, &group);
		if (err == 0)
			err = fn(arg, &group);
	}
	return err;
}
