/* Removing recordings, campaigns and workspaces, a transaction each. */
#include <errno.h>
#include <string.h>

#include "catalog/change.h"
#include "catalog/folder-private.h"
#include "catalog/queue-private.h"
#include "catalog/removal-private.h"
#include "catalog/tree.h"
#include "util/cleanup.h"
#include "util/times.h"

/* ---- one recording ---- */

struct removal_arg {
	int64_t id;
	bool only_if_empty;
	struct catalog_removal removal;
};

/* A recording that is a file, or still being recorded, keeps the entry. */
int call_left(struct db_conn *conn, int64_t call_id)
{
	int64_t left;
	int err = db_query_int(conn, &left,
			       "SELECT count(*) FROM recording WHERE call_id = ?1"
			       " AND state <> " SQL_STATE_DELETED
			       " AND (listed = 1 OR completed = " SQL_COMPLETED_NOT_YET ")",
			       "i", call_id);

	if (err || left)
		return err;
	err = db_run(conn, "UPDATE call SET removed = 1 WHERE id = ?", "i", call_id);
	return err ? err : calls_row_changed(conn, call_id);
}

static int write_remove_recording(struct db_conn *conn, void *arg)
{
	struct removal_arg *a = arg;
	struct catalog_recording recording;
	struct removal_policy policy;
	int err = recording_load(conn, a->id, &recording);

	memset(&a->removal, 0, sizeof a->removal);
	if (err || recording.state == CATALOG_STATE_DELETED)
		return err;
	err = removal_policy_load(conn, recording.workspace_id, &policy);
	if (err == 0)
		err = removal_run(conn, REMOVAL_RECORDING, a->id, &policy, &a->removal);
	if (err == 0)
		err = recording_unlist(conn, a->id);
	if (err == 0 && recording.call_id)
		err = call_left(conn, recording.call_id);
	return err;
}

int catalog_remove_recording(struct catalog *catalog, int64_t recording_id,
			     struct catalog_removal *ret_removal)
{
	struct removal_arg a = { .id = recording_id };
	int err = db_write(catalog->db, write_remove_recording, &a);

	*ret_removal = a.removal;
	return err;
}

/* ---- folders ---- */

/* One event is enough: a kernel that drops a folder's name drops all below it. */
static int folder_gone(struct db_conn *conn, const char *tree_name, int64_t inode, int64_t parent)
{
	return db_run(conn,
		      "INSERT INTO change (at_secs, kind, inode, parent, name, sid_name)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
		      "iiiis", time_now_secs(), (int64_t)CATALOG_CHANGE_ENTRY_GONE, inode, parent,
		      tree_name);
}

/* Removes recordings that are not listed: still being recorded, or gone. They are few, and found by
 * their calls; those without a call are in `unassigned`. */
#define UNLISTED "r.listed = 0 AND r.state <> " SQL_STATE_DELETED " AND r.completed >= ?2"

static int unlisted_remove(struct db_conn *conn, int64_t folder_id, bool keep_unfinished,
			   const struct removal_policy *policy, struct catalog_removal *removal)
{
	cleanup_free int64_t *ids = NULL;
	size_t count = 0;
	int err = db_query_ids(
		conn, &ids, &count,
		"SELECT r.id FROM call c JOIN recording r ON r.call_id = c.id"
		" WHERE c.folder_id = ?1 AND " UNLISTED " UNION ALL SELECT r.id FROM recording r"
		" WHERE r.call_id = 0 AND r.folder_id = ?1 AND " UNLISTED " ORDER BY id",
		"ii", folder_id, (int64_t)keep_unfinished);

	for (size_t i = 0; i < count && err == 0; i++)
		err = removal_run(conn, REMOVAL_RECORDING, ids[i], policy, removal);
	return err;
}

/* Removes recordings and calls; the folder itself stays. keep_unfinished: a recording that is not
 * completed yet stays, and brings its call back when it is. */
static int folder_empty(struct db_conn *conn, int64_t folder_id, bool keep_unfinished,
			const struct removal_policy *policy, struct catalog_removal *removal)
{
	int err = removal_run(conn, REMOVAL_FOLDER, folder_id, policy, removal);

	if (err == 0)
		err = db_run(conn,
			     "UPDATE recording SET listed = 0 WHERE folder_id = ? AND listed = 1",
			     "i", folder_id);
	if (err == 0)
		err = unlisted_remove(conn, folder_id, keep_unfinished, policy, removal);
	if (err == 0)
		err = db_run(
			conn,
			"UPDATE call SET removed = 1, csv_len = 0, csv_hidden = 0 WHERE folder_id = ? AND removed = 0",
			"i", folder_id);
	if (err == 0)
		err = calls_csv_touch(conn, folder_id);
	return err ? err : folder_touch(conn, folder_id);
}

struct folder_row {
	int64_t workspace_id, inode, workspace_inode;
	char tree_name[CATALOG_NAME_SIZE];
	bool is_unassigned;
};

static int folder_load(struct db_conn *conn, int64_t folder_id, struct folder_row *ret_folder)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query_row(
		conn, &stmt,
		"SELECT f.workspace_id, f.inode, w.inode, " SQL_BOOL(
			"f.name IS NULL") ", f.tree_name FROM folder f"
					  " JOIN workspace w ON w.id = f.workspace_id WHERE f.id = ? AND f.removed = 0",
		"i", folder_id);

	if (err)
		return err;
	ret_folder->workspace_id = db_int64(stmt, 0);
	ret_folder->inode = db_int64(stmt, 1);
	ret_folder->workspace_inode = db_int64(stmt, 2);
	ret_folder->is_unassigned = db_int(stmt, 3);
	db_text_copy(stmt, 4, ret_folder->tree_name, sizeof ret_folder->tree_name);
	return 0;
}

static int folder_remove(struct db_conn *conn, int64_t folder_id, const struct folder_row *folder,
			 bool keep_unfinished, const struct removal_policy *policy,
			 struct catalog_removal *removal)
{
	int err = folder_empty(conn, folder_id, keep_unfinished, policy, removal);

	if (err == 0 && !folder->is_unassigned)
		err = db_run(conn, "UPDATE folder SET removed = 1 WHERE id = ?", "i", folder_id);
	if (err == 0)
		err = db_run(conn, "DELETE FROM campaign_number WHERE folder_id = ?", "i",
			     folder_id);
	if (err == 0)
		err = folder_gone(conn, folder->tree_name, folder->inode, folder->workspace_inode);
	return err ? err : workspace_touch(conn, folder->workspace_id);
}

static int listed_count(struct db_conn *conn, int64_t folder_id, int64_t *ret_count)
{
	return db_query_int(
		conn, ret_count,
		"SELECT coalesce(sum(n), 0) FROM folder_count WHERE folder_id = ? AND listed = 1",
		"i", folder_id);
}

static int write_remove_campaign(struct db_conn *conn, void *arg)
{
	struct removal_arg *a = arg;
	struct folder_row folder;
	struct removal_policy policy;
	int64_t count;
	int err = folder_load(conn, a->id, &folder);

	memset(&a->removal, 0, sizeof a->removal);
	if (err == 0)
		err = removal_policy_load(conn, folder.workspace_id, &policy);
	if (err == 0 && a->only_if_empty) {
		err = listed_count(conn, a->id, &count);
		if (err == 0 && count)
			return -ENOTEMPTY;
	}
	/* `unassigned` goes on to take calls: it keeps a recording of a call that is not
	 * finished. */
	return err ? err
		   : folder_remove(conn, a->id, &folder, folder.is_unassigned, &policy,
				   &a->removal);
}

int catalog_remove_campaign(struct catalog *catalog, int64_t folder_id, bool only_if_empty,
			    struct catalog_removal *ret_removal)
{
	struct removal_arg a = { .id = folder_id, .only_if_empty = only_if_empty };
	int err = db_write(catalog->db, write_remove_campaign, &a);

	*ret_removal = a.removal;
	return err;
}

/* ---- workspaces ---- */

static int workspace_check_empty(struct db_conn *conn, int64_t workspace_id)
{
	int64_t count, unassigned;
	int err = db_query_int(
		conn, &count,
		"SELECT count(*) FROM folder WHERE workspace_id = ? AND name IS NOT NULL"
		" AND removed = 0",
		"i", workspace_id);

	if (err == 0 && !count)
		err = unassigned_folder(conn, workspace_id, &unassigned);
	if (err == 0 && !count)
		err = listed_count(conn, unassigned, &count);
	return err ? err : count ? -ENOTEMPTY : 0;
}

static int workspace_gone(struct db_conn *conn, int64_t workspace_id)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	char name[CATALOG_NAME_SIZE];
	int64_t inode;
	int err =
		db_query_row(conn, &stmt,
			     "SELECT tree_name, inode FROM workspace WHERE id = ? AND removed = 0",
			     "i", workspace_id);

	if (err)
		return err;
	db_text_copy(stmt, 0, name, sizeof name);
	inode = db_int64(stmt, 1);
	db_stmt_release(&stmt);
	err = db_run(conn, "UPDATE workspace SET removed = 1 WHERE id = ?", "i", workspace_id);
	if (err == 0)
		err = db_run(conn, "UPDATE folder SET removed = 1 WHERE workspace_id = ?", "i",
			     workspace_id);
	if (err == 0)
		err = folder_gone(conn, name, inode, CATALOG_ROOT_INODE);
	if (err == 0)
		err = root_touch(conn);
	return err ? err : catalog_queue_settle(conn, workspace_id);
}

static int write_remove_workspace(struct db_conn *conn, void *arg)
{
	struct removal_arg *a = arg;
	cleanup_free int64_t *folders = NULL;
	size_t count = 0;
	struct removal_policy policy;
	int err = scope_folders(conn, (struct catalog_scope){ CATALOG_SCOPE_WORKSPACE, a->id },
				false, &folders, &count);

	memset(&a->removal, 0, sizeof a->removal);
	if (err == 0)
		err = removal_policy_load(conn, a->id, &policy);
	if (err == 0 && a->only_if_empty)
		err = workspace_check_empty(conn, a->id);
	for (size_t i = 0; i < count && err == 0; i++) {
		struct folder_row folder;

		err = folder_load(conn, folders[i], &folder);
		if (err == 0)
			err = folder_remove(conn, folders[i], &folder, false, &policy, &a->removal);
	}
	return err ? err : workspace_gone(conn, a->id);
}

int catalog_remove_workspace(struct catalog *catalog, int64_t workspace_id, bool only_if_empty,
			     struct catalog_removal *ret_removal)
{
	struct removal_arg a = { .id = workspace_id, .only_if_empty = only_if_empty };
	int err = db_write(catalog->db, write_remove_workspace, &a);

	*ret_removal = a.removal;
	return err;
}
