/*
 * A bucket's lifecycle rules. The document is worked on as bytes: one rule is put in, replaced or
 * taken out, and everything else stays as the server gave it, whatever it means.
 *
 * The one DELETE on a bucket that the project knows is here. A server that does not know the
 * sub-resource may take it for DeleteBucket, so it is sent only after a GET of the same
 * sub-resource, in the same call, has shown a lifecycle document.
 *
 * Synchronous; threads and errors as in aws/s3.h. A bucket without rules is no error.
 */
#ifndef TONICFS_AWS_LIFECYCLE_H
#define TONICFS_AWS_LIFECYCLE_H

#include "aws/s3.h"

struct s3_lifecycle {
	struct buf *document;  /* the caller's; empty: no rules */
	char minimum_size[64]; /* of objects that move, as AWS's header says it; sent back with a
				  change. "": not said */
};
int s3_lifecycle_get(struct s3_client *client, struct s3_lifecycle *ret_lifecycle,
		     struct remote_error *ret_error);
int s3_lifecycle_put(struct s3_client *client, const struct s3_lifecycle *lifecycle,
		     struct remote_error *ret_error);
/* Takes all rules away; looks first, and sends nothing where there are none. */
int s3_lifecycle_delete(struct s3_client *client, struct remote_error *ret_error);

/* ---- the document; pure ---- */

#define S3_TRANSITIONS_LIMIT 8
struct s3_lifecycle_rule {
	char id[256];
	char prefix[1025];
	bool is_enabled;
	struct s3_transition {
		int days; /* -1: by date */
		char storage_class[32];
	} transitions[S3_TRANSITIONS_LIMIT];
	size_t transition_count;
	int expiration_days; /* 0: none, or not by days */
};
typedef int s3_lifecycle_fn(void *arg, const struct s3_lifecycle_rule *rule);
/* 0, a callback's other value, -EBADMSG: no such document. */
int s3_lifecycle_each(const char *document, size_t n, s3_lifecycle_fn *fn, void *arg);
/* The document with the rule of this id replaced by `rule` (NULL: taken out), or put behind the
 * others. *ret_left: rules in the new document; *ret_found: it had one. -EBADMSG: not a document
 * that can be edited. */
int s3_lifecycle_edit(const char *document, size_t n, const char *id,
		      const struct s3_lifecycle_rule *rule, struct buf *ret_document,
		      size_t *ret_left, bool *ret_found);

#endif
