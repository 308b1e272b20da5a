/*
 * One SQLite connection with its prepared statements, and the small language in which the other files of the room speak to it.
 */
#include "db/db-private.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/log.h"
#include "util/secret.h"
#include "util/sid.h"
#include "util/times.h"

#define STMT_SLOTS 512 /* a power of two, several times the number of statements in the room */

struct db_stmt {
	const char *sql;
	sqlite3_stmt *raw;
};

struct db_conn {
	sqlite3 *db;
	struct db *owner;
	struct db_stmt slots[STMT_SLOTS];
};

/* SQLITE_ERROR because of a damaged page: SQLCipher gives it without a text of its own where it
 * cannot decrypt one, and with SQLITE_CORRUPT's text from sqlcipher_export. Mistakes in SQL have
 * other texts. */
static bool says_damage(struct db_conn *conn)
{
	const char *text = conn ? sqlite3_errmsg(conn->db) : "";

	return strcmp(text, sqlite3_errstr(SQLITE_ERROR)) == 0 ||
	       strcmp(text, sqlite3_errstr(SQLITE_CORRUPT)) == 0;
}

int db_errno(struct db_conn *conn, int sqlite_code)
{
	if ((sqlite_code & 0xff) == SQLITE_ERROR && says_damage(conn))
		return -EUCLEAN;
	switch (sqlite_code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return -EUCLEAN;
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_IOERR:
		/* A full disk shows as a failed write where SQLite could not extend the shared-memory file. */
		return conn && sqlite3_system_errno(conn->db) == ENOSPC ? -ENOSPC : -EIO;
	default:
		/* The room's own SQL is wrong: worth a line, which holds SQL text and no values. */
		log_error("catalog: %s",
			  conn ? sqlite3_errmsg(conn->db) : sqlite3_errstr(sqlite_code));
		return -EIO;
	}
}

int db_exec(struct db_conn *conn, const char *sql)
{
	return db_errno(conn, sqlite3_exec(conn->db, sql, NULL, NULL, NULL));
}

bool db_in_transaction(struct db_conn *conn)
{
	return !sqlite3_get_autocommit(conn->db);
}

void db_set_busy_timeout(struct db_conn *conn, unsigned msecs)
{
	sqlite3_busy_timeout(conn->db, (int)msecs);
}

struct db *db_conn_owner(const struct db_conn *conn)
{
	return conn->owner;
}

void db_conn_own(struct db_conn *conn, struct db *db)
{
	conn->owner = db;
}

bool db_is_moved(struct db_conn *conn)
{
	int moved = 0;

	return sqlite3_file_control(conn->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) ==
		       SQLITE_OK &&
	       moved;
}

static int pragma_text(sqlite3 *db, const char *sql, char *ret_text, size_t size)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	ret_text[0] = '\0';
	if (code == SQLITE_OK) {
		code = sqlite3_step(stmt);
		if (code == SQLITE_ROW && sqlite3_column_text(stmt, 0))
			snprintf(ret_text, size, "%s", (const char *)sqlite3_column_text(stmt, 0));
	}
	sqlite3_finalize(stmt);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Every allocation would count itself under one lock for all connections, and nobody asks for the
 * numbers. Too late where the library runs already, which does no harm. */
static void configure(void)
{
	sqlite3 *db = NULL;

	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	/* SQLCipher writes a line to standard error for each page that it may not lock, and for each that it cannot decrypt.
	 * "off" comes too early before a key is set, and the lines come while it is set. What there is to say is said by
	 * util/secret.h and by whoever gets the error. */
	if (sqlite3_open(":memory:", &db) == SQLITE_OK)
		sqlite3_exec(db, "PRAGMA cipher_log = '/dev/null'", NULL, NULL, NULL);
	sqlite3_close(db);
}

char *db_key_text(const struct db_key *key)
{
	char *text = secret_alloc(strlen("x''") + CRYPTO_HEX_SIZE(DB_KEY_SIZE));

	if (!text)
		return NULL;
	memcpy(text, "x'", 2);
	crypto_hex(key->bytes, sizeof key->bytes, text + 2);
	strcat(text, "'");
	return text;
}

int db_conn_open(const char *path, const struct db_key *key, unsigned flags,
		 struct db_conn **ret_conn)
{
	cleanup_secret char *text = db_key_text(key);
	char version[64];
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct db_conn *conn = calloc(1, sizeof *conn);
	int open_flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int err, code;

	if (!conn || !text) {
		free(conn);
		return -ENOMEM;
	}
	pthread_once(&once, configure);
	if (flags & DB_CREATE)
		open_flags |= SQLITE_OPEN_CREATE;
	code = sqlite3_open_v2(path, &conn->db, open_flags, NULL);
	if (code != SQLITE_OK) {
		err = conn->db ? db_errno(conn, code) : -ENOMEM;
		goto fail;
	}
	sqlite3_extended_result_codes(conn->db, 1);
	sqlite3_busy_timeout(conn->db, 30000);

	/* Plain SQLite would take the key in silence and write everything in the clear. */
	code = pragma_text(conn->db, "PRAGMA cipher_version", version, sizeof version);
	if (code != SQLITE_OK || !version[0]) {
		err = -ENOTSUP;
		goto fail;
	}
	code = sqlite3_key(conn->db, text, (int)strlen(text));
	if (code != SQLITE_OK) {
		err = db_errno(conn, code);
		goto fail;
	}
	/* Nothing of the catalog may reach a temporary file. */
	err = db_exec(conn, "PRAGMA temp_store = MEMORY");
	if (err == 0)
		err = db_exec(conn, flags & DB_WRITER ? "PRAGMA cache_size = -16000"
						      : "PRAGMA cache_size = -2000");
	if (err == 0 && (flags & DB_READER))
		err = db_exec(conn, "PRAGMA query_only = 1");
	if (err)
		goto fail;
	*ret_conn = conn;
	return 0;
fail:
	db_conn_close(conn);
	return err;
}

void db_conn_close(struct db_conn *conn)
{
	if (!conn)
		return;
	for (size_t i = 0; i < STMT_SLOTS; i++)
		sqlite3_finalize(conn->slots[i].raw);
	sqlite3_close(conn->db);
	free(conn);
}

int db_prepare(struct db_conn *conn, const char *sql, struct db_stmt **ret_stmt)
{
	size_t slot = ((uintptr_t)sql >> 3) * 0x9e3779b97f4a7c15ULL >> 40 & (STMT_SLOTS - 1);
	size_t tried;
	int code;

	for (tried = 0; tried < STMT_SLOTS && conn->slots[slot].sql && conn->slots[slot].sql != sql;
	     tried++)
		slot = (slot + 1) & (STMT_SLOTS - 1);
	if (tried == STMT_SLOTS)
		return -ENOSPC;
	if (!conn->slots[slot].sql) {
		code = sqlite3_prepare_v3(conn->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
					  &conn->slots[slot].raw, NULL);
		if (code != SQLITE_OK)
			return db_errno(conn, code);
		conn->slots[slot].sql = sql;
	} else if (sqlite3_stmt_busy(conn->slots[slot].raw)) {
		return -EDEADLK; /* the same statement twice at a time: a mistake in this room */
	}
	*ret_stmt = &conn->slots[slot];
	return 0;
}

int db_step(struct db_conn *conn, struct db_stmt *stmt)
{
	int code = sqlite3_step(stmt->raw);

	if (code == SQLITE_ROW)
		return 1;
	return db_errno(conn, code);
}

void db_stmt_release(struct db_stmt **stmt)
{
	if (!*stmt)
		return;
	sqlite3_reset((*stmt)->raw);
	sqlite3_clear_bindings((*stmt)->raw);
	*stmt = NULL;
}

static int bind_all(struct db_conn *conn, struct db_stmt *stmt, const char *format, va_list args)
{
	int code = SQLITE_OK;

	for (int i = 1; *format && code == SQLITE_OK; i++, format++) {
		switch (*format) {
		case 'i':
			code = sqlite3_bind_int64(stmt->raw, i, va_arg(args, int64_t));
			break;
		case 's':
			/* The caller's string outlives the statement's run: no copy. */
			code = sqlite3_bind_text(stmt->raw, i, va_arg(args, const char *), -1,
						 SQLITE_STATIC);
			break;
		case 'b':
			code = sqlite3_bind_blob(stmt->raw, i,
						 va_arg(args, const struct sid *)->bytes,
						 sizeof(struct sid), SQLITE_STATIC);
			break;
		case 'n':
			code = sqlite3_bind_null(stmt->raw, i);
			break;
		default:
			return -EINVAL;
		}
	}
	return db_errno(conn, code);
}

static int query(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql,
		 const char *format, va_list args)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_prepare(conn, sql, &stmt);

	if (err == 0)
		err = bind_all(conn, stmt, format, args);
	if (err)
		return err;
	*ret_stmt = stmt;
	stmt = NULL;
	return 0;
}

int db_query(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql, const char *format,
	     ...)
{
	va_list args;
	int err;

	va_start(args, format);
	err = query(conn, ret_stmt, sql, format, args);
	va_end(args);
	return err;
}

int db_run(struct db_conn *conn, const char *sql, const char *format, ...)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	va_list args;
	int err;

	va_start(args, format);
	err = query(conn, &stmt, sql, format, args);
	va_end(args);
	if (err)
		return err;
	do
		err = db_step(conn, stmt);
	while (err > 0);
	return err;
}

static int query_row(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql,
		     const char *format, va_list args)
{
	int err = query(conn, ret_stmt, sql, format, args);

	if (err)
		return err;
	err = db_step(conn, *ret_stmt);
	return err > 0 ? 0 : err < 0 ? err : -ENOENT;
}

int db_query_row(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql,
		 const char *format, ...)
{
	va_list args;
	int err;

	va_start(args, format);
	err = query_row(conn, ret_stmt, sql, format, args);
	va_end(args);
	return err;
}

int db_query_int(struct db_conn *conn, int64_t *ret_value, const char *sql, const char *format, ...)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	va_list args;
	int err;

	va_start(args, format);
	err = query_row(conn, &stmt, sql, format, args);
	va_end(args);
	if (err == 0)
		*ret_value = db_int64(stmt, 0);
	return err;
}

static int query_text(struct db_conn *conn, char *(*copy)(const char *), char **ret_text,
		      const char *sql, const char *format, va_list args)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	const char *text;
	int err;

	*ret_text = NULL;
	err = query_row(conn, &stmt, sql, format, args);
	if (err)
		return err;
	text = db_text(stmt, 0);
	*ret_text = text ? copy(text) : NULL;
	return *ret_text ? 0 : -ENOMEM;
}

int db_query_text(struct db_conn *conn, char **ret_text, const char *sql, const char *format, ...)
{
	va_list args;
	int err;

	va_start(args, format);
	err = query_text(conn, strdup, ret_text, sql, format, args);
	va_end(args);
	return err;
}

int db_query_secret(struct db_conn *conn, char **ret_secret, const char *sql, const char *format,
		    ...)
{
	va_list args;
	int err;

	va_start(args, format);
	err = query_text(conn, secret_dup, ret_secret, sql, format, args);
	va_end(args);
	return err;
}

int db_query_ids(struct db_conn *conn, int64_t **ret_ids, size_t *ret_count, const char *sql,
		 const char *format, ...)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	cleanup_free int64_t *ids = NULL;
	size_t count = 0, capacity = 0;
	va_list args;
	int err;

	va_start(args, format);
	err = query(conn, &stmt, sql, format, args);
	va_end(args);
	if (err)
		return err;
	while ((err = db_step(conn, stmt)) > 0) {
		if (count == capacity) {
			size_t want = capacity ? 2 * capacity : 64;
			int64_t *more = reallocarray(ids, want, sizeof *ids);

			if (!more)
				return -ENOMEM;
			ids = more;
			capacity = want;
		}
		ids[count++] = db_int64(stmt, 0);
	}
	if (err < 0)
		return err;
	*ret_ids = steal_pointer(&ids);
	*ret_count = count;
	return 0;
}

int db_now(struct db_conn *conn, int64_t *ret_msecs)
{
	(void)conn;
	*ret_msecs = time_now_msecs();
	return 0;
}

int64_t db_changes(struct db_conn *conn)
{
	return sqlite3_changes(conn->db);
}

int64_t db_last_id(struct db_conn *conn)
{
	return sqlite3_last_insert_rowid(conn->db);
}

int64_t db_int64(struct db_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt->raw, column);
}

int db_int(struct db_stmt *stmt, int column)
{
	return sqlite3_column_int(stmt->raw, column);
}

const char *db_text(struct db_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt->raw, column);
}

int db_columns(struct db_stmt *stmt)
{
	return sqlite3_column_count(stmt->raw);
}

bool db_text_copy(struct db_stmt *stmt, int column, char *ret_text, size_t size)
{
	const char *text = db_text(stmt, column);

	return snprintf(ret_text, size, "%s", text ? text : "") < (int)size;
}

bool db_sid(struct db_stmt *stmt, int column, struct sid *ret_sid)
{
	const void *bytes = sqlite3_column_blob(stmt->raw, column);

	memset(ret_sid, 0, sizeof *ret_sid);
	if (!bytes || sqlite3_column_bytes(stmt->raw, column) != (int)sizeof ret_sid->bytes)
		return false;
	memcpy(ret_sid->bytes, bytes, sizeof ret_sid->bytes);
	return true;
}
