/*
 * The tree: inodes, names, listings; every answer from the catalog, none from the network.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/calls-csv.h"
#include "catalog/campaign.h"
#include "catalog/filename.h"
#include "catalog/folder-private.h"
#include "catalog/recording-private.h"
#include "catalog/tree.h"
#include "catalog/workspace.h"
#include "util/cleanup.h"
#include "util/crypto.h"

/* Cookies: 1 and 2 are left to "." and ".."; a folder's names its row, a recording's is its sort key, which is above 2^30. */
#define COOKIE_FOLDER_SHIFT 16
#define COOKIE_FOLDER(id) ((uint64_t)(id) + COOKIE_FOLDER_SHIFT)
#define COOKIE_LAST \
	((uint64_t)INT64_MAX - 1) /* calls.csv behind the recordings: as their names sort */

/* ---- inodes ---- */

bool inode_is_taken(struct db_conn *conn, uint64_t inode)
{
	int64_t found, value = (int64_t)inode;

	if (inode <= CATALOG_ROOT_INODE)
		return true;
	return db_query_int(conn, &found, "SELECT 1 FROM recording WHERE inode = ?", "i", value) ==
		       0 ||
	       db_query_int(conn, &found,
			    "SELECT 1 FROM folder WHERE inode IN (?1, ?2) AND removed = 0", "ii",
			    value, (int64_t)(inode ^ CALLS_INODE_XOR)) == 0 ||
	       db_query_int(conn, &found, "SELECT 1 FROM workspace WHERE inode = ? AND removed = 0",
			    "i", value) == 0;
}

int inode_for_folder(struct db_conn *conn, const char *workspace, const char *campaign,
		     uint64_t *ret_inode)
{
	cleanup_free char *text = NULL;
	uint8_t digest[CRYPTO_SHA256_SIZE];
	uint64_t inode = 0;
	int err, len = asprintf(&text, "tonicfs folder%c%s%c%s", 0, workspace, 0,
				campaign ? campaign : "");

	if (len < 0) {
		text = NULL;
		return -ENOMEM;
	}
	err = crypto_sha256(text, (size_t)len, digest);
	if (err)
		return err;
	for (int i = 0; i < 8; i++)
		inode = inode << 8 | digest[i];
	inode &= INT64_MAX;
	while (inode_is_taken(conn, inode) || inode_is_taken(conn, inode ^ CALLS_INODE_XOR))
		inode = (inode + 1) & INT64_MAX;
	*ret_inode = inode;
	return 0;
}

/* ---- nodes from rows ---- */

static void node_init(struct catalog_node *node, enum catalog_node_kind kind, uint64_t inode,
		      uint64_t parent)
{
	memset(node, 0, offsetof(struct catalog_node, name));
	node->name[0] = '\0';
	node->kind = kind;
	node->inode = inode;
	node->parent = parent;
	node->link_count = 1;
}

static int root_node(struct db_conn *conn, struct catalog_node *ret_node)
{
	int err;

	node_init(ret_node, CATALOG_NODE_ROOT, CATALOG_ROOT_INODE, CATALOG_ROOT_INODE);
	err = db_query_int(conn, &ret_node->mtime_nsecs,
			   "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM setting"
			   " WHERE name = 'root_mtime_nsecs'), 0)",
			   "");
	if (err == 0) {
		int64_t workspaces;

		err = db_query_int(conn, &workspaces,
				   "SELECT count(*) FROM workspace WHERE removed = 0", "");
		ret_node->link_count = 2 + (unsigned)workspaces;
	}
	return err;
}

#define WORKSPACE_COLUMNS \
	"w.id, w.inode, w.mtime_nsecs, w.tree_name, (SELECT count(*) FROM folder WHERE workspace_id = w.id AND removed = 0)"

static void workspace_node(struct db_stmt *stmt, struct catalog_node *node)
{
	node_init(node, CATALOG_NODE_WORKSPACE, (uint64_t)db_int64(stmt, 1), CATALOG_ROOT_INODE);
	node->workspace_id = db_int64(stmt, 0);
	node->mtime_nsecs = db_int64(stmt, 2);
	db_text_copy(stmt, 3, node->name, sizeof node->name);
	node->link_count = 2 + (unsigned)db_int(stmt, 4);
	node->cookie = COOKIE_FOLDER(node->workspace_id);
}

#define FOLDER_COLUMNS \
	"f.id, f.inode, f.mtime_nsecs, f.tree_name, f.workspace_id, w.inode, f.csv_bytes, f.csv_mtime_nsecs, f.csv_hidden_bytes"
#define FOLDER_TABLES "folder f JOIN workspace w ON w.id = f.workspace_id"
/* What is shown: `unassigned` only while something is in it. */
#define FOLDER_SHOWN \
	"f.removed = 0 AND w.removed = 0 AND (f.name IS NOT NULL OR f.calls > 0 OR EXISTS" \
	" (SELECT 1 FROM folder_count c WHERE c.folder_id = f.id AND c.listed = 1 AND c.n > 0))"

static void folder_node(struct db_stmt *stmt, struct catalog_node *node)
{
	node_init(node, CATALOG_NODE_CAMPAIGN, (uint64_t)db_int64(stmt, 1),
		  (uint64_t)db_int64(stmt, 5));
	node->folder_id = db_int64(stmt, 0);
	node->workspace_id = db_int64(stmt, 4);
	node->mtime_nsecs = db_int64(stmt, 2);
	db_text_copy(stmt, 3, node->name, sizeof node->name);
	node->link_count = 2;
	node->cookie = COOKIE_FOLDER(node->folder_id);
}

/* From the same row: the folder's calls.csv. */
static void calls_node(struct db_stmt *stmt, enum catalog_names names, struct catalog_node *node)
{
	uint64_t folder_inode = (uint64_t)db_int64(stmt, 1);

	node_init(node, CATALOG_NODE_CALLS, folder_inode ^ CALLS_INODE_XOR, folder_inode);
	node->folder_id = db_int64(stmt, 0);
	node->workspace_id = db_int64(stmt, 4);
	node->size_bytes = calls_csv_header_bytes() + db_int64(stmt, 6);
	if (names == CATALOG_NAMES_SID)
		node->size_bytes -= db_int64(stmt, 8);
	node->mtime_nsecs = db_int64(stmt, 7);
	node->cookie = COOKIE_LAST;
	strcpy(node->name, CATALOG_CALLS_NAME);
}

static void recording_node(const struct catalog_recording *r, uint64_t parent, int64_t sort_key,
			   enum catalog_names names, struct catalog_node *node)
{
	node_init(node, CATALOG_NODE_RECORDING, r->inode, parent);
	node->workspace_id = r->workspace_id;
	node->folder_id = r->folder_id;
	node->recording_id = r->id;
	node->state = r->state;
	node->size_bytes = r->size_bytes;
	node->mtime_nsecs = r->start_secs * 1000000000;
	node->cookie = (uint64_t)sort_key;
	catalog_recording_name(r, names, node->name);
}

/* ---- one node ---- */

static int recording_node_by(struct db_conn *conn, struct db_stmt *stmt, enum catalog_names names,
			     struct catalog_node *ret_node)
{
	struct catalog_recording r;
	int err = db_step(conn, stmt);

	if (err <= 0)
		return err < 0 ? err : -ENOENT;
	recording_from_row(stmt, &r);
	recording_node(&r, (uint64_t)db_int64(stmt, 17), db_int64(stmt, 11), names, ret_node);
	return 0;
}

#define RECORDING_NODE_SQL \
	"SELECT " RECORDING_COLUMNS ", f.inode FROM recording r JOIN folder f ON f.id = r.folder_id"

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
	err = db_query(read, &stmt, RECORDING_NODE_SQL " WHERE r.inode = ? AND r.listed = 1", "i",
		       (int64_t)inode);
	if (err == 0)
		err = recording_node_by(read, stmt, names, ret_node);
	if (err != -ENOENT)
		return err;
	db_stmt_release(&stmt);
	err = db_query(read, &stmt,
		       "SELECT " FOLDER_COLUMNS " FROM " FOLDER_TABLES " WHERE f.inode IN (?1, ?2)"
		       " AND f.removed = 0 AND w.removed = 0",
		       "ii", (int64_t)inode, (int64_t)(inode ^ CALLS_INODE_XOR));
	if (err == 0)
		err = db_step(read, stmt);
	if (err > 0) {
		folder_node(stmt, ret_node);
		if (ret_node->inode != inode)
			calls_node(stmt, names, ret_node);
		return 0;
	}
	db_stmt_release(&stmt);
	if (err == 0)
		err = db_query(read, &stmt,
			       "SELECT " WORKSPACE_COLUMNS " FROM workspace w WHERE w.inode = ?"
			       " AND w.removed = 0",
			       "i", (int64_t)inode);
	if (err == 0)
		err = db_step(read, stmt);
	if (err <= 0)
		return err < 0 ? err : -ENOENT;
	workspace_node(stmt, ret_node);
	return 0;
}

static int lookup_workspace(struct db_conn *conn, const char *name, struct catalog_node *ret_node)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query(conn, &stmt,
			   "SELECT " WORKSPACE_COLUMNS
			   " FROM workspace w WHERE w.tree_name = ? AND w.removed = 0",
			   "s", name);

	if (err == 0)
		err = db_step(conn, stmt);
	if (err <= 0)
		return err < 0 ? err : -ENOENT;
	workspace_node(stmt, ret_node);
	return 0;
}

/* Finds `unassigned` also while it is not listed: what rm -r has just emptied it goes on to remove. */
static int lookup_folder(struct db_conn *conn, uint64_t parent, const char *name,
			 struct catalog_node *ret_node)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query(conn, &stmt,
			   "SELECT " FOLDER_COLUMNS " FROM " FOLDER_TABLES " WHERE w.inode = ?1"
			   " AND f.tree_name = ?2 AND f.removed = 0 AND w.removed = 0",
			   "is", (int64_t)parent, name);

	if (err == 0)
		err = db_step(conn, stmt);
	if (err <= 0)
		return err < 0 ? err : -ENOENT;
	folder_node(stmt, ret_node);
	return 0;
}

static int lookup_file(struct db_conn *conn, uint64_t parent, const char *name,
		       enum catalog_names names, struct catalog_node *ret_node)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	struct sid sid;
	int64_t id;
	int err;

	if (strcmp(name, CATALOG_CALLS_NAME) == 0) {
		err = db_query(conn, &stmt,
			       "SELECT " FOLDER_COLUMNS " FROM " FOLDER_TABLES " WHERE f.inode = ?"
			       " AND f.removed = 0 AND w.removed = 0",
			       "i", (int64_t)parent);
		if (err == 0)
			err = db_step(conn, stmt);
		if (err > 0)
			calls_node(stmt, names, ret_node);
		return err > 0 ? 0 : err < 0 ? err : -ENOENT;
	}
	if (!filename_find_sid(name, &sid))
		return -ENOENT;
	err = recording_id_by_sid(conn, &sid, &id);
	if (err == 0)
		err = db_query(conn, &stmt,
			       RECORDING_NODE_SQL
			       " WHERE r.id = ?1 AND r.listed = 1 AND f.inode = ?2",
			       "ii", id, (int64_t)parent);
	if (err == 0)
		err = recording_node_by(conn, stmt, names, ret_node);
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

/* ---- listings ---- */

/* Folders go on behind the name of the row that the cookie names: rows and their names stay, also those of removed folders. */
#define BEHIND(table, tree_name, after) \
	" AND " tree_name " > CASE " after " WHEN 0 THEN '' ELSE" \
	" (SELECT tree_name FROM " table " WHERE id = " after " - 16) END ORDER BY " tree_name
_Static_assert(COOKIE_FOLDER_SHIFT == 16, "as in BEHIND");

/* Each returns 1 when fn wanted no more. */
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

	while (err == 0 && (err = db_step(conn, stmt)) > 0) {
		workspace_node(stmt, &node);
		err = fn(arg, &node) ? 1 : 0;
		if (err)
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

	while (err == 0 && (err = db_step(conn, stmt)) > 0) {
		folder_node(stmt, &node);
		if (fn(arg, &node))
			return 1;
		err = 0;
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
	int err = db_query(conn, &stmt,
			   "SELECT " FOLDER_COLUMNS " FROM " FOLDER_TABLES
			   " WHERE f.inode = ? AND f.removed = 0"
			   " AND w.removed = 0",
			   "i", (int64_t)folder);

	if (err == 0)
		err = db_step(conn, stmt);
	if (err <= 0)
		return err < 0 ? err : -ENOENT;
	calls_node(stmt, names, &calls);
	r.folder_id = calls.folder_id;
	r.workspace_id = calls.workspace_id;
	db_stmt_release(&stmt);
	if (after >= COOKIE_LAST)
		return 0;
	/* The columns of the index recording_listing, and no other: the rows themselves are not read. */
	err = db_query(
		conn, &stmt,
		"SELECT sort_key, inode, size_bytes, flags, party, sid, id FROM recording"
		" INDEXED BY recording_listing WHERE folder_id = ?1 AND listed = 1 AND sort_key > ?2"
		" ORDER BY sort_key LIMIT ?3",
		"iii", r.folder_id, (int64_t)after, (int64_t)limit);
	if (err)
		return err;
	while ((err = db_step(conn, stmt)) > 0) {
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

/* ---- paths ---- */

/* A folder by the name that its workspace or campaign was given. */
static int lookup_named(struct catalog *catalog, const struct catalog_node *parent,
			const char *name, struct catalog_node *ret_node)
{
	struct catalog_workspace workspace;
	struct catalog_campaign campaign;
	int err = -ENOENT;

	if (parent->kind == CATALOG_NODE_ROOT) {
		err = catalog_workspace_find(catalog, name, &workspace);
		name = workspace.folder;
	} else if (parent->kind == CATALOG_NODE_WORKSPACE) {
		err = catalog_campaign_find(catalog, parent->workspace_id, name, &campaign);
		name = campaign.folder;
	}
	return err ? err
		   : catalog_node_lookup(catalog, parent->inode, name, CATALOG_NAMES_NUMBER,
					 ret_node);
}

int catalog_node_resolve(struct catalog *catalog, const char *path, struct catalog_node *ret_node)
{
	cleanup_free char *copy = strdup(path);
	struct catalog_recording r;
	struct catalog_node node;
	struct sid sid;
	char *rest = copy;
	int err;

	if (!copy)
		return -ENOMEM;
	if (sid_parse(path, "RE", &sid) == 0) {
		err = catalog_recording_find(catalog, &sid, &r);
		if (err)
			return err;
		return catalog_node_get(catalog, r.inode, CATALOG_NAMES_NUMBER, ret_node);
	}
	err = catalog_node_get(catalog, CATALOG_ROOT_INODE, CATALOG_NAMES_NUMBER, &node);
	for (char *part; err == 0 && (part = strsep(&rest, "/"));) {
		struct catalog_node parent = node;

		if (!part[0] || strcmp(part, ".") == 0)
			continue;
		if (node.kind == CATALOG_NODE_RECORDING || node.kind == CATALOG_NODE_CALLS)
			return -ENOTDIR;
		err = catalog_node_lookup(catalog, parent.inode, part, CATALOG_NAMES_NUMBER, &node);
		if (err == -ENOENT)
			err = catalog_node_lookup(catalog, parent.inode, part, CATALOG_NAMES_SID,
						  &node);
		if (err == -ENOENT)
			err = lookup_named(catalog, &parent, part, &node);
	}
	if (err == 0)
		*ret_node = node;
	return err;
}

struct catalog_scope catalog_node_scope(const struct catalog_node *node)
{
	struct catalog_scope scope = { CATALOG_SCOPE_ALL, 0 };

	switch (node->kind) {
	case CATALOG_NODE_ROOT:
		break;
	case CATALOG_NODE_WORKSPACE:
		scope = (struct catalog_scope){ CATALOG_SCOPE_WORKSPACE, node->workspace_id };
		break;
	case CATALOG_NODE_CAMPAIGN:
	case CATALOG_NODE_CALLS:
		scope = (struct catalog_scope){ CATALOG_SCOPE_FOLDER, node->folder_id };
		break;
	case CATALOG_NODE_RECORDING:
		scope = (struct catalog_scope){ CATALOG_SCOPE_RECORDING, node->recording_id };
		break;
	}
	return scope;
}
