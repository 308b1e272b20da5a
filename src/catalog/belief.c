/* Beliefs of the bucket: read, for one recording or for many. */
#include "catalog/belief.h"

#include <errno.h>
#include <string.h>

#include "catalog/queue.h"
#include "catalog/recording-private.h"

static int belief_load(struct db_conn *conn, struct catalog_belief *belief)
{
	int64_t waits = 0;
	int err = object_load(conn, belief->recording.id, &belief->object);

	belief->has_object = err == 0;
	belief->delete_waits = false;
	if (err && err != -ENOENT)
		return err;
	if (belief->recording.state != CATALOG_STATE_DELETED)
		return 0;
	err = db_query_int(conn, &waits, "SELECT 1 FROM job WHERE recording_id = ? AND kind = ?",
			   "ii", belief->recording.id, (int64_t)CATALOG_JOB_DELETE_S3);
	belief->delete_waits = waits;
	return err == -ENOENT ? 0 : err;
}

int catalog_belief_get(struct catalog *catalog, int64_t recording_id,
		       struct catalog_belief *ret_belief)
{
	cleanup_db_read struct db_conn *read = NULL;
	int err = db_read_begin(catalog->db, &read);

	if (err == 0)
		err = recording_load(read, recording_id, &ret_belief->recording);
	return err ? err : belief_load(read, ret_belief);
}

int catalog_beliefs_find(struct catalog *catalog, const struct sid *sids, size_t count,
			 catalog_belief_fn *fn, void *arg)
{
	cleanup_db_read struct db_conn *read = NULL;
	int err = db_read_begin(catalog->db, &read);

	for (size_t i = 0; i < count && err == 0; i++) {
		struct catalog_belief belief;

		err = recording_load_by_sid(read, &sids[i], &belief.recording);
		if (err == -ENOENT) {
			err = fn(arg, i, NULL);
			continue;
		}
		if (err == 0)
			err = belief_load(read, &belief);
		if (err == 0)
			err = fn(arg, i, &belief);
	}
	return err;
}

int catalog_beliefs_each(struct catalog *catalog, struct catalog_scope scope, int64_t after_id,
			 size_t limit, catalog_belief_fn *fn, void *arg)
{
	cleanup_db_read struct db_conn *read = NULL;
	cleanup_stmt struct db_stmt *stmt = NULL;
	size_t index = 0;
	int err = db_read_begin(catalog->db, &read);

	if (err == 0)
		err = db_query(read, &stmt,
			       "SELECT " RECORDING_COLUMNS " FROM recording r WHERE r.id > ?3"
			       " AND r.state IN (" SQL_STATE_STORED ", " SQL_STATE_S3
			       ", " SQL_STATE_MISSING ")"
			       " AND " SQL_IN_SCOPE("r.workspace_id", "r.folder_id",
						    "r.id") " ORDER BY r.id LIMIT ?4",
			       "iiii", (int64_t)scope.kind, scope.id, after_id, (int64_t)limit);
	while (db_next(stmt, &err)) {
		struct catalog_belief belief;

		recording_from_row(stmt, &belief.recording);
		err = belief_load(read, &belief);
		if (err == 0)
			err = fn(arg, index++, &belief);
	}
	return err;
}

int catalog_calls_begun(struct catalog *catalog, int64_t workspace_id, int64_t since_secs,
			int64_t until_secs, catalog_sid_fn *fn, void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	/* By the index of each folder. */
	int err = db_read(catalog->db, &stmt,
			  "SELECT c.sid FROM folder f JOIN call c ON c.folder_id = f.id"
			  " WHERE f.workspace_id = ? AND c.start_secs >= ? AND c.start_secs < ?",
			  "iii", workspace_id, since_secs, until_secs);

	while (db_next(stmt, &err)) {
		struct sid sid;

		db_sid(stmt, 0, &sid);
		err = fn(arg, &sid);
	}
	return err;
}

struct renew {
	int64_t recording_id;
	const struct catalog_object *object;
};

static int write_renew(struct db_conn *conn, void *arg)
{
	const struct renew *renew = arg;
	struct catalog_recording recording;
	int err = recording_load(conn, renew->recording_id, &recording);

	if (err)
		return err;
	if (recording.state != CATALOG_STATE_STORED && recording.state != CATALOG_STATE_S3)
		return -ESTALE;
	return object_store(conn, recording.id, renew->object);
}

int catalog_object_renew(struct catalog *catalog, int64_t recording_id,
			 const struct catalog_object *object)
{
	struct renew renew = { recording_id, object };

	return db_write(catalog->db, write_renew, &renew);
}
