/* Between the files of the room: folders, their names, inodes and times. All work inside a
 * write. */
#pragma once

#include "catalog/catalog-private.h"

/* ---- times: each moves the folder's mtime on, strictly ---- */
int folder_touch(struct db_conn *conn, int64_t folder_id); /* `unassigned`: its workspace's, too */
int workspace_touch(struct db_conn *conn, int64_t workspace_id);
#define ROOT_MTIME "root_mtime_nsecs" /* the setting that holds the root's */
int root_touch(struct db_conn *conn);

/* Folders that a write has changed: touched once each at its end. */
struct touched {
	int64_t folders[16];
	size_t count;
};
/* Flushes when full. touched NULL: touches the folder at once. */
int touched_add(struct db_conn *conn, struct touched *touched, int64_t folder_id);
int touched_flush(struct db_conn *conn, struct touched *touched);

/* ---- calls ---- */
int unassigned_folder(struct db_conn *conn, int64_t workspace_id, int64_t *ret_folder_id);
/* The folder a call belongs to by its numbers: a campaign's, else `unassigned`. */
int folder_of_call(struct db_conn *conn, int64_t workspace_id, const char *direction,
		   const char *from, const char *to, int64_t *ret_folder_id);
/* Moves calls of `unassigned` that now belong elsewhere (after campaign add). */
int calls_reassign(struct db_conn *conn, int64_t workspace_id);

/* ---- inodes ---- */
/* The inode of calls.csv is its folder's with these bits flipped. */
#define CALLS_INODE_XOR 0x2c01dca11ULL
/* A new folder's: a hash of the names of workspace and campaign, made unique among all inodes.
 * campaign NULL: the workspace's own. */
int inode_for_folder(struct db_conn *conn, const char *workspace, const char *campaign,
		     uint64_t *ret_inode);

/* ---- name.c, tree-name.c ---- */
#define NAME_START 1u      /* no dash in front, no device of Windows */
#define NAME_DECOMPOSED 2u /* no character that NFC replaces by another */
/* As catalog_name_encode, by these rules only, and with the first so many letters escaped. */
int name_encode(const char *name, unsigned rules, size_t letters,
		char ret_encoded[CATALOG_NAME_SIZE]);
/* Whether a new `what` may have the name; with a message where not. */
int name_check(const char *name, const char *what, char ret_message[CATALOG_MESSAGE_SIZE]);
/* A folder's name for a new campaign, or (workspace_id 0) a new workspace: like no other folder's
 * there, in any case. -ENAMETOOLONG */
int tree_name_new(struct db_conn *conn, int64_t workspace_id, const char *name,
		  char ret_tree_name[CATALOG_NAME_SIZE]);
int tree_names_fill(struct db_conn *conn); /* of rows that are older than the column */
