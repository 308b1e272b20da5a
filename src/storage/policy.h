/* The IAM policy for a workspace's user: allows what tonicfs does with the workspace's settings, no
 * more. Source: "Actions, resources, and condition keys for Amazon S3", "… for AWS
 * Key Management Service", AWS Service Authorization Reference. */
#pragma once

#include "catalog/storage.h"

struct storage_policy_use {
	bool delete;    /* delete_s3; with versioning, every version */
	bool cors;      /* storage test sets the CORS rule */
	bool lifecycle; /* tonicfs storage lifecycle */
	bool restore;   /* tonicfs restore */
	bool lock;      /* Object Lock: AWS needs a permission to show a retention */
};

struct json_t;
/* The policy as a JSON document, freed with json_decref(); NULL: out of memory. */
struct json_t *storage_policy(const struct catalog_storage *storage,
			      const struct storage_policy_use *use);
