/* Group commit. Threads that want to write queue an operation; the first that finds no leader
 * becomes it, runs the whole queue in one transaction and commits once for all. Where one operation
 * fails, all are undone and run again with a savepoint each, so that only that one is undone.
 * Savepoints from the start would cost more: SQLite then walks the list of all changed pages at the
 * end of every statement, and few operations fail. */
#include <errno.h>

#include "db/db-private.h"
#include "util/fault.h"
#include "util/times.h"
#include "util/wait.h"

#define TRIES_LIMIT 10
#define PAUSE_MIN_MSECS 5
#define PAUSE_MAX_MSECS 1000

struct write_op {
	struct write_op *next;
	db_write_fn *fn;
	void *arg;
	int result;
	bool is_done;
	/* Signalled when it is done, or its turn to lead. One condition for all would wake every
	 * waiting thread at each commit. */
	pthread_cond_t cond;
};

struct batch {
	struct db *db;
	struct write_op *first;
	bool is_each_alone;
};

/* A mount of an older version beside a newer command line must not write into tables that it does
 * not know. */
static int check_version(struct db *db)
{
	struct db_format format;
	int err = db_format_get(db->writer, &format);

	if (err)
		return err;
	return format.schema_version == db->schema_version ? 0 : -EPROTONOSUPPORT;
}

/* Returns fn's return, or an error of a statement that fn did not return. */
static int run(struct db_conn *conn, struct write_op *op)
{
	int err = op->fn(conn, op->arg);

	return err >= 0 && conn->failed ? conn->failed : err;
}

/* Fails only with what undoes the whole transaction. */
static int run_alone(struct db_conn *conn, struct write_op *op)
{
	int err = db_verb(conn, DB_SAVEPOINT);

	if (err)
		return err;
	op->result = run(conn, op);
	/* The engine has undone the transaction (a full disk), or all of it is to be repeated. */
	if (op->result < 0 && (!conn->driver->in_transaction(conn) || conn->is_lost ||
			       (conn->failed && conn->failure == DB_FAILURE_RETRY)))
		return op->result;
	if (op->result < 0)
		err = db_verb(conn, DB_ROLLBACK_TO);
	return err ? err : db_verb(conn, DB_RELEASE);
}

static int run_batch(struct db_conn *conn, void *arg)
{
	const struct batch *batch = arg;
	int err = check_version(batch->db);

	for (struct write_op *op = batch->first; op; op = op->next)
		op->result = 0;
	for (struct write_op *op = batch->first; op && err >= 0; op = op->next)
		err = batch->is_each_alone ? run_alone(conn, op) : (op->result = run(conn, op));
	return err;
}

/* ---- trying again ---- */

static int writer_reopen(struct db *db)
{
	int err;

	if (db->writer && !db->writer->is_lost)
		return 0;
	db_conn_close(db->writer);
	db->writer = NULL;
	err = db_connect(db->driver, db->path, db->key, DB_ACCESS_WRITE, &db->writer);
	if (err == 0)
		err = db->driver->start(db->writer);
	if (err && db->writer)
		db->writer->is_lost = true;
	return err;
}

static int attempt(struct db *db, struct batch *batch, bool *ret_may_retry)
{
	int err = writer_reopen(db);

	*ret_may_retry = true; /* the server may be away for a moment */
	if (err)
		return err;
	fault_busy_begin();
	err = db_transact(db->writer, run_batch, batch);
	fault_busy_end();
	*ret_may_retry = db->writer->failure == DB_FAILURE_RETRY;
	return err;
}

static bool has_failed(const struct write_op *op)
{
	while (op && op->result >= 0)
		op = op->next;
	return op;
}

static void commit(struct db *db, struct write_op *first)
{
	int64_t deadline = time_mono_msecs() + DB_DEADLINE_MSECS, pause = PAUSE_MIN_MSECS;
	struct batch batch = { .db = db, .first = first };
	bool may_retry;
	int err;

	for (unsigned tries = 1;; tries++) {
		err = attempt(db, &batch, &may_retry);
		if (err && !may_retry && has_failed(first) && first->next && !batch.is_each_alone) {
			batch.is_each_alone = true;
			err = attempt(db, &batch, &may_retry);
		}
		if (err == 0 || !may_retry || tries == TRIES_LIMIT ||
		    time_mono_msecs() + pause >= deadline)
			break;
		sleep_msecs(pause, NULL);
		pause = pause * 2 < PAUSE_MAX_MSECS ? pause * 2 : PAUSE_MAX_MSECS;
	}
	/* All of the batch was undone, or its outcome is unknown. */
	for (struct write_op *op = first; op && err; op = op->next)
		op->result = err;
}

int db_write(struct db *db, db_write_fn *fn, void *arg)
{
	struct write_op op = { .fn = fn, .arg = arg, .cond = PTHREAD_COND_INITIALIZER };

	pthread_mutex_lock(&db->write_mutex);
	*db->write_last = &op;
	db->write_last = &op.next;
	/* Without a deadline: the leader has one. */
	while (!op.is_done && db->write_busy)
		pthread_cond_wait(&op.cond, &db->write_mutex);
	if (!op.is_done) {
		struct write_op *batch = db->write_first;

		db->write_busy = true;
		db->write_first = NULL;
		db->write_last = &db->write_first;
		pthread_mutex_unlock(&db->write_mutex);
		commit(db, batch);
		db_wake(db);
		pthread_mutex_lock(&db->write_mutex);
		db->write_busy = false;
		for (struct write_op *next; batch; batch = next) {
			next = batch->next; /* once is_done is set, the owner may return */
			batch->is_done = true;
			pthread_cond_signal(&batch->cond);
		}
		if (db->write_first)
			pthread_cond_signal(&db->write_first->cond);
	}
	pthread_mutex_unlock(&db->write_mutex);
	pthread_cond_destroy(&op.cond);
	return op.result;
}
