/*
 * A bucket's lifecycle rules. The document is edited as bytes: one rule is added, replaced or
 * removed, and everything else stays as the server sent it, also what is unknown here.
 *
 * The only DELETE on a bucket in the project is here. A server that does not know the sub-resource
 * may take it for DeleteBucket, so it is sent only after a GET of the same sub-resource, in the
 * same call, has returned a lifecycle document.
 *
 * Synchronous; threads and errors as in aws/s3.h. 0 also for a bucket without rules.
 */
#pragma once

#include "aws/s3.h"

struct s3_lifecycle {
	struct buf *document; /* owned by the caller; empty: no rules */
	/* Of objects that move: from a header of AWS, sent back with a change. "": not given. */
	char minimum_size[64];
};
int s3_lifecycle_get(struct s3_client *client, struct s3_lifecycle *ret_lifecycle,
		     struct remote_error *ret_error);
int s3_lifecycle_put(struct s3_client *client, const struct s3_lifecycle *lifecycle,
		     struct remote_error *ret_error);
/* Removes all rules. Reads them first, and sends nothing if there are none. */
int s3_lifecycle_delete(struct s3_client *client, struct remote_error *ret_error);

/* ---- the document; pure functions ---- */

#define S3_TRANSITIONS_LIMIT 8
struct s3_lifecycle_rule {
	char id[256];
	char prefix[1025];
	bool is_enabled;
	struct s3_transition {
		int days; /* -1: set by a date */
		char storage_class[32];
	} transitions[S3_TRANSITIONS_LIMIT];
	size_t transition_count;
	int expiration_days; /* 0: none, or not set by days */
};
typedef int s3_lifecycle_fn(void *arg, const struct s3_lifecycle_rule *rule);
/* 0, a callback's other value, or -EBADMSG: not a lifecycle document. */
int s3_lifecycle_each(const char *document, size_t n, s3_lifecycle_fn *fn, void *arg);
/* The document with the rule of this id replaced by `rule` (NULL: removed), or with `rule` added
 * after the others. *ret_left: the number of rules in the new document; *ret_found: there was a
 * rule of this id. -EBADMSG: not a document that can be edited. */
int s3_lifecycle_edit(const char *document, size_t n, const char *id,
		      const struct s3_lifecycle_rule *rule, struct buf *ret_document,
		      size_t *ret_left, bool *ret_found);
