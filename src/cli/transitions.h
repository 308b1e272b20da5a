/* The options for a lifecycle: after how many days recordings move to which storage class. */
#pragma once

#include "aws/lifecycle.h"
#include "cli/cli.h"

struct transition_values {
	const char *standard_ia, *glacier_ir, *glacier, *deep_archive;
};

#define TRANSITION_OPTION(type, field, name, help) \
	{ name, CLI_TEXT, help, .offset = offsetof(type, field), "DAYS" }
/* type: the command's struct of values; field: its struct transition_values. */
#define TRANSITION_OPTIONS(type, field) \
	TRANSITION_OPTION(type, field.standard_ia, "standard-ia", "to STANDARD_IA (at least 30)"), \
		TRANSITION_OPTION(type, field.glacier_ir, "glacier-ir", \
				  "to GLACIER_IR, which needs no restore"), \
		TRANSITION_OPTION(type, field.glacier, "glacier", \
				  "to GLACIER, which takes minutes to hours to restore"), \
		TRANSITION_OPTION(type, field.deep_archive, "deep-archive", \
				  "to DEEP_ARCHIVE, which takes 12 to 48 hours to restore")

/* The transitions in order of their days. CLI_DONE, or CLI_USAGE after an error. */
int transitions_parse(const struct cli *cli, const struct transition_values *values,
		      struct s3_transition ret_transitions[S3_TRANSITIONS_LIMIT],
		      size_t *ret_count);
