/* Removals that the bucket knows and the catalog does not, and the other way round. Others wrote
 * the tombstones: they hide recordings, and delete nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/queue-private.h"
#include "catalog/removal-private.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/times.h"

#define BATCH 500

int recording_hide(struct db_conn *conn, const struct catalog_recording *recording)
{
	int err;

	if (recording->state == CATALOG_STATE_DELETED)
		return 0;
	err = db_run(conn, "DELETE FROM job WHERE recording_id = ? AND kind = " SQL_JOB_MIGRATE,
		     "i", recording->id);
	/* Deletes that keep_at_twilio holds back would be held back for ever. */
	if (err == 0)
		err = db_run(conn,
			     "DELETE FROM job WHERE recording_id = ?1"
			     " AND kind = " SQL_JOB_CLEANUP_TWILIO
			     " AND EXISTS (SELECT 1 FROM workspace w WHERE w.id = ?2"
			     " AND w.keep_at_twilio = 1)",
			     "ii", recording->id, recording->workspace_id);
	if (err == 0)
		err = db_run(conn,
			     "UPDATE recording SET state = " SQL_STATE_DELETED
			     ", migration = CASE WHEN state IN " SQL_IN_S3
			     " THEN " SQL_MIGRATION_DONE " ELSE " SQL_MIGRATION_NONE " END,"
			     " removed_secs = ?2, removed_policy = ?3 WHERE id = ?1",
			     "iii", recording->id, time_now_secs(), (int64_t)REMOVED_ELSEWHERE);
	if (err == 0)
		err = audit_add(conn, "hide", recording->workspace_id, recording->id,
				"the bucket says that it was removed");
	if (err == 0)
		err = recording_unlist(conn, recording->id);
	if (err == 0 && recording->call_id)
		err = call_left(conn, recording->call_id);
	return err;
}

/* ---- from the bucket ---- */

struct learn {
	int64_t ids[BATCH];
	size_t count;
	int64_t hidden;
};

static int write_learn(struct db_conn *conn, void *arg)
{
	struct learn *learn = arg;
	struct catalog_recording recording;
	int err = 0;

	learn->hidden = 0;
	for (size_t i = 0; i < learn->count && err == 0; i++) {
		err = recording_load(conn, learn->ids[i], &recording);
		if (err || recording.state == CATALOG_STATE_DELETED)
			continue;
		err = recording_hide(conn, &recording);
		learn->hidden++;
	}
	return err;
}

/* Most are known, and removed: a look without a write. */
static int find_shown(struct catalog *catalog, int64_t workspace_id, const struct sid *sids,
		      size_t count, struct learn *learn, size_t *ret_looked)
{
	cleanup_db_read struct db_conn *read = NULL;
	int err = db_read_begin(catalog->db, &read);
	size_t i;

	learn->count = 0;
	for (i = 0; i < count && learn->count < BATCH && err == 0; i++) {
		struct catalog_recording recording;

		err = recording_load_by_sid(read, &sids[i], &recording);
		if (err == 0 && recording.state != CATALOG_STATE_DELETED &&
		    recording.workspace_id == workspace_id)
			learn->ids[learn->count++] = recording.id;
		if (err == -ENOENT)
			err = 0;
	}
	*ret_looked = i;
	return err;
}

int catalog_removals_learn(struct catalog *catalog, int64_t workspace_id, const struct sid *sids,
			   size_t count, int64_t *ret_hidden)
{
	struct learn learn;
	size_t looked;
	int err = 0;

	*ret_hidden = 0;
	while (count && err == 0) {
		err = find_shown(catalog, workspace_id, sids, count, &learn, &looked);
		if (err == 0 && learn.count)
			err = db_write(catalog->db, write_learn, &learn);
		if (err == 0 && learn.count)
			*ret_hidden += learn.hidden;
		sids += looked;
		count -= looked;
	}
	return err;
}

/* ---- to the bucket ---- */

struct tell {
	int64_t workspace_id;
	int64_t *ids;
	size_t count;
	int64_t queued;
};

/* Also what was removed while the account was another workspace's. */
static int find_untold(struct catalog *catalog, struct tell *tell, catalog_has_fn *bucket_has,
		       void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read(catalog->db, &stmt,
			  "SELECT r.id, r.sid FROM recording r WHERE r.state = " SQL_STATE_DELETED
			  " AND r.workspace_id IN"
			  " (SELECT same.id FROM workspace w JOIN workspace same"
			  " ON same.account_sid = w.account_sid WHERE w.id = ?)",
			  "i", tell->workspace_id);

	while (db_next(stmt, &err)) {
		const int64_t id = db_int64(stmt, 0);
		struct sid sid;

		db_sid(stmt, 1, &sid);
		err = bucket_has(arg, &sid) ? 0 : array_push(&tell->ids, &tell->count, &id);
	}
	return err;
}

static int write_tell(struct db_conn *conn, void *arg)
{
	struct tell *tell = arg;
	int64_t now_msecs;
	int err = db_now(conn, &now_msecs);

	tell->queued = 0;
	for (size_t i = 0; i < tell->count && err == 0; i++) {
		err = db_run(conn,
			     "INSERT INTO job (kind, recording_id, workspace_id, state, due_msecs)"
			     " SELECT " SQL_JOB_TOMBSTONE ", ?1, ?2, " SQL_JOB_QUEUED
			     ", ?3 FROM storage WHERE workspace_id = ?2 AND enabled = 1"
			     " ON CONFLICT (recording_id, kind) DO NOTHING",
			     "iii", tell->ids[i], tell->workspace_id, now_msecs);
		if (err == 0)
			tell->queued += db_changes(conn);
	}
	return err;
}

int catalog_removals_tell(struct catalog *catalog, int64_t workspace_id, catalog_has_fn *bucket_has,
			  void *arg, int64_t *ret_queued)
{
	struct tell tell = { .workspace_id = workspace_id };
	int err = find_untold(catalog, &tell, bucket_has, arg);

	if (err == 0 && tell.count)
		err = db_write(catalog->db, write_tell, &tell);
	*ret_queued = err ? 0 : tell.queued;
	free(tell.ids);
	return err;
}

/* ---- calls ---- */

static int write_settle(struct db_conn *conn, void *arg)
{
	cleanup_free int64_t *calls = NULL;
	size_t count = 0;
	/* A call that no list has shown yet has no entry. */
	int err =
		db_query_ids(conn, &calls, &count,
			     "SELECT DISTINCT c.id FROM recording r JOIN call c ON c.id = r.call_id"
			     " WHERE r.workspace_id = ?1 AND r.state = " SQL_STATE_DELETED
			     " AND r.removed_policy = ?2 AND c.known = 1 AND c.removed = 0",
			     "ii", *(int64_t *)arg, (int64_t)REMOVED_ELSEWHERE);

	for (size_t i = 0; i < count && err == 0; i++)
		err = call_left(conn, calls[i]);
	return err;
}

int catalog_removals_settle(struct catalog *catalog, int64_t workspace_id)
{
	return db_write(catalog->db, write_settle, &workspace_id);
}
