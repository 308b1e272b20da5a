/*
 * A bucket's CORS rules: which pages a browser lets read from it.
 *
 * Rules are read whole and written whole, so that whoever changes one keeps the others as they
 * were. A document with an element that is not known here is refused (-ENOTSUP), for writing it
 * back would lose it. Source: "CORSConfiguration", Amazon S3 API Reference. Threads, errors: as in
 * aws/s3.h.
 */
#ifndef TONICFS_AWS_CORS_H
#define TONICFS_AWS_CORS_H

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

/* A bucket without rules is success, and an empty *ret_cors. -EOPNOTSUPP: the server has no such
 * setting. */
int s3_get_cors(struct s3_client *client, struct s3_cors *ret_cors, struct remote_error *ret_error);
/* At least one rule. */
int s3_put_cors(struct s3_client *client, const struct s3_cors *cors,
		struct remote_error *ret_error);

/* May a page of `origin` (or every page that a pattern with '*' means) read objects, and parts of
 * them? */
bool s3_cors_lets_read(const struct s3_cors *cors, const char *origin);
/* The rule of that id is made, or made anew: GET and HEAD with any header, for these origins. The
 * others stay as they are, and before it. 0 or -ENOMEM. */
int s3_cors_set_reading(struct s3_cors *cors, const char *id, const char *const *origins,
			size_t origin_count);

/* The document, for s3_put_cors and for tests. 0, -ENOMEM, -EBADMSG, -ENOTSUP. */
struct buf;
int s3_cors_parse(const char *bytes, size_t n, struct s3_cors *ret_cors);
int s3_cors_format(const struct s3_cors *cors, struct buf *ret_text);

#endif
