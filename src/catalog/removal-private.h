/* Between the files of the catalog that remove. */
#pragma once

#include "catalog/recording-private.h"
#include "catalog/removal.h"

/* recording.removed_policy, bits */
#define REMOVED_DELETE_S3 1
#define REMOVED_DELETE_TWILIO 2
#define REMOVED_ELSEWHERE 4 /* by another machine, with whatever policy */

struct removal_policy {
	int64_t workspace_id;
	bool delete_s3, delete_twilio, keep_at_twilio;
};
int removal_policy_load(struct db_conn *conn, int64_t workspace_id,
			struct removal_policy *ret_policy);

/* One recording, or the listed recordings of a folder. Whether they are in the tree is left to the
 * caller. Adds to *removal. -EPERM: delete_s3, and the bucket must keep an object. */
enum removal_part { REMOVAL_RECORDING, REMOVAL_FOLDER };
int removal_run(struct db_conn *conn, enum removal_part part, int64_t id,
		const struct removal_policy *policy, struct catalog_removal *removal);
