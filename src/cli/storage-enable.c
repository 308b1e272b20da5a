/* storage enable, disable: starts or stops moving recordings to a workspace's bucket. */

#include "catalog/storage.h"
#include "cli/commands.h"

struct enable_values {
	bool untested;
};

static int set_enabled(struct cli *cli, const struct catalog_workspace *w, bool enabled)
{
	return cli_catalog_error(cli, catalog_storage_enable(cli->catalog, w->id, enabled),
				 "the bucket's settings were not changed");
}

static int run_enable(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct enable_values *v = values;
	struct catalog_workspace w;
	struct catalog_storage s;
	int status = cli_storage_open(cli, argv[0], &w, &s);

	if (status != CLI_DONE)
		return status;
	if (!s.tested_secs && !v->untested)
		return cli_error(
			"the bucket has not been tested with these settings; 'tonicfs storage "
			"test %s' tests and enables it",
			argv[0]);
	return set_enabled(cli, &w, true);
}

#define VALUES struct enable_values
static const struct cli_option enable_options[] = {
	CLI_FLAG("untested", untested, "without a passed test"),
	{ 0 },
};

const struct cli_command command_storage_enable = {
	.name = "storage enable",
	.arguments = "WORKSPACE [--untested]",
	.summary = "Starts moving recordings to the bucket again",
	.text = "The settings must have passed 'storage test'. Migrations that were queued\n"
		"while the bucket was disabled are resumed.\n",
	CLI_OPTIONS(enable_options),
	.argument_count = { 1, 1 },
	.run = run_enable,
};

static int run_disable(struct cli *cli, const void *values, int argc, char **argv)
{
	struct catalog_workspace w;
	struct catalog_storage s;
	int status = cli_storage_open(cli, argv[0], &w, &s);

	return status == CLI_DONE ? set_enabled(cli, &w, false) : status;
}

const struct cli_command command_storage_disable = {
	.name = "storage disable",
	.arguments = "WORKSPACE",
	.summary = "Stops moving recordings to the bucket; those in it stay readable",
	.text = "New recordings stay at Twilio. Migrations in flight are finished.\n",
	.argument_count = { 1, 1 },
	.run = run_disable,
};
