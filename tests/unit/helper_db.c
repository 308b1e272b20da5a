#include "helper_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct db_format fixture_format = DB_FIXTURE_FORMAT;

static int fill(struct db_conn *conn, void *arg)
{
	int err = db_exec(conn, "CREATE TABLE item (id INTEGER PRIMARY KEY, value INTEGER UNIQUE)");

	return err ? err : db_format_set(conn, &fixture_format);
}

struct db *db_fixture_open(const struct db_fixture *f)
{
	struct db *db;

	assert_int_equal(db_open(f->path, &f->key, &db), 0);
	assert_int_equal(db_start(db, fixture_format.schema_version), 0);
	return db;
}

void db_fixture_reopen(struct db_fixture *f, const struct db_driver *driver)
{
	db_close(f->db);
	db_driver_override(driver);
	f->db = db_fixture_open(f);
	db_driver_override(NULL);
}

int db_fixture_setup(void **state)
{
	struct db_fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	snprintf(f->folder, sizeof f->folder, "/tmp/tonicfs-db-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/test.db", f->folder);
	memset(f->key.bytes, 9, sizeof f->key.bytes);
	assert_int_equal(db_create(f->path, &f->key, fill, NULL), 0);
	f->db = db_fixture_open(f);
	*state = f;
	return 0;
}

int db_fixture_teardown(void **state)
{
	struct db_fixture *f = *state;
	char command[128];

	db_close(f->db);
	snprintf(command, sizeof command, "rm -r %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

int db_fixture_add(struct db_conn *conn, void *arg)
{
	return db_run(conn, "INSERT INTO item (value) VALUES (?1)", "i", *(int64_t *)arg);
}

static int64_t count(struct db *db, const char *sql, const char *format, int64_t value)
{
	cleanup_db_read struct db_conn *read = NULL;
	int64_t count;

	assert_int_equal(db_read_begin(db, &read), 0);
	assert_int_equal(db_query_int(read, &count, sql, format, value), 0);
	return count;
}

int64_t db_fixture_count(struct db *db)
{
	return count(db, "SELECT count(*) FROM item", "", 0);
}

bool db_fixture_has(struct db *db, int64_t value)
{
	return count(db, "SELECT count(*) FROM item WHERE value = ?1", "i", value) == 1;
}
