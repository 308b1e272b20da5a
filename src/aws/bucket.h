/*
 * Questions about a bucket, for the connection test: which server answers, what anonymous clients
 * may read, versioning, object lock.
 *
 * Everything here only reads. Nothing sends a DELETE: a server that does not know a sub-resource
 * may take `DELETE /bucket?anything` for DeleteBucket. Synchronous; threads and errors as in
 * aws/s3.h.
 */
#pragma once

#include "aws/s3.h"

/* NULL, or why the name is invalid, to be put after "cannot be a bucket's name: ". is_aws_now:
 * by the current rules of AWS; else every name that some server accepts is valid, such as
 * capitals and underscores. */
const char *s3_bucket_name_problem(const char *name, bool is_aws_now);

/* The answer of a server to a list of at most one key. */
struct s3_answer {
	int status;        /* 0: no answer came */
	int64_t date_secs; /* its Date; 0: none */
	char region[64];   /* where the bucket is, by the answer; "": not said */
	char version[256]; /* x-amz-version-id of the object */
	bool is_html;      /* an HTML page, which no S3 server sends */
	char allow_origin[256];
	struct remote_error error; /* what the answer means */
};

/* Sends the request once, without a retry. anonymous: without a signature. 0 for any answer;
 * else the negative errno of ret_answer->error. */
int s3_ask_bucket(struct s3_client *client, bool anonymous, const char *prefix,
		  struct s3_answer *ret_answer);
/* The same for the first byte of an object. */
int s3_ask_object(struct s3_client *client, bool anonymous, const char *key,
		  struct s3_answer *ret_answer);
/* The CORS preflight of a browser before it reads an object from a page of `origin`. It is
 * allowed if the answer is 2xx and allow_origin is "*" or the origin. */
int s3_ask_preflight(struct s3_client *client, const char *key, const char *origin,
		     struct s3_answer *ret_answer);

/* "Enabled", "Suspended" or "". */
int s3_get_versioning(struct s3_client *client, char ret_status[16],
		      struct remote_error *ret_error);
struct s3_lock {
	bool is_enabled;
	char mode[16]; /* the default retention: "GOVERNANCE", "COMPLIANCE" or "" */
	unsigned days, years;
};
/* 0 also for a bucket without object lock. */
int s3_get_lock(struct s3_client *client, struct s3_lock *ret_lock, struct remote_error *ret_error);

/* scheme://host[:port] of the requests, for messages. Valid as long as the client. */
const char *s3_client_scheme(const struct s3_client *client);
const char *s3_client_host(const struct s3_client *client);
