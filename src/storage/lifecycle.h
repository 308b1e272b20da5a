/*
 * The bucket's rule that moves a workspace's recordings to cheaper classes as they age. One rule
 * per prefix, known by its id; rules of others stay as they are. Only recordings move: what stands
 * beside them under the prefix is small and is read. Synchronous. Another tool that changes the
 * rules in the same moment may win or lose: S3 has no condition for this.
 */
#ifndef TONICFS_STORAGE_LIFECYCLE_H
#define TONICFS_STORAGE_LIFECYCLE_H

#include "aws/lifecycle.h"
#include "catalog/catalog.h"

#define LIFECYCLE_ID_SIZE 32
/* "tonicfs-" and 16 hex digits of the prefix. 0 or -errno. */
int storage_lifecycle_id(const char *prefix, char ret_id[LIFECYCLE_ID_SIZE]);

struct storage_lifecycle {
	bool is_set;
	struct s3_lifecycle_rule rule; /* ours, where is_set */
	size_t foreign;                /* rules of others */
};
/* Asks the server. */
int storage_lifecycle_get(struct s3_client *s3, const char *prefix,
			  struct storage_lifecycle *ret_lifecycle, struct remote_error *ret_error);
/* transitions: in order of their days. -EINVAL: none, or not in order. Reads back what the server
 * made of it, and that the foreign rules are still there: else -EIO. */
int storage_lifecycle_set(struct s3_client *s3, const char *prefix,
			  const struct s3_transition *transitions, size_t count,
			  struct storage_lifecycle *ret_lifecycle, struct remote_error *ret_error);
/* *ret_found: there was a rule. */
int storage_lifecycle_remove(struct s3_client *s3, const char *prefix, bool *ret_found,
			     struct remote_error *ret_error);

/* What was last set, for those who compute without asking: "GLACIER_IR=90,DEEP_ARCHIVE=365". NULL:
 * forget. */
int storage_lifecycle_note(struct catalog *catalog, int64_t workspace_id,
			   const struct s3_lifecycle_rule *rule);
/* -ENOENT: none was set. */
int storage_lifecycle_noted(struct catalog *catalog, int64_t workspace_id,
			    struct s3_transition ret_transitions[S3_TRANSITIONS_LIMIT],
			    size_t *ret_count);

#endif
