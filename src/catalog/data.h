/* Between the files of the catalog that keep calls and recordings. */
#ifndef TONICFS_CATALOG_DATA_H
#define TONICFS_CATALOG_DATA_H

#include "catalog/catalog-private.h"
#include "catalog/tree.h"

/* Of recordings whose SIDs begin alike so many have inodes next to each other; what is behind them is found by recording_id_far. */
#define INODE_NEAR 64
int64_t inode_base(const struct sid *sid);
/* 63 bits that the SID and a counter decide, for where the SID's own bits lead to a collision. */
int recording_hash(const struct sid *sid, uint64_t counter, int64_t *ret_hash);
int inode_for_recording(struct db_conn *conn, const struct sid *sid, int64_t *ret_inode);
int recording_id_by_sid(struct db_conn *conn, const struct sid *sid, int64_t *ret_id); /* -ENOENT */
int recording_id_far(struct db_conn *conn, const struct sid *sid,
		     int64_t *ret_id); /* where it is not near: -ENOENT */

int recording_load(struct db_conn *conn, int64_t id, struct catalog_recording *ret_recording);
int recording_load_by_sid(struct db_conn *conn, const struct sid *sid,
			  struct catalog_recording *ret_recording);
int object_load(struct db_conn *conn, int64_t recording_id,
		struct catalog_object *ret_object); /* -ENOENT */
int object_store(struct db_conn *conn, int64_t recording_id, const struct catalog_object *object);
/* Another machine has removed the recording: hidden here, for good. Nothing is deleted because of it. */
int recording_hide(struct db_conn *conn, const struct catalog_recording *recording);
/* Its entry goes with its last recording. */
int call_left(struct db_conn *conn, int64_t call_id);
/* TWILIO -> MISSING (unlisted), STORED -> S3; -ESTALE else. */
int recording_gone(struct db_conn *conn, const struct catalog_recording *recording);

/* Folders that a write has changed: touched once each at its end. */
struct touched {
	int64_t folders[16];
	size_t count;
};
int touched_add(struct db_conn *conn, struct touched *touched,
		int64_t folder_id); /* flushes when full */
int touched_flush(struct db_conn *conn, struct touched *touched);

/* Lists the recording where all is known that a file needs and it is not listed: sort key, party, folder, listed = 1; calls_row_changed is
 * left to the caller. touched NULL: its folder is touched at once. *listed (may be NULL) is counted up
 * where it became a file. */
int recording_list(struct db_conn *conn, int64_t recording_id, struct touched *touched,
		   int64_t *listed);
/* Lists what can be listed of a call that just became known. */
int recordings_list_of_call(struct db_conn *conn, int64_t call_id, struct touched *touched,
			    int64_t *listed);
int unassigned_folder(struct db_conn *conn, int64_t workspace_id, int64_t *ret_folder_id);

#endif
