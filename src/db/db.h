/*
 * A database: connections, transactions, statements, group commit, waiting for changes. Engines are
 * behind db/driver.h: SQLCipher, in a file.
 *
 * Threads   A struct db is for any thread. A connection and its statements are used by one thread
 *           at a time: the thread that borrowed it for reading, or that runs a write function.
 * SQL       Statements are string literals: their address is the key under which a connection keeps
 *           them prepared. Parameters are ?1, ?2 … or ? in order. Only what all engines understand.
 * Ownership A connection that was borrowed goes back by db_read_end, a statement by
 *           db_stmt_release; both have a cleanup_… for it. Bound values have to stay until then.
 * Times     Milliseconds; db_now is since 1970.
 * Errors    0 or -errno:
 *
 *   -EBUSY         another process had the write lock, or 16 threads all connections, for 30 s
 *   -EAGAIN        a conflict with another transaction, again and again     } nothing has changed;
 *   -ENOTCONN      no connection to the server, or lost before the commit   } the same may succeed
 *   -ECONNABORTED  the connection broke during the commit: perhaps all has changed, perhaps nothing
 *   -EEXIST        a constraint failed
 *   -EUCLEAN       damaged, or the wrong key
 *   -EPROTONOSUPPORT  the schema has another version than this program's (db_start)
 *   -ENOSPC, -EROFS, -EACCES, -ENOMEM, -EIO
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_conn;
struct db_stmt;
struct sid;

#define DB_KEY_SIZE 32
struct db_key {
	uint8_t bytes[DB_KEY_SIZE];
};

/* ---- opening ---- */

/* Opens the connection for writing, and writes nothing. -EUCLEAN may come later, with the first
 * read. -ENOTSUP: the program is linked to plain SQLite. */
int db_open(const char *path, const struct db_key *key, struct db **ret_db);
/* From now on db may be read and written. A write fails with -EPROTONOSUPPORT where the database
 * has another schema_version: another process may have brought it up to date. */
int db_start(struct db *db, int64_t schema_version);
/* No thread may use it any more. NULL is fine. */
void db_close(struct db *db);
const char *db_path(const struct db *db);
/* The connection for writing. Before db_start only. */
struct db_conn *db_writer(struct db *db);

/* The kind of database and its tables' version; 0 in a new one. Set within a transaction. */
struct db_format {
	int64_t application_id, schema_version;
};
int db_format_get(struct db_conn *conn, struct db_format *ret_format);
int db_format_set(struct db_conn *conn, const struct db_format *format);

/* ---- transactions ---- */

/* Runs in a transaction. A negative return undoes what it did. After a statement that failed no
 * other one runs: the function returns, and whatever it returns, all is undone. */
typedef int db_write_fn(struct db_conn *conn, void *arg);

/*
 * Runs fn in one transaction together with the functions of other threads (group commit), and
 * returns when the commit is durable. Returns fn's negative return, or why the commit failed.
 *
 * fn may run several times, each time but the last undone: because of a conflict, a lost
 * connection, or another function of the same transaction that failed. So each call sets anew all
 * that it leaves behind outside the database. Tries are repeated with growing pauses for at most
 * 30 s.
 *
 * -ECONNABORTED is never repeated here: the caller repeats it where a second run does no harm, or
 * looks. Reads (db_read_begin) show what the outcome was.
 */
int db_write(struct db *db, db_write_fn *fn, void *arg);

/* A transaction on a connection of one's own (db_writer, db_open_alone), once. */
int db_transact(struct db_conn *conn, db_write_fn *fn, void *arg);

/* ---- reading: borrow a connection, give it back ---- */

/* Readers never wait for writers. At most 16 at a time; another one waits for up to 30 s (-EBUSY),
 * so a thread that has one must not ask for another. */
int db_read_begin(struct db *db, struct db_conn **ret_conn);
void db_read_end(struct db_conn **conn); /* NULL in it is fine */
/* `cleanup_db_read struct db_conn *read = NULL; err = db_read_begin(db, &read);` */
#define cleanup_db_read __attribute__((cleanup(db_read_end)))

/* From now on, until db_read_end, all statements of a reader see one state of the database. */
int db_snapshot_begin(struct db_conn *conn);

/* ---- statements ---- */

int db_exec(struct db_conn *conn, const char *script); /* several, ; between them; not kept */
int db_prepare(struct db_conn *conn, const char *sql, struct db_stmt **ret_stmt);
/* 1: a row; 0: done; -errno. */
int db_step(struct db_stmt *stmt);
/* `while (db_next(stmt, &err))`: no step after an error, which stays in *err. At a row *err is 0. */
bool db_next(struct db_stmt *stmt, int *err);
/* On every way out: `cleanup_stmt struct db_stmt *stmt = NULL;` NULL in it is fine. */
void db_stmt_release(struct db_stmt **stmt);
#define cleanup_stmt __attribute__((cleanup(db_stmt_release)))

/*
 * The functions below bind by a format with a letter for each parameter:
 *
 *   i  int64_t
 *   s  const char *, NULL: SQL NULL
 *   b  const struct sid *
 *   n  SQL NULL, without an argument
 */

/* Runs to the end, rows ignored. */
int db_run(struct db_conn *conn, const char *sql, const char *format, ...);
/* Leaves the statement ready to step. */
int db_query(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql, const char *format,
	     ...);
/* Leaves it at its first row; -ENOENT where there is none. */
int db_query_row(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql,
		 const char *format, ...);
/* Runs an INSERT of one row into a table with a column id, which the database chooses. */
int db_insert(struct db_conn *conn, int64_t *ret_id, const char *sql, const char *format, ...);
/* The first column of the first row; -ENOENT where there is no row. */
int db_query_int(struct db_conn *conn, int64_t *ret_value, const char *sql, const char *format,
		 ...);
int db_query_text(struct db_conn *conn, char **ret_text /* free() */, const char *sql,
		  const char *format, ...);
/* The first column of all rows: the rows may be changed while the caller goes through the ids. */
int db_query_ids(struct db_conn *conn, int64_t **ret_ids /* free() */, size_t *ret_count,
		 const char *sql, const char *format, ...);

/* As db_query…, on a connection that is borrowed for the statement: its release gives it back. */
int db_read(struct db *db, struct db_stmt **ret_stmt, const char *sql, const char *format, ...);
int db_read_row(struct db *db, struct db_stmt **ret_stmt, const char *sql, const char *format, ...);
int db_read_int(struct db *db, int64_t *ret_value, const char *sql, const char *format, ...);
int db_read_secret(struct db *db, char **ret_secret /* secret_free() */, const char *sql,
		   const char *format, ...);
/* db_write of one statement. */
int db_write_run(struct db *db, const char *sql, const char *format, ...);

/* The database's clock: leases go by it, whichever machine looks at them. SQLCipher's is this
 * machine's. */
int db_now(struct db_conn *conn, int64_t *ret_msecs);
int64_t db_changes(struct db_conn *conn); /* rows that the last statement changed */

/* ---- the row that a statement is at ---- */

int64_t db_int64(struct db_stmt *stmt, int column);
int db_int(struct db_stmt *stmt, int column);
const char *db_text(struct db_stmt *stmt, int column); /* until the next step; NULL for SQL NULL */
int db_columns(struct db_stmt *stmt);
/* Copies a text column, "" for NULL; false when it had to be cut. */
bool db_text_copy(struct db_stmt *stmt, int column, char *ret_text, size_t size);
bool db_sid(struct db_stmt *stmt, int column, struct sid *ret_sid); /* false, and zero, for NULL */

/* ---- waiting for changes ---- */

/* Waits until anything has changed since *generation (by this process: at once; by another: within
 * a second), or the time is over, or db_wake() was called. Updates *generation. Start with 0:
 * returns at once. 0, or -ETIMEDOUT. The first call starts a thread, which sleeps while nothing
 * happens. */
int db_wait(struct db *db, uint64_t *generation, unsigned timeout_msecs);
void db_wake(struct db *db);

/* ---- a database in a file ---- */

/* Makes a new file of mode 0600 (-EEXIST) and fills it in one transaction. Nothing is left of it
 * where that fails. Durable, but for its name in the folder. */
int db_create(const char *path, const struct db_key *key, db_write_fn *fill, void *arg);
/* Removes a database's file and what belongs to it. Nobody has it open. */
void db_file_remove(const char *path);
/* A connection that keeps all others away from the file until it is closed. -EBUSY: another process
 * has the file open. */
int db_open_alone(const char *path, const struct db_key *key, struct db_conn **ret_conn);
void db_conn_close(struct db_conn *conn); /* NULL is fine */
/* Writes a copy under another key, in a new file of mode 0600 (-EEXIST), and syncs it. */
int db_copy(struct db_conn *conn, const char *copy_path, const struct db_key *copy_key);
/* Reads every page of the copy by its own key. -EUCLEAN: the copy is not what conn has. */
int db_copy_check(struct db_conn *conn, const char *copy_path, const struct db_key *copy_key);
/* The file that the connection has open is no longer the one of that name. */
bool db_is_moved(struct db_conn *conn);
