/* A temporary database with one table, item (id, value UNIQUE), for the tests of the room db. */
#pragma once

#include "db/db-private.h"

#define DB_FIXTURE_FORMAT { 0x74657374, 3 }

struct db_fixture {
	char folder[64], path[128];
	struct db_key key;
	struct db *db;
};

/* For cmocka's setup and teardown: *state is a struct db_fixture *. */
int db_fixture_setup(void **state);
int db_fixture_teardown(void **state);
/* Another handle on the same database. */
struct db *db_fixture_open(const struct db_fixture *f);
/* Opens f->db anew, by another driver; NULL: by its own. */
void db_fixture_reopen(struct db_fixture *f, const struct db_driver *driver);

/* A write function that adds an item; arg is an int64_t *, its value. */
int db_fixture_add(struct db_conn *conn, void *arg);
int64_t db_fixture_count(struct db *db);
bool db_fixture_has(struct db *db, int64_t value);
