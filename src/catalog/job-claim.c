/* Taking jobs from the queue: several in one commit, workspaces in turn. Those who fill it are in
 * queue.c; what ends a job is in job-finish.c. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog/job-private.h"
#include "catalog/recording-private.h"
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

/* Where jobs come from: one kind of one workspace. */
struct source {
	int64_t workspace_id;
	enum catalog_job_kind kind;
	bool given_out; /* else only what a dead worker left is put back */
	int64_t running;
	unsigned room; /* for so many more */
	/* Its oldest: */
	int64_t job_id, recording_id, due_msecs;
	bool found;
	bool is_wanted_back; /* to be paused, as its worker was asked to do */
};

struct sources {
	struct source *items;
	size_t count, capacity;
};

static void sources_release(struct sources *sources)
{
	free(sources->items);
}

static bool is_given_out(enum catalog_job_kind kind, bool keep_at_twilio, bool removed,
			 bool storage_enabled)
{
	switch (kind) {
	case CATALOG_JOB_MIGRATE:
		return storage_enabled && !removed;
	case CATALOG_JOB_CLEANUP_TWILIO:
		return !keep_at_twilio; /* those that were queued before it was set wait */
	default:
		return true;
	}
}

static int source_look(struct db_conn *conn, struct source *source)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err;

	source->found = false;
	if (source->given_out)
		err = db_query(
			conn, &stmt,
			"SELECT id, recording_id, due_msecs, pause_asked FROM job WHERE workspace_id = ?1 AND kind = ?2"
			" ORDER BY due_msecs, id LIMIT 1",
			"ii", source->workspace_id, (int64_t)source->kind);
	else
		err = db_query(
			conn, &stmt,
			"SELECT id, recording_id, due_msecs, pause_asked FROM job WHERE workspace_id = ?1 AND kind = ?2"
			" AND state = 1 ORDER BY due_msecs, id LIMIT 1",
			"ii", source->workspace_id, (int64_t)source->kind);
	if (err == 0)
		err = db_step(conn, stmt);
	if (err <= 0)
		return err;
	source->job_id = db_int64(stmt, 0);
	source->recording_id = db_int64(stmt, 1);
	source->due_msecs = db_int64(stmt, 2);
	source->is_wanted_back = db_int(stmt, 3);
	source->found = true;
	return 0;
}

static int source_add(struct db_conn *conn, struct sources *sources, const struct source *source,
		      int64_t now)
{
	struct source *item;
	int err;

	if (sources->count == sources->capacity) {
		size_t capacity = sources->capacity ? 2 * sources->capacity : 16;
		void *more = realloc(sources->items, capacity * sizeof *sources->items);

		if (!more)
			return -ENOMEM;
		sources->items = more;
		sources->capacity = capacity;
	}
	item = &sources->items[sources->count];
	*item = *source;
	err = source_look(conn, item);
	if (err || !item->found)
		return err;
	sources->count++;
	return db_query_int(
		conn, &item->running,
		"SELECT count(*) FROM job WHERE workspace_id = ?1 AND kind = ?2 AND state = 1 AND due_msecs > ?3",
		"iii", item->workspace_id, (int64_t)item->kind, now);
}

static int sources_load(struct db_conn *conn, const struct catalog_claim *claim, int64_t now,
			struct sources *ret_sources)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query(
		conn, &stmt,
		"SELECT w.id, w.keep_at_twilio, w.removed, coalesce(s.enabled, 0) FROM workspace w"
		" LEFT JOIN storage s ON s.workspace_id = w.id"
		" WHERE w.removed = 0 OR EXISTS (SELECT 1 FROM job j WHERE j.workspace_id = w.id)",
		"");

	while (err == 0 && (err = db_step(conn, stmt)) > 0) {
		struct source source = { .workspace_id = db_int64(stmt, 0) };

		source.room = claim->room ? claim->room(claim->arg, source.workspace_id) : UINT_MAX;
		err = 0;
		for (unsigned kind = 1; kind <= CATALOG_JOB_TOMBSTONE && err == 0; kind <<= 1) {
			if (!(claim->kinds & kind))
				continue;
			source.kind = kind;
			source.given_out = is_given_out(kind, db_int(stmt, 1), db_int(stmt, 2),
							db_int(stmt, 3));
			err = source_add(conn, ret_sources, &source, now);
		}
	}
	return err;
}

/* Workspaces take turns: the one with the fewest running jobs of the kind goes first, so that a
 * slow one does not take all workers; within one, the oldest. NULL: nothing is due. */
static struct source *sources_best(struct sources *sources, int64_t now, int64_t *ret_next_msecs,
				   bool *ret_held_back)
{
	struct source *best = NULL;

	*ret_next_msecs = INT64_MAX;
	*ret_held_back = false;
	for (size_t i = 0; i < sources->count; i++) {
		struct source *s = &sources->items[i];

		if (!s->found)
			continue;
		if (s->due_msecs > now) {
			if (s->due_msecs < *ret_next_msecs)
				*ret_next_msecs = s->due_msecs;
			continue;
		}
		if (!s->room) {
			*ret_held_back = true;
			continue;
		}
		if (!best || s->running < best->running ||
		    (s->running == best->running &&
		     (s->due_msecs < best->due_msecs ||
		      (s->due_msecs == best->due_msecs && s->job_id < best->job_id))))
			best = s;
	}
	return best;
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

/* The oldest of a source. *ret_taken: it is ours now; else it is out of the way. */
static int take(struct db_conn *conn, const struct catalog_claim *claim,
		const struct source *source, struct catalog_job *job, bool *ret_taken)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err;

	*ret_taken = false;
	memset(job, 0, sizeof *job);
	job->id = source->job_id;
	job->kind = source->kind;
	err = recording_load(conn, source->recording_id, &job->recording);
	if (err)
		return err;
	job->workspace_id = source->workspace_id;
	/* Its worker died, and nobody may, or is to, go on with it now. */
	if (!source->given_out || source->is_wanted_back)
		return job_let_go(conn, job, time_now_msecs());
	if (!is_in_place(job->kind, job->recording.state)) {
		err = db_run(conn, "DELETE FROM job WHERE id = ?", "i", job->id);
		return err ? err : workspace_settle(conn, job->workspace_id);
	}
	job->lease_until_msecs = time_now_msecs() + claim->lease_msecs;
	snprintf(job->owner, sizeof job->owner, "%s", claim->owner);
	err = db_query(
		conn, &stmt,
		"UPDATE job SET state = 1, owner = ?2, due_msecs = ?3, attempts = attempts + 1,"
		" was_sent = was_sent OR kind = 1, done_bytes = 0, total_bytes = 0 WHERE id = ?1"
		" RETURNING attempts, was_sent",
		"isi", job->id, job->owner, job->lease_until_msecs);
	if (err == 0)
		err = db_step(conn, stmt);
	if (err <= 0)
		return err < 0 ? err : -EIO;
	job->attempts = (unsigned)db_int(stmt, 0);
	job->was_sent = db_int(stmt, 1);
	while (err > 0)
		err = db_step(conn, stmt);
	if (err == 0 && job->kind == CATALOG_JOB_MIGRATE) {
		err = db_run(conn, "UPDATE recording SET state = 2, migration = 2 WHERE id = ?",
			     "i", source->recording_id);
		job->recording.state = CATALOG_STATE_UPLOADING;
		job->recording.migration = CATALOG_MIGRATION_RUNNING;
	}
	*ret_taken = err == 0;
	return err;
}

struct claim_arg {
	const struct catalog_claim *claim;
	unsigned most;
	struct catalog_job *jobs;
	struct catalog_claimed *claimed;
};

static int write_claim(struct db_conn *conn, void *arg)
{
	cleanup_with(sources_release) struct sources sources = { NULL, 0, 0 };
	struct claim_arg *a = arg;
	int64_t now = time_now_msecs();
	int err = sources_load(conn, a->claim, now, &sources);

	a->claimed->count = 0;
	while (err == 0 && a->claimed->count < a->most) {
		struct source *best = sources_best(&sources, now, &a->claimed->next_msecs,
						   &a->claimed->is_held_back);
		bool taken;

		if (!best)
			break;
		err = take(conn, a->claim, best, &a->jobs[a->claimed->count], &taken);
		if (err == 0 && taken) {
			a->claimed->count++;
			best->running++;
			best->room--;
		}
		if (err == 0)
			err = source_look(conn, best);
	}
	return err;
}

/* Who only looks takes no write lock, and wakes nobody. */
static int is_due(struct catalog *catalog, const struct catalog_claim *claim,
		  struct catalog_claimed *claimed)
{
	cleanup_with(sources_release) struct sources sources = { NULL, 0, 0 };
	cleanup_db_read struct db_conn *read = NULL;
	int64_t now = time_now_msecs();
	int err = db_read_begin(catalog->db, &read);

	if (err == 0)
		err = sources_load(read, claim, now, &sources);
	if (err)
		return err;
	return sources_best(&sources, now, &claimed->next_msecs, &claimed->is_held_back) ? 0
											 : -ENOENT;
}

int catalog_job_claim_some(struct catalog *catalog, const struct catalog_claim *claim,
			   unsigned most, struct catalog_job *ret_jobs,
			   struct catalog_claimed *ret_claimed)
{
	/* Of each kind, whether the last look found one: then looking first would only cost, and
	 * that much, for a reader's pages are stale after each commit. A hint, no more. */
	static _Atomic unsigned found_kinds;
	struct claim_arg a = { claim, most, ret_jobs, ret_claimed };
	int err = 0;

	*ret_claimed = (struct catalog_claimed){ .next_msecs = INT64_MAX };
	if ((found_kinds & claim->kinds) == 0)
		err = is_due(catalog, claim, ret_claimed);
	if (err == 0)
		err = db_write_repeatable(catalog->db, write_claim, &a);
	if (err)
		return err;
	if (!ret_claimed->count) {
		found_kinds &= ~claim->kinds;
		return -ENOENT;
	}
	for (unsigned i = 0; i < ret_claimed->count; i++)
		found_kinds |= ret_jobs[i].kind;
	return 0;
}

int catalog_job_claim(struct catalog *catalog, unsigned kinds, const char *owner,
		      int64_t lease_msecs, struct catalog_job *ret_job, int64_t *ret_next_msecs)
{
	struct catalog_claim claim = { .kinds = kinds, .owner = owner, .lease_msecs = lease_msecs };
	struct catalog_claimed claimed;
	int err = catalog_job_claim_some(catalog, &claim, 1, ret_job, &claimed);

	*ret_next_msecs = claimed.next_msecs;
	return err;
}
