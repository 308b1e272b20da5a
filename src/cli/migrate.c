/* migrate: asks for recordings to be moved to the bucket, takes that back, and may wait for the
 * end. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/job.h"
#include "cli/amounts.h"
#include "cli/commands.h"
#include "cli/meter.h"
#include "cli/problems.h"
#include "migrate/migrate.h"
#include "util/cleanup.h"
#include "util/times.h"

#define STOP_GRACE_MSECS 10000
#define LOOK_MSECS 250       /* between two looks, and nine times what one costs */
#define SOON_MSECS 1000      /* a delete that is due by then is waited for */
#define HELD_LOOK_MSECS 1000 /* at whether anything is given out at all */
#define FAILURES_LISTED 1000 /* in JSON; reasons are complete */

struct migrate_values {
	bool wait, cancel, pause, resume, retry;
};

struct asked {
	struct catalog_scope *scopes;
	size_t count;
};

/* ---- asking ---- */

/* What a flag asks for; none of them: to be migrated. */
struct action {
	size_t offset;
	catalog_migrate_fn *fn;
	const char *json, *text;
	bool can_wait;
};
#define FLAG(field) offsetof(struct migrate_values, field)
static const struct action actions[] = {
	{ FLAG(cancel), catalog_migrate_cancel, "cancelled", "Taken back", false },
	{ FLAG(pause), catalog_migrate_pause, "paused", "Paused", false },
	{ FLAG(resume), catalog_migrate_resume, "resumed", "Resumed", true },
	{ FLAG(retry), catalog_migrate_retry, "retried", "To be tried again", true },
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

static int ask_all(struct cli *cli, const struct asked *asked, const struct action *action,
		   int64_t *ret_count)
{
	*ret_count = 0;
	for (size_t i = 0; i < asked->count; i++) {
		int64_t count = 0;
		int err = action->fn(cli->catalog, asked->scopes[i], &count);

		*ret_count += count;
		if (err == -ENOENT) {
			cli_error("the workspace has no bucket; 'tonicfs storage set' names one");
			return CLI_FAILED;
		}
		if (err == -ENODEV) {
			cli_error(
				"the workspace's bucket is disabled; 'tonicfs storage test' tries it and enables it, "
				"'tonicfs storage enable' does after 'storage disable'");
			return CLI_FAILED;
		}
		if (err < 0)
			return cli_catalog_error(cli, err, "nothing was changed");
	}
	return CLI_DONE;
}

/* ---- waiting ---- */

struct wait {
	struct cli *cli;
	const struct asked *asked;
	struct meter meter;
	struct cli_progress progress;
	struct catalog_counts counts;
	uint64_t generation;
	int64_t held_look_msecs; /* not before */
	bool is_held;            /* what is left is given to nobody: its bucket is disabled */
};

static int counts_get(struct cli *cli, const struct asked *asked, struct catalog_counts *ret_counts,
		      int64_t *ret_moved_bytes)
{
	return catalog_progress_get(cli->catalog, asked->scopes, asked->count, ret_counts,
				    ret_moved_bytes);
}

/* Twilio's deletes that wait: for the end, for they are counted one by one. */
static int cleanups_get(struct cli *cli, const struct asked *asked, int64_t *ret_count)
{
	*ret_count = 0;
	for (size_t i = 0; i < asked->count; i++) {
		struct catalog_counts counts;
		int err = catalog_counts_get(cli->catalog, asked->scopes[i], &counts);

		if (err < 0)
			return err;
		*ret_count += counts.cleanup_queued;
	}
	return 0;
}

/* Is all that is queued held back by a bucket that is disabled, or gone? */
static int held_get(struct wait *wait)
{
	struct catalog_counts counts;
	int64_t held = 0, moved;
	int err = 0;

	if (wait->counts.running || time_mono_msecs() < wait->held_look_msecs)
		return 0;
	wait->held_look_msecs = time_mono_msecs() + HELD_LOOK_MSECS;
	for (size_t i = 0; i < wait->asked->count && err == 0; i++) {
		err = catalog_migrate_check(wait->cli->catalog, wait->asked->scopes[i]);
		if (err != -ENOENT && err != -ENODEV)
			continue;
		err = catalog_progress_get(wait->cli->catalog, &wait->asked->scopes[i], 1, &counts,
					   &moved);
		held += counts.queued;
	}
	wait->is_held = err == 0 && held && held == wait->counts.queued;
	return err;
}

static void line_json(const struct meter *meter, FILE *out)
{
	struct meter_reading r;
	json_t *line;

	meter_read(meter, &r);
	line = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "done", (json_int_t)r.done,
			 "total", (json_int_t)r.total, "running", (json_int_t)r.running, "failed",
			 (json_int_t)r.failed, "done_bytes", (json_int_t)r.done_bytes,
			 "total_bytes", (json_int_t)r.total_bytes, "bytes_per_sec",
			 (json_int_t)r.bytes_per_sec, "seconds_left",
			 r.secs_left < 0 ? json_null() : json_integer((json_int_t)r.secs_left));
	if (line && json_dumpf(line, out, JSON_COMPACT) == 0)
		fputc('\n', out);
	json_decref(line);
}

/* A bar that is written over on a terminal; elsewhere a line now and then. */
static void show(struct wait *wait)
{
	cleanup_buf struct buf line = BUF_INIT;

	if (wait->progress.is_terminal) {
		meter_bar(&wait->meter, cli_progress_columns(), &line);
		cli_progress_show(&wait->progress, "%s", buf_str(&line));
		return;
	}
	if (!meter_line_is_due(&wait->meter))
		return;
	if (wait->cli->json) {
		line_json(&wait->meter, stderr);
		return;
	}
	meter_line(&wait->meter, &line);
	cli_error("%s", buf_str(&line));
}

static int look(struct wait *wait)
{
	int64_t moved;
	int err = counts_get(wait->cli, wait->asked, &wait->counts, &moved);

	if (err == 0)
		meter_update(&wait->meter, &wait->counts, moved, time_mono_msecs());
	return err;
}

/* Until nothing asked for is queued or running, or the user has had enough. */
static int wait_for_end(struct wait *wait)
{
	for (;;) {
		int64_t before = time_mono_msecs(), cost;
		int err = look(wait);

		if (err == 0)
			err = held_get(wait);
		if (err < 0 || wait->counts.queued + wait->counts.running == 0 || wait->is_held ||
		    cancel_is_set(&cli_cancel))
			return err;
		show(wait);
		cost = time_mono_msecs() - before;
		cli_wait(wait->cli, &wait->generation,
			 cost * 9 > LOOK_MSECS ? (unsigned)cost * 9 : LOOK_MSECS);
	}
}

/* Deletes that failed and are tried again later. */
static int add_later(void *arg, const struct catalog_problem_group *group)
{
	if (group->kind == CATALOG_JOB_CLEANUP_TWILIO &&
	    group->next_msecs > time_now_msecs() + SOON_MSECS)
		*(int64_t *)arg += group->count;
	return 0;
}

static int later_get(struct wait *wait, int64_t *ret_count)
{
	int err = 0;

	*ret_count = 0;
	for (size_t i = 0; i < wait->asked->count && err == 0; i++)
		err = catalog_problem_groups(wait->cli->catalog, wait->asked->scopes[i], add_later,
					     ret_count);
	return err;
}

/* Deletes at Twilio that are owed get a while, for they are what the user will look for. */
static int wait_for_cleanups(struct wait *wait)
{
	int64_t left = 0, later = 0, end = time_mono_msecs() + STOP_GRACE_MSECS;
	int err;

	while ((err = cleanups_get(wait->cli, wait->asked, &left)) == 0 &&
	       (err = later_get(wait, &later)) == 0 && left > later &&
	       !cancel_is_set(&cli_cancel) && time_mono_msecs() < end) {
		cli_progress_show(&wait->progress, "%lld of Twilio's copies to delete",
				  (long long)left);
		cli_wait(wait->cli, &wait->generation, LOOK_MSECS);
	}
	return err;
}

/* Runs workers here. *ret_reading: what was done until the last transfer ended. */
static int work(struct wait *wait, struct meter_reading *ret_reading)
{
	struct migrate_settings settings = { 0 };
	struct cli *cli = wait->cli;
	struct migrate *migrate;
	int64_t moved;
	int status = cli_http_open(cli);
	int err;

	if (status != CLI_DONE)
		return status;
	err = counts_get(cli, wait->asked, &wait->counts, &moved);
	if (err < 0)
		return cli_catalog_error(cli, err, "the counts cannot be read");
	meter_begin(&wait->meter, &wait->counts, time_mono_msecs());
	cli_progress_init(&wait->progress, cli);
	cli_catch_signals();
	err = migrate_start(cli->catalog, cli->http, &settings, &migrate);
	if (err < 0) {
		cli_error("the migration cannot begin: %s", strerror(-err));
		return CLI_FAILED;
	}
	err = wait_for_end(wait);
	if (err == 0 && !cancel_is_set(&cli_cancel))
		err = wait_for_cleanups(wait);
	cli_progress_clear(&wait->progress);
	if (cancel_is_set(&cli_cancel))
		cli_error("stopping: transfers in flight have ten seconds;"
			  " Ctrl-C again ends at once");
	meter_read(&wait->meter, ret_reading);
	migrate_stop(migrate, STOP_GRACE_MSECS);
	if (err == 0 && cancel_is_set(&cli_cancel)) { /* what came to its end meanwhile */
		err = look(wait);
		meter_read(&wait->meter, ret_reading);
	}
	if (err == 0)
		err = counts_get(cli, wait->asked, &wait->counts, &moved);
	return err < 0 ? cli_catalog_error(cli, err, "the counts cannot be read") : CLI_DONE;
}

/* ---- what came of it ---- */

static json_t *counts_json(const struct catalog_counts *counts)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "none", (json_int_t)counts->none,
			 "queued", (json_int_t)counts->queued, "running",
			 (json_int_t)counts->running, "paused", (json_int_t)counts->paused, "done",
			 (json_int_t)counts->done, "failed", (json_int_t)counts->failed);
}

static int failure_add(void *arg, const struct catalog_problem *problem)
{
	json_t *array = arg;
	char sid[SID_SIZE];

	if (problem->kind != CATALOG_JOB_MIGRATE || problem->next_msecs != INT64_MAX ||
	    json_array_size(array) >= FAILURES_LISTED)
		return 0;
	sid_format(&problem->recording_sid, "RE", sid);
	json_array_append_new(array, json_pack("{s:s, s:s}", "recording_sid", sid, "reason",
					       problem->reason));
	return 0;
}

static int report_json(const struct wait *wait, const struct meter_reading *r,
		       const struct problems *problems, int64_t cleanups, int64_t count)
{
	json_t *failures = json_array();

	for (size_t i = 0; i < wait->asked->count && wait->counts.failed; i++)
		catalog_problem_each(wait->cli->catalog, wait->asked->scopes[i], failure_add,
				     failures);
	return cli_json_print(json_pack(
		"{s:I, s:o, s:I, s:I, s:I, s:I, s:b, s:I, s:o, s:o}", "asked", (json_int_t)count,
		"migrate", counts_json(&wait->counts), "stored", (json_int_t)r->done,
		"stored_bytes", (json_int_t)r->done_bytes, "seconds", (json_int_t)r->secs,
		"bytes_per_sec", (json_int_t)(r->done_bytes / (r->secs ? r->secs : 1)),
		"interrupted", (int)cancel_is_set(&cli_cancel), "twilio_deletes_queued",
		(json_int_t)cleanups, "reasons", problems_json(problems, CATALOG_JOB_MIGRATE, true),
		"failures", failures));
}

static void report_print(const struct wait *wait, const struct meter_reading *r,
			 const struct problems *problems, int64_t cleanups)
{
	const struct catalog_counts *counts = &wait->counts;
	int64_t left = counts->queued + counts->running;
	char a[AMOUNT_SIZE], b[AMOUNT_SIZE], c[AMOUNT_SIZE], d[AMOUNT_SIZE];

	if (r->done)
		printf("Stored: %s %s, %s in %s (%s/s)\n", amount_count(r->done, a),
		       r->done == 1 ? "recording" : "recordings", amount_bytes(r->done_bytes, b),
		       amount_secs(r->secs, c),
		       amount_bytes(r->done_bytes / (r->secs ? r->secs : 1), d));
	printf("In S3: %lld", (long long)counts->done);
	if (counts->failed)
		printf(", failed: %lld", (long long)counts->failed);
	if (counts->paused)
		printf(", paused: %lld", (long long)counts->paused);
	if (left)
		printf(", still queued: %lld", (long long)left);
	printf("\n");
	fflush(stdout);
	problems_print(problems, CATALOG_JOB_MIGRATE, true, stderr);
	if (counts->failed)
		printf("'tonicfs migrate --retry' tries those that failed again\n");
	if (counts->paused)
		printf("'tonicfs migrate --resume' goes on with those that are paused\n");
	if (cleanups)
		printf("%lld of Twilio's copies are still to be deleted; a mount goes on with it\n",
		       (long long)cleanups);
	if (wait->is_held)
		printf("The bucket is disabled: what is queued waits for"
		       " 'tonicfs storage enable'\n");
	else if (left)
		printf("What is queued stays so; a mount, or the same command again, goes on"
		       " with it\n");
}

static int report(struct wait *wait, const struct meter_reading *reading, int64_t count)
{
	cleanup_problems struct problems problems = { NULL, 0 };
	const struct catalog_counts *counts = &wait->counts;
	int64_t cleanups;
	int status = CLI_DONE, err = cleanups_get(wait->cli, wait->asked, &cleanups);

	for (size_t i = 0; i < wait->asked->count && counts->failed && err == 0; i++)
		err = problems_collect(&problems, wait->cli->catalog, wait->asked->scopes[i]);
	if (err < 0)
		return cli_catalog_error(wait->cli, err, "what came of it cannot be read");
	if (wait->cli->json)
		status = report_json(wait, reading, &problems, cleanups, count);
	else
		report_print(wait, reading, &problems, cleanups);
	if (status != CLI_DONE)
		return status;
	return counts->failed || counts->paused || counts->queued + counts->running ? CLI_PART
										    : CLI_DONE;
}

static int say_asked(struct cli *cli, const struct asked *asked, const struct action *action,
		     int64_t count)
{
	struct catalog_counts counts;
	int64_t moved, before;
	int err = counts_get(cli, asked, &counts, &moved);

	if (err < 0)
		return cli_catalog_error(cli, err, "the counts cannot be read");
	/* A mount may have moved some of those that were queued just now. */
	before =
		counts.queued + counts.running > count ? counts.queued + counts.running - count : 0;
	if (cli->json && action == &action_queue)
		return cli_json_print(json_pack("{s:I, s:I, s:o}", action->json, (json_int_t)count,
						"under_way_already", (json_int_t)before, "migrate",
						counts_json(&counts)));
	if (cli->json)
		return cli_json_print(json_pack("{s:I, s:o}", action->json, (json_int_t)count,
						"migrate", counts_json(&counts)));
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
	cleanup_free struct catalog_scope *scopes = NULL;
	struct meter_reading reading = { 0 };
	const struct action *action;
	struct asked asked;
	int64_t count;
	int status = action_find(cli, v, &action);

	if (status == CLI_DONE)
		status = cli_catalog_open(cli);
	if (status == CLI_DONE)
		status = cli_path_scopes(cli, argc, argv, &scopes, &asked.count);
	if (status != CLI_DONE)
		return status;
	asked.scopes = scopes;
	status = ask_all(cli, &asked, action, &count);
	if (status == CLI_DONE && v->wait) {
		struct wait wait = { .cli = cli, .asked = &asked };

		status = work(&wait, &reading);
		return status == CLI_DONE ? report(&wait, &reading, count) : status;
	}
	return status == CLI_DONE ? say_asked(cli, &asked, action, count) : status;
}

const struct cli_command command_migrate = {
	.name = "migrate",
	.arguments = "PATH… [--wait] [--cancel | --pause | --resume | --retry]",
	.summary = "Moves recordings from Twilio to the bucket",
	.text = "Queues every recording named that is at Twilio; a mount of the catalog moves\n"
		"them in the background. With --wait this command does the work itself and ends\n"
		"when every one of them is in the bucket or has failed. Ctrl-C lets transfers\n"
		"in flight finish or puts them back, for ten seconds at most; a second one ends\n"
		"at once. Nothing is lost and nothing is done twice: the same command again, or\n"
		"a mount, goes on.\n"
		"\n"
		"--pause keeps what is queued where it is, and gives it to nobody until\n"
		"--resume, also after a restart; transfers under way are put back within\n"
		"seconds and begin anew then. What is queued later is not paused, asking for\n"
		"paused ones again does not resume them, and Twilio's copies of what has been\n"
		"moved are still deleted (keep_at_twilio=on keeps them). --retry begins failed\n"
		"ones anew, and tries now what waits after a failure: migrations, and deletes\n"
		"at Twilio or in S3 too. --cancel takes back what is queued or paused.\n"
		"\n"
		"A recording is deleted at Twilio only after its object in the bucket has been\n"
		"verified. The same is asked for in a mount by\n"
		"\n"
		"  setfattr -n user.tonicfs.migrate -v now|pause|resume|retry|cancel PATH\n"
		"\n"
		"PATH is WORKSPACE[/CAMPAIGN[/FILE]], a recording's SID, or a path inside a\n"
		"mount. Progress goes to standard error: a bar on a terminal, elsewhere a line\n"
		"every ten seconds and later every minute, with --json as a JSON object a line.\n"
		"Exit status 3 when some failed, are paused or are still queued.\n",
	.options =
		(const struct cli_option[]){
			{ 0, "wait", CLI_FLAG, NULL, "do it now, and wait for the end",
			  FLAG(wait) },
			{ 0, "cancel", CLI_FLAG, NULL, "take back what is queued or paused",
			  FLAG(cancel) },
			{ 0, "pause", CLI_FLAG, NULL, "keep what is queued until it is resumed",
			  FLAG(pause) },
			{ 0, "resume", CLI_FLAG, NULL, "go on with what is paused", FLAG(resume) },
			{ 0, "retry", CLI_FLAG, NULL, "try again what failed", FLAG(retry) },
			{ 0 },
		},
	.values_size = sizeof(struct migrate_values),
	.arguments_min = 1,
	.arguments_max = 1000000,
	.run = run_migrate,
};
