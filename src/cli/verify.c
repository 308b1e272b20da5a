/* verify: compares the catalog with the bucket, and may tell the catalog what it found. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/verify-report.h"
#include "util/cleanup.h"

struct verify_values {
	bool read, repair, adopt;
};

struct asked {
	struct catalog_scope *scopes;
	size_t count;
};

/* ---- scopes ---- */

/* Asks for every workspace that has a bucket. */
static int ask_everything(struct cli *cli, struct asked *asked)
{
	cleanup_free struct catalog_workspace *list = NULL;
	size_t count;
	int status = cli_workspaces(cli, false, &list, &count);

	if (status != CLI_DONE)
		return status;
	asked->scopes = calloc(count + 1, sizeof *asked->scopes);
	if (!asked->scopes) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	for (size_t i = 0; i < count; i++)
		if (list[i].has_storage)
			asked->scopes[asked->count++] =
				(struct catalog_scope){ CATALOG_SCOPE_WORKSPACE, list[i].id };
	if (asked->count == 0) {
		cli_error("no workspace has a bucket");
		return CLI_FAILED;
	}
	return CLI_DONE;
}

static int ask(struct cli *cli, int argc, char **argv, struct asked *asked)
{
	int status;

	if (argc == 0)
		return ask_everything(cli, asked);
	status = cli_path_scopes(cli, argc, argv, &asked->scopes, &asked->count);
	if (status != CLI_DONE || asked->count == 0)
		return status;
	if (asked->scopes[0].kind != CATALOG_SCOPE_ALL)
		return CLI_DONE;
	free(steal_pointer(&asked->scopes));
	asked->count = 0;
	return ask_everything(cli, asked);
}

/* ---- verifying ---- */

static const char *error_text(int err, const struct remote_error *error)
{
	if (err == -ENODEV)
		return "the workspace has no bucket; 'tonicfs storage set' names one";
	if (cancel_is_set(&cli_cancel))
		return "stopped; what was found stands, and nothing else was changed";
	return error->message[0] ? error->message : strerror(-err);
}

/* CLI_DONE, CLI_PART or CLI_FAILED. */
static int verify_one(struct verify_report *report, struct catalog_scope scope)
{
	struct cli *cli = report->cli;
	const struct verify_env env = { cli->catalog, cli->http, &cli_cancel };
	struct remote_error error = REMOTE_ERROR_INIT;
	struct verify_stats stats = { 0 };
	int64_t problems;
	int err = view_scope_name(cli->catalog, scope, report->scope);

	if (err)
		return cli_catalog_error(cli, err, "not verified");
	verify_report_scope_begin(report);
	err = verify_scope(&env, scope, report->options, &report->observer, &stats, &error);
	problems = verify_report_scope_end(report, &stats, err ? error_text(err, &error) : NULL);
	if (err == 0)
		return problems ? CLI_PART : CLI_DONE;
	return stats.objects || stats.good || problems ? CLI_PART : CLI_FAILED;
}

static int verify_all(struct verify_report *report, const struct asked *asked)
{
	size_t failed = 0, in_part = 0;

	for (size_t i = 0; i < asked->count && !cancel_is_set(&cli_cancel); i++) {
		int status = verify_one(report, asked->scopes[i]);

		failed += status == CLI_FAILED;
		in_part += status == CLI_PART;
	}
	if (failed && failed == asked->count)
		return CLI_FAILED;
	return failed || in_part || cancel_is_set(&cli_cancel) ? CLI_PART : CLI_DONE;
}

static int run_verify(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct verify_values *v = values;
	const struct verify_options options = { .read = v->read,
						.repair = v->repair,
						.adopt = v->adopt };
	struct verify_report report;
	struct asked asked = { .count = 0 };
	int status = cli_catalog_open(cli);

	if (status == CLI_DONE)
		status = ask(cli, argc, argv, &asked);
	if (status == CLI_DONE)
		status = cli_http_open(cli);
	if (status == CLI_DONE) {
		cli_catch_signals();
		verify_report_begin(&report, cli, &options);
		status = verify_report_end(&report, verify_all(&report, &asked));
	}
	free(asked.scopes);
	return status;
}

const struct cli_command command_verify = {
	.name = "verify",
	.arguments = "[PATH…] [--read] [--repair] [--adopt]",
	.summary = "Compares the catalog with the bucket",
	.text = "Lists the bucket and names recordings that are missing at Twilio and in S3,\n"
		"objects that are gone, or of another size or content than what was migrated,\n"
		"and, of whole workspaces, objects that no call refers to, objects of recordings\n"
		"that were removed, and uploads that nobody completed. What is doubtful is asked\n"
		"for by itself, in the bucket and at Twilio, before it is named. Nothing is ever\n"
		"deleted, and without --repair or --adopt nothing is changed.\n"
		"\n"
		"--repair tells the catalog: what is gone from the bucket is read from Twilio\n"
		"again, or shown as missing; what another machine has migrated is read from the\n"
		"bucket. What is at Twilio as well is queued for a migration, which compares the\n"
		"bytes before it takes the object over.\n"
		"\n"
		"A lost catalog is made anew by init, workspace add, campaign add and storage\n"
		"set as they were, then 'tonicfs sync' and 'tonicfs verify --repair': recordings\n"
		"that Twilio has forgotten come back with their names from the bucket and\n"
		"Twilio's call log, and what was removed stays away.\n"
		"\n"
		"Objects under a recording's key that neither the catalog nor Twilio knows, and\n"
		"that lead to no call in Twilio's call log, are named as unvouched: whoever may\n"
		"write the bucket may have put them there. --adopt makes recordings of them, in\n"
		"the folder unassigned; they keep the attribute user.tonicfs.vouched=no.\n"
		"\n"
		"PATH is WORKSPACE[/CAMPAIGN[/FILE]], a recording's SID, or a path inside a\n"
		"mount; without one all workspaces that have a bucket. What is at Twilio only is\n"
		"checked by 'tonicfs sync --full'. Exit status 3 when something was found that\n"
		"is not as it should be, and was not taken over, or could not be told.\n",
	.options =
		(const struct cli_option[]){
			{ 0, "read", CLI_FLAG, NULL,
			  "read every object back and compare its SHA-256",
			  offsetof(struct verify_values, read) },
			{ 0, "repair", CLI_FLAG, NULL, "tell the catalog what was found",
			  offsetof(struct verify_values, repair) },
			{ 0, "adopt", CLI_FLAG, NULL,
			  "take over recordings that only the bucket knows, marked as not vouched for",
			  offsetof(struct verify_values, adopt) },
			{ 0 },
		},
	.values_size = sizeof(struct verify_values),
	.arguments_max = 1000000,
	.run = run_verify,
};
