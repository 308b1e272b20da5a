/* The options for a lifecycle: after how many days recordings move to which storage class. */
#ifndef TONICFS_CLI_TRANSITIONS_H
#define TONICFS_CLI_TRANSITIONS_H

#include "aws/lifecycle.h"
#include "cli/cli.h"

struct transition_values {
	const char *standard_ia, *glacier_ir, *glacier, *deep_archive;
};

#define TRANSITION_OPTIONS(type, field) \
	{ 0, \
	  "standard-ia", \
	  CLI_TEXT, \
	  "DAYS", \
	  "to STANDARD_IA (at least 30)", \
	  offsetof(type, field.standard_ia) }, \
		{ 0, \
		  "glacier-ir", \
		  CLI_TEXT, \
		  "DAYS", \
		  "to GLACIER_IR, which needs no restore", \
		  offsetof(type, field.glacier_ir) }, \
		{ 0, \
		  "glacier", \
		  CLI_TEXT, \
		  "DAYS", \
		  "to GLACIER, which takes minutes to hours to restore", \
		  offsetof(type, field.glacier) }, \
	{ \
		0, "deep-archive", CLI_TEXT, "DAYS", \
			"to DEEP_ARCHIVE, which takes 12 to 48 hours to restore", \
			offsetof(type, field.deep_archive) \
	}

/* The transitions in order of their days. CLI_DONE, or CLI_USAGE after an error. */
int transitions_parse(const struct cli *cli, const struct transition_values *values,
		      struct s3_transition ret_transitions[S3_TRANSITIONS_LIMIT],
		      size_t *ret_count);

#endif
