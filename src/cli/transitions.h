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
	  "to STANDARD_IA (30 at least)", \
	  offsetof(type, field.standard_ia) }, \
		{ 0, \
		  "glacier-ir", \
		  CLI_TEXT, \
		  "DAYS", \
		  "to GLACIER_IR, which is read at once", \
		  offsetof(type, field.glacier_ir) }, \
		{ 0, \
		  "glacier", \
		  CLI_TEXT, \
		  "DAYS", \
		  "to GLACIER, to be restored in minutes to hours", \
		  offsetof(type, field.glacier) }, \
	{ \
		0, "deep-archive", CLI_TEXT, "DAYS", \
			"to DEEP_ARCHIVE, to be restored in half a day or two", \
			offsetof(type, field.deep_archive) \
	}

/* The transitions in order of their days. CLI_DONE, or CLI_USAGE after an error. */
int transitions_parse(const struct cli *cli, const struct transition_values *values,
		      struct s3_transition ret_transitions[S3_TRANSITIONS_LIMIT],
		      size_t *ret_count);

#endif
