/* A workspace's bucket: its settings, its secret, whether it is in use. */
#pragma once

#include "catalog/catalog.h"

struct catalog_storage {
	char bucket[CATALOG_BUCKET_SIZE], region[64], endpoint[CATALOG_URL_SIZE];
	char prefix[CATALOG_NAME_SIZE];
	char access_key[256];  /* "": `credentials` says where the keys come from */
	char credentials[256]; /* "" (access_key and the secret), "default", "profile:NAME" */
	char provider[32];     /* a name of storage/provider.h, or "" */
	bool path_style, plain_http;
	int encryption;          /* 0 none, 1 SSE-S3, 2 SSE-KMS */
	bool require_encryption; /* nothing is moved to a server that does not confirm it */
	char kms_key_id[256], storage_class[32], ca_file[CATALOG_URL_SIZE];
	char origins[1024]; /* of pages that may play recordings, one a line; "": pages of this
			       machine, "none": of no page */
	bool enabled;
	int64_t tested_secs;        /* a connection test passed with these settings; 0: not yet */
	char tested_encryption[32]; /* what the server confirmed then: "AES256", "aws:kms" or "" */
};

/* -ENOENT: the workspace has no bucket. */
int catalog_storage_get(struct catalog *catalog, int64_t workspace_id,
			struct catalog_storage *ret_storage);
/* secret_key NULL: the old one stays (-EINVAL where there is none and `credentials` is ""). */
int catalog_storage_set(struct catalog *catalog, int64_t workspace_id,
			const struct catalog_storage *storage, const char *secret_key);
/* Disabled: no transfer starts and new recordings stay at Twilio; transfers in flight finish, what
 * was migrated is still read, the queue stays. Enabled again: the queue goes on, and with
 * migrate_new the recordings that arrived meanwhile are queued. -ENOENT: no such workspace, or no
 * bucket. */
int catalog_storage_enable(struct catalog *catalog, int64_t workspace_id, bool enabled);
/* Free with secret_free(). */
int catalog_storage_secret(struct catalog *catalog, int64_t workspace_id, char **ret_secret_key);
/* Notes that a connection test of `tested` passed, with what it learned and the origins that it
 * used, and enables the bucket if `enable`. -ESTALE: the settings or the secret have changed
 * meanwhile. */
int catalog_storage_tested(struct catalog *catalog, int64_t workspace_id,
			   const struct catalog_storage *tested, const char *secret_key,
			   bool enable);
