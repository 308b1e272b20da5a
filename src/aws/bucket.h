/*
 * What a bucket is, as the connection test asks it: who answers there, what anonymous callers get,
 * versioning, locks.
 *
 * Everything here reads. Nothing sends a DELETE: a server that does not know a sub-resource may
 * take `DELETE /bucket?anything` for DeleteBucket. Synchronous; threads and errors as in aws/s3.h.
 */
#ifndef TONICFS_AWS_BUCKET_H
#define TONICFS_AWS_BUCKET_H

#include "aws/s3.h"

/* NULL, or why no bucket is called that, to be put behind "cannot be a bucket's name: ". is_aws_now: by the rules that AWS has
 * today; without them all is good that some server lets pass, such as capitals and underscores. */
const char *s3_bucket_name_problem(const char *name, bool is_aws_now);

/* How a server answers a list of at most one key. */
struct s3_answer {
	int status;        /* 0: no answer */
	int64_t date_secs; /* its Date, 0 where it has none */
	char region[64];   /* where it says that the bucket is; "" where it does not say */
	char version[256]; /* x-amz-version-id of an object's answer */
	bool is_html;      /* a page for people, which no S3 server sends */
	char allow_origin[256];
	struct remote_error error; /* the verdict on it */
};

/* Once, without another try. anonymous: without a signature. 0 for any answer, whatever it says;
 * else the negative errno of ret_answer->error. */
int s3_ask_bucket(struct s3_client *client, bool anonymous, const char *prefix,
		  struct s3_answer *ret_answer);
/* The same of an object's first byte. */
int s3_ask_object(struct s3_client *client, bool anonymous, const char *key,
		  struct s3_answer *ret_answer);
/* A browser's question before it reads an object from a page of `origin`. Allowed: a 2xx answer
 * whose allow_origin is "*" or the origin. */
int s3_ask_preflight(struct s3_client *client, const char *key, const char *origin,
		     struct s3_answer *ret_answer);

/* "Enabled", "Suspended" or "". */
int s3_get_versioning(struct s3_client *client, char ret_status[16],
		      struct remote_error *ret_error);
struct s3_lock {
	bool is_enabled;
	char mode[16]; /* of the default retention: "GOVERNANCE", "COMPLIANCE" or "" */
	unsigned days, years;
};
/* A bucket without object lock is success. */
int s3_get_lock(struct s3_client *client, struct s3_lock *ret_lock, struct remote_error *ret_error);

/* scheme://host[:port] of where requests go, for people. Lives as long as the client. */
const char *s3_client_scheme(const struct s3_client *client);
const char *s3_client_host(const struct s3_client *client);

#endif
