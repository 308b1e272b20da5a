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

/* ---- scopes ---- */

/* Asks for every workspace that has a bucket. */
static int scopes_of_all(struct cli *cli, struct cli_scopes *scopes)
{
	cleanup_workspaces struct cli_workspaces list = { NULL, 0 };
	int status = cli_workspaces_find(cli, NULL, false, &list);

	if (status != CLI_DONE)
		return status;
	scopes->items = calloc(list.count + 1, sizeof *scopes->items);
	if (!scopes->items)
		return cli_error("out of memory");
	for (size_t i = 0; i < list.count; i++)
		if (list.items[i].has_storage)
			scopes->items[scopes->count++] =
				(struct catalog_scope){ CATALOG_SCOPE_WORKSPACE, list.items[i].id };
	return scopes->count ? CLI_DONE : cli_error("no workspace has a bucket");
}

static int scopes_parse(struct cli *cli, int argc, char **argv, struct cli_scopes *scopes)
{
	int status = argc ? cli_path_scopes(cli, argc, argv, scopes) : cli_catalog_open(cli);

	if (status != CLI_DONE || (argc && !scopes->count) ||
	    (scopes->count && scopes->items[0].kind != CATALOG_SCOPE_ALL))
		return status;
	cli_scopes_release(scopes);
	*scopes = (struct cli_scopes){ NULL, 0 };
	return scopes_of_all(cli, scopes);
}

/* ---- verifying ---- */

static const char *error_text(int err, const struct remote_error *error)
{
	if (err == -ENODEV)
		return "the workspace has no bucket; 'tonicfs storage set' names one";
	if (cancel_is_set(&cli_cancel))
		return "stopped; the findings are valid, and nothing else was changed";
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

static int verify_all(struct verify_report *report, const struct cli_scopes *scopes)
{
	size_t failed = 0, in_part = 0;

	for (size_t i = 0; i < scopes->count && !cancel_is_set(&cli_cancel); i++) {
		int status = verify_one(report, scopes->items[i]);

		failed += status == CLI_FAILED;
		in_part += status == CLI_PART;
	}
	if (failed && failed == scopes->count)
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
	cleanup_scopes struct cli_scopes scopes = { NULL, 0 };
	int status = scopes_parse(cli, argc, argv, &scopes);

	if (status == CLI_DONE)
		status = cli_http_open(cli);
	if (status == CLI_DONE) {
		cli_catch_signals();
		verify_report_begin(&report, cli, &options);
		status = verify_report_end(&report, verify_all(&report, &scopes));
	}
	return status;
}

#define VALUES struct verify_values
static const struct cli_option verify_options[] = {
	CLI_FLAG("read", read, "read every object back and compare its SHA-256"),
	CLI_FLAG("repair", repair, "update the catalog with what was found"),
	CLI_FLAG("adopt", adopt, "make recordings of unvouched objects"),
	{ 0 },
};

const struct cli_command command_verify = {
	.name = "verify",
	.arguments = "[PATH…] [--read] [--repair] [--adopt]",
	.summary = "Compares the catalog with the bucket",
	.text = "Lists the bucket and names recordings that are missing at Twilio and in S3,\n"
		"objects that are gone, and objects whose size or content differs from what was\n"
		"migrated; for whole workspaces also objects that no call refers to, objects of\n"
		"removed recordings, and incomplete uploads. Each doubtful object is checked by\n"
		"itself, in the bucket and at Twilio, before it is named. Nothing is ever\n"
		"deleted, and without --repair or --adopt nothing is changed.\n"
		"\n"
		"--repair updates the catalog: a recording whose object is gone is read from\n"
		"Twilio again, or shown as missing; a recording that another machine has\n"
		"migrated is read from the bucket. If it is at Twilio as well, a migration is\n"
		"queued, which compares the bytes before it accepts the object.\n"
		"\n"
		"To rebuild a lost catalog, repeat init, workspace add, campaign add and\n"
		"storage set, then run 'tonicfs sync' and 'tonicfs verify --repair'. Recordings\n"
		"that Twilio has forgotten come back from the bucket and Twilio's call log,\n"
		"with their names; removed recordings stay removed.\n"
		"\n"
		"Objects under a recording's key that are known to neither the catalog nor\n"
		"Twilio, and that lead to no call in Twilio's call log, are named as unvouched:\n"
		"anybody who may write to the bucket can have put them there. --adopt makes\n"
		"recordings of them, in the folder 'unassigned'; they keep the attribute\n"
		"user.tonicfs.vouched=no.\n"
		"\n"
		"PATH is WORKSPACE[/CAMPAIGN[/FILE]], a recording's SID, or a path inside a\n"
		"mount; without it, all workspaces with a bucket are verified. Recordings that\n"
		"are only at Twilio are checked by 'tonicfs sync --full'. Exit status 3 if\n"
		"problems were found that were not repaired, or objects could not be checked.\n",
	CLI_OPTIONS(verify_options),
	.argument_count = { 0, 1000000 },
	.run = run_verify,
};
