/* The bucket's lifecycle rule that moves a workspace's recordings to cheaper classes as they age.
 * There is one rule for each prefix, identified by its id; foreign rules are left alone. The rule
 * covers recordings only: other objects under the prefix are small and are read often. Synchronous.
 * If another tool changes the rules at the same moment, the later change wins: S3 has no condition
 * for this request. */
#pragma once

#include "aws/lifecycle.h"
#include "catalog/catalog.h"

struct storage_lifecycle {
	bool is_set;
	struct s3_lifecycle_rule rule; /* ours, if is_set */
	size_t foreign;                /* number of other rules */
};
/* Reads the rules from the server. */
int storage_lifecycle_get(struct s3_client *s3, const char *prefix,
			  struct storage_lifecycle *ret_lifecycle, struct remote_error *ret_error);
/* transitions: in order of their days. -EINVAL: none, or not in order. Reads the rules back:
 * -EIO if the rule differs, or if a foreign rule is missing. */
int storage_lifecycle_set(struct s3_client *s3, const char *prefix,
			  const struct s3_transition *transitions, size_t count,
			  struct storage_lifecycle *ret_lifecycle, struct remote_error *ret_error);
/* *ret_found: whether there was a rule. */
int storage_lifecycle_remove(struct s3_client *s3, const char *prefix, bool *ret_found,
			     struct remote_error *ret_error);

/* Keeps the rule in the catalog, for computations without a request:
 * "GLACIER_IR=90,DEEP_ARCHIVE=365". NULL: removes it. */
int storage_lifecycle_note(struct catalog *catalog, int64_t workspace_id,
			   const struct s3_lifecycle_rule *rule);
/* The kept rule. -ENOENT: none. */
int storage_lifecycle_noted(struct catalog *catalog, int64_t workspace_id,
			    struct s3_transition ret_transitions[S3_TRANSITIONS_LIMIT],
			    size_t *ret_count);
