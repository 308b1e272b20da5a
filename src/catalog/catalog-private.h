/* Shared by the files of the catalog room only. */
#ifndef TONICFS_CATALOG_PRIVATE_H
#define TONICFS_CATALOG_PRIVATE_H

#include <pthread.h>
#include <sqlite3.h>

#include "catalog/catalog.h"
#include "catalog/recording.h"
#include "catalog/workspace.h"
#include "util/sid.h"

#define CATALOG_APPLICATION_ID 0x746f6e69 /* "toni" */

/* A connection with its prepared statements, used by one thread at a time. */
struct conn;

/* ---- reading: borrow a connection, give it back ---- */
int catalog_read_begin(struct catalog *catalog, struct conn **ret_conn);
void catalog_read_end(struct catalog *catalog, struct conn *conn);
struct conn_guard {
	struct catalog *catalog;
	struct conn *conn;
};
void conn_guard_release(struct conn_guard *guard);
/* `cleanup_conn struct conn_guard read = { catalog, NULL }; err = catalog_read_begin(catalog, &read.conn);` */
#define cleanup_conn __attribute__((cleanup(conn_guard_release)))

/* ---- writing: a function that runs inside BEGIN IMMEDIATE, together with those of other threads (group commit) ----
 * Its negative return undoes what it did (savepoint) and is returned by catalog_write; so is a commit that failed. */
typedef int catalog_write_fn(struct catalog *catalog, struct conn *conn, void *arg);
int catalog_write(struct catalog *catalog, catalog_write_fn *fn, void *arg);
/* The same for a function that may be called twice, the first call undone: all that it leaves behind beside what is in the catalog is set
 * anew by each call. Cheaper where many write at a time. */
int catalog_write_repeatable(struct catalog *catalog, catalog_write_fn *fn, void *arg);

/* ---- statements, prepared once per connection; sql must be a string literal (its address is the key) ---- */
int conn_prepare(struct conn *conn, const char *sql, sqlite3_stmt **ret_stmt);
/* 1: a row; 0: done; -errno. */
int conn_step(struct conn *conn, sqlite3_stmt *stmt);
/* Statements go back reset and without bindings; also on every way out: `cleanup_stmt sqlite3_stmt *stmt = NULL;` */
void conn_stmt_release(sqlite3_stmt **stmt);
#define cleanup_stmt __attribute__((cleanup(conn_stmt_release)))
/* Binds by format and runs to the end, rows ignored: i int64_t, s const char * (NULL: SQL NULL), b const struct sid *, n SQL NULL. */
int conn_run(struct conn *conn, const char *sql, const char *format, ...);
/* Binds likewise and leaves the statement ready to step. */
int conn_query(struct conn *conn, sqlite3_stmt **ret_stmt, const char *sql, const char *format,
	       ...);
/* One integer of one row; -ENOENT where there is no row. */
int conn_query_int(struct conn *conn, int64_t *ret_value, const char *sql, const char *format, ...);
/* One text of one row; -ENOENT where there is no row. The caller frees. */
int conn_query_text(struct conn *conn, char **ret_text, const char *sql, const char *format, ...);
int conn_query_secret(struct conn *conn, char **ret_secret, const char *sql, const char *format,
		      ...); /* secret_free() */
/* The first column of all rows, collected: what is read so may be changed while one goes through it. The caller frees. */
int conn_query_ids(struct conn *conn, int64_t **ret_ids, size_t *ret_count, const char *sql,
		   const char *format, ...);
int64_t conn_changes(struct conn *conn);
int64_t conn_last_id(struct conn *conn);
int conn_errno(struct conn *conn, int sqlite_code);
/* Copies a text column, "" for NULL; false when it had to be cut. */
bool column_text(sqlite3_stmt *stmt, int column, char *ret_text, size_t size);
bool column_sid(sqlite3_stmt *stmt, int column, struct sid *ret_sid); /* zero for NULL */

/* ---- pieces that several files use inside a write ---- */

/* The columns that recording_from_row reads, in its order, from table `recording r`. */
#define RECORDING_COLUMNS \
	"r.id, r.inode, r.workspace_id, r.folder_id, r.call_id, r.sid, r.state, r.migration, r.flags, " \
	"r.size_bytes, r.duration_secs, r.sort_key, r.date_created_secs, r.channels_requested, r.channels_stored, r.party, r.listed"
void recording_from_row(sqlite3_stmt *stmt, struct catalog_recording *ret_recording);
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
int folder_touch(struct conn *conn, int64_t folder_id);
int workspace_touch(struct conn *conn, int64_t workspace_id);
int root_touch(struct conn *conn); /* setting "root_mtime_nsecs" */
/* The lengths of calls.csv's rows are kept with the calls: to be called for each call whose row, or whose recordings, changed in this write. */
int calls_row_changed(struct conn *conn, int64_t call_id);
/* Adds an event for mounts. */
int change_add(struct conn *conn, int kind /* enum catalog_change_kind */,
	       const struct catalog_recording *recording);
/* Takes a listed recording out of the tree (listed = 0, change event, folder's mtime, call's row). */
int recording_unlist(struct conn *conn, int64_t recording_id);
/* The folder a call belongs to by its numbers: a campaign's, else `unassigned`. */
int folder_of_call(struct conn *conn, int64_t workspace_id, const char *direction, const char *from,
		   const char *to, int64_t *ret_folder_id);
/* Moves calls of `unassigned` that now belong elsewhere (after campaign add). */
int calls_reassign(struct conn *conn, int64_t workspace_id);
/* In queue.c, for migrate_new: a recording that is new; where there is no enabled bucket it is noted,
 * to be queued when there is. */
int migrate_queue_one(struct conn *conn, int64_t recording_id);
int migrate_queue_arrived(struct conn *conn, int64_t workspace_id); /* those that were noted */
int migrate_forget_arrived(struct conn *conn, int64_t workspace_id);
/* The inode that a folder gets: hash of workspace (and campaign) name, made unique among all inodes. campaign NULL: the workspace's own;
 * CATALOG_CALLS_NAME's is folder_inode + a fixed xor, see tree.c. */
int inode_for_folder(struct conn *conn, const char *workspace, const char *campaign,
		     uint64_t *ret_inode);
bool inode_is_taken(struct conn *conn, uint64_t inode);
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
int tree_name_new(struct conn *conn, int64_t workspace_id, const char *name,
		  char ret_tree_name[CATALOG_NAME_SIZE]);
int tree_names_fill(struct conn *conn); /* of rows that are older than the column */

/* ---- schema.c ---- */
extern const int catalog_schema_version;
/* Brings the tables from a version (0: none yet) up to another, within the caller's transaction. */
int catalog_schema_apply(struct conn *conn, int64_t from, int64_t to);

#endif
