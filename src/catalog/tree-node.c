/* Nodes of the tree from rows of the catalog. */
#include <string.h>

#include "catalog/calls-csv.h"
#include "catalog/folder-private.h"
#include "catalog/recording-private.h"
#include "catalog/tree-private.h"

void node_init(struct catalog_node *node, enum catalog_node_kind kind, uint64_t inode,
	       uint64_t parent)
{
	memset(node, 0, offsetof(struct catalog_node, name));
	node->name[0] = '\0';
	node->kind = kind;
	node->inode = inode;
	node->parent = parent;
	node->link_count = 1;
}

void workspace_node(struct db_stmt *stmt, struct catalog_node *node)
{
	node_init(node, CATALOG_NODE_WORKSPACE, (uint64_t)db_int64(stmt, 1), CATALOG_ROOT_INODE);
	node->workspace_id = db_int64(stmt, 0);
	node->mtime_nsecs = db_int64(stmt, 2);
	db_text_copy(stmt, 3, node->name, sizeof node->name);
	node->link_count = 2 + (unsigned)db_int(stmt, 4);
	node->cookie = (uint64_t)node->workspace_id + COOKIE_FOLDER_FIRST;
}

void folder_node(struct db_stmt *stmt, struct catalog_node *node)
{
	node_init(node, CATALOG_NODE_CAMPAIGN, (uint64_t)db_int64(stmt, 1),
		  (uint64_t)db_int64(stmt, 5));
	node->folder_id = db_int64(stmt, 0);
	node->workspace_id = db_int64(stmt, 4);
	node->mtime_nsecs = db_int64(stmt, 2);
	db_text_copy(stmt, 3, node->name, sizeof node->name);
	node->link_count = 2;
	node->cookie = (uint64_t)node->folder_id + COOKIE_FOLDER_FIRST;
}

void calls_node(struct db_stmt *stmt, enum catalog_names names, struct catalog_node *node)
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

void recording_node(const struct catalog_recording *r, uint64_t parent, int64_t sort_key,
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
