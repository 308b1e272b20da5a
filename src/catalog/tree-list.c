/* Listings of the tree's folders. */
#include <errno.h>
#include <string.h>

#include "catalog/recording-private.h"
#include "catalog/tree-private.h"

/* Listings of folders go on behind the name of the row that the cookie names: rows and their names
 * stay, also those of removed folders. */
#define BEHIND(table, tree_name, after) \
	" AND " tree_name " > CASE " after " WHEN 0 THEN '' ELSE (SELECT tree_name FROM " table \
	" WHERE id = " after " - " SQL_COOKIE_FOLDER_FIRST ") END ORDER BY " tree_name

/* `unassigned` is shown only while it holds something. */
#define FOLDER_SHOWN \
	"f.removed = 0 AND w.removed = 0 AND (f.name IS NOT NULL OR f.calls > 0 OR EXISTS" \
	" (SELECT 1 FROM folder_count c WHERE c.folder_id = f.id AND c.listed = 1 AND c.n > 0))"

/* Each returns 1 when fn ended the listing. */
static int list_root(struct db_conn *conn, uint64_t after, size_t limit, catalog_node_fn *fn,
		     void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	struct catalog_node node;
	int err =
		db_query(conn, &stmt,
			 "SELECT " WORKSPACE_COLUMNS " FROM workspace w WHERE w.removed = 0" BEHIND(
				 "workspace", "w.tree_name", "?1") " LIMIT ?2",
			 "ii", (int64_t)after, (int64_t)limit);

	while (db_next(stmt, &err)) {
		workspace_node(stmt, &node);
		if (fn(arg, &node))
			return 1;
	}
	return err;
}

static int list_workspace(struct db_conn *conn, uint64_t workspace, uint64_t after, size_t limit,
			  catalog_node_fn *fn, void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	struct catalog_node node;
	int err = db_query(conn, &stmt,
			   "SELECT " FOLDER_COLUMNS " FROM " FOLDER_TABLES
			   " WHERE w.inode = ?1 AND " FOLDER_SHOWN BEHIND("folder", "f.tree_name",
									  "?2") " LIMIT ?3",
			   "iii", (int64_t)workspace, (int64_t)after, (int64_t)limit);

	while (db_next(stmt, &err)) {
		folder_node(stmt, &node);
		if (fn(arg, &node))
			return 1;
	}
	return err;
}

static int list_folder(struct db_conn *conn, uint64_t folder, uint64_t after, size_t limit,
		       enum catalog_names names, catalog_node_fn *fn, void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	struct catalog_recording r = { .id = 0 };
	struct catalog_node node, calls;
	size_t count = 0;
	int err = db_query_row(conn, &stmt,
			       "SELECT " FOLDER_COLUMNS " FROM " FOLDER_TABLES
			       " WHERE f.inode = ? AND f.removed = 0 AND w.removed = 0",
			       "i", (int64_t)folder);

	if (err)
		return err;
	calls_node(stmt, names, &calls);
	r.folder_id = calls.folder_id;
	r.workspace_id = calls.workspace_id;
	db_stmt_release(&stmt);
	if (after >= COOKIE_LAST)
		return 0;
	/* The columns of the index recording_listing and no others: the rows are not read. */
	err = db_query(conn, &stmt,
		       "SELECT sort_key, inode, size_bytes, flags, party, sid, id FROM recording"
		       " WHERE folder_id = ?1 AND listed = 1 AND sort_key > ?2"
		       " ORDER BY sort_key LIMIT ?3",
		       "iii", r.folder_id, (int64_t)after, (int64_t)limit);
	while (db_next(stmt, &err)) {
		int64_t sort_key = db_int64(stmt, 0), flags = db_int64(stmt, 3);

		r.inode = (uint64_t)db_int64(stmt, 1);
		r.size_bytes = db_int64(stmt, 2);
		r.kind = flags & RECORDING_FLAG_VOICEMAIL ? CATALOG_KIND_VOICEMAIL
							  : CATALOG_KIND_RECORDING;
		r.is_encrypted = flags & RECORDING_FLAG_ENCRYPTED;
		db_text_copy(stmt, 4, r.party, sizeof r.party);
		db_sid(stmt, 5, &r.sid);
		r.id = db_int64(stmt, 6);
		r.start_secs = sort_key >> SORT_KEY_SHIFT;
		recording_node(&r, folder, sort_key, names, &node);
		if (fn(arg, &node))
			return 1;
		count++;
	}
	if (err == 0 && count < limit && fn(arg, &calls))
		return 1;
	return err;
}

int catalog_node_list(struct catalog *catalog, uint64_t folder, uint64_t after, size_t limit,
		      enum catalog_names names, catalog_node_fn *fn, void *arg)
{
	cleanup_db_read struct db_conn *read = NULL;
	int64_t is_workspace;
	int err = db_read_begin(catalog->db, &read);

	if (err)
		return err;
	if (after > INT64_MAX)
		return -EINVAL;
	if (folder == CATALOG_ROOT_INODE) {
		err = list_root(read, after, limit, fn, arg);
	} else {
		err = db_query_int(read, &is_workspace,
				   "SELECT 1 FROM workspace WHERE inode = ? AND removed = 0", "i",
				   (int64_t)folder);
		if (err == 0)
			err = list_workspace(read, folder, after, limit, fn, arg);
		else if (err == -ENOENT)
			err = list_folder(read, folder, after, limit, names, fn, arg);
	}
	return err < 0 ? err : 0;
}
