/* Claiming jobs: several in one commit, workspaces in turn. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/sql.h"
#include "db/db.h"
#include "jobs/jobs-private.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Where jobs come from: one kind of one workspace. */
struct source {
	struct job_want *want;
	enum catalog_job_kind kind;
	int64_t workspace_id;
	bool is_given_out; /* else jobs of dead workers are put back, and no others looked at */
	int64_t running;
	unsigned room; /* for so many more */
	/* Its oldest: */
	int64_t job_id, recording_id, due_msecs;
	bool is_found;
	bool is_pause_asked;
};

struct claim {
	struct job_want *wants;
	size_t want_count;
	const char *owner;
	int64_t lease_msecs, asked_msecs;
	struct job_claimed *claimed;
	size_t count;
	struct source *sources; /* that have a job */
	size_t source_count;
	int64_t wait_msecs;
};

#define OLDEST(condition, by) \
	"SELECT id, recording_id, due_msecs, pause_asked FROM job" \
	" WHERE workspace_id = ?1 AND kind = ?2" condition " ORDER BY " by ", id LIMIT 1"
/* Found by their state: the index of due_msecs would lead through all that wait. */
#define IS_RUNNING "state = " SQL_JOB_RUNNING
#define OLDEST_RUNNING OLDEST(" AND " IS_RUNNING, "due_msecs + 0")

static int source_look(struct db_conn *conn, struct source *source)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query(conn, &stmt,
			   source->is_given_out ? OLDEST("", "due_msecs") : OLDEST_RUNNING, "ii",
			   source->workspace_id, (int64_t)source->kind);

	source->is_found = false;
	if (err == 0)
		err = db_step(stmt);
	if (err <= 0)
		return err;
	source->job_id = db_int64(stmt, 0);
	source->recording_id = db_int64(stmt, 1);
	source->due_msecs = db_int64(stmt, 2);
	source->is_pause_asked = db_int(stmt, 3);
	source->is_found = true;
	return 0;
}

static int source_add(struct db_conn *conn, struct claim *claim, const struct source *source,
		      int64_t now)
{
	struct source *item = array_add(&claim->sources, &claim->source_count);
	int err;

	if (!item)
		return -ENOMEM;
	*item = *source;
	err = source_look(conn, item);
	if (err || !item->is_found) {
		claim->source_count--;
		return err;
	}
	return db_query_int(conn, &item->running,
			    /* The last condition keeps paused ones out, perhaps a million. */
			    "SELECT count(*) FROM job WHERE workspace_id = ?1 AND kind = ?2"
			    " AND " IS_RUNNING " AND due_msecs > ?3 AND due_msecs < " SQL_NEVER,
			    "iii", item->workspace_id, (int64_t)item->kind, now);
}

static int sources_add(struct db_conn *conn, struct claim *claim, struct job_want *want,
		       const struct catalog_queue_source *workspace, int64_t now)
{
	struct source source = {
		.want = want,
		.workspace_id = workspace->workspace_id,
		.room = want->room ? want->room(want->arg, workspace->workspace_id) : UINT_MAX,
	};
	int err = 0;

	for (unsigned kind = 1; kind <= CATALOG_JOB_TOMBSTONE && err == 0; kind <<= 1) {
		if (!(want->kinds & kind))
			continue;
		source.kind = kind;
		source.is_given_out = workspace->kinds & kind;
		err = source_add(conn, claim, &source, now);
	}
	return err;
}

static int sources_load(struct db_conn *conn, struct claim *claim, int64_t now)
{
	cleanup_free struct catalog_queue_source *workspaces = NULL;
	size_t count = 0;
	int err = catalog_queue_sources(conn, &workspaces, &count);

	claim->source_count = 0;
	for (size_t i = 0; i < count && err == 0; i++)
		for (size_t j = 0; j < claim->want_count && err == 0; j++)
			err = sources_add(conn, claim, &claim->wants[j], &workspaces[i], now);
	return err;
}

static bool goes_before(const struct source *a, const struct source *b)
{
	if (a->running != b->running)
		return a->running < b->running;
	if (a->due_msecs != b->due_msecs)
		return a->due_msecs < b->due_msecs;
	return a->job_id < b->job_id;
}

/* Workspaces take turns, so that a slow one does not take all workers. NULL: nothing is due. */
static struct source *sources_best(struct claim *claim, int64_t now)
{
	struct source *best = NULL;

	claim->wait_msecs = INT64_MAX;
	for (size_t i = 0; i < claim->want_count; i++)
		claim->wants[i].ret_is_held_back = false;
	for (size_t i = 0; i < claim->source_count; i++) {
		struct source *s = &claim->sources[i];

		if (!s->is_found || s->want->ret_count == s->want->limit)
			continue;
		if (s->due_msecs > now) {
			if (s->due_msecs - now < claim->wait_msecs && s->due_msecs != INT64_MAX)
				claim->wait_msecs = s->due_msecs - now;
		} else if (!s->room) {
			s->want->ret_is_held_back = true;
		} else if (!best || goes_before(s, best)) {
			best = s;
		}
	}
	return best;
}

static int take_row(struct db_conn *conn, const struct claim *claim, struct job *job, int64_t now)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query(conn, &stmt,
			   "UPDATE job SET state = " SQL_JOB_RUNNING ", owner = ?2, due_msecs = ?3,"
			   " attempts = attempts + 1, done_bytes = 0, total_bytes = 0,"
			   " was_sent = CASE WHEN kind = " SQL_JOB_MIGRATE
			   " THEN 1 ELSE was_sent END WHERE id = ?1 RETURNING attempts, was_sent",
			   "isi", job->id, claim->owner, now + claim->lease_msecs);

	if (err == 0)
		err = db_step(stmt);
	if (err <= 0)
		return err < 0 ? err : -EIO;
	job->attempts = (unsigned)db_int(stmt, 0);
	job->was_sent = db_int(stmt, 1);
	while (err > 0)
		err = db_step(stmt);
	return err;
}

/* The oldest of a source: it is ours, and counted; else it is out of the way. */
static int take(struct db_conn *conn, struct claim *claim, struct source *source, int64_t now)
{
	struct job_claimed *claimed = &claim->claimed[claim->count];
	struct job *job = &claimed->job;
	int err;

	memset(claimed, 0, sizeof *claimed);
	job->id = source->job_id;
	job->kind = source->kind;
	job->workspace_id = source->workspace_id;
	job->recording_id = source->recording_id;
	job->lease_end_msecs = claim->asked_msecs + claim->lease_msecs;
	snprintf(job->owner, sizeof job->owner, "%s", claim->owner);
	/* Its worker died, and nobody may, or is to, go on with it now. */
	if (!source->is_given_out || source->is_pause_asked)
		return job_let_go(conn, job, now);
	err = catalog_queue_begin(conn, job->kind, job->recording_id, &claimed->recording);
	if (err == -ESTALE)
		return job_delete(conn, job);
	if (err == 0)
		err = take_row(conn, claim, job, now);
	if (err)
		return err;
	job->recording_sid = claimed->recording.sid;
	claim->count++;
	source->want->ret_count++;
	source->running++;
	source->room--;
	return 0;
}

static int write_claim(struct db_conn *conn, void *arg)
{
	struct claim *claim = arg;
	struct source *best;
	int64_t now;
	int err = db_now(conn, &now);

	claim->count = 0;
	for (size_t i = 0; i < claim->want_count; i++)
		claim->wants[i].ret_count = 0;
	if (err == 0)
		err = sources_load(conn, claim, now);
	while (err == 0 && (best = sources_best(claim, now))) {
		err = take(conn, claim, best, now);
		if (err == 0)
			err = source_look(conn, best);
	}
	return err;
}

/* A look takes no write lock, and wakes nobody. */
static int is_due(struct catalog *catalog, struct claim *claim)
{
	cleanup_db_read struct db_conn *read = NULL;
	int64_t now;
	int err = db_read_begin(catalog_db(catalog), &read);

	if (err == 0)
		err = db_now(read, &now);
	if (err == 0)
		err = sources_load(read, claim, now);
	if (err)
		return err;
	return sources_best(claim, now) ? 0 : -ENOENT;
}

int job_claim(struct catalog *catalog, struct job_want *wants, size_t want_count, const char *owner,
	      int64_t lease_msecs, struct job_claimed *ret_claimed, int64_t *ret_wait_msecs)
{
	/* Whether the last claim of a kind found one: then a look before the claim only costs, and
	 * that much, for a reader's pages are stale after each commit. A hint, no more. */
	static _Atomic unsigned found_kinds;
	struct claim claim = {
		.wants = wants,
		.want_count = want_count,
		.owner = owner,
		.lease_msecs = lease_msecs,
		.asked_msecs = job_clock_msecs(),
		.claimed = ret_claimed,
		.wait_msecs = INT64_MAX,
	};
	unsigned kinds = 0;
	int err = 0;

	for (size_t i = 0; i < want_count; i++) {
		kinds |= wants[i].kinds;
		wants[i].ret_count = 0;
	}
	if ((found_kinds & kinds) == 0)
		err = is_due(catalog, &claim);
	if (err == 0)
		err = db_write(catalog_db(catalog), write_claim, &claim);
	free(claim.sources);
	*ret_wait_msecs = claim.wait_msecs;
	if (err)
		return err;
	if (!claim.count) {
		found_kinds &= ~kinds;
		return -ENOENT;
	}
	for (size_t i = 0; i < claim.count; i++)
		found_kinds |= ret_claimed[i].job.kind;
	return 0;
}
