/*
 * From a workspace's bucket settings in the catalog to a client that can be used. A client keeps
 * what it was made with: make a new one for settings that may have changed. Threads: any.
 */
#ifndef TONICFS_STORAGE_STORAGE_H
#define TONICFS_STORAGE_STORAGE_H

#include "aws/s3.h"
#include "catalog/storage.h"
#include "util/cancel.h"

/* -ENOENT: the workspace has no storage settings. Frees with s3_client_free(). The secret is wiped
 * from memory of ours. ret_storage may be NULL. */
int storage_client_new(struct catalog *catalog, struct http *http, int64_t workspace_id,
		       const struct cancel *cancel, struct s3_client **ret_client,
		       struct catalog_storage *ret_storage);
/* The same for another bucket of that server: one in which the workspace's objects were put before
 * its settings named the bucket of now. */
int storage_client_new_of(struct catalog *catalog, struct http *http, int64_t workspace_id,
			  const char *bucket, const struct cancel *cancel,
			  struct s3_client **ret_client);
/* Of settings that are at hand. total_timeout_msecs: of one operation, 0: the usual. */
int storage_client_of(const struct catalog_storage *storage, const char *secret_key,
		      struct http *http, unsigned total_timeout_msecs, const struct cancel *cancel,
		      struct s3_client **ret_client);

#define STORAGE_ENCRYPTION_COUNT 3
/* "none", "sse-s3", "sse-kms": the numbers of struct catalog_storage. */
const char *storage_encryption_name(int encryption);

#endif
