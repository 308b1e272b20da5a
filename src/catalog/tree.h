/*
 * The tree as a file system sees it, answered from the catalog without any network: root,
 * workspaces, campaigns, recordings, calls.csv.
 *
 * Inodes    1 is the root; a recording's are 63 bits of its SID (collisions are resolved on
 *           arrival, once for ever), a folder's 63 bits of a hash of its names: the same from mount
 *           to mount and on every machine.
 * Listings  in the order of names.
 * Cookies   a recording's comes from its start time and a tie-breaker, a folder's names its row,
 *           whose name stays. So an entry that appears or goes while a folder is listed neither
 *           hides nor repeats another.
 */
#pragma once

#include "catalog/recording.h"

#define CATALOG_ROOT_INODE 1

enum catalog_node_kind {
	CATALOG_NODE_ROOT,
	CATALOG_NODE_WORKSPACE,
	CATALOG_NODE_CAMPAIGN, /* `unassigned` too */
	CATALOG_NODE_RECORDING,
	CATALOG_NODE_CALLS,
};

struct catalog_node {
	enum catalog_node_kind kind;
	uint64_t inode, parent;
	uint64_t cookie;     /* a listing goes on after this entry with it; > 3 */
	int64_t size_bytes;  /* -1: a recording whose size is not known yet */
	int64_t mtime_nsecs; /* = ctime. Folders: increases strictly with each change in it */
	unsigned link_count; /* folders: 2 + subfolders */
	int64_t workspace_id, folder_id, recording_id; /* 0 where it has none */
	enum catalog_state state;     /* recordings; 0 in a listing, which reads an index only */
	char name[CATALOG_NAME_SIZE]; /* as in the tree */
};

/* -ENOENT */
int catalog_node_get(struct catalog *catalog, uint64_t inode, enum catalog_names names,
		     struct catalog_node *ret_node);
int catalog_node_lookup(struct catalog *catalog, uint64_t parent, const char *name,
			enum catalog_names names, struct catalog_node *ret_node);
/* Entries behind the one whose cookie is `after` (0: from the start), in the order of names, until
 * fn returns non-zero (which ends the listing and is not an error). At most `limit` are fetched.
 * `unassigned` is listed only while it has calls or recordings. */
typedef int catalog_node_fn(void *arg, const struct catalog_node *node);
int catalog_node_list(struct catalog *catalog, uint64_t folder, uint64_t after, size_t limit,
		      enum catalog_names names, catalog_node_fn *fn, void *arg);
/* "", "WORKSPACE", "WORKSPACE/CAMPAIGN", "WORKSPACE/CAMPAIGN/FILE" (either form of name; folders
 * also by their workspace's or campaign's own name), or a recording's SID. -ENOENT */
int catalog_node_resolve(struct catalog *catalog, const char *path, struct catalog_node *ret_node);
struct catalog_scope catalog_node_scope(const struct catalog_node *node);
