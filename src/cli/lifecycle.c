/* storage lifecycle: the bucket's rule that moves recordings to cheaper storage classes. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/transitions.h"
#include "storage/storage.h"
#include "view/bucket.h"

struct lifecycle_values {
	struct transition_values transitions;
};

struct lifecycle_run {
	struct cli *cli;
	struct catalog_workspace workspace;
	struct catalog_storage storage;
	struct s3_client *s3;
};

static int say_error(const struct lifecycle_run *run, const char *doing,
		     const struct remote_error *error)
{
	cli_error("workspace '%s': %s: %s", view_shown(run->workspace.name), doing, error->message);
	if (strcmp(error->code, "InvalidStorageClass") == 0)
		fprintf(stderr, "This server does not have the storage class, or one of them.\n");
	if (error->error == -EACCES)
		fprintf(stderr,
			"'tonicfs storage policy %s --lifecycle' prints the permissions that "
			"the bucket's user needs.\n",
			run->workspace.name);
	return CLI_FAILED;
}

static void print_rule(const struct s3_lifecycle_rule *rule)
{
	printf("%-16s %s\n", "objects", rule->prefix);
	for (size_t i = 0; i < rule->transition_count; i++)
		printf("after %4d days  %s\n", rule->transitions[i].days,
		       rule->transitions[i].storage_class);
	if (!rule->is_enabled)
		printf("The rule is disabled.\n");
}

static int print(const struct lifecycle_run *run, const struct storage_lifecycle *lifecycle)
{
	if (run->cli->json)
		return cli_json_print(view_lifecycle_json(run->workspace.name, lifecycle));
	if (lifecycle->is_set)
		print_rule(&lifecycle->rule);
	else
		printf("No rule for this workspace's recordings.\n");
	if (lifecycle->foreign)
		printf("%-16s %zu\n", "other rules", lifecycle->foreign);
	return CLI_DONE;
}

static int run_show(struct lifecycle_run *run)
{
	struct storage_lifecycle lifecycle;
	struct remote_error error = REMOTE_ERROR_INIT;

	if (storage_lifecycle_get(run->s3, run->storage.prefix, &lifecycle, &error))
		return say_error(run, "the lifecycle cannot be read", &error);
	return print(run, &lifecycle);
}

static int run_set(struct lifecycle_run *run, const struct s3_transition *transitions, size_t count)
{
	struct storage_lifecycle lifecycle = { 0 };
	struct remote_error error = REMOTE_ERROR_INIT;
	int err;

	if (storage_lifecycle_set(run->s3, run->storage.prefix, transitions, count, &lifecycle,
				  &error))
		return say_error(run, "the lifecycle was not set", &error);
	err = storage_lifecycle_note(run->cli->catalog, run->workspace.id, &lifecycle.rule);
	if (err < 0)
		return cli_catalog_error(
			run->cli, err,
			"the lifecycle was set, but could not be stored in the catalog");
	return print(run, &lifecycle);
}

static int run_remove(struct lifecycle_run *run)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	bool found;
	int err;

	if (storage_lifecycle_remove(run->s3, run->storage.prefix, &found, &error))
		return say_error(run, "the lifecycle was not removed", &error);
	err = storage_lifecycle_note(run->cli->catalog, run->workspace.id, NULL);
	if (err < 0)
		return cli_catalog_error(
			run->cli, err,
			"the lifecycle was removed, but the catalog could not be updated");
	if (run->cli->json)
		return cli_json_print(json_pack("{s:b}", "removed", (int)found));
	printf(found ? "Removed.\n" : "There was no rule for this workspace's recordings.\n");
	return CLI_DONE;
}

static int run_lifecycle(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct lifecycle_values *v = values;
	struct s3_transition transitions[S3_TRANSITIONS_LIMIT];
	struct lifecycle_run run = { .cli = cli };
	bool is_set = strcmp(argv[0], "set") == 0, is_remove = strcmp(argv[0], "remove") == 0;
	size_t count = 0;
	int status, err;

	if (!is_set && !is_remove && strcmp(argv[0], "show") != 0)
		return cli_usage(cli, "show, set or remove; not '%s'", argv[0]);
	status = transitions_parse(cli, &v->transitions, transitions, &count);
	if (status != CLI_DONE)
		return status;
	if (is_set && !count)
		return cli_usage(cli, "set needs a class and its days, such as --glacier-ir 90");
	if (!is_set && count)
		return cli_usage(cli, "classes can be given with set only");
	status = cli_storage_open(cli, argv[1], &run.workspace, &run.storage);
	if (status == CLI_DONE)
		status = cli_http_open(cli);
	if (status != CLI_DONE)
		return status;
	err = storage_client_new(cli->catalog, cli->http, run.workspace.id, NULL, &run.s3, NULL);
	if (err < 0)
		return cli_catalog_error(cli, err, "the bucket cannot be used");
	status = is_set      ? run_set(&run, transitions, count)
		 : is_remove ? run_remove(&run)
			     : run_show(&run);
	s3_client_free(run.s3);
	return status;
}

#define VALUES struct lifecycle_values
static const struct cli_option lifecycle_options[] = {
	TRANSITION_OPTIONS(transitions),
	{ 0 },
};

const struct cli_command command_storage_lifecycle = {
	.name = "storage lifecycle",
	.arguments = "show|set|remove WORKSPACE [OPTIONS]",
	.summary = "Shows, sets or removes the rule that moves recordings to cheaper classes",
	.text = "The bucket stores the rule, which moves this workspace's recordings by their\n"
		"age in the bucket. Other rules stay as they are. Recordings in GLACIER and\n"
		"DEEP_ARCHIVE must be restored before they can be read ('tonicfs restore'). AWS\n"
		"does not move objects below 128 KB. 'tonicfs cost' estimates what a rule\n"
		"saves.\n",
	CLI_OPTIONS(lifecycle_options),
	.argument_count = { 2, 2 },
	.run = run_lifecycle,
};
