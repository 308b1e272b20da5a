/* The tree: nodes by their inodes and by their names. */
#include <errno.h>
#include <string.h>

#include "catalog/calls-csv.h"
#include "catalog/filename.h"
#include "catalog/folder-private.h"
#include "catalog/recording-private.h"
#include "catalog/tree-private.h"

static int root_node(struct db_conn *conn, struct catalog_node *ret_node)
{
	int64_t workspaces = 0;
	int err;

	node_init(ret_node, CATALOG_NODE_ROOT, CATALOG_ROOT_INODE, CATALOG_ROOT_INODE);
	err = db_query_int(conn, &ret_node->mtime_nsecs,
			   "SELECT coalesce((SELECT CAST(value AS BIGINT) FROM setting"
			   " WHERE name = '" ROOT_MTIME "'), 0)",
			   "");
	if (err == 0)
		err = db_query_int(conn, &workspaces,
				   "SELECT count(*) FROM workspace WHERE removed = 0", "");
	ret_node->link_count = 2 + (unsigned)workspaces;
	return err;
}

#define RECORDING_NODE_SQL \
	"SELECT " RECORDING_COLUMNS ", f.inode FROM recording r JOIN folder f ON f.id = r.folder_id"

/* Of RECORDING_NODE_SQL. */
static void recording_node_from_row(struct db_stmt *stmt, enum catalog_names names,
				    struct catalog_node *ret_node)
{
	struct catalog_recording r;

	recording_from_row(stmt, &r);
	recording_node(&r, (uint64_t)db_int64(stmt, 17), db_int64(stmt, 11), names, ret_node);
}

int catalog_node_get(struct catalog *catalog, uint64_t inode, enum catalog_names names,
		     struct catalog_node *ret_node)
{
	cleanup_db_read struct db_conn *read = NULL;
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read_begin(catalog->db, &read);

	if (err)
		return err;
	if (inode == CATALOG_ROOT_INODE)
		return root_node(read, ret_node);
	err = db_query_row(read, &stmt, RECORDING_NODE_SQL " WHERE r.inode = ? AND r.listed = 1",
			   "i", (int64_t)inode);
	if (err == 0)
		recording_node_from_row(stmt, names, ret_node);
	if (err != -ENOENT)
		return err;
	db_stmt_release(&stmt);
	err = db_query_row(read, &stmt,
			   "SELECT " FOLDER_COLUMNS " FROM " FOLDER_TABLES
			   " WHERE f.inode IN (?1, ?2) AND f.removed = 0 AND w.removed = 0",
			   "ii", (int64_t)inode, (int64_t)(inode ^ CALLS_INODE_XOR));
	if (err == 0) {
		folder_node(stmt, ret_node);
		if (ret_node->inode != inode)
			calls_node(stmt, names, ret_node);
	}
	if (err != -ENOENT)
		return err;
	db_stmt_release(&stmt);
	err = db_query_row(read, &stmt,
			   "SELECT " WORKSPACE_COLUMNS " FROM workspace w WHERE w.inode = ?"
			   " AND w.removed = 0",
			   "i", (int64_t)inode);
	if (err == 0)
		workspace_node(stmt, ret_node);
	return err;
}

static int lookup_workspace(struct db_conn *conn, const char *name, struct catalog_node *ret_node)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query_row(conn, &stmt,
			       "SELECT " WORKSPACE_COLUMNS
			       " FROM workspace w WHERE w.tree_name = ? AND w.removed = 0",
			       "s", name);

	if (err == 0)
		workspace_node(stmt, ret_node);
	return err;
}

/* Finds `unassigned` also while it is not listed: rm -r empties it first, and then removes it. */
static int lookup_folder(struct db_conn *conn, uint64_t parent, const char *name,
			 struct catalog_node *ret_node)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query_row(conn, &stmt,
			       "SELECT " FOLDER_COLUMNS " FROM " FOLDER_TABLES " WHERE w.inode = ?1"
			       " AND f.tree_name = ?2 AND f.removed = 0 AND w.removed = 0",
			       "is", (int64_t)parent, name);

	if (err == 0)
		folder_node(stmt, ret_node);
	return err;
}

static int lookup_file(struct db_conn *conn, uint64_t parent, const char *name,
		       enum catalog_names names, struct catalog_node *ret_node)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	struct sid sid;
	int64_t id;
	int err;

	if (strcmp(name, CATALOG_CALLS_NAME) == 0) {
		err = db_query_row(conn, &stmt,
				   "SELECT " FOLDER_COLUMNS " FROM " FOLDER_TABLES
				   " WHERE f.inode = ? AND f.removed = 0 AND w.removed = 0",
				   "i", (int64_t)parent);
		if (err == 0)
			calls_node(stmt, names, ret_node);
		return err;
	}
	if (!filename_find_sid(name, &sid))
		return -ENOENT;
	err = recording_id_by_sid(conn, &sid, &id);
	if (err == 0)
		err = db_query_row(conn, &stmt,
				   RECORDING_NODE_SQL
				   " WHERE r.id = ?1 AND r.listed = 1 AND f.inode = ?2",
				   "ii", id, (int64_t)parent);
	if (err == 0)
		recording_node_from_row(stmt, names, ret_node);
	if (err == 0 && strcmp(ret_node->name, name) != 0)
		err = -ENOENT;
	return err;
}

int catalog_node_lookup(struct catalog *catalog, uint64_t parent, const char *name,
			enum catalog_names names, struct catalog_node *ret_node)
{
	cleanup_db_read struct db_conn *read = NULL;
	int err = db_read_begin(catalog->db, &read);

	if (err)
		return err;
	if (parent == CATALOG_ROOT_INODE)
		return lookup_workspace(read, name, ret_node);
	err = lookup_file(read, parent, name, names, ret_node);
	return err == -ENOENT ? lookup_folder(read, parent, name, ret_node) : err;
}
