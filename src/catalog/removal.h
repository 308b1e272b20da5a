/*
 * Removing: call log entries, campaigns, workspaces. Each is one transaction: the tombstone (which
 * names the policy) and the jobs that carry it out are durable before anything is asked of a remote
 * service. A removed recording does not come back with a sync.
 *
 * The rows of removed recordings are what keeps them away here. Other catalogs of the account are
 * told by the bucket: a removal queues a tombstone for it while it is in use, and each full sync
 * compares all rows with all tombstones, in both directions (catalog_removals_learn,
 * catalog_removals_tell). Without a bucket a removal is known to this catalog only.
 */
#pragma once

#include "catalog/catalog.h"

struct catalog_removal {
	int64_t recordings;     /* entries removed */
	int64_t twilio_deletes; /* queued */
	int64_t s3_deletes;     /* queued */
	int64_t stay_in_s3, stay_at_twilio;
};

/* By the workspace's policy (delete_s3, delete_twilio) as it is now:
 * - A queued or running MIGRATE job is cancelled (its worker gets -ESTALE).
 * - delete_twilio: DELETE_TWILIO in every state in which bytes may be at Twilio; it replaces a
 *   CLEANUP. Without delete_twilio only a CLEANUP that is owed already goes on.
 * - delete_s3: -EPERM where the catalog knows of a retention or legal hold (catalog_lock_count), in
 *   a folder of any in it; else DELETE_S3 where bytes may be in S3 (UPLOADING, STORED, S3).
 * - TOMBSTONE in every state and with every policy, where the workspace's bucket is enabled, or
 *   bytes may be in it.
 * The call's row leaves calls.csv with its last recording. */
int catalog_remove_recording(struct catalog *catalog, int64_t recording_id,
			     struct catalog_removal *ret_removal);
/* Everything in it, listed or not, and its calls; later calls of its numbers are `unassigned`.
 * `unassigned` itself is not listed until it has calls again; a recording there that is not
 * completed yet stays, and is listed when it is. only_if_empty: -ENOTEMPTY while recordings are
 * listed in it (rmdir). */
int catalog_remove_campaign(struct catalog *catalog, int64_t folder_id, bool only_if_empty,
			    struct catalog_removal *ret_removal);
/* Everything in it, all campaigns, and, once its jobs are done, its credentials. only_if_empty:
 * -ENOTEMPTY while it has campaigns, or recordings in `unassigned`. The name and the account can be
 * added again. */
int catalog_remove_workspace(struct catalog *catalog, int64_t workspace_id, bool only_if_empty,
			     struct catalog_removal *ret_removal);

/* Hides recordings, for good, that have a tombstone in the bucket because another machine removed
 * them; jobs that would move them are dropped. Nothing is deleted: whoever may write the bucket can
 * write tombstones. *ret_hidden: how many. */
int catalog_removals_learn(struct catalog *catalog, int64_t workspace_id, const struct sid *sids,
			   size_t count, int64_t *ret_hidden);
/* Queues a TOMBSTONE for each removed recording of the workspace's account that the bucket has none
 * of. */
typedef bool catalog_has_fn(void *arg, const struct sid *sid);
int catalog_removals_tell(struct catalog *catalog, int64_t workspace_id, catalog_has_fn *bucket_has,
			  void *arg, int64_t *ret_queued);
/* After recordings of which nothing was known before were hidden: their calls' entries go with
 * them. */
int catalog_removals_settle(struct catalog *catalog, int64_t workspace_id);
