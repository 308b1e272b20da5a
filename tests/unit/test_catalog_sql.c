/* The catalog's SQL: numbers that stand for enums, and which index the planner takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/archive.h"
#include "catalog/campaign.h"
#include "catalog/catalog-private.h"
#include "catalog/order.h"
#include "catalog/problem.h"
#include "catalog/recording-private.h"
#include "catalog/size.h"
#include "catalog/sql.h"
#include "catalog/status.h"
#include "catalog/sync.h"
#include "catalog/tree.h"
#include "db/db-private.h"
#include "helper_queue.h"

#define CAMPAIGNS 8
#define RECORDINGS 200 /* of each */
#define PLAN_SIZE 2000

static void test_catalog_sql__numbers_in_statements_are_those_of_the_enums(void **state)
{
	static const struct {
		const char *text;
		int number;
	} pairs[] = {
		{ SQL_STATE_TWILIO, CATALOG_STATE_TWILIO },
		{ SQL_STATE_UPLOADING, CATALOG_STATE_UPLOADING },
		{ SQL_STATE_STORED, CATALOG_STATE_STORED },
		{ SQL_STATE_S3, CATALOG_STATE_S3 },
		{ SQL_STATE_MISSING, CATALOG_STATE_MISSING },
		{ SQL_STATE_DELETED, CATALOG_STATE_DELETED },
		{ SQL_MIGRATION_NONE, CATALOG_MIGRATION_NONE },
		{ SQL_MIGRATION_QUEUED, CATALOG_MIGRATION_QUEUED },
		{ SQL_MIGRATION_RUNNING, CATALOG_MIGRATION_RUNNING },
		{ SQL_MIGRATION_DONE, CATALOG_MIGRATION_DONE },
		{ SQL_MIGRATION_FAILED, CATALOG_MIGRATION_FAILED },
		{ SQL_MIGRATION_PAUSED, CATALOG_MIGRATION_PAUSED },
		{ SQL_JOB_MIGRATE, CATALOG_JOB_MIGRATE },
		{ SQL_JOB_CLEANUP_TWILIO, CATALOG_JOB_CLEANUP_TWILIO },
		{ SQL_JOB_DELETE_TWILIO, CATALOG_JOB_DELETE_TWILIO },
		{ SQL_JOB_DELETE_S3, CATALOG_JOB_DELETE_S3 },
		{ SQL_JOB_TOMBSTONE, CATALOG_JOB_TOMBSTONE },
		{ SQL_COMPLETED_NOT_YET, COMPLETED_NOT_YET },
		{ SQL_COMPLETED, COMPLETED },
		{ SQL_COMPLETED_NEVER, COMPLETED_NEVER },
		{ SQL_FLAG_UNVOUCHED, RECORDING_FLAG_UNVOUCHED },
		{ SQL_RESTORE_NONE, CATALOG_RESTORE_NONE },
		{ SQL_RESTORE_WANTED, CATALOG_RESTORE_WANTED },
		{ SQL_RESTORE_ONGOING, CATALOG_RESTORE_ONGOING },
		{ SQL_RESTORE_DONE, CATALOG_RESTORE_DONE },
		{ SQL_RESTORE_REFUSED, CATALOG_RESTORE_REFUSED },
		/* As SQL_IN_SCOPE has them. */
		{ "0", CATALOG_SCOPE_ALL },
		{ "1", CATALOG_SCOPE_WORKSPACE },
		{ "2", CATALOG_SCOPE_FOLDER },
		{ "3", CATALOG_SCOPE_RECORDING },
	};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		assert_int_equal(atoi(pairs[i].text), pairs[i].number);
	assert_true(strtoll(SQL_NEVER, NULL, 10) == INT64_MAX);
}

/* ---- plans ---- */

static int no_node(void *arg, const struct catalog_node *node)
{
	return 0;
}

static int no_recording(void *arg, const struct catalog_recording *recording)
{
	return 0;
}

static int no_neighbour(void *arg, const struct catalog_recording *recording, bool is_archived)
{
	return no_recording(arg, recording);
}

static int no_sid(void *arg, const struct sid *sid)
{
	return 0;
}

static int no_group(void *arg, const struct catalog_problem_group *group)
{
	return 0;
}

/* Prepares the statements whose plans are looked at. */
static void use_all(struct queue_fixture *f)
{
	const struct catalog_scope all = { CATALOG_SCOPE_ALL, 0 };
	struct catalog_recording r = queue_get(f, 5);
	struct catalog_status status;
	struct catalog_removal removal;
	struct job job;
	struct catalog_node node;
	int64_t a, b;

	catalog_folder_want_sizes(f->catalog, f->folder_id);
	assert_int_equal(catalog_sizes_unknown(f->catalog, 0, 10, no_recording, NULL), 0);
	assert_int_equal(catalog_node_resolve(f->catalog, "acme/spring", &node), 0);
	assert_int_equal(catalog_node_list(f->catalog, node.inode, 0, 10, CATALOG_NAMES_NUMBER,
					   no_node, NULL),
			 0);
	assert_int_equal(catalog_recordings_after(f->catalog, r.id, CATALOG_ORDER_NAME, 10,
						  no_neighbour, NULL),
			 0);
	assert_int_equal(catalog_status_get(f->catalog, all, &status), 0);
	assert_int_equal(catalog_calls_unknown(f->catalog, f->workspace_id, 10, no_sid, NULL), 0);
	assert_int_equal(catalog_oldest_unfinished(f->catalog, f->workspace_id, &a, &b), 0);
	assert_int_equal(catalog_problem_groups(f->catalog, all, no_group, NULL), 0);
	job = queue_claim(f, CATALOG_JOB_MIGRATE, "plans", 1000);
	assert_int_equal(job_put_back(f->catalog, &job), 0);
	assert_int_equal(catalog_remove_campaign(f->catalog, f->unassigned_id, false, &removal), 0);
}

/* The plan of the first statement that the connection keeps and that has this in it. */
static void plan_get(struct db_conn *reader, const struct db_conn *conn, const char *part,
		     char ret_plan[PLAN_SIZE])
{
	static char texts[64][4096]; /* a connection knows statements by their addresses */
	static unsigned count;
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err;

	ret_plan[0] = '\0';
	for (size_t i = 0; i < DB_STMT_SLOTS; i++) {
		const char *sql = conn->slots[i].sql;

		if (!sql || !strstr(sql, part))
			continue;
		assert_true(count < sizeof texts / sizeof *texts);
		snprintf(texts[count], sizeof *texts, "EXPLAIN QUERY PLAN %s", sql);
		assert_int_equal(db_query(reader, &stmt, texts[count++], ""), 0);
		while ((err = db_step(stmt)) > 0)
			snprintf(ret_plan + strlen(ret_plan), PLAN_SIZE - strlen(ret_plan), "%s; ",
				 db_text(stmt, 3));
		assert_int_equal(err, 0);
		return;
	}
	fail_msg("no statement has '%s'", part);
}

struct expected {
	bool is_write;
	const char *part, *plan;
};
static const struct expected expected[] = {
	{ false, "SELECT sort_key, inode, size_bytes",
	  "SEARCH recording USING COVERING INDEX recording_listing (folder_id=? AND sort_key>?); " },
	{ false, "n.sort_key AS place",
	  "SEARCH n USING COVERING INDEX recording_listing (folder_id=? AND sort_key>?)" },
	{ false, "FROM folder_count WHERE folder_id",
	  "SEARCH folder_count USING PRIMARY KEY (folder_id=?); " },
	{ false, "WHERE r.folder_id = ?1 AND r.listed = 1 AND r.size_bytes < 0",
	  "SEARCH r USING INDEX recording_sizes (folder_id=?); " },
	{ false, "FROM recording r WHERE r.listed = 1 AND r.size_bytes < 0",
	  "SCAN r USING INDEX recording_sizes; " },
	{ false, "count(*) FROM recording WHERE folder_id = ? AND listed = 1",
	  "SEARCH recording USING INDEX recording_sizes (folder_id=?); " },
	{ false, "FROM recording r WHERE r.inode >= ?1",
	  "SEARCH r USING INDEX sqlite_autoindex_recording_1 (inode>? AND inode<?); " },
	{ false, "FROM call WHERE workspace_id = ? AND known = 0",
	  "SEARCH call USING INDEX call_unknown (workspace_id=?); " },
	{ false, "FROM call WHERE workspace_id = ? AND finished = 0",
	  "SEARCH call USING INDEX call_unfinished (workspace_id=?); " },
	{ false, "FROM recording WHERE workspace_id = ? AND completed = 0",
	  "SEARCH recording USING COVERING INDEX recording_unfinished (workspace_id=?); " },
	{ false, "FROM job j WHERE j.workspace_id IN",
	  "SEARCH j USING INDEX job_problem (workspace_id=? AND kind=? AND state=?)" },
	{ true, "ORDER BY due_msecs, id LIMIT 1",
	  "SEARCH job USING INDEX job_due (workspace_id=? AND kind=?); " },
	{ true, "AND due_msecs > ?3 AND due_msecs <",
	  "SEARCH job USING INDEX job_due (workspace_id=? AND kind=? AND due_msecs>? AND"
	  " due_msecs<?); " },
	{ true, "UPDATE recording AS r SET state",
	  "SEARCH r USING INDEX recording_listing (folder_id=?); " },
};

static void check_plans(struct queue_fixture *f)
{
	cleanup_db_read struct db_conn *reader = NULL;
	char plan[PLAN_SIZE];

	use_all(f);
	assert_int_equal(db_read_begin(f->catalog->db, &reader), 0);
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		const struct expected *e = &expected[i];

		plan_get(reader, e->is_write ? f->catalog->db->writer : reader, e->part, plan);
		if (!strstr(plan, e->plan))
			print_message("'%s' has the plan\n  %s\nnot\n  %s\n", e->part, plan,
				      e->plan);
		assert_non_null(strstr(plan, e->plan));
	}
}

static void add_campaign(struct queue_fixture *f, unsigned number)
{
	char name[16], tracked[16], message[CATALOG_MESSAGE_SIZE];
	const char *const numbers[] = { tracked };
	int64_t id;

	snprintf(name, sizeof name, "campaign %u", number);
	snprintf(tracked, sizeof tracked, "+1555100%04u", number);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace_id, name, numbers, 1, &id,
					      message),
			 0);
	queue_add(f, f->workspace_id, 1 + number * RECORDINGS, RECORDINGS, tracked);
}

static int analyze(struct db_conn *conn, void *arg)
{
	return db_exec(conn, "ANALYZE");
}

static void test_catalog_sql__hot_queries_use_their_index_with_and_without_statistics(void **state)
{
	struct queue_fixture *f = *state;
	char message[CATALOG_MESSAGE_SIZE];
	int64_t count;

	queue_add(f, f->workspace_id, 1, RECORDINGS, QUEUE_NUMBER);
	for (unsigned i = 1; i < CAMPAIGNS; i++)
		add_campaign(f, i);
	assert_int_equal(catalog_migrate_queue(f->catalog,
					       (struct catalog_scope){ CATALOG_SCOPE_ALL, 0 },
					       &count),
			 0);
	assert_int_equal(count, CAMPAIGNS * RECORDINGS);
	check_plans(f);
	assert_int_equal(db_write(f->catalog->db, analyze, NULL), 0);
	catalog_close(f->catalog);
	f->catalog = NULL;
	assert_int_equal(catalog_open(f->path, &f->key, &f->catalog, message), 0);
	check_plans(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_catalog_sql__numbers_in_statements_are_those_of_the_enums),
		cmocka_unit_test_setup_teardown(
			test_catalog_sql__hot_queries_use_their_index_with_and_without_statistics,
			queue_fixture_setup, queue_fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
