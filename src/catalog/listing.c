/* Makes a recording a file of a folder: finds its campaign by its call's numbers, its place in the
 * order, the other party's number. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/change.h"
#include "catalog/filename.h"
#include "catalog/folder-private.h"
#include "catalog/recording-private.h"
#include "util/cleanup.h"
#include "util/times.h"

/* ---- folders ---- */

#define NEW_MTIME SQL_LATER("mtime_nsecs", "?2")

int workspace_touch(struct db_conn *conn, int64_t workspace_id)
{
	return db_run(conn, "UPDATE workspace SET mtime_nsecs = " NEW_MTIME " WHERE id = ?1", "ii",
		      workspace_id, time_now_nsecs());
}

int folder_touch(struct db_conn *conn, int64_t folder_id)
{
	int64_t workspace_id;
	int err = db_run(conn, "UPDATE folder SET mtime_nsecs = " NEW_MTIME " WHERE id = ?1", "ii",
			 folder_id, time_now_nsecs());

	if (err)
		return err;
	/* `unassigned` comes and goes with what is in it. */
	err = db_query_int(conn, &workspace_id,
			   "SELECT workspace_id FROM folder WHERE id = ? AND name IS NULL", "i",
			   folder_id);
	if (err == -ENOENT)
		return 0;
	return err ? err : workspace_touch(conn, workspace_id);
}

int touched_flush(struct db_conn *conn, struct touched *touched)
{
	int err = 0;

	for (size_t i = 0; i < touched->count && err == 0; i++)
		err = folder_touch(conn, touched->folders[i]);
	touched->count = 0;
	return err;
}

int touched_add(struct db_conn *conn, struct touched *touched, int64_t folder_id)
{
	int err = 0;

	if (!touched)
		return folder_touch(conn, folder_id);
	for (size_t i = 0; i < touched->count; i++)
		if (touched->folders[i] == folder_id)
			return 0;
	if (touched->count == ARRAY_SIZE(touched->folders))
		err = touched_flush(conn, touched);
	if (err == 0)
		touched->folders[touched->count++] = folder_id;
	return err;
}

int unassigned_folder(struct db_conn *conn, int64_t workspace_id, int64_t *ret_folder_id)
{
	return db_query_int(
		conn, ret_folder_id,
		"SELECT id FROM folder WHERE workspace_id = ? AND coalesce(name, '') = '' AND removed = 0",
		"i", workspace_id);
}

/* The campaign that has the number; -ENOENT. */
static int folder_of_number(struct db_conn *conn, int64_t workspace_id, const char *number,
			    int64_t *ret_folder_id)
{
	if (!number[0])
		return -ENOENT;
	return db_query_int(
		conn, ret_folder_id,
		"SELECT folder_id FROM campaign_number WHERE workspace_id = ? AND number = ?", "is",
		workspace_id, number);
}

/* The tracking number is `to` of an inbound call, and of one between two of our numbers; else
 * `from`. */
static bool tracks_to(const char *direction)
{
	return strcmp(direction, "inbound") == 0 ||
	       strncmp(direction, "trunking-terminating", 20) == 0;
}

int folder_of_call(struct db_conn *conn, int64_t workspace_id, const char *direction,
		   const char *from, const char *to, int64_t *ret_folder_id)
{
	int err = folder_of_number(conn, workspace_id, to, ret_folder_id);

	if (err == -ENOENT && !tracks_to(direction))
		err = folder_of_number(conn, workspace_id, from, ret_folder_id);
	if (err == -ENOENT)
		err = unassigned_folder(conn, workspace_id, ret_folder_id);
	return err;
}

/* ---- order ---- */

/* The tie-breaker of a new entry among those of the same second: halfway between its neighbours by
 * name, so that the order of cookies is the order of names. Without room between them, any free
 * one. */
static int sort_key_new(struct db_conn *conn, const struct catalog_recording *recording,
			int64_t start_secs, int64_t *ret_key)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int64_t first = start_secs << SORT_KEY_SHIFT, end = first + ((int64_t)1 << SORT_KEY_SHIFT);
	int64_t below = first, above = end, key, taken;
	char name[CATALOG_FILE_NAME_SIZE], other_name[CATALOG_FILE_NAME_SIZE];
	struct catalog_recording other, self = *recording;
	int err = db_query(
		conn, &stmt,
		"SELECT " RECORDING_COLUMNS " FROM recording r"
		/* The last condition is the partial index's. */
		" WHERE r.sort_key BETWEEN ?1 AND ?2 AND r.sort_key > 0 ORDER BY r.sort_key",
		"ii", first + 1, end - 1);

	if (err)
		return err;
	self.start_secs = start_secs;
	catalog_recording_name(&self, CATALOG_NAMES_NUMBER, name);
	while (db_next(stmt, &err)) {
		recording_from_row(stmt, &other);
		catalog_recording_name(&other, CATALOG_NAMES_NUMBER, other_name);
		key = db_int64(stmt, 11);
		if (strcmp(other_name, name) >= 0) {
			above = key;
			break;
		}
		below = key;
	}
	if (err < 0)
		return err;
	key = below + (above - below) / 2;
	err = key > below ? -ENOENT : 0;
	for (uint64_t counter = 0; err == 0; counter++) {
		err = recording_hash(&recording->sid, counter, &key);
		key = first + 1 + key % (end - first - 1);
		if (err == 0)
			err = db_query_int(
				conn, &taken,
				"SELECT 1 FROM recording WHERE sort_key = ? AND sort_key > 0", "i",
				key);
	}
	*ret_key = key;
	return err == -ENOENT ? 0 : err;
}

/* A sort key has room for seconds until the year 2242. */
static int64_t start_in_range(int64_t start_secs)
{
	const int64_t last = (INT64_MAX >> SORT_KEY_SHIFT) - 1;

	return start_secs < 1 ? 1 : start_secs > last ? last : start_secs;
}

/* ---- listing ---- */

struct call_row {
	char from[128], to[128], direction[32];
	int64_t folder_id, start_secs;
	bool known, removed;
};

static int call_load(struct db_conn *conn, int64_t call_id, struct call_row *ret_call)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query_row(
		conn, &stmt,
		"SELECT from_number, to_number, direction, folder_id, start_secs, known, removed"
		" FROM call WHERE id = ?",
		"i", call_id);

	if (err)
		return err;
	db_text_copy(stmt, 0, ret_call->from, sizeof ret_call->from);
	db_text_copy(stmt, 1, ret_call->to, sizeof ret_call->to);
	db_text_copy(stmt, 2, ret_call->direction, sizeof ret_call->direction);
	ret_call->folder_id = db_int64(stmt, 3);
	ret_call->start_secs = db_int64(stmt, 4);
	ret_call->known = db_int(stmt, 5);
	ret_call->removed = db_int(stmt, 6);
	return 0;
}

static const char *other_party(struct db_conn *conn, int64_t workspace_id,
			       const struct call_row *call)
{
	int64_t folder_id;

	if (tracks_to(call->direction) ||
	    folder_of_number(conn, workspace_id, call->to, &folder_id) == 0)
		return call->from;
	return call->to;
}

/* The columns that decide whether, and where, a recording is listed. */
struct place {
	int64_t completed, sort_key;
	int64_t start_secs; /* its own; else when it was created */
};

static int place_load(struct db_conn *conn, int64_t recording_id, struct place *ret_place)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err =
		db_query_row(conn, &stmt,
			     "SELECT completed, sort_key, CASE WHEN start_secs > 0 THEN start_secs"
			     " ELSE date_created_secs END FROM recording WHERE id = ?",
			     "i", recording_id);

	if (err)
		return err;
	ret_place->completed = db_int64(stmt, 0);
	ret_place->sort_key = db_int64(stmt, 1);
	ret_place->start_secs = db_int64(stmt, 2);
	return 0;
}

int recording_list(struct db_conn *conn, int64_t recording_id, struct touched *touched,
		   int64_t *listed)
{
	struct catalog_recording r;
	struct call_row call = { .known = true };
	struct place place;
	int64_t wanted;
	int err = recording_load(conn, recording_id, &r);

	if (err == 0)
		err = place_load(conn, recording_id, &place);
	if (err)
		return err;
	if (r.is_listed || place.completed != COMPLETED || r.state == CATALOG_STATE_DELETED)
		return 0;
	if (r.call_id) {
		err = call_load(conn, r.call_id, &call);
		if (err)
			return err;
		if (!call.known)
			return 0;
		if (call.removed) {
			/* The recording was not removed, but its call's entry was: the entry comes
			 * back, where its number belongs now. */
			err = folder_of_call(conn, r.workspace_id, call.direction, call.from,
					     call.to, &call.folder_id);
			if (err == 0)
				err = db_run(
					conn,
					"UPDATE call SET removed = 0, folder_id = ?2, workspace_id = ?3"
					" WHERE id = ?1",
					"iii", r.call_id, call.folder_id, r.workspace_id);
			if (err)
				return err;
		}
		if (call.start_secs > 0)
			place.start_secs = call.start_secs;
		filename_party(other_party(conn, r.workspace_id, &call), r.party);
	} else {
		err = unassigned_folder(conn, r.workspace_id, &call.folder_id);
		if (err)
			return err;
		filename_party("", r.party);
	}
	/* Once given, place and name stay. */
	if (place.sort_key == 0)
		err = sort_key_new(conn, &r, start_in_range(place.start_secs), &place.sort_key);
	if (err == 0)
		err = db_run(
			conn,
			"UPDATE recording SET listed = 1, folder_id = ?2, sort_key = ?3, party = ?4"
			" WHERE id = ?1",
			"iiis", recording_id, call.folder_id, place.sort_key, r.party);
	if (err == 0)
		err = touched_add(conn, touched, call.folder_id);
	if (err == 0 && listed)
		++*listed;
	if (err || r.state != CATALOG_STATE_TWILIO)
		return err;
	/* migrate_queue_one knows whether there is an enabled bucket. */
	err = db_query_int(conn, &wanted,
			   "SELECT 1 FROM workspace WHERE id = ? AND migrate_new = 1", "i",
			   r.workspace_id);
	return err == 0 ? migrate_queue_one(conn, recording_id) : err == -ENOENT ? 0 : err;
}

int recordings_list_of_call(struct db_conn *conn, int64_t call_id, struct touched *touched,
			    int64_t *listed)
{
	cleanup_free int64_t *ids = NULL;
	size_t count = 0;
	int err = db_query_ids(conn, &ids, &count,
			       "SELECT id FROM recording WHERE call_id = ? ORDER BY id", "i",
			       call_id);

	for (size_t i = 0; i < count && err == 0; i++)
		err = recording_list(conn, ids[i], touched, listed);
	return err;
}

int recording_unlist(struct db_conn *conn, int64_t recording_id)
{
	struct catalog_recording r;
	int err = recording_load(conn, recording_id, &r);

	if (err)
		return err;
	if (!r.is_listed)
		return 0;
	err = db_run(conn, "UPDATE recording SET listed = 0 WHERE id = ?", "i", recording_id);
	if (err == 0)
		err = change_add(conn, CATALOG_CHANGE_ENTRY_GONE, &r);
	if (err == 0)
		err = folder_touch(conn, r.folder_id);
	if (err == 0 && r.call_id)
		err = calls_row_changed(conn, r.call_id);
	return err;
}

/* ---- moving to a new campaign ---- */

static int call_move(struct db_conn *conn, int64_t call_id, int64_t folder_id,
		     struct touched *touched)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	struct catalog_recording r;
	int err = db_run(conn, "UPDATE call SET folder_id = ?2 WHERE id = ?1", "ii", call_id,
			 folder_id);

	if (err == 0)
		err = touched_add(conn, touched, folder_id);
	if (err == 0)
		err = db_query(conn, &stmt,
			       "SELECT " RECORDING_COLUMNS " FROM recording r WHERE r.call_id = ?"
			       " AND r.listed = 1 ORDER BY r.id",
			       "i", call_id);
	while (db_next(stmt, &err)) {
		recording_from_row(stmt, &r);
		err = change_add(conn, CATALOG_CHANGE_ENTRY_GONE, &r);
	}
	if (err)
		return err;
	return db_run(conn,
		      "UPDATE recording SET folder_id = ?2 WHERE call_id = ?1"
		      " AND state <> " SQL_STATE_DELETED,
		      "ii", call_id, folder_id);
}

int calls_reassign(struct db_conn *conn, int64_t workspace_id)
{
	struct touched touched = { .count = 0 };
	cleanup_free int64_t *ids = NULL;
	int64_t unassigned, folder_id;
	struct call_row call;
	size_t count = 0;
	int err = unassigned_folder(conn, workspace_id, &unassigned);

	if (err == 0)
		err = db_query_ids(conn, &ids, &count,
				   "SELECT id FROM call WHERE folder_id = ? AND known = 1"
				   " AND removed = 0",
				   "i", unassigned);
	if (err == 0)
		err = touched_add(conn, &touched, unassigned);
	for (size_t i = 0; i < count && err == 0; i++) {
		err = call_load(conn, ids[i], &call);
		if (err == 0)
			err = folder_of_call(conn, workspace_id, call.direction, call.from, call.to,
					     &folder_id);
		if (err == 0 && folder_id != unassigned)
			err = call_move(conn, ids[i], folder_id, &touched);
	}
	if (err == 0)
		err = db_run(conn,
			     "UPDATE folder SET csv_mtime_nsecs = " SQL_LATER(
				     "csv_mtime_nsecs", "?2") " WHERE workspace_id = ?1",
			     "ii", workspace_id, time_now_nsecs());
	return err ? err : touched_flush(conn, &touched);
}
