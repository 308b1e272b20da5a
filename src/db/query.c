/* Queries for the rooms above: values bound by a format, one-row queries, columns. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/db-private.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/secret.h"
#include "util/sid.h"

/* The result of a call that has the arguments behind `format` as `args`. */
#define WITH_ARGS(call) \
	({ \
		va_list args; \
		int result; \
\
		va_start(args, format); \
		result = call; \
		va_end(args); \
		result; \
	})

static int bind_all(struct db_conn *conn, struct db_stmt *stmt, const char *format, va_list args)
{
	int err = 0;

	for (int i = 1; *format && err == 0; i++, format++) {
		struct db_value value = { .type = DB_NULL };

		switch (*format) {
		case 'i':
			value.type = DB_INTEGER;
			value.integer = va_arg(args, int64_t);
			break;
		case 's':
			value.bytes = va_arg(args, const char *);
			value.type = value.bytes ? DB_TEXT : DB_NULL;
			break;
		case 'b':
			value.type = DB_BYTES;
			value.bytes = va_arg(args, const struct sid *)->bytes;
			value.size = sizeof(struct sid);
			break;
		case 'n':
			break;
		default:
			return db_fail(conn, DB_FAILURE_OTHER, -EINVAL);
		}
		err = conn->driver->bind(stmt, i, &value);
	}
	return err;
}

static int query(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql,
		 const char *format, va_list args)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_prepare(conn, sql, &stmt);

	if (err == 0)
		err = bind_all(conn, stmt, format, args);
	if (err == 0)
		*ret_stmt = steal_pointer(&stmt);
	return err;
}

/* Leaves the statement at its first row. */
static int query_row(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql,
		     const char *format, va_list args)
{
	int err = query(conn, ret_stmt, sql, format, args);

	if (err)
		return err;
	err = db_step(*ret_stmt);
	return err > 0 ? 0 : err < 0 ? err : -ENOENT;
}

static int run(struct db_conn *conn, const char *sql, const char *format, va_list args)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = query(conn, &stmt, sql, format, args);

	if (err)
		return err;
	while ((err = db_step(stmt)) > 0)
		;
	return err;
}

static int copy_text(struct db_stmt *stmt, char *(*copy)(const char *), char **ret_text)
{
	const char *text = db_text(stmt, 0);

	*ret_text = text ? copy(text) : NULL;
	return *ret_text ? 0 : -ENOMEM;
}

int db_query(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql, const char *format,
	     ...)
{
	return WITH_ARGS(query(conn, ret_stmt, sql, format, args));
}

int db_query_row(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql,
		 const char *format, ...)
{
	return WITH_ARGS(query_row(conn, ret_stmt, sql, format, args));
}

int db_run(struct db_conn *conn, const char *sql, const char *format, ...)
{
	return WITH_ARGS(run(conn, sql, format, args));
}

int db_insert(struct db_conn *conn, int64_t *ret_id, const char *sql, const char *format, ...)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = WITH_ARGS(query(conn, &stmt, sql, format, args));

	return err ? err : conn->driver->insert(stmt, ret_id);
}

int db_query_int(struct db_conn *conn, int64_t *ret_value, const char *sql, const char *format, ...)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = WITH_ARGS(query_row(conn, &stmt, sql, format, args));

	if (err == 0)
		*ret_value = db_int64(stmt, 0);
	return err;
}

int db_query_text(struct db_conn *conn, char **ret_text, const char *sql, const char *format, ...)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = WITH_ARGS(query_row(conn, &stmt, sql, format, args));

	*ret_text = NULL;
	return err ? err : copy_text(stmt, strdup, ret_text);
}

int db_query_ids(struct db_conn *conn, int64_t **ret_ids, size_t *ret_count, const char *sql,
		 const char *format, ...)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	cleanup_free int64_t *ids = NULL;
	size_t count = 0;
	int err = WITH_ARGS(query(conn, &stmt, sql, format, args));

	while (db_next(stmt, &err)) {
		int64_t *id = array_add(&ids, &count);

		if (id)
			*id = db_int64(stmt, 0);
		err = id ? 0 : -ENOMEM;
	}
	if (err)
		return err;
	*ret_ids = steal_pointer(&ids);
	*ret_count = count;
	return 0;
}

/* ---- on a borrowed connection ---- */

typedef int query_fn(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql,
		     const char *format, va_list args);

static int read_with(struct db *db, query_fn *fn, struct db_stmt **ret_stmt, const char *sql,
		     const char *format, va_list args)
{
	cleanup_db_read struct db_conn *read = NULL;
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read_begin(db, &read);

	if (err == 0)
		err = fn(read, &stmt, sql, format, args);
	if (err)
		return err;
	stmt->borrowed = steal_pointer(&read);
	*ret_stmt = steal_pointer(&stmt);
	return 0;
}

int db_read(struct db *db, struct db_stmt **ret_stmt, const char *sql, const char *format, ...)
{
	return WITH_ARGS(read_with(db, query, ret_stmt, sql, format, args));
}

int db_read_row(struct db *db, struct db_stmt **ret_stmt, const char *sql, const char *format, ...)
{
	return WITH_ARGS(read_with(db, query_row, ret_stmt, sql, format, args));
}

int db_read_int(struct db *db, int64_t *ret_value, const char *sql, const char *format, ...)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = WITH_ARGS(read_with(db, query_row, &stmt, sql, format, args));

	if (err == 0)
		*ret_value = db_int64(stmt, 0);
	return err;
}

int db_read_secret(struct db *db, char **ret_secret, const char *sql, const char *format, ...)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = WITH_ARGS(read_with(db, query_row, &stmt, sql, format, args));

	*ret_secret = NULL;
	return err ? err : copy_text(stmt, secret_dup, ret_secret);
}

/* ---- a write of one statement ---- */

struct statement {
	const char *sql, *format;
	va_list args;
};

static int run_statement(struct db_conn *conn, void *arg)
{
	struct statement *statement = arg;
	va_list args;
	int err;

	va_copy(args, statement->args);
	err = run(conn, statement->sql, statement->format, args);
	va_end(args);
	return err;
}

int db_write_run(struct db *db, const char *sql, const char *format, ...)
{
	struct statement statement = { .sql = sql, .format = format };
	int err;

	va_start(statement.args, format);
	err = db_write(db, run_statement, &statement);
	va_end(statement.args);
	return err;
}

/* ---- columns ---- */

int64_t db_int64(struct db_stmt *stmt, int column)
{
	return stmt->conn->driver->column_int64(stmt, column);
}

int db_int(struct db_stmt *stmt, int column)
{
	return (int)db_int64(stmt, column);
}

const char *db_text(struct db_stmt *stmt, int column)
{
	return stmt->conn->driver->column_text(stmt, column);
}

int db_columns(struct db_stmt *stmt)
{
	return stmt->conn->driver->column_count(stmt);
}

bool db_text_copy(struct db_stmt *stmt, int column, char *ret_text, size_t size)
{
	const char *text = db_text(stmt, column);

	return snprintf(ret_text, size, "%s", text ? text : "") < (int)size;
}

bool db_sid(struct db_stmt *stmt, int column, struct sid *ret_sid)
{
	size_t size;
	const void *bytes = stmt->conn->driver->column_bytes(stmt, column, &size);

	memset(ret_sid, 0, sizeof *ret_sid);
	if (!bytes || size != sizeof ret_sid->bytes)
		return false;
	memcpy(ret_sid->bytes, bytes, sizeof ret_sid->bytes);
	return true;
}
