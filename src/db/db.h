/*
 * A database: connections, transactions, statements, group commit, waiting for changes. The engine behind it (SQLCipher) shows nowhere else.
 *
 * Threads    A struct db is for any thread. A connection and its statements are used by one thread at a time: by the one that borrowed it for
 *            reading, or by the function that db_write runs.
 * Errors     0 or -errno: -EBUSY (another process held the write lock for 30 s), -ENOSPC, -EROFS, -EACCES, -EEXIST (a constraint), -EUCLEAN (damaged,
 *            or the wrong key), -ENOMEM, -EIO.
 * SQL        Statements are string literals: their address is the key under which a connection keeps them prepared.
 */
#ifndef TONICFS_DB_DB_H
#define TONICFS_DB_DB_H

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

/* Opens the connection for writing, and nothing else: reads nothing, so that a wrong key shows later (-EUCLEAN). -ENOTSUP: plain SQLite. */
int db_open(const char *path, const struct db_key *key, struct db **ret_db);
/* From now on others may read and write; schema_version is what a write finds, or it fails with -EPROTONOSUPPORT. */
int db_start(struct db *db, int64_t schema_version);
void db_close(struct db *db); /* NULL is fine */
const char *db_path(const struct db *db);
/* Before db_start only. */
struct db_conn *db_writer(struct db *db);

#define DB_CREATE 1u
#define DB_WRITER 2u
#define DB_READER 4u

/* A connection of its own, without a struct db. */
int db_conn_open(const char *path, const struct db_key *key, unsigned flags,
		 struct db_conn **ret_conn);
void db_conn_close(struct db_conn *conn);
/* x'…', a raw key as SQLCipher takes it. Free with secret_free(); NULL for lack of memory. */
char *db_key_text(const struct db_key *key);
int db_exec(struct db_conn *conn, const char *sql);
/* The file that the connection has open is no longer the one of that name. */
bool db_is_moved(struct db_conn *conn);
void db_set_busy_timeout(struct db_conn *conn, unsigned msecs);

/* ---- reading: borrow a connection, give it back ---- */

int db_read_begin(struct db *db, struct db_conn **ret_conn);
void db_read_end(struct db_conn **conn); /* NULL in it is fine */
/* `cleanup_db_read struct db_conn *read = NULL; err = db_read_begin(db, &read);` */
#define cleanup_db_read __attribute__((cleanup(db_read_end)))

/* ---- writing ---- */

/* Runs inside one transaction together with the functions of other threads (group commit). A negative return undoes what it did and is returned
 * by db_write; so is a commit that failed. */
typedef int db_write_fn(struct db_conn *conn, void *arg);
int db_write(struct db *db, db_write_fn *fn, void *arg);
/* The same for a function that may be called twice, the first call undone: all that it leaves behind beside what is in the database is set
 * anew by each call. Cheaper where many write at a time. */
int db_write_repeatable(struct db *db, db_write_fn *fn, void *arg);

/* ---- statements ---- */

int db_prepare(struct db_conn *conn, const char *sql, struct db_stmt **ret_stmt);
/* 1: a row; 0: done; -errno. */
int db_step(struct db_conn *conn, struct db_stmt *stmt);
/* Statements go back reset and without bindings; also on every way out: `cleanup_stmt struct db_stmt *stmt = NULL;` */
void db_stmt_release(struct db_stmt **stmt);
#define cleanup_stmt __attribute__((cleanup(db_stmt_release)))
/* Binds by format and runs to the end, rows ignored: i int64_t, s const char * (NULL: SQL NULL), b const struct sid *, n SQL NULL. */
int db_run(struct db_conn *conn, const char *sql, const char *format, ...);
/* Binds likewise and leaves the statement ready to step. */
int db_query(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql, const char *format,
	     ...);
/* Leaves it at its first row; -ENOENT where there is none. */
int db_query_row(struct db_conn *conn, struct db_stmt **ret_stmt, const char *sql,
		 const char *format, ...);
/* One integer of one row; -ENOENT where there is no row. */
int db_query_int(struct db_conn *conn, int64_t *ret_value, const char *sql, const char *format,
		 ...);
/* One text of one row; -ENOENT where there is no row. The caller frees. */
int db_query_text(struct db_conn *conn, char **ret_text, const char *sql, const char *format, ...);
int db_query_secret(struct db_conn *conn, char **ret_secret, const char *sql, const char *format,
		    ...); /* secret_free() */
/* The first column of all rows, collected: what is read so may be changed while one goes through it. The caller frees. */
int db_query_ids(struct db_conn *conn, int64_t **ret_ids, size_t *ret_count, const char *sql,
		 const char *format, ...);
/* The database's clock, in milliseconds since 1970: what leases go by, whichever machine looks at them. SQLCipher's is this machine's. */
int db_now(struct db_conn *conn, int64_t *ret_msecs);
int64_t db_changes(struct db_conn *conn);
int64_t db_last_id(struct db_conn *conn);
int db_errno(struct db_conn *conn, int code);

/* ---- the row that a statement is at ---- */

int64_t db_int64(struct db_stmt *stmt, int column);
int db_int(struct db_stmt *stmt, int column);
const char *db_text(struct db_stmt *stmt, int column); /* until the next step; NULL for SQL NULL */
int db_columns(struct db_stmt *stmt);
/* Copies a text column, "" for NULL; false when it had to be cut. */
bool db_text_copy(struct db_stmt *stmt, int column, char *ret_text, size_t size);
bool db_sid(struct db_stmt *stmt, int column, struct sid *ret_sid); /* zero for NULL */

/* ---- waiting for changes ---- */

/* Waits until anything has changed since *generation (by this process: at once; by another: within a second), or the time is over,
 * or db_wake() was called. Updates *generation. Start with 0: returns at once. 0, or -ETIMEDOUT. */
int db_wait(struct db *db, uint64_t *generation, unsigned timeout_msecs);
void db_wake(struct db *db);

#endif
