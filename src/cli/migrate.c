/* migrate: queues moves of recordings to the bucket, pauses, resumes, retries, cancels them. */
#include <errno.h>
#include <jansson.h>

#include "catalog/status.h"
#include "cli/commands.h"
#include "cli/migrate-wait.h"
#include "util/cleanup.h"
#include "view/problems.h"

struct migrate_values {
	bool wait, cancel, pause, resume, retry;
};

/* ---- asking ---- */

/* The request behind a flag. Without a flag the recordings are queued. */
struct action {
	size_t offset;
	catalog_migrate_fn *fn;
	const char *json, *text;
	bool can_wait;
};
#define VALUES struct migrate_values
static const struct action actions[] = {
	{ offsetof(VALUES, cancel), catalog_migrate_cancel, "cancelled", "Taken back", false },
	{ offsetof(VALUES, pause), catalog_migrate_pause, "paused", "Paused", false },
	{ offsetof(VALUES, resume), catalog_migrate_resume, "resumed", "Resumed", true },
	{ offsetof(VALUES, retry), catalog_migrate_retry, "retried", "To be tried again", true },
};
static const struct action action_queue = { 0, catalog_migrate_queue, "asked", "Queued", true };

static int action_find(const struct cli *cli, const struct migrate_values *v,
		       const struct action **ret_action)
{
	*ret_action = &action_queue;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!*(const bool *)((const char *)v + actions[i].offset))
			continue;
		if (*ret_action != &action_queue)
			return cli_usage(
				cli, "--cancel, --pause, --resume and --retry do not go together");
		*ret_action = &actions[i];
	}
	if (v->wait && !(*ret_action)->can_wait)
		return cli_usage(cli, "--wait goes with --resume and --retry only");
	return CLI_DONE;
}

static int ask_all(struct cli *cli, const struct cli_scopes *scopes, const struct action *action,
		   int64_t *ret_count)
{
	*ret_count = 0;
	for (size_t i = 0; i < scopes->count; i++) {
		int64_t count = 0;
		int err = action->fn(cli->catalog, scopes->items[i], &count);

		*ret_count += count;
		if (err == -ENOENT)
			return cli_error(
				"the workspace has no bucket; 'tonicfs storage set' names one");
		if (err == -ENODEV)
			return cli_error(
				"the workspace's bucket is disabled; 'tonicfs storage test' tries it and enables it, "
				"'tonicfs storage enable' does after 'storage disable'");
		if (err < 0)
			return cli_catalog_error(cli, err, "nothing was changed");
	}
	return CLI_DONE;
}

static int say_asked(struct cli *cli, const struct cli_scopes *scopes, const struct action *action,
		     int64_t count)
{
	struct catalog_counts counts;
	int64_t moved, before;
	int err = catalog_progress_get(cli->catalog, scopes->items, scopes->count, &counts, &moved);

	if (err < 0)
		return cli_catalog_error(cli, err, "the counts cannot be read");
	/* A mount may have moved some of those that were queued just now. */
	before =
		counts.queued + counts.running > count ? counts.queued + counts.running - count : 0;
	if (cli->json && action == &action_queue)
		return cli_json_print(json_pack("{s:I, s:I, s:o}", action->json, (json_int_t)count,
						"under_way_already", (json_int_t)before, "migrate",
						view_counts_json(&counts)));
	if (cli->json)
		return cli_json_print(json_pack("{s:I, s:o}", action->json, (json_int_t)count,
						"migrate", view_counts_json(&counts)));
	printf("%s: %lld", action->text, (long long)count);
	if (action == &action_queue && before)
		printf("; under way already: %lld", (long long)before);
	if (action == &action_queue)
		printf("; in S3 already: %lld", (long long)counts.done);
	if (action == &action_queue && counts.paused)
		printf("; paused: %lld", (long long)counts.paused);
	printf("\n");
	if (counts.queued && action->can_wait)
		printf("A mount moves them, or 'tonicfs migrate --wait'\n");
	return CLI_DONE;
}

static int run_migrate(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct migrate_values *v = values;
	cleanup_scopes struct cli_scopes scopes = { NULL, 0 };
	const struct action *action;
	int64_t count;
	int status = action_find(cli, v, &action);

	if (status == CLI_DONE)
		status = cli_path_scopes(cli, argc, argv, &scopes);
	if (status == CLI_DONE)
		status = ask_all(cli, &scopes, action, &count);
	if (status != CLI_DONE)
		return status;
	return v->wait ? migrate_wait(cli, &scopes, count) : say_asked(cli, &scopes, action, count);
}

static const struct cli_option migrate_options[] = {
	CLI_FLAG("wait", wait, "move them now, and wait until the end"),
	CLI_FLAG("cancel", cancel, "cancel what is queued or paused"),
	CLI_FLAG("pause", pause, "hold what is queued"),
	CLI_FLAG("resume", resume, "continue what is paused"),
	CLI_FLAG("retry", retry, "retry what failed"),
	{ 0 },
};

const struct cli_command command_migrate = {
	.name = "migrate",
	.arguments = "PATH… [--wait] [--cancel | --pause | --resume | --retry]",
	.summary = "Moves recordings from Twilio to the bucket",
	.text = "Queues those of the recordings that are at Twilio; a mount of the catalog\n"
		"moves them in the background. With --wait, this command moves them itself, and\n"
		"ends when each of them is in the bucket or has failed. Ctrl-C gives transfers\n"
		"in flight ten seconds to finish or be put back; a second Ctrl-C ends the\n"
		"command at once. Nothing is lost and nothing is done twice: a mount, or the\n"
		"same command again, continues.\n"
		"\n"
		"--pause holds queued migrations until --resume, also after a restart;\n"
		"transfers in flight are put back within seconds, and begin again when they are\n"
		"resumed. Recordings that are queued later are not paused, queuing paused ones\n"
		"again does not resume them, and Twilio's copies of moved recordings are still\n"
		"deleted (unless keep_at_twilio=on). --retry restarts failed migrations, and\n"
		"retries now what waits after a failure: migrations, and deletes at Twilio or\n"
		"in S3. --cancel cancels what is queued or paused.\n"
		"\n"
		"A recording is deleted at Twilio only after its object in the bucket has been\n"
		"verified. In a mount, the same is done by\n"
		"\n"
		"  setfattr -n user.tonicfs.migrate -v now|pause|resume|retry|cancel PATH\n"
		"\n"
		"PATH is WORKSPACE[/CAMPAIGN[/FILE]], a recording's SID, or a path inside a\n"
		"mount. Progress goes to standard error: a bar on a terminal; otherwise a line\n"
		"every ten seconds, later every minute, and with --json each line is a JSON\n"
		"object. Exit status 3 if some failed, are paused or are still queued.\n",
	CLI_OPTIONS(migrate_options),
	.argument_count = { 1, 1000000 },
	.run = run_migrate,
};
