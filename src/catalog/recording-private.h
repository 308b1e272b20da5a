/* Between the files of the room: rows of calls, recordings and objects. */
#pragma once

#include "catalog/catalog-private.h"
#include "catalog/object.h"

struct touched; /* catalog/folder-private.h */

/* ---- rows ---- */

/* The columns that recording_from_row reads, in its order, from table `recording r`. */
#define RECORDING_COLUMNS \
	"r.id, r.inode, r.workspace_id, r.folder_id, r.call_id, r.sid, r.state, r.migration," \
	" r.flags, r.size_bytes, r.duration_secs, r.sort_key, r.date_created_secs," \
	" r.channels_requested, r.channels_stored, r.party, r.listed"
void recording_from_row(struct db_stmt *stmt, struct catalog_recording *ret_recording);
/* A recording's size in bytes; estimated while it is not known: 8 kHz and 16 bit by Twilio's
 * duration. Part of a step of the schema: it cannot change. */
#define RECORDING_BYTES(r) \
	"CASE WHEN " r ".size_bytes >= 0 THEN " r ".size_bytes" \
	" WHEN " r ".duration_secs < 0 THEN 0 ELSE " r ".duration_secs * 16000 * CASE" \
	" WHEN " r ".channels_stored > 0 THEN " r ".channels_stored" \
	" WHEN " r ".channels_requested > 0 THEN " r ".channels_requested ELSE 2 END END"
enum completed {
	COMPLETED_NOT_YET,
	COMPLETED,
	COMPLETED_NEVER, /* absent, failed, deleted */
};
#define RECORDING_FLAG_VOICEMAIL 1
#define RECORDING_FLAG_ENCRYPTED 2
#define RECORDING_FLAG_UNVOUCHED 4
/* sort_key = start << SORT_KEY_SHIFT | tie-breaker */
#define SORT_KEY_SHIFT 30

/* -ENOENT: no such row. */
int recording_load(struct db_conn *conn, int64_t id, struct catalog_recording *ret_recording);
int recording_load_by_sid(struct db_conn *conn, const struct sid *sid,
			  struct catalog_recording *ret_recording);
int object_load(struct db_conn *conn, int64_t recording_id, struct catalog_object *ret_object);
int object_store(struct db_conn *conn, int64_t recording_id, const struct catalog_object *object);

/* ---- inode.c ---- */

/* Recordings whose SIDs begin alike have inodes next to each other, so many; those beyond are found
 * by recording_id_far. */
#define INODE_NEAR 64
int64_t inode_base(const struct sid *sid);
/* 63 bits that the SID and a counter decide, for where the SID's own bits lead to a collision. */
int recording_hash(const struct sid *sid, uint64_t counter, int64_t *ret_hash);
int inode_for_recording(struct db_conn *conn, const struct sid *sid, int64_t *ret_inode);
int recording_id_by_sid(struct db_conn *conn, const struct sid *sid, int64_t *ret_id); /* -ENOENT */
/* Where it is not near. -ENOENT */
int recording_id_far(struct db_conn *conn, const struct sid *sid, int64_t *ret_id);

/* ---- into the tree and out of it ---- */

/* Lists the recording if it can be a file and is not listed: sort key, party, folder, listed = 1.
 * Leaves calls_row_changed to the caller. touched NULL: its folder is touched at once. Adds one to
 * *listed (may be NULL) if it became a file. */
int recording_list(struct db_conn *conn, int64_t recording_id, struct touched *touched,
		   int64_t *listed);
/* Lists what can be listed of a call that just became known. */
int recordings_list_of_call(struct db_conn *conn, int64_t call_id, struct touched *touched,
			    int64_t *listed);
/* Takes a listed recording out of the tree: listed = 0, change event, folder's mtime, call's
 * row. */
int recording_unlist(struct db_conn *conn, int64_t recording_id);
/* TWILIO -> MISSING (unlisted), STORED -> S3; else -ESTALE. */
int recording_gone(struct db_conn *conn, const struct catalog_recording *recording);
/* Hides, for good, a recording that another machine removed. Deletes no bytes. */
int recording_hide(struct db_conn *conn, const struct catalog_recording *recording);
/* A recording of the call was removed: the call's entry goes with the last one. */
int call_left(struct db_conn *conn, int64_t call_id);
/* Adds an event for mounts. kind: enum catalog_change_kind. */
int change_add(struct db_conn *conn, int kind, const struct catalog_recording *recording);

/* For migrate_new: queues a new recording; without an enabled bucket it is noted, to be queued when
 * there is one. */
int migrate_queue_one(struct db_conn *conn, int64_t recording_id);
int migrate_queue_arrived(struct db_conn *conn, int64_t workspace_id); /* those that were noted */
int migrate_forget_arrived(struct db_conn *conn, int64_t workspace_id);

/* ---- calls-csv.c ---- */

/* To be called for each call whose row, or whose recordings, changed in this write: the lengths of
 * calls.csv's rows are kept with the calls. */
int calls_row_changed(struct db_conn *conn, int64_t call_id);
int64_t calls_csv_header_bytes(void); /* the length of calls.csv's first line */
int calls_csv_touch(struct db_conn *conn, int64_t folder_id); /* moves its mtime on, strictly */
/* Measures every row again, after the form of rows has changed. */
int calls_csv_measure(struct db_conn *conn);
