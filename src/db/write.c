/*
 * Group commit. Threads that want to write queue an operation; the first that finds no leader becomes it, takes the whole queue into one
 * transaction (a savepoint each, so that one that fails undoes only itself) and commits once for all. Savepoints cost, and few operations
 * fail: where all of a batch may run twice it is tried without first.
 */
#include <errno.h>

#include "db/db-private.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/times.h"

struct write_op {
	struct write_op *next;
	db_write_fn *fn;
	void *arg;
	bool is_repeatable;
	int result;
	bool done;
	pthread_cond_t
		cond; /* done, or its turn to lead: of its own, so that a commit wakes nobody in vain */
};

/* A mount of an older version beside a newer command line must not write into tables that it does not know. */
static int check_version(struct db *db)
{
	int64_t version;
	int err = db_query_int(db->writer, &version, "PRAGMA user_version", "");

	if (err)
		return err;
	return version == db->schema_version ? 0 : -EPROTONOSUPPORT;
}

static int run_one(struct db *db, struct write_op *op)
{
	struct db_conn *conn = db->writer;
	int err = db_run(conn, "SAVEPOINT op", "");

	if (err)
		return err;
	op->result = op->fn(conn, op->arg);
	if (!db_in_transaction(conn))
		return op->result < 0 ? op->result
				      : -EIO; /* SQLite gave the transaction up (disk full) */
	if (op->result < 0) {
		err = db_run(conn, "ROLLBACK TO op", "");
		if (err)
			return err;
	}
	return db_run(conn, "RELEASE op", "");
}

static int run_each(struct db *db, struct write_op *first)
{
	int err = 0;

	/* One alone needs no savepoint: its failure undoes the transaction. That matters, for within a savepoint SQLite walks
	 * the list of all pages changed so far at the end of every statement. */
	if (!first->next) {
		first->result = first->fn(db->writer, first->arg);
		if (!db_in_transaction(db->writer) && first->result >= 0)
			return -EIO;
		return first->result < 0 ? first->result : 0;
	}
	for (struct write_op *op = first; op && err == 0; op = op->next)
		err = run_one(db, op);
	return err;
}

static bool are_repeatable(const struct write_op *op)
{
	while (op && op->is_repeatable)
		op = op->next;
	return !op;
}

/* All or nothing: negative where one fails, whichever. */
static int run_together(struct db *db, struct write_op *first)
{
	for (struct write_op *op = first; op; op = op->next) {
		op->result = op->fn(db->writer, op->arg);
		if (op->result < 0)
			return op->result;
		if (!db_in_transaction(db->writer))
			return -EIO;
	}
	return 0;
}

static void roll_back(struct db_conn *conn)
{
	if (db_in_transaction(conn))
		db_run(conn, "ROLLBACK", "");
}

/* One transaction. Undone where it fails. */
static int transact(struct db *db, struct write_op *first,
		    int run(struct db *db, struct write_op *first))
{
	struct db_conn *conn = db->writer;
	int err;

	fault_busy_begin();
	err = db_run(conn, "BEGIN IMMEDIATE", "");
	if (err == 0)
		err = check_version(db);
	if (err == 0)
		err = run(db, first);
	if (err == 0)
		err = db_run(conn, "COMMIT", "");
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

static void run_batch(struct db *db, struct write_op *first)
{
	bool together = first->next && are_repeatable(first);
	int err = transact(db, first, together ? run_together : run_each);

	/* One has: the others are not to suffer from it. */
	if (err && together && has_failed(first))
		err = transact(db, first, run_each);
	/* Nothing of the batch has happened. */
	for (struct write_op *op = first; op && err; op = op->next)
		op->result = err;
}

static int write_op(struct db *db, db_write_fn *fn, void *arg, bool is_repeatable)
{
	struct write_op op = { .fn = fn,
			       .arg = arg,
			       .is_repeatable = is_repeatable,
			       .cond = PTHREAD_COND_INITIALIZER };

	pthread_mutex_lock(&db->write_mutex);
	*db->write_last = &op;
	db->write_last = &op.next;
	while (!op.done && db->write_busy)
		pthread_cond_wait(&op.cond, &db->write_mutex);
	if (!op.done) {
		struct write_op *batch = db->write_first;

		db->write_busy = true;
		db->write_first = NULL;
		db->write_last = &db->write_first;
		pthread_mutex_unlock(&db->write_mutex);
		run_batch(db, batch);
		db_wake(db);
		pthread_mutex_lock(&db->write_mutex);
		db->write_busy = false;
		for (struct write_op *next; batch; batch = next) {
			next = batch->next; /* its owner may be gone once done is set and the mutex free */
			batch->done = true;
			pthread_cond_signal(&batch->cond);
		}
		if (db->write_first)
			pthread_cond_signal(&db->write_first->cond);
	}
	pthread_mutex_unlock(&db->write_mutex);
	pthread_cond_destroy(&op.cond);
	return op.result;
}

int db_write(struct db *db, db_write_fn *fn, void *arg)
{
	return write_op(db, fn, arg, false);
}

int db_write_repeatable(struct db *db, db_write_fn *fn, void *arg)
{
	return write_op(db, fn, arg, true);
}

int db_read_begin(struct db *db, struct db_conn **ret_conn)
{
	struct db_conn *conn = NULL;
	int err = 0;

	pthread_mutex_lock(&db->read_mutex);
	while (!db->reader_idle && db->reader_count == sizeof db->readers / sizeof *db->readers)
		pthread_cond_wait(&db->read_cond, &db->read_mutex);
	if (db->reader_idle)
		conn = db->readers[--db->reader_idle];
	else
		db->reader_count++;
	pthread_mutex_unlock(&db->read_mutex);
	if (!conn) {
		err = db_conn_open(db->path, db->key, DB_READER, &conn);
		if (err) {
			pthread_mutex_lock(&db->read_mutex);
			db->reader_count--;
			pthread_cond_signal(&db->read_cond);
			pthread_mutex_unlock(&db->read_mutex);
			return err;
		}
	}
	db_conn_own(conn, db);
	*ret_conn = conn;
	return 0;
}

void db_read_end(struct db_conn **conn)
{
	struct db *db = *conn ? db_conn_owner(*conn) : NULL;

	if (!db)
		return;
	pthread_mutex_lock(&db->read_mutex);
	db->readers[db->reader_idle++] = *conn;
	pthread_cond_signal(&db->read_cond);
	pthread_mutex_unlock(&db->read_mutex);
	*conn = NULL;
}

/* ---- waiting for changes ---- */

#define WATCH_INTERVAL_MSECS 500

void db_wake(struct db *db)
{
	pthread_mutex_lock(&db->watch_mutex);
	db->generation++;
	pthread_cond_broadcast(&db->watch_cond);
	pthread_mutex_unlock(&db->watch_mutex);
}

/* With watch_mutex held: has another connection committed? Asked at most every half second, however many wait. */
static void watch(struct db *db)
{
	int64_t now = time_mono_msecs(), version;

	if (now - db->watched_at_msecs < WATCH_INTERVAL_MSECS)
		return;
	db->watched_at_msecs = now;
	if (db_query_int(db->watcher, &version, "PRAGMA data_version", "") == 0 &&
	    version != db->data_version) {
		db->data_version = version;
		db->generation++;
		pthread_cond_broadcast(&db->watch_cond);
	}
}

int db_wait(struct db *db, uint64_t *generation, unsigned timeout_msecs)
{
	int64_t end = time_mono_msecs() + timeout_msecs;
	int err = 0;

	pthread_mutex_lock(&db->watch_mutex);
	for (;;) {
		struct timespec at;
		int64_t left;

		watch(db);
		if (db->generation != *generation)
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
		pthread_cond_timedwait(&db->watch_cond, &db->watch_mutex, &at);
	}
	*generation = db->generation;
	pthread_mutex_unlock(&db->watch_mutex);
	return err;
}
