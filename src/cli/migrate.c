/* migrate: asks for recordings to be moved to the bucket, and may wait for it. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/job.h"
#include "cli/commands.h"
#include "migrate/migrate.h"
#include "util/cleanup.h"

#define STOP_GRACE_MSECS 10000
#define REASONS_SHOWN 20

struct migrate_values {
	bool wait, cancel;
};

struct asked {
	struct catalog_scope *scopes;
	size_t count;
};

static int counts_get(struct cli *cli, const struct asked *asked, struct catalog_counts *ret_counts)
{
	*ret_counts = (struct catalog_counts){ 0 };
	for (size_t i = 0; i < asked->count; i++) {
		struct catalog_counts counts;
		int err = catalog_counts_get(cli->catalog, asked->scopes[i], &counts);

		if (err < 0)
			return err;
		ret_counts->none += counts.none;
		ret_counts->queued += counts.queued;
		ret_counts->running += counts.running;
		ret_counts->done += counts.done;
		ret_counts->failed += counts.failed;
		ret_counts->cleanup_queued += counts.cleanup_queued;
	}
	return 0;
}

static int queue_all(struct cli *cli, const struct asked *asked, int64_t *ret_queued)
{
	*ret_queued = 0;
	for (size_t i = 0; i < asked->count; i++) {
		int64_t queued = 0;
		int err = catalog_migrate_queue(cli->catalog, asked->scopes[i], &queued);

		*ret_queued += queued;
		if (err == -ENOENT) {
			cli_error("the workspace has no bucket; 'tonicfs storage set' names one");
			return CLI_FAILED;
		}
		if (err == -ENODEV) {
			cli_error("the workspace's bucket is disabled; 'tonicfs storage test' tries it and enables it, "
				  "'tonicfs storage enable' does after 'storage disable'");
			return CLI_FAILED;
		}
		if (err < 0)
			return cli_catalog_error(cli, err, "the migration was not queued");
	}
	return CLI_DONE;
}

static int run_cancel(struct cli *cli, const struct asked *asked)
{
	int64_t sum = 0;

	for (size_t i = 0; i < asked->count; i++) {
		int64_t cancelled = 0;
		int err = catalog_migrate_cancel(cli->catalog, asked->scopes[i], &cancelled);

		if (err < 0)
			return cli_catalog_error(cli, err, "not cancelled");
		sum += cancelled;
	}
	if (cli->json)
		return cli_json_print(json_pack("{s:I}", "cancelled", (json_int_t)sum));
	printf("Taken back: %lld\n", (long long)sum);
	return CLI_DONE;
}

/* ---- waiting ---- */

/* Runs workers here until nothing asked for is queued or running, or the user has had enough. */
static int work(struct cli *cli, const struct asked *asked, struct catalog_counts *ret_counts)
{
	struct migrate_settings settings = { 0 };
	struct cli_progress progress;
	struct migrate *migrate;
	uint64_t generation = 0;
	int64_t total;
	int status = cli_http_open(cli);
	int err;

	if (status != CLI_DONE)
		return status;
	err = migrate_start(cli->catalog, cli->http, &settings, &migrate);
	if (err < 0) {
		cli_error("the migration cannot begin: %s", strerror(-err));
		return CLI_FAILED;
	}
	cli_catch_signals();
	cli_progress_init(&progress, cli);
	total = ret_counts->queued + ret_counts->running;
	for (;;) {
		err = counts_get(cli, asked, ret_counts);
		if (err < 0 || ret_counts->queued + ret_counts->running == 0 || cli_interrupted)
			break;
		cli_progress_show(&progress, "%lld of %lld to go, %lld running, %lld failed",
				  (long long)(ret_counts->queued + ret_counts->running), (long long)total,
				  (long long)ret_counts->running, (long long)ret_counts->failed);
		cli_wait(cli, &generation, 250);
	}
	if (cli_interrupted)
		cli_progress_show(&progress, "stopping: transfers in flight have 10 seconds");
	/* Deletes at Twilio that are owed are given the same while, for they are what the user will look for. */
	for (int i = 0; err == 0 && !cli_interrupted && ret_counts->cleanup_queued && i < STOP_GRACE_MSECS / 250; i++) {
		cli_progress_show(&progress, "%lld of Twilio's copies to delete", (long long)ret_counts->cleanup_queued);
		cli_wait(cli, &generation, 250);
		err = counts_get(cli, asked, ret_counts);
	}
	migrate_stop(migrate, STOP_GRACE_MSECS);
	cli_progress_clear(&progress);
	if (err == 0)
		err = counts_get(cli, asked, ret_counts);
	return err < 0 ? cli_catalog_error(cli, err, "the counts cannot be read") : CLI_DONE;
}

struct reasons {
	json_t *array;
	size_t count;
};

static int reason_one(void *arg, const struct catalog_problem *problem)
{
	struct reasons *reasons = arg;
	char sid[SID_SIZE];

	if (problem->kind != CATALOG_JOB_MIGRATE || problem->next_msecs != INT64_MAX)
		return 0;
	sid_format(&problem->recording_sid, "RE", sid);
	json_array_append_new(reasons->array, json_pack("{s:s, s:s}", "recording_sid", sid, "reason", problem->reason));
	if (reasons->count++ < REASONS_SHOWN)
		cli_error("%s: %s", sid, problem->reason);
	return 0;
}

static int say_result(struct cli *cli, const struct asked *asked, const struct catalog_counts *counts, int64_t queued)
{
	struct reasons reasons = { json_array(), 0 };
	int64_t left = counts->queued + counts->running;
	int status = CLI_DONE;

	for (size_t i = 0; i < asked->count && counts->failed; i++)
		catalog_problem_each(cli->catalog, asked->scopes[i], reason_one, &reasons);
	if (reasons.count > REASONS_SHOWN)
		cli_error("… and %zu more; 'tonicfs status' shows all", reasons.count - REASONS_SHOWN);
	if (cli->json) {
		status = cli_json_print(json_pack(
			"{s:I, s:{s:I, s:I, s:I, s:I, s:I}, s:I, s:O}", "asked", (json_int_t)queued, "migrate", "none",
			(json_int_t)counts->none, "queued", (json_int_t)counts->queued, "running", (json_int_t)counts->running,
			"done", (json_int_t)counts->done, "failed", (json_int_t)counts->failed, "twilio_deletes_queued",
			(json_int_t)counts->cleanup_queued, "failures", reasons.array));
	} else {
		printf("In S3: %lld", (long long)counts->done);
		if (counts->failed)
			printf(", failed: %lld", (long long)counts->failed);
		if (left)
			printf(", still queued: %lld", (long long)left);
		printf("\n");
		if (counts->cleanup_queued)
			printf("%lld of Twilio's copies are still to be deleted; a mount goes on with it\n",
			       (long long)counts->cleanup_queued);
		if (left)
			printf("What is queued stays so; a mount, or the same command again, goes on with it\n");
	}
	json_decref(reasons.array);
	if (status != CLI_DONE)
		return status;
	return counts->failed || left ? CLI_PART : CLI_DONE;
}

static int run_migrate(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct migrate_values *v = values;
	cleanup_free struct catalog_scope *scopes = NULL;
	struct catalog_counts counts = { 0 };
	struct asked asked;
	int64_t queued;
	int status;

	if (v->wait && v->cancel)
		return cli_usage(cli, "--wait and --cancel do not go together");
	status = cli_catalog_open(cli);
	if (status == CLI_DONE)
		status = cli_path_scopes(cli, argc, argv, &scopes, &asked.count);
	if (status != CLI_DONE)
		return status;
	asked.scopes = scopes;
	if (v->cancel)
		return run_cancel(cli, &asked);
	status = queue_all(cli, &asked, &queued);
	if (status != CLI_DONE)
		return status;
	if (counts_get(cli, &asked, &counts) < 0)
		counts = (struct catalog_counts){ .queued = queued };
	if (v->wait) {
		status = work(cli, &asked, &counts);
		return status == CLI_DONE ? say_result(cli, &asked, &counts, queued) : status;
	}
	if (cli->json)
		return cli_json_print(json_pack("{s:I, s:{s:I, s:I, s:I, s:I, s:I}}", "asked", (json_int_t)queued, "migrate",
						"none", (json_int_t)counts.none, "queued", (json_int_t)counts.queued, "running",
						(json_int_t)counts.running, "done", (json_int_t)counts.done, "failed",
						(json_int_t)counts.failed));
	printf("Queued: %lld; in S3 already: %lld\n", (long long)queued, (long long)counts.done);
	if (counts.queued)
		printf("A mount moves them, or 'tonicfs migrate --wait'\n");
	return CLI_DONE;
}

const struct cli_command command_migrate = {
	.name = "migrate",
	.arguments = "PATH… [--wait | --cancel]",
	.summary = "Moves recordings from Twilio to the bucket",
	.text =
"Queues every recording named that is at Twilio; a mount of the catalog moves\n"
"them in the background. With --wait this command does the work itself and ends\n"
"when every one of them is in the bucket or has failed. Ctrl-C lets transfers\n"
"in flight finish or puts them back; nothing is lost and nothing is done twice.\n"
"\n"
"A recording is deleted at Twilio only after its object in the bucket has been\n"
"verified. The same is asked for in a mount by\n"
"\n"
"  setfattr -n user.tonicfs.migrate -v now PATH\n"
"\n"
"PATH is WORKSPACE[/CAMPAIGN[/FILE]], a recording's SID, or a path inside a\n"
"mount. Exit status 3 when some failed or are still queued.\n",
	.options = (const struct cli_option[]){
		{ 0, "wait", CLI_FLAG, NULL, "do it now, and wait for the end", offsetof(struct migrate_values, wait) },
		{ 0, "cancel", CLI_FLAG, NULL, "take back what is queued", offsetof(struct migrate_values, cancel) },
		{ 0 },
	},
	.values_size = sizeof(struct migrate_values),
	.arguments_min = 1,
	.arguments_max = 1000000,
	.run = run_migrate,
};
