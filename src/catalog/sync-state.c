/* Questions of sync to the catalog, and the state of a workspace's polls. */

#include "catalog/recording-private.h"
#include "catalog/sync.h"

int catalog_calls_unknown(struct catalog *catalog, int64_t workspace_id, size_t limit,
			  catalog_sid_fn *fn, void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read(catalog->db, &stmt,
			  "SELECT sid FROM call WHERE workspace_id = ? AND known = 0 LIMIT ?", "ii",
			  workspace_id, (int64_t)limit);

	while (db_next(stmt, &err)) {
		struct sid sid;

		db_sid(stmt, 0, &sid);
		err = fn(arg, &sid);
	}
	return err;
}

int catalog_oldest_unfinished(struct catalog *catalog, int64_t workspace_id, int64_t *ret_call_secs,
			      int64_t *ret_recording_secs)
{
	cleanup_db_read struct db_conn *read = NULL;
	int err = db_read_begin(catalog->db, &read);

	if (err == 0)
		err = db_query_int(
			read, ret_call_secs,
			"SELECT coalesce(min(start_secs), 0) FROM call"
			" WHERE workspace_id = ? AND finished = 0 AND known = 1 AND removed = 0",
			"i", workspace_id);
	if (err == 0)
		err = db_query_int(read, ret_recording_secs,
				   "SELECT coalesce(min(date_created_secs), 0) FROM recording"
				   " WHERE workspace_id = ? AND completed = " SQL_COMPLETED_NOT_YET,
				   "i", workspace_id);
	return err;
}

int catalog_recordings_at_twilio(struct catalog *catalog, int64_t workspace_id, int64_t since_secs,
				 int64_t until_secs, catalog_recording_fn *fn, void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read(catalog->db, &stmt,
			  "SELECT " RECORDING_COLUMNS " FROM recording r WHERE r.workspace_id = ?"
			  " AND r.state IN " SQL_AT_TWILIO_ALONE
			  " AND r.completed < " SQL_COMPLETED_NEVER " AND r.date_created_secs >= ?"
			  " AND r.date_created_secs < ?",
			  "iii", workspace_id, since_secs, until_secs);

	while (db_next(stmt, &err)) {
		struct catalog_recording recording;

		recording_from_row(stmt, &recording);
		err = fn(arg, &recording);
	}
	return err;
}

int catalog_sync_state_get(struct catalog *catalog, int64_t workspace_id,
			   struct catalog_sync_state *ret_state)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read_row(
		catalog->db, &stmt,
		"SELECT last_poll_secs, last_sweep_secs, listed_until_secs FROM workspace"
		" WHERE id = ?",
		"i", workspace_id);

	if (err)
		return err;
	ret_state->last_poll_secs = db_int64(stmt, 0);
	ret_state->last_sweep_secs = db_int64(stmt, 1);
	ret_state->listed_until_secs = db_int64(stmt, 2);
	return 0;
}

int catalog_sync_state_set(struct catalog *catalog, int64_t workspace_id,
			   const struct catalog_sync_state *state)
{
	return db_write_run(
		catalog->db,
		"UPDATE workspace SET last_poll_secs = ?2, last_sweep_secs = ?3, listed_until_secs = ?4"
		" WHERE id = ?1",
		"iiii", workspace_id, state->last_poll_secs, state->last_sweep_secs,
		state->listed_until_secs);
}
