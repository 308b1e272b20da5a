/*
 * Restores of archived objects: what the catalog says is wanted is asked of S3, and what is under
 * way is looked at again. Idempotent: two processes may do the same at once, and killing one loses
 * nothing. Blocks; not for threads that must not.
 */
#ifndef TONICFS_STORAGE_RESTORE_H
#define TONICFS_STORAGE_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/s3.h"
#include "catalog/archive.h"
#include "util/cancel.h"
#include "util/remote.h"

struct http;

#define RESTORE_DAYS_DEFAULT 7
#define RESTORE_DAYS_LIMIT 365
/* "bulk", "standard", "expedited" to the form that S3 wants; NULL: none of them. */
const char *storage_restore_tier(const char *name);

struct storage_restore_stats { /* added to */
	int64_t asked, refused, postponed, looked_at;
	int64_t readable_at_once;       /* the server does not archive */
	struct remote_error last_error; /* of what was refused or postponed */
};
/* One batch of what is due. workspace_id 0: of all. *ret_left: there may be more at once. 0 or
 * -errno of the catalog. */
int storage_restore_step(struct catalog *catalog, struct http *http, int64_t workspace_id,
			 const struct cancel *cancel, struct storage_restore_stats *stats,
			 bool *ret_left);
/* Notes what a HEAD said of an object. */
int storage_object_note(struct catalog *catalog, int64_t recording_id,
			const struct s3_object *object);
/* Asks S3 what it says of one object (HEAD), and notes it: class, restore, locks. 0, or
 * *ret_error's. */
int storage_object_refresh(struct catalog *catalog, struct http *http, int64_t recording_id,
			   const struct cancel *cancel, struct remote_error *ret_error);

#endif
