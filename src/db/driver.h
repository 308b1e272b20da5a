/*
 * A driver: the operations that an engine gives to the rest of the room. sqlcipher.c is one.
 *
 * Objects   A driver embeds struct db_conn and struct db_stmt as the first member of structs of its
 *           own and allocates both, zeroed but for `driver`; `close` and `finalize` free them.
 *           Statements are kept prepared for each connection (conn.c), so `prepare` is rare; `step`
 *           must not allocate.
 * Errors    0 or -errno as in db.h. An operation that fails has called db_fail(), which notes what
 *           the failure means beside the errno. A driver that loses its connection sets is_lost:
 *           the room closes the connection and opens another one.
 * Threads   A connection and its statements are used by one thread at a time.
 * SQL       Parameters are ?1, ?2 … or ? in order; an engine with another notation ($1) rewrites
 *           them in `prepare`. Their types are those of the values bound. Sums of integers are read by column_int64, whatever type the engine
 *           gives them.
 */
#pragma once

#include "db/db.h"

/* The meaning of an error for a caller that may repeat. */
enum db_failure {
	DB_FAILURE_NONE,
	DB_FAILURE_OTHER,      /* the same would fail again */
	DB_FAILURE_RETRY,      /* nothing has changed, and the same may succeed now */
	DB_FAILURE_CONSTRAINT, /* unique, not null, check, a reference */
	DB_FAILURE_UNKNOWN,    /* the commit's answer was lost */
};

enum db_access {
	DB_ACCESS_READ,  /* cannot write */
	DB_ACCESS_WRITE, /* the one connection of a process that writes */
};

enum db_verb {
	DB_BEGIN,    /* of a transaction that writes: serializable, or alone from the start */
	DB_SNAPSHOT, /* of one that reads, and sees one state of the database */
	DB_COMMIT,
	DB_ROLLBACK,
	DB_SAVEPOINT, /* one at a time */
	DB_ROLLBACK_TO,
	DB_RELEASE,
	DB_VERB_COUNT
};

enum db_type { DB_NULL, DB_INTEGER, DB_TEXT, DB_BYTES };
struct db_value {
	enum db_type type;
	int64_t integer;
	/* A text, which ends with a NUL, or bytes. They stay until the statement is reset. */
	const void *bytes;
	size_t size; /* of DB_BYTES */
};

/* A power of two, several times the number of statements in the program. */
#define DB_STMT_SLOTS 512

struct db_conn {
	const struct db_driver *driver;
	struct db *owner; /* of a connection that is borrowed for reading */
	bool is_lost;
	bool in_transaction; /* as the room began and ended it */
	int failed;          /* in a transaction: its first error; nothing runs until a rollback */
	enum db_failure failure; /* what the last error means */
	struct db_slot {
		const char *sql; /* a literal: its address is the key */
		struct db_stmt *stmt;
	} slots[DB_STMT_SLOTS];
};

struct db_stmt {
	struct db_conn *conn;
	bool in_use;              /* prepared and not released */
	struct db_conn *borrowed; /* goes back when the statement is released; NULL: stays */
};

/* Notes what an error means, and returns it. For drivers. */
int db_fail(struct db_conn *conn, enum db_failure failure, int err);

/* Further operations of an engine that keeps a database in one file. */
struct db_file_ops {
	/* An empty database in an empty file of mode 0600. */
	int (*create)(const struct db_driver *driver, const char *path, const struct db_key *key,
		      struct db_conn **ret_conn);
	/* Keeps other processes away from the file until the connection is closed. -EBUSY: another
	 * process has the file open. */
	int (*lock)(struct db_conn *conn);
	int (*copy)(struct db_conn *conn, const char *copy_path, const struct db_key *copy_key);
	int (*copy_check)(struct db_conn *conn, const char *copy_path,
			  const struct db_key *copy_key);
	bool (*is_moved)(struct db_conn *conn);
};

struct db_watch; /* the driver's */

struct db_driver {
	const char *name;

	int (*open)(const struct db_driver *driver, const char *path, const struct db_key *key,
		    enum db_access access, struct db_conn **ret_conn);
	/* Before a connection writes for the first time: sets what makes commits durable. */
	int (*start)(struct db_conn *conn);
	void (*close)(struct db_conn *conn); /* undoes a transaction that is open */

	/* DB_ROLLBACK succeeds also where the engine has undone the transaction by itself. A
	 * DB_COMMIT that fails has committed nothing, but for DB_FAILURE_UNKNOWN. */
	int (*transact)(struct db_conn *conn, enum db_verb verb);
	/* False when the engine has undone the transaction by itself (a full disk). */
	bool (*in_transaction)(struct db_conn *conn);

	int (*exec)(struct db_conn *conn, const char *script); /* statements with ; between */
	int (*prepare)(struct db_conn *conn, const char *sql, struct db_stmt **ret_stmt);
	void (*finalize)(struct db_stmt *stmt);
	int (*bind)(struct db_stmt *stmt, int parameter /* from 1 */, const struct db_value *value);
	int (*step)(struct db_stmt *stmt); /* 1: a row; 0: done */
	/* Steps an INSERT of one row, and gives the id that the row got: by RETURNING, say, which
	 * costs SQLite a tenth of the whole. */
	int (*insert)(struct db_stmt *stmt, int64_t *ret_id);
	void (*reset)(struct db_stmt *stmt); /* and drops what is bound */
	/* Of the current row; columns from 0. Texts and bytes stay until the next step. */
	int (*column_count)(struct db_stmt *stmt);
	int64_t (*column_int64)(struct db_stmt *stmt, int column);
	const char *(*column_text)(struct db_stmt *stmt, int column);
	const void *(*column_bytes)(struct db_stmt *stmt, int column, size_t *ret_size);

	int64_t (*changes)(struct db_conn *conn); /* rows that the last statement changed */
	int (*now)(struct db_conn *conn, int64_t *ret_msecs);
	int (*format_get)(struct db_conn *conn, struct db_format *ret_format);
	int (*format_set)(struct db_conn *conn, const struct db_format *format);

	/* Notices commits of other processes. A watch is used by one thread at a time. */
	int (*watch_open)(const struct db_driver *driver, const char *path,
			  const struct db_key *key, struct db_watch **ret_watch);
	/* Sleeps until there may have been a commit since watch_open or the last call (1), or
	 * stop_fd is readable (0). May return 1 for a commit of this process, too. Wakes up a few
	 * times a minute at most while nothing happens. */
	int (*watch_wait)(struct db_watch *watch, int stop_fd);
	void (*watch_close)(struct db_watch *watch);

	const struct db_file_ops *file; /* NULL: the database is no file */
};

extern const struct db_driver db_sqlcipher;

/* The driver for a database at this path. */
const struct db_driver *db_driver_for(const char *path);
/* For tests: from now on every database is opened by this driver; NULL: by its own again. */
void db_driver_override(const struct db_driver *driver);
