/* sync: lists the calls and recordings that Twilio has. */
#include "sync/sync.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "cli/commands.h"
#include "util/cleanup.h"

struct sync_values {
	bool full, sizes;
};

struct shown {
	struct cli_progress progress;
	char name[CATALOG_NAME_SIZE];
};

/* Called on workers' threads, one at a time. */
static void show(void *arg, const struct sync_stats *stats)
{
	struct shown *shown = arg;

	cli_progress_show(&shown->progress, "%s: %lld calls, %lld recordings, %lld new",
			  shown->name, (long long)stats->calls_seen,
			  (long long)stats->recordings_seen,
			  (long long)stats->applied.recordings_new);
}

static const char *error_text(int err, const struct remote_error *error)
{
	if (error->message[0])
		return error->message;
	return err == -EUCLEAN ? "the catalog is damaged" : strerror(-err);
}

/* Recordings that no listing shows any more and that are not in the bucket. */
static int64_t gone(const struct sync_stats *s)
{
	return s->recordings_gone + s->applied.recordings_unlisted;
}

static json_t *result_json(const struct catalog_workspace *w, int err,
			   const struct remote_error *error, const struct sync_stats *s)
{
	return json_pack(
		"{s:o, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s?, s:s?}",
		"name", view_name_json(w->name), "complete", err == 0, "full", (int)s->is_full,
		"calls_seen", (json_int_t)s->calls_seen, "calls_cut", (json_int_t)s->calls_cut,
		"recordings_seen", (json_int_t)s->recordings_seen, "calls_new",
		(json_int_t)s->applied.calls_new, "calls_changed",
		(json_int_t)s->applied.calls_changed, "recordings_new",
		(json_int_t)s->applied.recordings_new, "recordings_changed",
		(json_int_t)s->applied.recordings_changed, "recordings_gone", (json_int_t)gone(s),
		"removed_elsewhere", (json_int_t)s->removed_elsewhere, "undecided",
		(json_int_t)s->undecided, "advice", gone(s) ? SYNC_GONE_ADVICE : NULL, "error",
		err < 0 ? error_text(err, error) : NULL);
}

static void result_print(const char *name, int err, const struct sync_stats *s)
{
	printf("%s: %lld new and %lld changed calls, %lld new and %lld changed recordings", name,
	       (long long)s->applied.calls_new, (long long)s->applied.calls_changed,
	       (long long)s->applied.recordings_new, (long long)s->applied.recordings_changed);
	if (gone(s))
		printf(", %lld gone at Twilio", (long long)gone(s));
	if (s->removed_elsewhere)
		printf(", %lld removed by another machine", (long long)s->removed_elsewhere);
	if (s->recordings_found_in_s3)
		printf(", %lld found in S3", (long long)s->recordings_found_in_s3);
	if (s->undecided)
		printf(", %lld that could not be asked for now", (long long)s->undecided);
	printf(err < 0 ? " (in part)\n" : "\n");
	if (gone(s))
		printf("  %lld deleted at Twilio, not by this catalog, and not in its bucket. " SYNC_GONE_ADVICE
		       "\n",
		       (long long)gone(s));
}

/* Returns CLI_DONE, CLI_PART or CLI_FAILED. */
static int sync_one(struct cli *cli, const struct catalog_workspace *w, const struct sync_values *v,
		    json_t *array)
{
	const struct sync_env env = { cli->catalog, cli->http, &cli_cancel };
	const struct sync_options options = { .depth = v->full ? SYNC_FULL : SYNC_AUTO };
	struct remote_error error = REMOTE_ERROR_INIT;
	struct sync_stats stats = { 0 };
	struct shown shown;
	int err;

	cli_progress_init(&shown.progress, cli);
	view_name(w->name, shown.name);
	cli_progress_show(&shown.progress, "%s: asking Twilio", shown.name);
	err = sync_workspace(&env, w->id, &options, show, &shown, &stats, &error);
	cli_progress_clear(&shown.progress);
	json_array_append_new(array, result_json(w, err, &error, &stats));
	if (!cli->json && (err == 0 || stats.pages))
		result_print(shown.name, err, &stats);
	if (stats.calls_cut)
		cli_error(
			"%s: %lld calls have a number, direction or status of more than 256 bytes, of which the first are kept",
			shown.name, (long long)stats.calls_cut);
	if (err == 0)
		return stats.calls_cut ? CLI_PART : CLI_DONE;
	if (cancel_is_set(&cli_cancel))
		cli_error("%s: stopped; what was learned stays, and the next sync goes on",
			  shown.name);
	else
		cli_error("%s: %s", shown.name, error_text(err, &error));
	return stats.pages ? CLI_PART : CLI_FAILED;
}

static int learn_sizes(struct cli *cli)
{
	const struct sync_env env = { cli->catalog, cli->http, &cli_cancel };
	struct cli_progress progress;
	int64_t learned = 0;
	int err;

	cli_progress_init(&progress, cli);
	cli_progress_show(&progress, "learning the sizes of files");
	err = sync_sizes(&env, &learned);
	cli_progress_clear(&progress);
	if (!cli->json)
		printf("%lld sizes learned\n", (long long)learned);
	if (err < 0 && !cancel_is_set(&cli_cancel))
		cli_error("not all sizes were learned: %s", strerror(-err));
	return err < 0 ? CLI_PART : CLI_DONE;
}

static int run_sync(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct sync_values *v = values;
	cleanup_workspaces struct cli_workspaces list = { NULL, 0 };
	json_t *array;
	size_t done = 0, in_part = 0;
	int status = cli_catalog_open(cli);

	if (status == CLI_DONE)
		status = cli_workspaces_find(cli, argv[0], false, &list);
	if (status == CLI_DONE)
		status = cli_http_open(cli);
	if (status != CLI_DONE)
		return status;
	if (list.count == 0 && !cli->json)
		printf("There are no workspaces yet; 'tonicfs workspace add' adds one.\n");
	cli_catch_signals();
	array = json_array();
	for (size_t i = 0; i < list.count && !cancel_is_set(&cli_cancel); i++) {
		status = sync_one(cli, &list.items[i], v, array);
		done += status == CLI_DONE;
		in_part += status == CLI_PART;
	}
	status = done == list.count ? CLI_DONE : done || in_part ? CLI_PART : CLI_FAILED;
	if (v->sizes && done && !cancel_is_set(&cli_cancel) && learn_sizes(cli) != CLI_DONE)
		status = CLI_PART;
	if (cli->json && cli_json_print(json_pack("{s:O}", "workspaces", array)) != CLI_DONE)
		status = CLI_FAILED;
	json_decref(array);
	return status;
}

#define VALUES struct sync_values
static const struct cli_option sync_options[] = {
	CLI_FLAG("full", full, "list everything again"),
	CLI_FLAG("sizes", sizes, "learn exact file sizes now; a mount does so in the background"),
	{ 0 },
};

const struct cli_command command_sync = {
	.name = "sync",
	.arguments = "[WORKSPACE] [--full] [--sizes]",
	.summary = "Asks Twilio for new calls and recordings",
	.text = "Without WORKSPACE, of all workspaces. The first time, once a day, and after a\n"
		"bucket has come into use, everything is listed; otherwise only what is new or\n"
		"was not finished. Interrupting a sync loses nothing. A mount syncs by itself\n"
		"every few minutes ('tonicfs workspace set NAME poll=…').\n"
		"\n"
		"During the first sync, an enabled bucket must be reachable: its tombstones\n"
		"name the recordings that were removed before this catalog was created. Later\n"
		"syncs work without it. A full sync also hides recordings that other machines\n"
		"have removed.\n"
		"\n"
		"Recordings that are neither at Twilio nor in this catalog's bucket, and that\n"
		"this catalog did not delete, have probably been moved by another catalog of\n"
		"the account, to another bucket or prefix. Set the same bucket and prefix with\n"
		"'tonicfs storage set', then run 'tonicfs sync --full' and 'tonicfs verify\n"
		"--repair'.\n"
		"\n"
		"Exit status 3 if only a part could be synced; the rest is named.\n",
	CLI_OPTIONS(sync_options),
	.argument_count = { 0, 1 },
	.run = run_sync,
};
