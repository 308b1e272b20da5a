/*
 * A driver that wraps another one and lets operations fail by a seed. Only test programs link it.
 */
#include "helper_db_faulty.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "util/cleanup.h"
#include "util/wait.h"

#define SLOW_MSECS 3

struct db_faulty {
	struct db_driver driver;
	const struct db_driver *inner;
	pthread_mutex_t mutex; /* guards the rest */
	uint64_t state;
	unsigned per_thousand[DB_FAULT_COUNT];
	unsigned long counts[DB_FAULT_COUNT];
};

struct faulty_conn {
	struct db_conn base;
	struct db_conn *inner;
};

struct faulty_stmt {
	struct db_stmt base;
	struct db_stmt *inner;
};

static struct db_faulty *faulty_of(const struct db_driver *driver)
{
	return container_of((struct db_driver *)driver, struct db_faulty, driver);
}

static struct db_conn *inner_conn(struct db_conn *conn)
{
	return ((struct faulty_conn *)conn)->inner;
}

static struct db_stmt *inner_stmt(struct db_stmt *stmt)
{
	return ((struct faulty_stmt *)stmt)->inner;
}

static const struct db_driver *inner_driver(const struct db_conn *conn)
{
	return faulty_of(conn->driver)->inner;
}

/* splitmix64 */
static uint64_t random_next(struct db_faulty *faulty)
{
	uint64_t z = faulty->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static bool strikes(struct db_conn *conn, enum db_fault fault)
{
	struct db_faulty *faulty = faulty_of(conn->driver);
	bool does;

	pthread_mutex_lock(&faulty->mutex);
	does = faulty->per_thousand[fault] &&
	       random_next(faulty) % 1000 < faulty->per_thousand[fault];
	faulty->counts[fault] += does;
	pthread_mutex_unlock(&faulty->mutex);
	return does;
}

/* What the inner driver has said of its error. */
static int pass_on(struct db_conn *conn, int err)
{
	struct db_conn *inner = inner_conn(conn);

	conn->is_lost |= inner->is_lost;
	return err < 0 ? db_fail(conn, inner->failure, err) : err;
}

static void undo(struct db_conn *conn)
{
	if (inner_driver(conn)->in_transaction(inner_conn(conn)))
		inner_driver(conn)->transact(inner_conn(conn), DB_ROLLBACK);
}

static int lose(struct db_conn *conn, enum db_failure failure, int err)
{
	undo(conn);
	conn->is_lost = true;
	return db_fail(conn, failure, err);
}

/* A fault instead of the operation, or 0. */
static int fault(struct db_conn *conn)
{
	if (conn->is_lost)
		return db_fail(conn, DB_FAILURE_RETRY, -ENOTCONN);
	if (strikes(conn, DB_FAULT_SLOW))
		sleep_msecs(SLOW_MSECS, NULL);
	if (strikes(conn, DB_FAULT_LOST))
		return lose(conn, DB_FAILURE_RETRY, -ENOTCONN);
	if (strikes(conn, DB_FAULT_BUSY)) {
		undo(conn);
		return db_fail(conn, DB_FAILURE_RETRY, -EAGAIN);
	}
	if (strikes(conn, DB_FAULT_IO))
		return db_fail(conn, DB_FAILURE_OTHER, -EIO);
	return 0;
}

/* ---- connections ---- */

static int open_conn(const struct db_driver *driver, const char *path, const struct db_key *key,
		     enum db_access access, struct db_conn **ret_conn)
{
	const struct db_driver *inner = faulty_of(driver)->inner;
	struct faulty_conn *conn = calloc(1, sizeof *conn);
	int err = conn ? inner->open(inner, path, key, access, &conn->inner) : -ENOMEM;

	if (err) {
		free(conn);
		return err;
	}
	conn->base.driver = driver;
	*ret_conn = &conn->base;
	return 0;
}

static void close_conn(struct db_conn *conn)
{
	db_conn_close(inner_conn(conn));
	free(conn);
}

static int start(struct db_conn *conn)
{
	return pass_on(conn, inner_driver(conn)->start(inner_conn(conn)));
}

static int commit(struct db_conn *conn)
{
	int err;

	if (strikes(conn, DB_FAULT_UNDONE))
		return lose(conn, DB_FAILURE_UNKNOWN, -ECONNABORTED);
	err = inner_driver(conn)->transact(inner_conn(conn), DB_COMMIT);
	if (err == 0 && strikes(conn, DB_FAULT_UNKNOWN))
		return lose(conn, DB_FAILURE_UNKNOWN, -ECONNABORTED);
	return pass_on(conn, err);
}

static int transact(struct db_conn *conn, enum db_verb verb)
{
	int err = verb == DB_ROLLBACK ? 0 : fault(conn);

	if (err)
		return err;
	if (verb == DB_COMMIT)
		return commit(conn);
	return pass_on(conn, inner_driver(conn)->transact(inner_conn(conn), verb));
}

static bool in_transaction(struct db_conn *conn)
{
	return inner_driver(conn)->in_transaction(inner_conn(conn));
}

/* ---- statements ---- */

static int exec(struct db_conn *conn, const char *script)
{
	int err = fault(conn);

	return err ? err : pass_on(conn, inner_driver(conn)->exec(inner_conn(conn), script));
}

static int prepare(struct db_conn *conn, const char *sql, struct db_stmt **ret_stmt)
{
	struct faulty_stmt *stmt = calloc(1, sizeof *stmt);
	int err;

	if (!stmt)
		return db_fail(conn, DB_FAILURE_OTHER, -ENOMEM);
	err = pass_on(conn, inner_driver(conn)->prepare(inner_conn(conn), sql, &stmt->inner));
	if (err) {
		free(stmt);
		return err;
	}
	stmt->inner->conn = inner_conn(conn);
	*ret_stmt = &stmt->base;
	return 0;
}

static void finalize(struct db_stmt *stmt)
{
	inner_driver(stmt->conn)->finalize(inner_stmt(stmt));
	free(stmt);
}

static int bind(struct db_stmt *stmt, int parameter, const struct db_value *value)
{
	return pass_on(stmt->conn,
		       inner_driver(stmt->conn)->bind(inner_stmt(stmt), parameter, value));
}

/* Also between two rows, where a connection breaks or a list is cut off. */
static int step(struct db_stmt *stmt)
{
	int err = fault(stmt->conn);

	return err ? err : pass_on(stmt->conn, inner_driver(stmt->conn)->step(inner_stmt(stmt)));
}

static int insert(struct db_stmt *stmt, int64_t *ret_id)
{
	int err = fault(stmt->conn);

	return err ? err
		   : pass_on(stmt->conn,
			     inner_driver(stmt->conn)->insert(inner_stmt(stmt), ret_id));
}

static void reset(struct db_stmt *stmt)
{
	inner_driver(stmt->conn)->reset(inner_stmt(stmt));
}

static int column_count(struct db_stmt *stmt)
{
	return inner_driver(stmt->conn)->column_count(inner_stmt(stmt));
}

static int64_t column_int64(struct db_stmt *stmt, int column)
{
	return inner_driver(stmt->conn)->column_int64(inner_stmt(stmt), column);
}

static const char *column_text(struct db_stmt *stmt, int column)
{
	return inner_driver(stmt->conn)->column_text(inner_stmt(stmt), column);
}

static const void *column_bytes(struct db_stmt *stmt, int column, size_t *ret_size)
{
	return inner_driver(stmt->conn)->column_bytes(inner_stmt(stmt), column, ret_size);
}

static int64_t changes(struct db_conn *conn)
{
	return inner_driver(conn)->changes(inner_conn(conn));
}

static int now(struct db_conn *conn, int64_t *ret_msecs)
{
	int err = fault(conn);

	return err ? err : pass_on(conn, inner_driver(conn)->now(inner_conn(conn), ret_msecs));
}

static int format_get(struct db_conn *conn, struct db_format *ret_format)
{
	int err = fault(conn);

	return err ? err
		   : pass_on(conn, inner_driver(conn)->format_get(inner_conn(conn), ret_format));
}

static int format_set(struct db_conn *conn, const struct db_format *format)
{
	int err = fault(conn);

	return err ? err : pass_on(conn, inner_driver(conn)->format_set(inner_conn(conn), format));
}

/* ---- the rest has no faults ---- */

static int watch_open(const struct db_driver *driver, const char *path, const struct db_key *key,
		      struct db_watch **ret_watch)
{
	const struct db_driver *inner = faulty_of(driver)->inner;

	return inner->watch_open(inner, path, key, ret_watch);
}

static bool is_moved(struct db_conn *conn)
{
	return inner_driver(conn)->file->is_moved(inner_conn(conn));
}

struct db_faulty *db_faulty_new(const struct db_driver *inner, uint64_t seed)
{
	static const struct db_file_ops file = { .is_moved = is_moved };
	struct db_faulty *faulty = calloc(1, sizeof *faulty);

	if (!faulty)
		return NULL;
	*faulty = (struct db_faulty){
		.driver = {
			.name = "faulty",
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
			.watch_open = watch_open,
			.watch_wait = inner->watch_wait,
			.watch_close = inner->watch_close,
			.file = inner->file ? &file : NULL,
		},
		.inner = inner,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.state = seed,
	};
	return faulty;
}

void db_faulty_free(struct db_faulty *faulty)
{
	free(faulty);
}

const struct db_driver *db_faulty_driver(struct db_faulty *faulty)
{
	return &faulty->driver;
}

void db_faulty_set(struct db_faulty *faulty, enum db_fault fault, unsigned per_thousand)
{
	pthread_mutex_lock(&faulty->mutex);
	faulty->per_thousand[fault] = per_thousand;
	pthread_mutex_unlock(&faulty->mutex);
}

unsigned long db_faulty_count(struct db_faulty *faulty, enum db_fault fault)
{
	unsigned long count;

	pthread_mutex_lock(&faulty->mutex);
	count = faulty->counts[fault];
	pthread_mutex_unlock(&faulty->mutex);
	return count;
}
