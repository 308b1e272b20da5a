/*
 * A bucket's CORS rules: which web pages may read from it in a browser.
 *
 * Rules are read and written as a whole, so that changing one keeps the others. A document with an
 * unknown element is refused (-ENOTSUP): writing it back would lose that element. Source:
 * "CORSConfiguration", Amazon S3 API Reference. Threads and errors as in aws/s3.h.
 */
#pragma once

#include "aws/s3.h"

struct s3_words {
	char **items;
	size_t count;
};

struct s3_cors_rule {
	char *id; /* NULL: none */
	struct s3_words origins, methods, headers, exposed;
	int max_age_secs; /* -1: none */
};

struct s3_cors {
	struct s3_cors_rule *rules;
	size_t count;
};

void s3_cors_release(struct s3_cors *cors);
#define cleanup_cors __attribute__((cleanup(s3_cors_release)))

/* 0 and an empty *ret_cors: no rules. -EOPNOTSUPP: the server does not support CORS. */
int s3_get_cors(struct s3_client *client, struct s3_cors *ret_cors, struct remote_error *ret_error);
/* cors must have at least one rule. */
int s3_put_cors(struct s3_client *client, const struct s3_cors *cors,
		struct remote_error *ret_error);

/* Whether a page of `origin` (with '*': each that it covers) may read objects and their ranges. */
bool s3_cors_lets_read(const struct s3_cors *cors, const char *origin);
/* Sets the rule with that id: GET and HEAD with any header, for these origins. The other rules
 * stay and keep their order before it. 0 or -ENOMEM. */
int s3_cors_set_reading(struct s3_cors *cors, const char *id, const char *const *origins,
			size_t origin_count);

/* The document, for s3_put_cors and for tests. 0, -ENOMEM, -EBADMSG, -ENOTSUP. */
struct buf;
int s3_cors_parse(const char *bytes, size_t n, struct s3_cors *ret_cors);
int s3_cors_format(const struct s3_cors *cors, struct buf *ret_text);
