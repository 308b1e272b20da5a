/* Between the files of the tree: the columns of nodes, and nodes from them. */
#pragma once

#include "catalog/tree.h"
#include "db/db.h"

/* Cookies: 1 and 2 are left to "." and ".."; a folder's is its row's id behind them, a recording's
 * is its sort key, which is above 2^30; calls.csv comes last, as it does by name. */
#define COOKIE_FOLDER_FIRST 16
#define SQL_COOKIE_FOLDER_FIRST "16"
#define COOKIE_LAST ((uint64_t)INT64_MAX - 1)

/* From `workspace w`. */
#define WORKSPACE_COLUMNS \
	"w.id, w.inode, w.mtime_nsecs, w.tree_name," \
	" (SELECT count(*) FROM folder WHERE workspace_id = w.id AND removed = 0)"
#define FOLDER_COLUMNS \
	"f.id, f.inode, f.mtime_nsecs, f.tree_name, f.workspace_id, w.inode, f.csv_bytes," \
	" f.csv_mtime_nsecs, f.csv_hidden_bytes"
#define FOLDER_TABLES "folder f JOIN workspace w ON w.id = f.workspace_id"

void node_init(struct catalog_node *node, enum catalog_node_kind kind, uint64_t inode,
	       uint64_t parent);
void workspace_node(struct db_stmt *stmt, struct catalog_node *node);
/* Both from FOLDER_COLUMNS: the folder, and its calls.csv. */
void folder_node(struct db_stmt *stmt, struct catalog_node *node);
void calls_node(struct db_stmt *stmt, enum catalog_names names, struct catalog_node *node);
void recording_node(const struct catalog_recording *r, uint64_t parent, int64_t sort_key,
		    enum catalog_names names, struct catalog_node *node);
