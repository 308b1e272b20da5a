/* Makes a client of a workspace's bucket from its settings in the catalog. A client keeps its
 * settings: make a new one when they may have changed. Threads: any. */
#pragma once

#include "aws/s3.h"
#include "catalog/storage.h"
#include "util/cancel.h"

/* The caller frees *ret_client with s3_client_free(). This function's copy of the secret is wiped.
 * -ENOENT: the workspace has no storage settings. ret_storage may be NULL. */
int storage_client_new(struct catalog *catalog, struct http *http, int64_t workspace_id,
		       const struct cancel *cancel, struct s3_client **ret_client,
		       struct catalog_storage *ret_storage);
/* The same for a bucket of that server that was used before. NULL: the bucket of the settings. */
int storage_client_new_of(struct catalog *catalog, struct http *http, int64_t workspace_id,
			  const char *bucket, const struct cancel *cancel,
			  struct s3_client **ret_client, struct catalog_storage *ret_storage);
/* The same from given settings. total_timeout_msecs: of one operation; 0: the client's default. */
int storage_client_of(const struct catalog_storage *storage, const char *secret_key,
		      struct http *http, unsigned total_timeout_msecs, const struct cancel *cancel,
		      struct s3_client **ret_client);

#define STORAGE_ENCRYPTION_COUNT 3
/* "none", "sse-s3", "sse-kms": the numbers of struct catalog_storage, and of enum s3_encryption. */
const char *storage_encryption_name(int encryption);
/* The encryption to request: "", "AES256", "aws:kms". */
const char *storage_encryption_header(int encryption);
/* Encryption is not required, or the server has confirmed it (what it answered; "": nothing). */
bool storage_is_encrypted(const struct catalog_storage *storage, const char *confirmed);
