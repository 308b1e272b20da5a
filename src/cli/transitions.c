/* Parses the options for a lifecycle. */
#include "cli/transitions.h"

#include <errno.h>
#include <stdlib.h>

#include "util/cleanup.h"

#define DAYS_LIMIT 36500

int transitions_parse(const struct cli *cli, const struct transition_values *values,
		      struct s3_transition ret_transitions[S3_TRANSITIONS_LIMIT], size_t *ret_count)
{
	/* From the fastest to the slowest class: S3 moves objects in this direction only. */
	const struct {
		const char *option, *storage_class, *days;
	} classes[] = {
		{ "standard-ia", "STANDARD_IA", values->standard_ia },
		{ "glacier-ir", "GLACIER_IR", values->glacier_ir },
		{ "glacier", "GLACIER", values->glacier },
		{ "deep-archive", "DEEP_ARCHIVE", values->deep_archive },
	};
	long before = -1;

	*ret_count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		struct s3_transition *t = &ret_transitions[*ret_count];
		char *end;
		long days;

		if (!classes[i].days)
			continue;
		errno = 0;
		days = strtol(classes[i].days, &end, 10);
		if (errno || *classes[i].days < '0' || *classes[i].days > '9' || *end ||
		    days > DAYS_LIMIT)
			return cli_usage(cli, "--%s is a number of days, not '%s'",
					 classes[i].option, classes[i].days);
		if (i == 0 && days < 30)
			return cli_usage(cli, "--standard-ia is at least 30 days");
		if (days <= before)
			return cli_usage(cli, "--%s must be later than the class before it",
					 classes[i].option);
		before = days;
		t->days = (int)days;
		snprintf(t->storage_class, sizeof t->storage_class, "%s", classes[i].storage_class);
		++*ret_count;
	}
	return CLI_DONE;
}
