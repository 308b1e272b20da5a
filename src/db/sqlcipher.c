/* The driver for SQLCipher: connections, statements, errors. Nothing else includes sqlite3.h. */
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/sqlcipher-private.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/log.h"
#include "util/secret.h"
#include "util/times.h"

struct sqlcipher_conn {
	struct db_conn base;
	sqlite3 *handle;
};

struct sqlcipher_stmt {
	struct db_stmt base;
	sqlite3_stmt *handle;
};

static sqlite3 *conn_handle(const struct db_conn *conn)
{
	return ((const struct sqlcipher_conn *)conn)->handle;
}

static sqlite3_stmt *stmt_handle(const struct db_stmt *stmt)
{
	return ((const struct sqlcipher_stmt *)stmt)->handle;
}

/* ---- errors ---- */

/* SQLITE_ERROR because of a damaged page: SQLCipher gives it without a text of its own where it
 * cannot decrypt one, and with SQLITE_CORRUPT's text from sqlcipher_export. Mistakes in SQL have
 * other texts. */
static bool says_damage(struct db_conn *conn)
{
	const char *text = sqlite3_errmsg(conn_handle(conn));

	return strcmp(text, sqlite3_errstr(SQLITE_ERROR)) == 0 ||
	       strcmp(text, sqlite3_errstr(SQLITE_CORRUPT)) == 0;
}

static int fail(struct db_conn *conn, int code)
{
	static const struct {
		int code, err;
		enum db_failure failure;
	} meanings[] = {
		{ SQLITE_NOMEM, -ENOMEM, DB_FAILURE_OTHER },
		{ SQLITE_BUSY, -EBUSY, DB_FAILURE_RETRY },
		{ SQLITE_LOCKED, -EBUSY, DB_FAILURE_RETRY },
		{ SQLITE_FULL, -ENOSPC, DB_FAILURE_OTHER },
		{ SQLITE_READONLY, -EROFS, DB_FAILURE_OTHER },
		{ SQLITE_PERM, -EACCES, DB_FAILURE_OTHER },
		{ SQLITE_AUTH, -EACCES, DB_FAILURE_OTHER },
		{ SQLITE_CANTOPEN, -EACCES, DB_FAILURE_OTHER },
		{ SQLITE_CONSTRAINT, -EEXIST, DB_FAILURE_CONSTRAINT },
		{ SQLITE_NOTADB, -EUCLEAN, DB_FAILURE_OTHER },
		{ SQLITE_CORRUPT, -EUCLEAN, DB_FAILURE_OTHER },
	};

	code &= 0xff;
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].code == code)
			return db_fail(conn, meanings[i].failure, meanings[i].err);
	/* A full disk is EIO where SQLite could not extend the -shm file. */
	if (code == SQLITE_IOERR)
		return db_fail(conn, DB_FAILURE_OTHER,
			       sqlite3_system_errno(conn_handle(conn)) == ENOSPC ? -ENOSPC : -EIO);
	if (code == SQLITE_ERROR && says_damage(conn))
		return db_fail(conn, DB_FAILURE_OTHER, -EUCLEAN);
	/* A mistake in the program's SQL: worth a line, which holds SQL text and no values. */
	log_error("database: %s", sqlite3_errmsg(conn_handle(conn)));
	return db_fail(conn, DB_FAILURE_OTHER, -EIO);
}

static int result(struct db_conn *conn, int code)
{
	return code == SQLITE_OK ? 0 : fail(conn, code);
}

/* ---- connections ---- */

/* Every allocation would count itself under one lock for all connections, and nobody asks for the
 * numbers. Too late where the library runs already, which does no harm. */
static void configure(void)
{
	sqlite3 *db = NULL;

	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	/* SQLCipher writes a line to standard error for each page that it cannot lock in memory or
	 * cannot decrypt. The lines come while the key is set, and "off" has no effect before that.
	 * util/secret.h and the errors returned tell the same. */
	if (sqlite3_open(":memory:", &db) == SQLITE_OK)
		sqlite3_exec(db, "PRAGMA cipher_log = '/dev/null'", NULL, NULL, NULL);
	sqlite3_close(db);
}

char *sqlcipher_key_text(const struct db_key *key)
{
	char *text = secret_alloc(strlen("x''") + CRYPTO_HEX_SIZE(DB_KEY_SIZE));

	if (!text)
		return NULL;
	memcpy(text, "x'", 2);
	crypto_hex(key->bytes, sizeof key->bytes, text + 2);
	strcat(text, "'");
	return text;
}

/* Plain SQLite would take the key in silence and write everything in the clear. */
static int check_cipher(struct db_conn *conn)
{
	cleanup_free char *version = NULL;

	return db_query_text(conn, &version, "PRAGMA cipher_version", "") == 0 && *version
		       ? 0
		       : -ENOTSUP;
}

static int set_key(struct db_conn *conn, const struct db_key *key)
{
	cleanup_secret char *text = sqlcipher_key_text(key);

	if (!text)
		return -ENOMEM;
	return result(conn, sqlite3_key(conn_handle(conn), text, (int)strlen(text)));
}

/* Nothing of the database may reach a temporary file. */
static int set_modes(struct db_conn *conn, enum db_access access)
{
	return db_exec(conn, access == DB_ACCESS_WRITE
				     ? "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000"
				     : "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2000;"
				       "PRAGMA query_only = 1");
}

static int open_conn(const struct db_driver *driver, const char *path, const struct db_key *key,
		     enum db_access access, struct db_conn **ret_conn)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct sqlcipher_conn *conn = calloc(1, sizeof *conn);
	int code, err;

	if (!conn)
		return -ENOMEM;
	conn->base.driver = driver;
	pthread_once(&once, configure);
	code = sqlite3_open_v2(path, &conn->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			       NULL);
	err = conn->handle ? result(&conn->base, code) : -ENOMEM;
	if (err == 0) {
		sqlite3_extended_result_codes(conn->handle, 1);
		sqlite3_busy_timeout(conn->handle, SQLCIPHER_BUSY_MSECS);
		err = check_cipher(&conn->base);
	}
	if (err == 0)
		err = set_key(&conn->base, key);
	if (err == 0)
		err = set_modes(&conn->base, access);
	if (err)
		db_conn_close(&conn->base);
	else
		*ret_conn = &conn->base;
	return err;
}

static int start(struct db_conn *conn)
{
	return db_exec(conn, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
			     "PRAGMA journal_size_limit = 67108864");
}

static void close_conn(struct db_conn *conn)
{
	sqlite3_close(conn_handle(conn));
	free(conn);
}

static bool is_moved(struct db_conn *conn)
{
	int moved = 0;

	return sqlite3_file_control(conn_handle(conn), "main", SQLITE_FCNTL_HAS_MOVED, &moved) ==
		       SQLITE_OK &&
	       moved;
}

/* ---- transactions ---- */

static bool in_transaction(struct db_conn *conn)
{
	return !sqlite3_get_autocommit(conn_handle(conn));
}

/* Not by db_run, which refuses to run after an error. */
static int transact(struct db_conn *conn, enum db_verb verb)
{
	static const char *const sql[DB_VERB_COUNT] = {
		[DB_BEGIN] = "BEGIN IMMEDIATE",  [DB_SNAPSHOT] = "BEGIN",
		[DB_COMMIT] = "COMMIT",          [DB_ROLLBACK] = "ROLLBACK",
		[DB_SAVEPOINT] = "SAVEPOINT op", [DB_ROLLBACK_TO] = "ROLLBACK TO op",
		[DB_RELEASE] = "RELEASE op",
	};

	if (verb == DB_ROLLBACK && !in_transaction(conn))
		return 0;
	return result(conn, sqlite3_exec(conn_handle(conn), sql[verb], NULL, NULL, NULL));
}

/* ---- statements ---- */

static int exec(struct db_conn *conn, const char *script)
{
	return result(conn, sqlite3_exec(conn_handle(conn), script, NULL, NULL, NULL));
}

static int prepare(struct db_conn *conn, const char *sql, struct db_stmt **ret_stmt)
{
	struct sqlcipher_stmt *stmt = calloc(1, sizeof *stmt);
	int err = stmt ? result(conn,
				sqlite3_prepare_v3(conn_handle(conn), sql, -1,
						   SQLITE_PREPARE_PERSISTENT, &stmt->handle, NULL))
		       : db_fail(conn, DB_FAILURE_OTHER, -ENOMEM);

	if (err)
		free(stmt);
	else
		*ret_stmt = &stmt->base;
	return err;
}

static void finalize(struct db_stmt *stmt)
{
	sqlite3_finalize(stmt_handle(stmt));
	free(stmt);
}

static int bind(struct db_stmt *stmt, int parameter, const struct db_value *value)
{
	sqlite3_stmt *handle = stmt_handle(stmt);
	int code;

	/* The caller's bytes outlive the statement's run: no copies. */
	switch (value->type) {
	case DB_INTEGER:
		code = sqlite3_bind_int64(handle, parameter, value->integer);
		break;
	case DB_TEXT:
		code = sqlite3_bind_text(handle, parameter, value->bytes, -1, SQLITE_STATIC);
		break;
	case DB_BYTES:
		code = sqlite3_bind_blob64(handle, parameter, value->bytes, value->size,
					   SQLITE_STATIC);
		break;
	default:
		code = sqlite3_bind_null(handle, parameter);
	}
	return result(stmt->conn, code);
}

static int step(struct db_stmt *stmt)
{
	int code = sqlite3_step(stmt_handle(stmt));

	return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : fail(stmt->conn, code);
}

static int insert(struct db_stmt *stmt, int64_t *ret_id)
{
	int err = step(stmt);

	if (err == 0)
		*ret_id = sqlite3_last_insert_rowid(conn_handle(stmt->conn));
	return err;
}

static void reset(struct db_stmt *stmt)
{
	sqlite3_reset(stmt_handle(stmt));
	sqlite3_clear_bindings(stmt_handle(stmt));
}

static int column_count(struct db_stmt *stmt)
{
	return sqlite3_column_count(stmt_handle(stmt));
}

static int64_t column_int64(struct db_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt_handle(stmt), column);
}

static const char *column_text(struct db_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt_handle(stmt), column);
}

static const void *column_bytes(struct db_stmt *stmt, int column, size_t *ret_size)
{
	const void *bytes = sqlite3_column_blob(stmt_handle(stmt), column);

	*ret_size = (size_t)sqlite3_column_bytes(stmt_handle(stmt), column);
	return bytes;
}

static int64_t changes(struct db_conn *conn)
{
	return sqlite3_changes(conn_handle(conn));
}

static int now(struct db_conn *conn, int64_t *ret_msecs)
{
	*ret_msecs = time_now_msecs();
	return 0;
}

/* Numbers in the file's first page, and so a part of the transaction. */
static int format_get(struct db_conn *conn, struct db_format *ret_format)
{
	int err = db_query_int(conn, &ret_format->application_id, "PRAGMA application_id", "");

	return err ? err
		   : db_query_int(conn, &ret_format->schema_version, "PRAGMA user_version", "");
}

static int format_set(struct db_conn *conn, const struct db_format *format)
{
	char script[96];

	snprintf(script, sizeof script, "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 (int)format->application_id, (int)format->schema_version);
	return db_exec(conn, script);
}

static const struct db_file_ops file = {
	.create = sqlcipher_create,
	.lock = sqlcipher_lock,
	.copy = sqlcipher_copy,
	.copy_check = sqlcipher_copy_check,
	.is_moved = is_moved,
};

const struct db_driver db_sqlcipher = {
	.name = "sqlcipher",
	.open = open_conn,
	.start = start,
	.close = close_conn,
	.transact = transact,
	.in_transaction = in_transaction,
	.exec = exec,
	.prepare = prepare,
	.finalize = finalize,
	.bind = bind,
	.step = step,
	.insert = insert,
	.reset = reset,
	.column_count = column_count,
	.column_int64 = column_int64,
	.column_text = column_text,
	.column_bytes = column_bytes,
	.changes = changes,
	.now = now,
	.format_get = format_get,
	.format_set = format_set,
	.watch_open = sqlcipher_watch_open,
	.watch_wait = sqlcipher_watch_wait,
	.watch_close = sqlcipher_watch_close,
	.file = &file,
};
