/*
 * Group commit. Threads that want to write queue an operation; the first that finds no leader becomes it, takes the whole queue into one
 * transaction (a savepoint each, so that one that fails undoes only itself) and commits once for all. Savepoints cost, and few operations
 * fail: where all of a batch may run twice it is tried without first.
 */
#include <errno.h>

#include "catalog/conn.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/times.h"

struct write_op {
	struct write_op *next;
	catalog_write_fn *fn;
	void *arg;
	bool is_repeatable;
	int result;
	bool done;
	pthread_cond_t
		cond; /* done, or its turn to lead: of its own, so that a commit wakes nobody in vain */
};

/* A mount of an older version beside a newer command line must not write into tables that it does not know. */
static int check_version(struct conn *conn)
{
	int64_t version;
	int err = conn_query_int(conn, &version, "PRAGMA user_version", "");

	if (err)
		return err;
	return version == catalog_schema_version ? 0 : -EPROTONOSUPPORT;
}

static int run_one(struct catalog *catalog, struct write_op *op)
{
	struct conn *conn = catalog->writer;
	int err = conn_run(conn, "SAVEPOINT op", "");

	if (err)
		return err;
	op->result = op->fn(catalog, conn, op->arg);
	if (sqlite3_get_autocommit(conn_db(conn)))
		return op->result < 0 ? op->result
				      : -EIO; /* SQLite gave the transaction up (disk full) */
	if (op->result < 0) {
		err = conn_run(conn, "ROLLBACK TO op", "");
		if (err)
			return err;
	}
	return conn_run(conn, "RELEASE op", "");
}

static int run_each(struct catalog *catalog, struct write_op *first)
{
	int err = 0;

	/* One alone needs no savepoint: its failure undoes the transaction. That matters, for within a savepoint SQLite walks
	 * the list of all pages changed so far at the end of every statement. */
	if (!first->next) {
		first->result = first->fn(catalog, catalog->writer, first->arg);
		if (sqlite3_get_autocommit(conn_db(catalog->writer)) && first->result >= 0)
			return -EIO;
		return first->result < 0 ? first->result : 0;
	}
	for (struct write_op *op = first; op && err == 0; op = op->next)
		err = run_one(catalog, op);
	return err;
}

static bool are_repeatable(const struct write_op *op)
{
	while (op && op->is_repeatable)
		op = op->next;
	return !op;
}

/* All or nothing: negative where one fails, whichever. */
static int run_together(struct catalog *catalog, struct write_op *first)
{
	for (struct write_op *op = first; op; op = op->next) {
		op->result = op->fn(catalog, catalog->writer, op->arg);
		if (op->result < 0)
			return op->result;
		if (sqlite3_get_autocommit(conn_db(catalog->writer)))
			return -EIO;
	}
	return 0;
}

static void roll_back(struct conn *conn)
{
	if (!sqlite3_get_autocommit(conn_db(conn)))
		conn_run(conn, "ROLLBACK", "");
}

/* One transaction. Undone where it fails. */
static int transact(struct catalog *catalog, struct write_op *first,
		    int run(struct catalog *catalog, struct write_op *first))
{
	struct conn *conn = catalog->writer;
	int err;

	fault_busy_begin();
	err = conn_run(conn, "BEGIN IMMEDIATE", "");
	if (err == 0)
		err = check_version(conn);
	if (err == 0)
		err = run(catalog, first);
	if (err == 0)
		err = conn_run(conn, "COMMIT", "");
	if (err)
		roll_back(conn);
	fault_busy_end();
	return err;
}

static bool has_failed(const struct write_op *op)
{
	while (op && op->result >= 0)
		op = op->next;
	return op;
}

static void run_batch(struct catalog *catalog, struct write_op *first)
{
	bool together = first->next && are_repeatable(first);
	int err = transact(catalog, first, together ? run_together : run_each);

	/* One has: the others are not to suffer from it. */
	if (err && together && has_failed(first))
		err = transact(catalog, first, run_each);
	/* Nothing of the batch has happened. */
	for (struct write_op *op = first; op && err; op = op->next)
		op->result = err;
}

static int write_op(struct catalog *catalog, catalog_write_fn *fn, void *arg, bool is_repeatable)
{
	struct write_op op = { .fn = fn,
			       .arg = arg,
			       .is_repeatable = is_repeatable,
			       .cond = PTHREAD_COND_INITIALIZER };

	pthread_mutex_lock(&catalog->write_mutex);
	*catalog->write_last = &op;
	catalog->write_last = &op.next;
	while (!op.done && catalog->write_busy)
		pthread_cond_wait(&op.cond, &catalog->write_mutex);
	if (!op.done) {
		struct write_op *batch = catalog->write_first;

		catalog->write_busy = true;
		catalog->write_first = NULL;
		catalog->write_last = &catalog->write_first;
		pthread_mutex_unlock(&catalog->write_mutex);
		run_batch(catalog, batch);
		catalog_generation_advance(catalog);
		pthread_mutex_lock(&catalog->write_mutex);
		catalog->write_busy = false;
		for (struct write_op *next; batch; batch = next) {
			next = batch->next; /* its owner may be gone once done is set and the mutex free */
			batch->done = true;
			pthread_cond_signal(&batch->cond);
		}
		if (catalog->write_first)
			pthread_cond_signal(&catalog->write_first->cond);
	}
	pthread_mutex_unlock(&catalog->write_mutex);
	pthread_cond_destroy(&op.cond);
	return op.result;
}

int catalog_write(struct catalog *catalog, catalog_write_fn *fn, void *arg)
{
	return write_op(catalog, fn, arg, false);
}

int catalog_write_repeatable(struct catalog *catalog, catalog_write_fn *fn, void *arg)
{
	return write_op(catalog, fn, arg, true);
}

int catalog_read_begin(struct catalog *catalog, struct conn **ret_conn)
{
	struct conn *conn = NULL;
	int err = 0;

	pthread_mutex_lock(&catalog->read_mutex);
	while (!catalog->reader_idle &&
	       catalog->reader_count == sizeof catalog->readers / sizeof *catalog->readers)
		pthread_cond_wait(&catalog->read_cond, &catalog->read_mutex);
	if (catalog->reader_idle)
		conn = catalog->readers[--catalog->reader_idle];
	else
		catalog->reader_count++;
	pthread_mutex_unlock(&catalog->read_mutex);
	if (!conn) {
		err = conn_open(catalog->path, catalog->key, CONN_READER, &conn);
		if (err) {
			pthread_mutex_lock(&catalog->read_mutex);
			catalog->reader_count--;
			pthread_cond_signal(&catalog->read_cond);
			pthread_mutex_unlock(&catalog->read_mutex);
			return err;
		}
	}
	*ret_conn = conn;
	return 0;
}

void catalog_read_end(struct catalog *catalog, struct conn *conn)
{
	pthread_mutex_lock(&catalog->read_mutex);
	catalog->readers[catalog->reader_idle++] = conn;
	pthread_cond_signal(&catalog->read_cond);
	pthread_mutex_unlock(&catalog->read_mutex);
}

void conn_guard_release(struct conn_guard *guard)
{
	if (guard->conn)
		catalog_read_end(guard->catalog, guard->conn);
}

/* ---- waiting for changes ---- */

#define WATCH_INTERVAL_MSECS 500

void catalog_generation_advance(struct catalog *catalog)
{
	pthread_mutex_lock(&catalog->watch_mutex);
	catalog->generation++;
	pthread_cond_broadcast(&catalog->watch_cond);
	pthread_mutex_unlock(&catalog->watch_mutex);
}

void catalog_wake(struct catalog *catalog)
{
	catalog_generation_advance(catalog);
}

/* With watch_mutex held: has another connection committed? Asked at most every half second, however many wait. */
static void watch(struct catalog *catalog)
{
	int64_t now = time_mono_msecs(), version;

	if (now - catalog->watched_at_msecs < WATCH_INTERVAL_MSECS)
		return;
	catalog->watched_at_msecs = now;
	if (conn_query_int(catalog->watcher, &version, "PRAGMA data_version", "") == 0 &&
	    version != catalog->data_version) {
		catalog->data_version = version;
		catalog->generation++;
		pthread_cond_broadcast(&catalog->watch_cond);
	}
}

int catalog_wait(struct catalog *catalog, uint64_t *generation, unsigned timeout_msecs)
{
	int64_t end = time_mono_msecs() + timeout_msecs;
	int err = 0;

	pthread_mutex_lock(&catalog->watch_mutex);
	for (;;) {
		struct timespec at;
		int64_t left;

		watch(catalog);
		if (catalog->generation != *generation)
			break;
		left = end - time_mono_msecs();
		if (left <= 0) {
			err = -ETIMEDOUT;
			break;
		}
		if (left > WATCH_INTERVAL_MSECS)
			left = WATCH_INTERVAL_MSECS;
		clock_gettime(CLOCK_MONOTONIC, &at);
		at.tv_sec += left / 1000;
		at.tv_nsec += left % 1000 * 1000000;
		if (at.tv_nsec >= 1000000000) {
			at.tv_sec++;
			at.tv_nsec -= 1000000000;
		}
		pthread_cond_timedwait(&catalog->watch_cond, &catalog->watch_mutex, &at);
	}
	*generation = catalog->generation;
	pthread_mutex_unlock(&catalog->watch_mutex);
	return err;
}
