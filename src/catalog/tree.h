/*
 * The tree as a file system sees it, answered from the catalog without any network: root, workspaces, campaigns, recordings, calls.csv.
 * Inodes: 1 is the root; a recording's are 63 bits of its SID (collisions are resolved on arrival, once for ever), a folder's 63 bits of a hash
 * of its names: the same from mount to mount and on every machine.
 * Listings are in the order of names. Cookies: a recording's comes from its start time and a tie-breaker, a folder's names its row, whose name stays; so
 * an entry that appears or goes while a folder is listed neither hides nor repeats another.
 */
#ifndef TONICFS_CATALOG_TREE_H
#define TONICFS_CATALOG_TREE_H

#include "catalog/recording.h"
#include "catalog/workspace.h"

#define CATALOG_ROOT_INODE 1
#define CATALOG_CALLS_NAME "calls.csv"

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
	uint64_t cookie;    /* where a listing goes on after this entry; > 3 */
	int64_t size_bytes; /* -1: a recording whose size is not known yet */
	int64_t mtime_nsecs; /* = ctime. Folders: strictly increasing with every change of their entries */
	unsigned link_count;                           /* folders: 2 + subfolders */
	int64_t workspace_id, folder_id, recording_id; /* 0 where it has none */
	enum catalog_state state;     /* recordings; 0 in a listing, which reads an index only */
	char name[CATALOG_NAME_SIZE]; /* as in the tree */
};

int catalog_node_get(struct catalog *catalog, uint64_t inode, enum catalog_names names,
		     struct catalog_node *ret_node);
int catalog_node_lookup(struct catalog *catalog, uint64_t parent, const char *name,
			enum catalog_names names, struct catalog_node *ret_node);
/* Entries behind the one whose cookie is `after` (0: from the start), in the order of names, until fn returns non-zero (which ends the listing and is no error). At most
 * `limit` are fetched. `unassigned` is listed only while it has calls or recordings. */
typedef int catalog_node_fn(void *arg, const struct catalog_node *node);
int catalog_node_list(struct catalog *catalog, uint64_t folder, uint64_t after, size_t limit,
		      enum catalog_names names, catalog_node_fn *fn, void *arg);
/* "", "WORKSPACE", "WORKSPACE/CAMPAIGN", "WORKSPACE/CAMPAIGN/FILE" (either form of name; folders also by the name of what they are for), or a
 * recording's SID. -ENOENT */
int catalog_node_resolve(struct catalog *catalog, const char *path, struct catalog_node *ret_node);
struct catalog_scope catalog_node_scope(const struct catalog_node *node);

/* calls.csv: RFC 4180 with header, CRLF, one row per call of the folder in order of their start; its length is what the CALLS node says as
 * long as nothing changed in between. With CATALOG_NAMES_SID it has no number, and the files' names are those without one. */
struct buf;
int catalog_calls_render(struct catalog *catalog, int64_t folder_id, enum catalog_names names,
			 struct buf *ret_csv);
/* One cell: quoted where needed; an apostrophe before what a spreadsheet would compute, '?' for what is not printable. For tests. */
void catalog_csv_cell(struct buf *out, const char *text);

/* What mounts have to tell the kernel, in order. Kept for an hour. */
enum catalog_change_kind {
	CATALOG_CHANGE_ENTRY_GONE, /* name left parent (removed, or moved to another folder) */
	CATALOG_CHANGE_ATTRIBUTES, /* size learned or corrected */
	CATALOG_CHANGE_CONTENT,    /* what was cached of the file may be wrong */
};
struct catalog_change {
	int64_t seq;
	enum catalog_change_kind kind;
	uint64_t inode, parent;
	char name[CATALOG_NAME_SIZE];     /* with numbers */
	char sid_name[CATALOG_NAME_SIZE]; /* without */
};
typedef int catalog_change_fn(void *arg, const struct catalog_change *change);
int catalog_change_last(struct catalog *catalog, int64_t *ret_seq);
int catalog_change_each(struct catalog *catalog, int64_t after_seq, catalog_change_fn *fn,
			void *arg);

#endif
