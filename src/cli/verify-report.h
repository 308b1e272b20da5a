/* Output of `verify`: the findings of each scope in order, then the scope's counts. With --json
 * findings are printed one by one as the scopes end, since a JSON document of a million findings
 * takes many times their memory; the counts of all scopes follow at the end. */
#pragma once

#include "cli/cli.h"
#include "verify/verify.h"
#include "view/view.h"

struct verify_report {
	struct cli *cli;
	const struct verify_options *options;
	struct verify_observer observer; /* for verify_scope() */
	char scope[VIEW_SCOPE_SIZE];     /* its name */
	int64_t problems;                /* so far, of all scopes */

	/* The report's own: */
	struct cli_progress progress;
	struct verify_finding *findings; /* of the scope, kept with copies of their texts */
	size_t finding_count;
	int64_t printed; /* findings, in JSON */
	struct json_t *scopes;
	bool has_failed; /* to write the output */
};
void verify_report_begin(struct verify_report *report, struct cli *cli,
			 const struct verify_options *options);
/* Before a scope is looked at; report->scope is its name. */
void verify_report_scope_begin(struct verify_report *report);
/* error: why it ended early; NULL: it is complete. Returns the scope's problems. */
int64_t verify_report_scope_end(struct verify_report *report, const struct verify_stats *stats,
				const char *error);
/* Ends the output, and returns the exit status: the one given, unless writing failed. */
int verify_report_end(struct verify_report *report, int status);
