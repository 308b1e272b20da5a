/*
 * The queue, seen by those who take from it. Those who fill it are in queue.c; what ends a job is
 * in job-finish.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/job-private.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/times.h"

void catalog_owner_new(char ret_owner[CATALOG_OWNER_SIZE])
{
	static _Atomic unsigned count;
	unsigned char bytes[12];
	unsigned number = ++count;

	if (crypto_random(bytes, sizeof bytes) < 0) {
		/* Still unique on this machine: who else has this pid at this time? */
		int64_t now = time_now_nsecs();
		int pid = getpid();

		memcpy(bytes, &now, sizeof now);
		memcpy(bytes + sizeof now, &pid, sizeof pid);
	}
	crypto_hex(bytes, sizeof bytes, ret_owner);
	snprintf(ret_owner + 24, CATALOG_OWNER_SIZE - 24, "-%x", number & 0xffffff);
}

/* ---- taking ---- */

struct candidate {
	int64_t job_id, due_msecs, running;
	enum catalog_job_kind kind;
	bool found;
	bool release_only; /* its worker died, and nobody may, or is to, go on with it now */
};

struct claim_workspace {
	int64_t id;
	bool keep_at_twilio, removed, storage_enabled;
};

static bool is_given_out(const struct claim_workspace *w, enum catalog_job_kind kind)
{
	switch (kind) {
	case CATALOG_JOB_MIGRATE:
		return w->storage_enabled && !w->removed;
	case CATALOG_JOB_CLEANUP_TWILIO:
		return !w->keep_at_twilio; /* those that were queued before it was set wait */
	default:
		return true;
	}
}

static int first_job(struct conn *conn, const char *sql, int64_t workspace_id,
		     struct candidate *candidate)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int err = conn_query(conn, &stmt, sql, "ii", workspace_id, (int64_t)candidate->kind);

	if (err == 0)
		err = conn_step(conn, stmt);
	if (err <= 0)
		return err < 0 ? err : -ENOENT;
	candidate->job_id = sqlite3_column_int64(stmt, 0);
	candidate->due_msecs = sqlite3_column_int64(stmt, 1);
	candidate->release_only |= sqlite3_column_int(stmt, 2);
	return 0;
}

/* Workspaces take turns: the one with the fewest running jobs of the kind goes first, so that a
 * slow one does not take all workers; within one, the oldest. */
static int consider(struct conn *conn, const struct claim_workspace *w, enum catalog_job_kind kind,
		    int64_t now, struct candidate *best, int64_t *next_msecs)
{
	struct candidate c = { .kind = kind, .found = true };
	int err;

	if (is_given_out(w, kind)) {
		err = first_job(
			conn,
			"SELECT id, due_msecs, pause_asked FROM job WHERE workspace_id = ?1 AND kind = ?2"
			" ORDER BY due_msecs, id LIMIT 1",
			w->id, &c);
	} else {
		err = first_job(
			conn,
			"SELECT id, due_msecs, 1 FROM job WHERE workspace_id = ?1 AND kind = ?2 AND state = 1"
			" ORDER BY due_msecs, id LIMIT 1",
			w->id, &c);
	}
	if (err)
		return err == -ENOENT ? 0 : err;
	if (c.due_msecs > now) {
		if (c.due_msecs < *next_msecs)
			*next_msecs = c.due_msecs;
		return 0;
	}
	err = conn_query_int(
		conn, &c.running,
		"SELECT count(*) FROM job WHERE workspace_id = ?1 AND kind = ?2 AND state = 1 AND due_msecs > ?3",
		"iii", w->id, (int64_t)kind, now);
	if (err)
		return err;
	if (!best->found || c.running < best->running ||
	    (c.running == best->running &&
	     (c.due_msecs < best->due_msecs ||
	      (c.due_msecs == best->due_msecs && c.job_id < best->job_id))))
		*best = c;
	return 0;
}

static int find_due(struct conn *conn, unsigned kinds, struct candidate *ret_best,
		    int64_t *ret_next_msecs)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int64_t now = time_now_msecs();
	int err = conn_query(
		conn, &stmt,
		"SELECT w.id, w.keep_at_twilio, w.removed, coalesce(s.enabled, 0) FROM workspace w"
		" LEFT JOIN storage s ON s.workspace_id = w.id"
		" WHERE w.removed = 0 OR EXISTS (SELECT 1 FROM job j WHERE j.workspace_id = w.id)",
		"");

	memset(ret_best, 0, sizeof *ret_best);
	*ret_next_msecs = INT64_MAX;
	while (err == 0 && (err = conn_step(conn, stmt)) > 0) {
		struct claim_workspace w = {
			.id = sqlite3_column_int64(stmt, 0),
			.keep_at_twilio = sqlite3_column_int(stmt, 1),
			.removed = sqlite3_column_int(stmt, 2),
			.storage_enabled = sqlite3_column_int(stmt, 3),
		};

		err = 0;
		for (unsigned kind = 1; kind <= CATALOG_JOB_TOMBSTONE && err == 0; kind <<= 1)
			if (kinds & kind)
				err = consider(conn, &w, kind, now, ret_best, ret_next_msecs);
		if (err == 0)
			continue;
		break;
	}
	return err;
}

/* Does the job still make sense where its recording is now? */
static bool is_in_place(enum catalog_job_kind kind, enum catalog_state state)
{
	switch (kind) {
	case CATALOG_JOB_MIGRATE:
		return state == CATALOG_STATE_TWILIO || state == CATALOG_STATE_UPLOADING;
	case CATALOG_JOB_CLEANUP_TWILIO:
		return state == CATALOG_STATE_STORED || state == CATALOG_STATE_DELETED;
	default:
		return state == CATALOG_STATE_DELETED;
	}
}

struct claim_arg {
	unsigned kinds;
	const char *owner;
	int64_t lease_msecs, next_msecs;
	struct catalog_job job;
	bool found;
};

static int claim(struct conn *conn, struct claim_arg *a, const struct candidate *c, bool *ret_taken)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct catalog_job *job = &a->job;
	int64_t recording_id;
	int err;

	memset(job, 0, sizeof *job);
	job->id = c->job_id;
	job->kind = c->kind;
	err = conn_query_int(conn, &recording_id, "SELECT recording_id FROM job WHERE id = ?", "i",
			     c->job_id);
	if (err == 0)
		err = recording_load(conn, recording_id, &job->recording);
	if (err)
		return err;
	job->workspace_id = job->recording.workspace_id;
	if (c->release_only)
		return job_let_go(conn, job, time_now_msecs());
	if (!is_in_place(c->kind, job->recording.state)) {
		err = conn_run(conn, "DELETE FROM job WHERE id = ?", "i", c->job_id);
		return err ? err : workspace_settle(conn, job->workspace_id);
	}
	job->lease_until_msecs = time_now_msecs() + a->lease_msecs;
	snprintf(job->owner, sizeof job->owner, "%s", a->owner);
	err = conn_query(
		conn, &stmt,
		"UPDATE job SET state = 1, owner = ?2, due_msecs = ?3, attempts = attempts + 1,"
		" was_sent = was_sent OR kind = 1, done_bytes = 0, total_bytes = 0 WHERE id = ?1"
		" RETURNING attempts, was_sent",
		"isi", c->job_id, job->owner, job->lease_until_msecs);
	if (err == 0)
		err = conn_step(conn, stmt);
	if (err <= 0)
		return err < 0 ? err : -EIO;
	job->attempts = (unsigned)sqlite3_column_int(stmt, 0);
	job->was_sent = sqlite3_column_int(stmt, 1);
	while (err > 0)
		err = conn_step(conn, stmt);
	if (err == 0 && c->kind == CATALOG_JOB_MIGRATE) {
		err = conn_run(conn, "UPDATE recording SET state = 2, migration = 2 WHERE id = ?",
			       "i", recording_id);
		job->recording.state = CATALOG_STATE_UPLOADING;
		job->recording.migration = CATALOG_MIGRATION_RUNNING;
	}
	*ret_taken = err == 0;
	return err;
}

static int write_claim(struct catalog *catalog, struct conn *conn, void *arg)
{
	struct claim_arg *a = arg;
	int err = 0;

	(void)catalog;
	a->found = false;
	while (err == 0 && !a->found) {
		struct candidate best;

		err = find_due(conn, a->kinds, &best, &a->next_msecs);
		if (err || !best.found)
			break;
		err = claim(conn, a, &best, &a->found);
	}
	return err;
}

/* Who only looks takes no write lock, and wakes nobody. */
static int is_due(struct catalog *catalog, unsigned kinds, int64_t *ret_next_msecs)
{
	cleanup_conn struct conn_guard read = { catalog, NULL };
	struct candidate best;
	int err = catalog_read_begin(catalog, &read.conn);

	if (err == 0)
		err = find_due(read.conn, kinds, &best, ret_next_msecs);
	if (err)
		return err;
	return best.found ? 0 : -ENOENT;
}

int catalog_job_claim(struct catalog *catalog, unsigned kinds, const char *owner,
		      int64_t lease_msecs, struct catalog_job *ret_job, int64_t *ret_next_msecs)
{
	/* Of each kind, whether the last look found one: then looking first would only cost, and
	 * that much, for a reader's pages are stale after each commit. A hint, no more. */
	static _Atomic unsigned found_kinds;
	struct claim_arg a = { .kinds = kinds, .owner = owner, .lease_msecs = lease_msecs };
	int err = 0;

	*ret_next_msecs = INT64_MAX;
	if ((found_kinds & kinds) == 0)
		err = is_due(catalog, kinds, ret_next_msecs);
	if (err == 0)
		err = catalog_write(catalog, write_claim, &a);
	if (err)
		return err;
	*ret_next_msecs = a.next_msecs;
	if (!a.found) {
		found_kinds &= ~kinds;
		return -ENOENT;
	}
	found_kinds |= a.job.kind;
	*ret_job = a.job;
	return 0;
}
