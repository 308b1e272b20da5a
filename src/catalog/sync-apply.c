/* Writes pages of Twilio's lists of calls and of recordings. */
#include <errno.h>
#include <string.h>

#include "catalog/folder-private.h"
#include "catalog/recording-private.h"
#include "catalog/sync.h"

/* A page of a list. */
struct page {
	int64_t workspace_id;
	const struct catalog_call_input *calls;
	const struct catalog_recording_input *recordings;
	size_t count;
	struct catalog_apply_stats stats;
};

void catalog_apply_stats_add(struct catalog_apply_stats *to, const struct catalog_apply_stats *more)
{
	to->calls_new += more->calls_new;
	to->calls_changed += more->calls_changed;
	to->recordings_new += more->recordings_new;
	to->recordings_changed += more->recordings_changed;
	to->recordings_listed += more->recordings_listed;
	to->recordings_unlisted += more->recordings_unlisted;
}

static int page_write(struct catalog *catalog, db_write_fn *fn, struct page *page,
		      struct catalog_apply_stats *stats)
{
	int err = db_write(catalog->db, fn, page);

	if (err == 0 && stats)
		catalog_apply_stats_add(stats, &page->stats);
	return err;
}

/* ---- calls ---- */

struct call_found {
	int64_t id, folder_id, start_secs, duration_secs;
	bool known, finished, removed, same_text;
};

static int call_find(struct db_conn *conn, const struct catalog_call_input *call,
		     struct call_found *ret_found)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query_row(
		conn, &stmt,
		"SELECT id, folder_id, start_secs, duration_secs, known, finished, removed, " SQL_BOOL(
			"from_number = ?2 AND to_number = ?3 AND direction = ?4 AND status = ?5") " FROM call WHERE sid = ?1",
		"bssss", &call->sid, call->from, call->to, call->direction, call->status);

	if (err)
		return err;
	ret_found->id = db_int64(stmt, 0);
	ret_found->folder_id = db_int64(stmt, 1);
	ret_found->start_secs = db_int64(stmt, 2);
	ret_found->duration_secs = db_int64(stmt, 3);
	ret_found->known = db_int(stmt, 4);
	ret_found->finished = db_int(stmt, 5);
	ret_found->removed = db_int(stmt, 6);
	ret_found->same_text = db_int(stmt, 7);
	return 0;
}

static int call_apply(struct db_conn *conn, struct page *a, const struct catalog_call_input *call,
		      struct touched *touched)
{
	int64_t start_secs = call->start_secs > 0 ? call->start_secs : call->date_created_secs;
	struct call_found found;
	int64_t folder_id;
	int err = call_find(conn, call, &found);

	if (err == -ENOENT) {
		err = folder_of_call(conn, a->workspace_id, call->direction, call->from, call->to,
				     &folder_id);
		if (err == 0)
			err = db_insert(
				conn, &found.id,
				"INSERT INTO call (sid, workspace_id, folder_id, known, finished, from_number,"
				" to_number, direction, status, start_secs, duration_secs)"
				" VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)",
				"biiissssii", &call->sid, a->workspace_id, folder_id,
				(int64_t)call->is_finished, call->from, call->to, call->direction,
				call->status, start_secs, call->duration_secs);
		if (err == 0)
			err = calls_row_changed(conn, found.id);
		a->stats.calls_new++;
		return err;
	}
	if (err || found.removed)
		return err;
	if (found.known && found.same_text && found.start_secs == start_secs &&
	    found.duration_secs == call->duration_secs && found.finished == call->is_finished)
		return 0;
	folder_id = found.folder_id;
	if (!found.known)
		err = folder_of_call(conn, a->workspace_id, call->direction, call->from, call->to,
				     &folder_id);
	if (err == 0)
		err = db_run(
			conn,
			"UPDATE call SET known = 1, folder_id = ?2, finished = ?3, from_number = ?4, to_number = ?5,"
			" direction = ?6, status = ?7, start_secs = ?8, duration_secs = ?9, workspace_id = ?10 WHERE id = ?1",
			"iiissssiii", found.id, folder_id, (int64_t)call->is_finished, call->from,
			call->to, call->direction, call->status, start_secs, call->duration_secs,
			a->workspace_id);
	if (err == 0 && !found.known) {
		/* Recordings that came before their call can be files now. */
		err = db_run(conn,
			     "UPDATE recording SET folder_id = ?2 WHERE call_id = ?1"
			     " AND state <> " SQL_STATE_DELETED,
			     "ii", found.id, folder_id);
		if (err == 0)
			err = recordings_list_of_call(conn, found.id, touched,
						      &a->stats.recordings_listed);
		a->stats.calls_new++;
	} else {
		a->stats.calls_changed++;
	}
	return err ? err : calls_row_changed(conn, found.id);
}

static int write_calls(struct db_conn *conn, void *arg)
{
	struct touched touched = { .count = 0 };
	struct page *a = arg;
	int err = 0;

	memset(&a->stats, 0, sizeof a->stats);
	for (size_t i = 0; i < a->count && err == 0; i++)
		err = call_apply(conn, a, &a->calls[i], &touched);
	return err ? err : touched_flush(conn, &touched);
}

int catalog_calls_apply(struct catalog *catalog, int64_t workspace_id,
			const struct catalog_call_input *calls, size_t count,
			struct catalog_apply_stats *stats)
{
	struct page page = { .workspace_id = workspace_id, .calls = calls, .count = count };

	return page_write(catalog, write_calls, &page, stats);
}

static int write_unavailable(struct db_conn *conn, void *arg)
{
	int64_t call_id;
	int err = db_query_int(conn, &call_id, "SELECT id FROM call WHERE sid = ? AND known = 0",
			       "b", (const struct sid *)arg);

	if (err)
		return err == -ENOENT ? 0 : err; /* a list has shown it meanwhile */
	err = db_run(
		conn,
		"UPDATE call SET known = 1, finished = 1, start_secs = coalesce((SELECT min(CASE WHEN r.start_secs > 0"
		" THEN r.start_secs ELSE r.date_created_secs END) FROM recording r WHERE r.call_id = call.id), 0)"
		" WHERE id = ?",
		"i", call_id);
	if (err == 0)
		err = recordings_list_of_call(conn, call_id, NULL, NULL);
	return err ? err : calls_row_changed(conn, call_id);
}

int catalog_call_unavailable(struct catalog *catalog, const struct sid *call_sid)
{
	return db_write(catalog->db, write_unavailable, (void *)call_sid);
}

/* ---- recordings ---- */

/* The call's row, made where a recording is the first to name it. */
static int call_of_recording(struct db_conn *conn, int64_t workspace_id, const struct sid *call_sid,
			     int64_t *ret_call_id, int64_t *ret_folder_id)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err;

	*ret_call_id = 0;
	if (sid_is_zero(call_sid))
		return unassigned_folder(conn, workspace_id, ret_folder_id);
	err = db_query_row(conn, &stmt, "SELECT id, folder_id FROM call WHERE sid = ?", "b",
			   call_sid);
	if (err == 0) {
		*ret_call_id = db_int64(stmt, 0);
		*ret_folder_id = db_int64(stmt, 1);
	}
	if (err != -ENOENT)
		return err;
	err = unassigned_folder(conn, workspace_id, ret_folder_id);
	return err ? err
		   : db_insert(conn, ret_call_id,
			       "INSERT INTO call (sid, workspace_id, folder_id, known, finished)"
			       " VALUES (?, ?, ?, 0, 0)",
			       "bii", call_sid, workspace_id, *ret_folder_id);
}

static int64_t completed_of(const struct catalog_recording_input *r)
{
	return r->is_completed                                  ? COMPLETED
	       : r->is_deleted || r->is_absent || r->is_removed ? COMPLETED_NEVER
								: COMPLETED_NOT_YET;
}

static int64_t flags_of(const struct catalog_recording_input *r)
{
	return (r->kind == CATALOG_KIND_VOICEMAIL ? RECORDING_FLAG_VOICEMAIL : 0) |
	       (r->is_encrypted ? RECORDING_FLAG_ENCRYPTED : 0) |
	       (r->is_unvouched ? RECORDING_FLAG_UNVOUCHED : 0);
}

static int encryption_store(struct db_conn *conn, int64_t id,
			    const struct catalog_recording_input *r)
{
	if (!r->is_encrypted)
		return 0;
	return db_run(conn,
		      "INSERT INTO encryption (recording_id, key_sid, cek, iv) VALUES (?, ?, ?, ?)"
		      " ON CONFLICT (recording_id) DO UPDATE SET key_sid = excluded.key_sid,"
		      " cek = excluded.cek, iv = excluded.iv",
		      "isss", id, r->encryption_key_sid ? r->encryption_key_sid : "",
		      r->encryption_cek ? r->encryption_cek : "",
		      r->encryption_iv ? r->encryption_iv : "");
}

/* Leaves the call alone, which may become known only later: catalog_removals_settle. */
static int removed_insert(struct db_conn *conn, int64_t id)
{
	struct catalog_recording recording;
	int err = recording_load(conn, id, &recording);

	recording.call_id = 0;
	return err ? err : recording_hide(conn, &recording);
}

static int recording_insert(struct db_conn *conn, struct page *a,
			    const struct catalog_recording_input *r, struct touched *touched)
{
	int64_t call_id, folder_id, inode, id;
	int err = call_of_recording(conn, a->workspace_id, &r->call_sid, &call_id, &folder_id);

	if (err == 0)
		err = inode_for_recording(conn, &r->sid, &inode);
	/* One that was deleted at Twilio before it was ever seen is only noted. */
	if (err == 0)
		err = db_insert(
			conn, &id,
			"INSERT INTO recording (inode, sid, workspace_id, folder_id, call_id, state, completed, flags,"
			" duration_secs, date_created_secs, start_secs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			"ibiiiiiiiii", inode, &r->sid, a->workspace_id, folder_id, call_id,
			(int64_t)(r->is_deleted ? CATALOG_STATE_MISSING : CATALOG_STATE_TWILIO),
			completed_of(r), flags_of(r), r->duration_secs, r->date_created_secs,
			r->start_time_secs);
	if (err)
		return err;
	if (r->is_removed)
		return removed_insert(conn, id);
	a->stats.recordings_new++;
	err = encryption_store(conn, id, r);
	if (err == 0 && r->is_completed)
		err = recording_list(conn, id, touched, &a->stats.recordings_listed);
	if (err == 0 && call_id)
		err = calls_row_changed(conn, call_id);
	return err;
}

static int recording_update(struct db_conn *conn, struct page *a,
			    const struct catalog_recording *old,
			    const struct catalog_recording_input *r, struct touched *touched)
{
	int64_t completed, state = old->state;
	int err;

	if (old->state == CATALOG_STATE_DELETED)
		return 0;
	if (r->is_removed)
		return recording_hide(conn, old);
	err = db_query_int(conn, &completed, "SELECT completed FROM recording WHERE id = ?", "i",
			   old->id);
	if (err)
		return err;
	if (r->is_deleted) {
		err = recording_gone(conn, old);
		if (err == -ESTALE)
			return 0;
		a->stats.recordings_unlisted +=
			old->is_listed && old->state == CATALOG_STATE_TWILIO;
		return err ? err
			   : db_run(conn,
				    "UPDATE recording SET completed = " SQL_COMPLETED_NEVER
				    " WHERE id = ? AND state = " SQL_STATE_MISSING,
				    "i", old->id);
	}
	if (r->is_completed && old->state == CATALOG_STATE_MISSING)
		state = CATALOG_STATE_TWILIO; /* it is there again */
	/* A file stays a file: a status that goes back is not believed. */
	if (completed == COMPLETED && !r->is_completed)
		return 0;
	if (completed == completed_of(r) && state == (int64_t)old->state &&
	    old->duration_secs == r->duration_secs && old->is_encrypted == r->is_encrypted &&
	    (old->kind == r->kind || old->is_listed))
		return 0;
	a->stats.recordings_changed++;
	/* The flags are part of the name: they stay once it is listed. */
	err = db_run(
		conn,
		"UPDATE recording SET state = ?2, completed = ?3, duration_secs = ?4, flags = CASE WHEN sort_key > 0"
		" THEN flags ELSE ?5 | (flags & " SQL_FLAG_UNVOUCHED ") END WHERE id = ?1",
		"iiiii", old->id, state, completed_of(r), r->duration_secs, flags_of(r));
	if (err == 0)
		err = encryption_store(conn, old->id, r);
	if (err == 0 && r->is_completed && !old->is_listed)
		err = recording_list(conn, old->id, touched, &a->stats.recordings_listed);
	if (err == 0 && old->call_id)
		err = calls_row_changed(conn, old->call_id);
	return err;
}

static int write_recordings(struct db_conn *conn, void *arg)
{
	struct touched touched = { .count = 0 };
	struct page *a = arg;
	struct catalog_recording old;
	int err = 0;

	memset(&a->stats, 0, sizeof a->stats);
	for (size_t i = 0; i < a->count && err == 0; i++) {
		err = recording_load_by_sid(conn, &a->recordings[i].sid, &old);
		if (err == 0)
			err = recording_update(conn, a, &old, &a->recordings[i], &touched);
		else if (err == -ENOENT)
			err = recording_insert(conn, a, &a->recordings[i], &touched);
	}
	return err ? err : touched_flush(conn, &touched);
}

int catalog_recordings_apply(struct catalog *catalog, int64_t workspace_id,
			     const struct catalog_recording_input *recordings, size_t count,
			     struct catalog_apply_stats *stats)
{
	struct page page = { .workspace_id = workspace_id,
			     .recordings = recordings,
			     .count = count };

	return page_write(catalog, write_recordings, &page, stats);
}
