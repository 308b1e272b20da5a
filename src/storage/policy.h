/*
 * The IAM policy that a workspace's user needs: what tonicfs does with the bucket as the workspace
 * is set up, and no more. Source: "Actions, resources, and condition keys for Amazon S3", "… for AWS
 * Key Management Service", AWS Service Authorization Reference.
 */
#ifndef TONICFS_STORAGE_POLICY_H
#define TONICFS_STORAGE_POLICY_H

#include "catalog/storage.h"

struct storage_policy_use {
	bool delete;    /* delete_s3; on a bucket that keeps versions each of them */
	bool cors;      /* storage test sets the rule for browsers */
	bool lifecycle; /* tonicfs storage lifecycle */
	bool restore;   /* tonicfs restore */
	bool lock; /* a bucket with Object Lock: AWS shows a retention to whom it lets ask for it */
};

struct json_t;
/* A JSON document of the policy; NULL for lack of memory. json_decref() it. */
struct json_t *storage_policy(const struct catalog_storage *storage,
			      const struct storage_policy_use *use);

#endif
