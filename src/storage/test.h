/*
 * The connection test: tries everything that tonicfs does with a bucket, on an object of the test's
 * own, `<prefix>tonicfs/test/<random>`. The test deletes that object and nothing else. Each finding
 * is reported as it comes, with a remedy.
 *
 * The checks, in this order; a failure before the permissions ends the test:
 *
 *   credentials (where they are not given), endpoint, clock, signature, bucket, region
 *   s3:PutObject, s3:GetObject, s3:ListBucket
 *   s3:ListBucketMultipartUploads, s3:AbortMultipartUpload
 *   encryption, not public, versioning, object lock
 *   s3:DeleteObject
 *   browser playback (CORS)
 *
 * A test that is killed leaves its object behind, a hundred bytes.
 *
 * Synchronous; each request has the client's deadline.
 */
#pragma once

#include "aws/cors.h"
#include "aws/s3.h"
#include "catalog/storage.h"

enum storage_result {
	STORAGE_PASSED,
	STORAGE_FAILED,
	STORAGE_NOTED, /* information */
};

struct storage_check {
	const char *name; /* as in the list above */
	enum storage_result result;
	char text[400];
	char remedy[400]; /* "" where there is nothing to do */
};
typedef void storage_check_fn(void *arg, const struct storage_check *check);

struct storage_test {
	struct s3_client *client; /* made from these settings */
	const struct catalog_storage *storage;
	const char *workspace;      /* its name, for remedies */
	const char *const *origins; /* pages that may play recordings; none: no CORS */
	size_t origin_count;
	bool dry_run; /* the CORS rules are not changed */
	storage_check_fn *fn;
	void *arg;
};

struct storage_test_result {
	bool has_passed;
	char encryption[32]; /* as confirmed by the server */
	bool cors_changed;   /* or would be, in a dry run */
};

void storage_test_run(const struct storage_test *test, struct storage_test_result *ret_result);

/* The setting that leaves the bucket's CORS rules alone. */
#define STORAGE_NO_ORIGINS "none"
/* The origins of the setting (one a line); by default, pages of this machine; none for
 * STORAGE_NO_ORIGINS. The caller frees *ret_memory, which holds the array and its strings. 0 or
 * -ENOMEM. */
int storage_origins(const struct catalog_storage *storage, char **ret_memory,
		    const char ***ret_origins, size_t *ret_count);
/* scheme://host[:port] without a path, or "*"; it may contain one '*'. */
bool storage_origin_is_valid(const char *origin);
