/* Between the files of the catalog that keep calls and recordings. */
#ifndef TONICFS_CATALOG_DATA_H
#define TONICFS_CATALOG_DATA_H

#include "catalog/catalog-private.h"
#include "catalog/tree.h"

/* Two recordings whose SIDs begin alike ask for one inode: the next free one of so many is taken, and looked up likewise. */
#define INODE_PROBES 64
int64_t inode_base(const struct sid *sid);

int recording_load(struct conn *conn, int64_t id, struct catalog_recording *ret_recording);
int recording_load_by_sid(struct conn *conn, const struct sid *sid, struct catalog_recording *ret_recording);
int object_load(struct conn *conn, int64_t recording_id, struct catalog_object *ret_object); /* -ENOENT */
int object_store(struct conn *conn, int64_t recording_id, const struct catalog_object *object);
/* TWILIO -> MISSING (unlisted), STORED -> S3; -ESTALE else. */
int recording_gone(struct conn *conn, const struct catalog_recording *recording);

/* Folders that a write has changed: touched once each at its end. */
struct touched {
	int64_t folders[16];
	size_t count;
};
int touched_add(struct conn *conn, struct touched *touched, int64_t folder_id); /* flushes when full */
int touched_flush(struct conn *conn, struct touched *touched);

/* Lists the recording where all is known that a file needs and it is not listed: sort key, party, folder, listed = 1; calls_row_changed is
 * left to the caller. touched NULL: its folder is touched at once. *listed (may be NULL) is counted up
 * where it became a file. */
int recording_list(struct conn *conn, int64_t recording_id, struct touched *touched, int64_t *listed);
/* Lists what can be listed of a call that just became known. */
int recordings_list_of_call(struct conn *conn, int64_t call_id, struct touched *touched, int64_t *listed);
int unassigned_folder(struct conn *conn, int64_t workspace_id, int64_t *ret_folder_id);

#endif
