/* The options for a lifecycle: after how many days recordings move to which storage class. */
#pragma once

#include "aws/lifecycle.h"
#include "cli/cli.h"

struct transition_values {
	const char *standard_ia, *glacier_ir, *glacier, *deep_archive;
};

/* field: the struct transition_values in the command's VALUES. */
#define TRANSITION_OPTIONS(field) \
	CLI_TEXT("standard-ia", field.standard_ia, "to STANDARD_IA (at least 30)", "DAYS"), \
		CLI_TEXT("glacier-ir", field.glacier_ir, "to GLACIER_IR, which needs no restore", \
			 "DAYS"), \
		CLI_TEXT("glacier", field.glacier, \
			 "to GLACIER, which takes minutes to hours to restore", "DAYS"), \
		CLI_TEXT("deep-archive", field.deep_archive, \
			 "to DEEP_ARCHIVE, which takes 12 to 48 hours to restore", "DAYS")

/* The transitions in order of their days. CLI_DONE, or CLI_USAGE after an error. */
int transitions_parse(const struct cli *cli, const struct transition_values *values,
		      struct s3_transition ret_transitions[S3_TRANSITIONS_LIMIT],
		      size_t *ret_count);
