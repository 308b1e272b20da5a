/* For rm and the remove commands: waits for the deletes, and prints what happened to the bytes. */
#include "cli/removing.h"

#include <errno.h>
#include <jansson.h>

#include "catalog/problem.h"
#include "catalog/status.h"
#include "catalog/storage.h"
#include "policy/policy.h"
#include "util/times.h"

#define WAIT_MSECS 10000 /* for deletes and tombstones; a mount does those that take longer */

void removal_add(struct catalog_removal *sum, const struct catalog_removal *part)
{
	sum->recordings += part->recordings;
	sum->twilio_deletes += part->twilio_deletes;
	sum->s3_deletes += part->s3_deletes;
	sum->stay_in_s3 += part->stay_in_s3;
	sum->stay_at_twilio += part->stay_at_twilio;
}

struct pending {
	int64_t queued, failed;
	int64_t tombstones; /* to be written to the bucket */
};

static int64_t pending_count(const struct pending *pending)
{
	return pending->queued + pending->tombstones;
}

static int pending_get(struct cli *cli, const int64_t *workspace_ids, size_t count,
		       struct pending *ret_pending)
{
	*ret_pending = (struct pending){ .queued = 0 };
	for (size_t i = 0; i < count; i++) {
		struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, workspace_ids[i] };
		struct catalog_status status;
		int err = catalog_status_get(cli->catalog, scope, &status);

		if (err < 0)
			return err;
		ret_pending->queued += status.deletes_queued;
		ret_pending->failed += status.deletes_failed;
		ret_pending->tombstones += status.tombstones_queued;
	}
	return 0;
}

/* Counts the jobs that wait for a retry: these pauses are minutes, too long to wait here. */
static int count_waiting(void *arg, const struct catalog_problem *problem)
{
	const unsigned kinds =
		CATALOG_JOB_DELETE_TWILIO | CATALOG_JOB_DELETE_S3 | CATALOG_JOB_TOMBSTONE;

	if ((problem->kind & kinds) && problem->attempts &&
	    problem->next_msecs > time_now_msecs() + 1000 && problem->next_msecs != INT64_MAX)
		++*(int64_t *)arg;
	return 0;
}

static bool only_retries_left(struct cli *cli, const int64_t *workspace_ids, size_t count,
			      int64_t queued)
{
	int64_t waiting = 0;

	for (size_t i = 0; i < count; i++) {
		struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, workspace_ids[i] };

		if (catalog_problem_each(cli->catalog, scope, count_waiting, &waiting) < 0)
			return false;
	}
	return waiting >= queued;
}

static int work(struct cli *cli, const int64_t *workspace_ids, size_t count,
		struct pending *ret_pending)
{
	int64_t deadline = time_mono_msecs() + WAIT_MSECS;
	struct cli_progress progress;
	struct policy *policy = NULL;
	struct jobs *jobs = NULL;
	uint64_t generation = 0;
	int err = cli_http_open(cli) == CLI_DONE ? 0 : -EIO;

	if (err == 0)
		err = jobs_new(cli->catalog, &jobs);
	if (err == 0)
		err = policy_start(jobs, cli->http, &policy);
	if (err < 0) {
		jobs_free(jobs);
		return err;
	}
	cli_catch_signals();
	cli_progress_init(&progress, cli);
	for (;;) {
		err = pending_get(cli, workspace_ids, count, ret_pending);
		if (err < 0 || pending_count(ret_pending) == 0 || cancel_is_set(&cli_cancel) ||
		    time_mono_msecs() >= deadline ||
		    only_retries_left(cli, workspace_ids, count, pending_count(ret_pending)))
			break;
		cli_progress_show(&progress, "%lld deletes and tombstones to go",
				  (long long)pending_count(ret_pending));
		cli_wait(cli, &generation, 200);
	}
	cli_progress_clear(&progress);
	policy_stop(policy, 2000);
	jobs_free(jobs);
	return err < 0 ? err : pending_get(cli, workspace_ids, count, ret_pending);
}

/* Is there a workspace without a bucket in use? */
static bool lacks_bucket(struct cli *cli, const int64_t *workspace_ids, size_t count)
{
	struct catalog_storage storage;

	for (size_t i = 0; i < count; i++)
		if (catalog_storage_get(cli->catalog, workspace_ids[i], &storage) < 0 ||
		    !storage.enabled)
			return true;
	return false;
}

static void say(const char *what, int64_t count)
{
	if (count)
		printf("%s: %lld\n", what, (long long)count);
}

static int report_json(const struct catalog_removal *removal, const struct pending *pending)
{
	return cli_json_print(json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "removed",
		(json_int_t)removal->recordings, "twilio_deletes",
		(json_int_t)removal->twilio_deletes, "s3_deletes", (json_int_t)removal->s3_deletes,
		"stay_at_twilio", (json_int_t)removal->stay_at_twilio, "stay_in_s3",
		(json_int_t)removal->stay_in_s3, "deletes_queued", (json_int_t)pending->queued,
		"deletes_failed", (json_int_t)pending->failed, "tombstones_queued",
		(json_int_t)pending->tombstones));
}

static void report_print(const struct catalog_removal *removal)
{
	printf("Removed %lld %s\n", (long long)removal->recordings,
	       removal->recordings == 1 ? "recording" : "recordings");
	say("To be deleted at Twilio", removal->twilio_deletes);
	say("To be deleted in S3", removal->s3_deletes);
	say("Bytes that stay at Twilio", removal->stay_at_twilio);
	say("Bytes that stay in S3", removal->stay_in_s3);
}

static void pending_print(const struct pending *before, const struct pending *pending)
{
	if (pending->queued)
		printf("%lld of the workspace's deletes %s still queued; a mount does them ('tonicfs status' shows why they wait)\n",
		       (long long)pending->queued, pending->queued == 1 ? "is" : "are");
	else if (before->queued && pending->failed <= before->failed)
		printf("All deletes are done\n");
	if (pending->tombstones)
		printf("Tombstones are still to be written to the bucket; a mount writes them\n");
}

int removing_finish(struct cli *cli, const struct catalog_removal *removal,
		    const int64_t *workspace_ids, size_t workspace_count)
{
	struct pending before, pending;
	int err = pending_get(cli, workspace_ids, workspace_count, &before), status = CLI_DONE;

	pending = before;
	if (err == 0 && pending_count(&before))
		err = work(cli, workspace_ids, workspace_count, &pending);
	if (cli->json)
		status = report_json(removal, &pending);
	else
		report_print(removal);
	if (!cli->json && removal->recordings && lacks_bucket(cli, workspace_ids, workspace_count))
		printf("No bucket is in use: only this catalog knows what was removed. The first bucket in use gets the tombstones\n");
	if (err < 0)
		return cli_catalog_error(cli, err,
					 "the deletes are queued, but could not be started");
	if (!cli->json)
		pending_print(&before, &pending);
	if (pending.failed > before.failed) {
		cli_error(
			"%lld deletes failed; 'tonicfs status' shows why, and when they are retried",
			(long long)(pending.failed - before.failed));
		return CLI_PART;
	}
	return status;
}
