/* Runs the migration's workers for `migrate --wait`, shows progress, and reports the result. */
#include "cli/migrate-wait.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "catalog/problem.h"
#include "catalog/status.h"
#include "cli/amounts.h"
#include "cli/meter.h"
#include "cli/problems.h"
#include "migrate/migrate.h"
#include "util/buf.h"
#include "util/times.h"

#define STOP_GRACE_MSECS 10000
#define LOOK_MSECS 250       /* between two looks, or nine times the cost of one */
#define SOON_MSECS 1000      /* the end waits for a delete that is due by then */
#define HELD_LOOK_MSECS 1000 /* between two looks whether the bucket holds the queue back */
#define FAILURES_LISTED 1000 /* in JSON; the reasons are complete */

struct wait {
	struct cli *cli;
	const struct cli_scopes *scopes;
	struct meter meter;
	struct cli_progress progress;
	struct catalog_counts counts;
	uint64_t generation;
	int64_t held_look_msecs; /* when is_held is due */
	bool is_held;            /* no worker gets what is left: its bucket is disabled */
};

/* Deletes at Twilio that are queued. Only for the end: they are counted one by one. */
static int cleanups_get(struct cli *cli, const struct cli_scopes *scopes, int64_t *ret_count)
{
	*ret_count = 0;
	for (size_t i = 0; i < scopes->count; i++) {
		struct catalog_counts counts;
		int err = catalog_counts_get(cli->catalog, scopes->items[i], &counts);

		if (err < 0)
			return err;
		*ret_count += counts.cleanup_queued;
	}
	return 0;
}

/* Is everything that is queued held back by a bucket that is disabled or gone? */
static int held_get(struct wait *wait)
{
	struct catalog_counts counts;
	int64_t held = 0, moved;
	int err = 0;

	if (wait->counts.running || time_mono_msecs() < wait->held_look_msecs)
		return 0;
	wait->held_look_msecs = time_mono_msecs() + HELD_LOOK_MSECS;
	for (size_t i = 0; i < wait->scopes->count && err == 0; i++) {
		err = catalog_migrate_check(wait->cli->catalog, wait->scopes->items[i]);
		if (err != -ENOENT && err != -ENODEV)
			continue;
		err = catalog_progress_get(wait->cli->catalog, &wait->scopes->items[i], 1, &counts,
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

/* On a terminal a bar that is written over, elsewhere a line now and then. */
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
	int err = catalog_progress_get(wait->cli->catalog, wait->scopes->items, wait->scopes->count,
				       &wait->counts, &moved);

	if (err == 0)
		meter_update(&wait->meter, &wait->counts, moved, time_mono_msecs());
	return err;
}

/* Until nothing of the scopes is queued or running, or the user interrupts. */
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

/* Counts deletes that failed and are due later. */
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
	for (size_t i = 0; i < wait->scopes->count && err == 0; i++)
		err = catalog_problem_groups(wait->cli->catalog, wait->scopes->items[i], add_later,
					     ret_count);
	return err;
}

/* Deletes at Twilio get some time, too: users check Twilio's console afterwards. */
static int wait_for_cleanups(struct wait *wait)
{
	int64_t left = 0, later = 0, end = time_mono_msecs() + STOP_GRACE_MSECS;
	int err;

	while ((err = cleanups_get(wait->cli, wait->scopes, &left)) == 0 &&
	       (err = later_get(wait, &later)) == 0 && left > later &&
	       !cancel_is_set(&cli_cancel) && time_mono_msecs() < end) {
		cli_progress_show(&wait->progress, "%lld of Twilio's copies to delete",
				  (long long)left);
		cli_wait(wait->cli, &wait->generation, LOOK_MSECS);
	}
	return err;
}

/* Runs the workers in this process. *ret_reading: the progress when the last transfer ended. */
static int work(struct wait *wait, struct meter_reading *ret_reading)
{
	const struct migrate_settings settings = { 0 };
	struct cli *cli = wait->cli;
	struct migrate *migrate = NULL;
	struct jobs *jobs = NULL;
	int status = cli_http_open(cli), err;

	if (status != CLI_DONE)
		return status;
	err = look(wait);
	if (err < 0)
		return cli_catalog_error(cli, err, "the counts cannot be read");
	meter_begin(&wait->meter, &wait->counts, time_mono_msecs());
	cli_progress_init(&wait->progress, cli);
	cli_catch_signals();
	err = jobs_new(cli->catalog, &jobs);
	if (err == 0)
		err = migrate_start(jobs, cli->http, &settings, &migrate);
	if (err) {
		jobs_free(jobs);
		return cli_error("the migration cannot begin: %s", strerror(-err));
	}
	err = wait_for_end(wait);
	if (err == 0 && !cancel_is_set(&cli_cancel))
		err = wait_for_cleanups(wait);
	cli_progress_clear(&wait->progress);
	if (cancel_is_set(&cli_cancel))
		cli_error(
			"stopping: transfers in flight have ten seconds; Ctrl-C again ends at once");
	meter_read(&wait->meter, ret_reading);
	migrate_stop(migrate, STOP_GRACE_MSECS);
	jobs_free(jobs);
	if (err == 0)
		err = look(wait);
	if (err == 0 && cancel_is_set(&cli_cancel)) /* count what has ended since */
		meter_read(&wait->meter, ret_reading);
	return cli_catalog_error(cli, err, "the counts cannot be read");
}

/* ---- the report ---- */

static int failure_add(void *arg, const struct catalog_problem *problem)
{
	json_t *array = arg;

	if (problem->kind != CATALOG_JOB_MIGRATE || problem->next_msecs != INT64_MAX ||
	    json_array_size(array) >= FAILURES_LISTED)
		return 0;
	json_array_append_new(array, json_pack("{s:o, s:s}", "recording_sid",
					       view_sid_json(&problem->recording_sid, "RE"),
					       "reason", problem->reason));
	return 0;
}

static int report_json(const struct wait *wait, const struct meter_reading *r,
		       const struct view_problems *problems, int64_t cleanups, int64_t count)
{
	json_t *failures = json_array();
	int err = 0;

	for (size_t i = 0; i < wait->scopes->count && wait->counts.failed && err == 0; i++)
		err = catalog_problem_each(wait->cli->catalog, wait->scopes->items[i], failure_add,
					   failures);
	if (err < 0) {
		json_decref(failures);
		return cli_catalog_error(wait->cli, err, "the failures cannot be read");
	}
	return cli_json_print(json_pack(
		"{s:I, s:o, s:I, s:I, s:I, s:I, s:b, s:I, s:o, s:o}", "asked", (json_int_t)count,
		"migrate", view_counts_json(&wait->counts), "stored", (json_int_t)r->done,
		"stored_bytes", (json_int_t)r->done_bytes, "seconds", (json_int_t)r->secs,
		"bytes_per_sec", (json_int_t)(r->done_bytes / (r->secs ? r->secs : 1)),
		"interrupted", (int)cancel_is_set(&cli_cancel), "twilio_deletes_queued",
		(json_int_t)cleanups, "reasons", view_problems_json(problems), "failures",
		failures));
}

static void report_print(const struct wait *wait, const struct meter_reading *r,
			 const struct view_problems *problems, int64_t cleanups)
{
	const struct catalog_counts *counts = &wait->counts;
	int64_t left = counts->queued + counts->running;

	if (r->done)
		printf("Stored: %s %s, %s in %s (%s/s)\n", count_text(r->done),
		       r->done == 1 ? "recording" : "recordings", bytes_text(r->done_bytes),
		       secs_text(r->secs), bytes_text(r->done_bytes / (r->secs ? r->secs : 1)));
	printf("In S3: %lld", (long long)counts->done);
	if (counts->failed)
		printf(", failed: %lld", (long long)counts->failed);
	if (counts->paused)
		printf(", paused: %lld", (long long)counts->paused);
	if (left)
		printf(", still queued: %lld", (long long)left);
	printf("\n");
	fflush(stdout);
	problems_print(problems, stderr);
	if (counts->failed)
		printf("'tonicfs migrate --retry' tries those that failed again\n");
	if (counts->paused)
		printf("'tonicfs migrate --resume' goes on with those that are paused\n");
	if (cleanups)
		printf("%lld of Twilio's copies are still to be deleted; a mount goes on with it\n",
		       (long long)cleanups);
	if (wait->is_held)
		printf("The bucket is disabled: what is queued waits for 'tonicfs storage enable'\n");
	else if (left)
		printf("What is queued stays so; a mount, or the same command again, goes on with it\n");
}

static int report(struct wait *wait, const struct meter_reading *reading, int64_t count)
{
	cleanup_view_problems struct view_problems problems = { NULL, 0 };
	const struct catalog_counts *counts = &wait->counts;
	int64_t cleanups;
	int status = CLI_DONE, err = cleanups_get(wait->cli, wait->scopes, &cleanups);

	for (size_t i = 0; i < wait->scopes->count && counts->failed && err == 0; i++)
		err = view_problems_load(wait->cli->catalog, wait->scopes->items[i],
					 CATALOG_JOB_MIGRATE, true, &problems);
	if (err)
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

int migrate_wait(struct cli *cli, const struct cli_scopes *scopes, int64_t asked_count)
{
	struct wait wait = { .cli = cli, .scopes = scopes };
	struct meter_reading reading = { 0 };
	int status = work(&wait, &reading);

	return status == CLI_DONE ? report(&wait, &reading, asked_count) : status;
}
