/* Shared by the files of the catalog room only. */
#ifndef TONICFS_CATALOG_PRIVATE_H
#define TONICFS_CATALOG_PRIVATE_H

#include <pthread.h>

#include "catalog/catalog.h"
#include "catalog/recording.h"
#include "catalog/workspace.h"
#include "db/db.h"
#include "util/sid.h"

#define CATALOG_APPLICATION_ID 0x746f6e69 /* "toni" */

struct catalog {
	struct db *db;
	pthread_mutex_t wanted_mutex; /* guards wanted_folders */
	int64_t wanted_folders[8];    /* catalog_folder_want_sizes, latest first */
};

/* ---- pieces that several files use inside a write ---- */

/* The columns that recording_from_row reads, in its order, from table `recording r`. */
#define RECORDING_COLUMNS \
	"r.id, r.inode, r.workspace_id, r.folder_id, r.call_id, r.sid, r.state, r.migration, r.flags, " \
	"r.size_bytes, r.duration_secs, r.sort_key, r.date_created_secs, r.channels_requested, r.channels_stored, r.party, r.listed"
void recording_from_row(struct db_stmt *stmt, struct catalog_recording *ret_recording);
/* What a recording weighs: its size; while that is not known, 8 kHz and 16 bit by Twilio's duration.
 * Part of a step of the schema: it cannot change. */
#define RECORDING_BYTES(r) \
	"CASE WHEN " r ".size_bytes >= 0 THEN " r ".size_bytes" \
	" WHEN " r ".duration_secs < 0 THEN 0" \
	" ELSE " r ".duration_secs * 16000 * CASE" \
	" WHEN " r ".channels_stored > 0 THEN " r ".channels_stored" \
	" WHEN " r ".channels_requested > 0 THEN " r ".channels_requested ELSE 2 END END"
#define RECORDING_FLAG_VOICEMAIL 1
#define RECORDING_FLAG_ENCRYPTED 2
#define RECORDING_FLAG_UNVOUCHED 4
/* sort_key = start << SORT_KEY_SHIFT | tie-breaker */
#define SORT_KEY_SHIFT 30

/* Folder's mtime (and its workspace's, where in_workspace) moves on, strictly. */
int folder_touch(struct db_conn *conn, int64_t folder_id);
int workspace_touch(struct db_conn *conn, int64_t workspace_id);
int root_touch(struct db_conn *conn); /* setting "root_mtime_nsecs" */
/* The lengths of calls.csv's rows are kept with the calls: to be called for each call whose row, or whose recordings, changed in this write. */
int calls_row_changed(struct db_conn *conn, int64_t call_id);
/* Adds an event for mounts. */
int change_add(struct db_conn *conn, int kind /* enum catalog_change_kind */,
	       const struct catalog_recording *recording);
/* Takes a listed recording out of the tree (listed = 0, change event, folder's mtime, call's row). */
int recording_unlist(struct db_conn *conn, int64_t recording_id);
/* The folder a call belongs to by its numbers: a campaign's, else `unassigned`. */
int folder_of_call(struct db_conn *conn, int64_t workspace_id, const char *direction,
		   const char *from, const char *to, int64_t *ret_folder_id);
/* Moves calls of `unassigned` that now belong elsewhere (after campaign add). */
int calls_reassign(struct db_conn *conn, int64_t workspace_id);
/* In queue.c, for migrate_new: a recording that is new; where there is no enabled bucket it is noted,
 * to be queued when there is. */
int migrate_queue_one(struct db_conn *conn, int64_t recording_id);
int migrate_queue_arrived(struct db_conn *conn, int64_t workspace_id); /* those that were noted */
int migrate_forget_arrived(struct db_conn *conn, int64_t workspace_id);
/* The inode that a folder gets: hash of workspace (and campaign) name, made unique among all inodes. campaign NULL: the workspace's own;
 * CATALOG_CALLS_NAME's is folder_inode + a fixed xor, see tree.c. */
int inode_for_folder(struct db_conn *conn, const char *workspace, const char *campaign,
		     uint64_t *ret_inode);
bool inode_is_taken(struct db_conn *conn, uint64_t inode);
#define CALLS_INODE_XOR 0x2c01dca11ULL

/* ---- name.c, tree-name.c ---- */
#define NAME_START 1u      /* no dash in front, no device of Windows */
#define NAME_DECOMPOSED 2u /* no character that is another one in NFC */
/* As catalog_name_encode, by some of its rules, and with escapes for the first so many letters. */
int name_encode(const char *name, unsigned rules, size_t letters,
		char ret_encoded[CATALOG_NAME_SIZE]);
/* Folds a name: two names with equal folds are one name where case is ignored. Returns the number of characters. */
size_t tree_name_fold(const char *tree_name, uint32_t ret_folded[CATALOG_NAME_SIZE]);
/* A folder's name for a new campaign, or (workspace_id 0) a new workspace: like none that is there, in any case.
 * -ENAMETOOLONG */
int tree_name_new(struct db_conn *conn, int64_t workspace_id, const char *name,
		  char ret_tree_name[CATALOG_NAME_SIZE]);
int tree_names_fill(struct db_conn *conn); /* of rows that are older than the column */

/* ---- schema.c ---- */
extern const int catalog_schema_version;
/* Brings the tables from a version (0: none yet) up to another, within the caller's transaction. */
int catalog_schema_apply(struct db_conn *conn, int64_t from, int64_t to);

#endif
