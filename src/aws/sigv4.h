/* AWS Signature Version 4, in headers and in the query string (presigned URLs), for S3: the path is
 * encoded once, not normalised. Source: "Signature Version 4 signing process", AWS General
 * Reference; test vectors of the same name. Pure functions; thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buf;

#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"

struct sigv4_pair {
	const char *name; /* headers: any case; query: decoded */
	const char *value;
};

struct sigv4_input {
	const char *access_key, *secret_key, *session_token; /* session_token NULL: none */
	const char *region, *service;                        /* "s3" */
	int64_t time_secs;
	const char *method;
	const char *path;               /* already encoded, begins with '/' */
	const struct sigv4_pair *query; /* decoded pairs in any order */
	size_t query_count;
	/* The headers to sign, with host and all x-amz-*. */
	const struct sigv4_pair *headers;
	size_t header_count;
	const char *payload_sha256; /* hex, or SIGV4_UNSIGNED */
};

/* The value of the Authorization header. 0 or -errno. */
int sigv4_authorization(const struct sigv4_input *input, struct buf *ret_value);
/* The query string of a presigned URL, X-Amz-Signature last. 0 or -EINVAL (expires: 1…604800). */
int sigv4_presign(const struct sigv4_input *input, unsigned expires_secs, struct buf *ret_query);
/* The canonical request, for tests. */
int sigv4_canonical_request(const struct sigv4_input *input, struct buf *ret_text);
