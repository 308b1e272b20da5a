/* Restores of archived objects: sends the requests that the catalog has queued, and checks on those
 * that are running. Idempotent: two processes may do it at once, and killing one loses nothing.
 * Blocks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aws/s3.h"
#include "catalog/archive.h"
#include "util/cancel.h"
#include "util/remote.h"

struct http;

#define RESTORE_DAYS_DEFAULT 7
#define RESTORE_DAYS_LIMIT 365
/* "bulk", "standard", "expedited" in S3's spelling; NULL: none of these. */
const char *storage_restore_tier(const char *name);

struct storage_restore_stats { /* the functions add to these */
	int64_t asked, refused, postponed, looked_at;
	int64_t readable_at_once;       /* not archived on this server */
	struct remote_error last_error; /* of a refused or postponed one */
};
/* Does one batch of the due work. workspace_id 0: all workspaces. *ret_left: more may be due now.
 * 0 or -errno of the catalog. */
int storage_restore_step(struct catalog *catalog, struct http *http, int64_t workspace_id,
			 const struct cancel *cancel, struct storage_restore_stats *stats,
			 bool *ret_left);
/* Writes the answer of a HEAD to the catalog. */
int storage_object_note(struct catalog *catalog, int64_t recording_id,
			const struct s3_object *object);
/* Sends that HEAD, too: class, restore and locks. 0, or the negative errno of *ret_error. */
int storage_object_refresh(struct catalog *catalog, struct http *http, int64_t recording_id,
			   const struct cancel *cancel, struct remote_error *ret_error);
