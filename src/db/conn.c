/* A connection: its transaction and the statements that it keeps prepared. */
#include <errno.h>

#include "db/db-private.h"
#include "util/cleanup.h"

int db_fail(struct db_conn *conn, enum db_failure failure, int err)
{
	conn->failure = failure;
	if (conn->in_transaction && !conn->failed)
		conn->failed = err;
	return err;
}

int db_connect(const struct db_driver *driver, const char *path, const struct db_key *key,
	       enum db_access access, struct db_conn **ret_conn)
{
	return driver->open(driver, path, key, access, ret_conn);
}

void db_conn_close(struct db_conn *conn)
{
	if (!conn)
		return;
	for (size_t i = 0; i < DB_STMT_SLOTS; i++)
		if (conn->slots[i].stmt)
			conn->driver->finalize(conn->slots[i].stmt);
	conn->driver->close(conn);
}

/* ---- transactions ---- */

int db_verb(struct db_conn *conn, enum db_verb verb)
{
	bool undoes = verb == DB_ROLLBACK || verb == DB_ROLLBACK_TO;
	bool begins = verb == DB_BEGIN || verb == DB_SNAPSHOT;
	int err;

	if (begins)
		conn->failure = DB_FAILURE_NONE;
	if (conn->failed && !undoes)
		return conn->failed;
	err = conn->driver->transact(conn, verb);
	if (err)
		return err;
	if (undoes)
		conn->failed = 0;
	if (begins)
		conn->in_transaction = true;
	return 0;
}

/* Where the rollback fails, closing the connection undoes the transaction. */
void db_roll_back(struct db_conn *conn)
{
	enum db_failure failure = conn->failure;

	if (conn->in_transaction && db_verb(conn, DB_ROLLBACK) < 0)
		conn->is_lost = true;
	conn->in_transaction = false;
	conn->failed = 0;
	conn->failure = failure;
}

int db_transact(struct db_conn *conn, db_write_fn *fn, void *arg)
{
	int err = db_verb(conn, DB_BEGIN);

	if (err == 0)
		err = fn(conn, arg);
	/* An error that fn met and did not return counts, too. */
	if (conn->failed && err >= 0)
		err = conn->failed;
	if (err >= 0)
		err = db_verb(conn, DB_COMMIT);
	if (err)
		db_roll_back(conn);
	conn->in_transaction = false;
	return err;
}

int db_snapshot_begin(struct db_conn *conn)
{
	return db_verb(conn, DB_SNAPSHOT);
}

/* ---- statements ---- */

int db_prepare(struct db_conn *conn, const char *sql, struct db_stmt **ret_stmt)
{
	size_t at = ((uintptr_t)sql >> 3) * 0x9e3779b97f4a7c15ULL >> 40 & (DB_STMT_SLOTS - 1);
	struct db_slot *slot = &conn->slots[at];
	size_t tried;

	if (conn->failed)
		return conn->failed;
	for (tried = 0; tried < DB_STMT_SLOTS && slot->sql && slot->sql != sql; tried++) {
		at = (at + 1) & (DB_STMT_SLOTS - 1);
		slot = &conn->slots[at];
	}
	if (tried == DB_STMT_SLOTS)
		return db_fail(conn, DB_FAILURE_OTHER, -ENOSPC);
	if (!slot->sql) {
		int err = conn->driver->prepare(conn, sql, &slot->stmt);

		if (err)
			return err;
		slot->stmt->conn = conn;
		slot->sql = sql;
	} else if (slot->stmt->in_use) {
		/* The same statement twice at a time: a mistake of the caller. */
		return db_fail(conn, DB_FAILURE_OTHER, -EDEADLK);
	}
	slot->stmt->in_use = true;
	*ret_stmt = slot->stmt;
	return 0;
}

int db_step(struct db_stmt *stmt)
{
	return stmt->conn->driver->step(stmt);
}

bool db_next(struct db_stmt *stmt, int *err)
{
	int step;

	if (*err)
		return false;
	step = db_step(stmt);
	*err = step < 0 ? step : 0;
	return step > 0;
}

void db_stmt_release(struct db_stmt **stmt)
{
	struct db_conn *borrowed;

	if (!*stmt)
		return;
	borrowed = steal_pointer(&(*stmt)->borrowed);
	(*stmt)->conn->driver->reset(*stmt);
	(*stmt)->in_use = false;
	*stmt = NULL;
	db_read_end(&borrowed);
}

int db_exec(struct db_conn *conn, const char *script)
{
	return conn->failed ? conn->failed : conn->driver->exec(conn, script);
}

int64_t db_changes(struct db_conn *conn)
{
	return conn->driver->changes(conn);
}

int db_now(struct db_conn *conn, int64_t *ret_msecs)
{
	return conn->driver->now(conn, ret_msecs);
}

int db_format_get(struct db_conn *conn, struct db_format *ret_format)
{
	return conn->driver->format_get(conn, ret_format);
}

int db_format_set(struct db_conn *conn, const struct db_format *format)
{
	return conn->driver->format_set(conn, format);
}
