/* status: what is where, what is under way, what has failed and why. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/job.h"
#include "cli/commands.h"
#include "cli/status.h"
#include "util/cleanup.h"
#include "util/times.h"

#define PROBLEMS_SHOWN 20

struct problems {
	json_t *array;
	FILE *out; /* NULL: only into the array */
	size_t count;
};

static const char *kind_name(enum catalog_job_kind kind)
{
	switch (kind) {
	case CATALOG_JOB_MIGRATE:
		return "migrate";
	case CATALOG_JOB_CLEANUP_TWILIO:
		return "delete_at_twilio_after_migration";
	case CATALOG_JOB_DELETE_TWILIO:
		return "delete_at_twilio";
	case CATALOG_JOB_DELETE_S3:
		return "delete_in_s3";
	case CATALOG_JOB_TOMBSTONE:
		return "note_removal_in_s3";
	}
	return "unknown";
}

static const char *kind_text(enum catalog_job_kind kind)
{
	switch (kind) {
	case CATALOG_JOB_MIGRATE:
		return "migration";
	case CATALOG_JOB_CLEANUP_TWILIO:
	case CATALOG_JOB_DELETE_TWILIO:
		return "delete at Twilio";
	case CATALOG_JOB_DELETE_S3:
		return "delete in S3";
	case CATALOG_JOB_TOMBSTONE:
		return "note of the removal in S3";
	}
	return "job";
}

/* "in 5 min", "tried again only when asked" */
static void next_text(int64_t next_msecs, char *ret_text, size_t size)
{
	int64_t secs = (next_msecs - time_now_msecs()) / 1000;

	if (next_msecs == INT64_MAX)
		snprintf(ret_text, size, "not tried again by itself");
	else if (secs <= 0)
		snprintf(ret_text, size, "due");
	else if (secs < 120)
		snprintf(ret_text, size, "tried again in %lld s", (long long)secs);
	else
		snprintf(ret_text, size, "tried again in %lld min", (long long)(secs / 60));
}

static int problem_one(void *arg, const struct catalog_problem *problem)
{
	struct problems *problems = arg;
	char sid[SID_SIZE], next[64];

	if (!problem->reason[0] && problem->next_msecs != INT64_MAX)
		return 0; /* waits for its turn */
	sid_format(&problem->recording_sid, "RE", sid);
	if (problems->array)
		json_array_append_new(problems->array,
				      json_pack("{s:s, s:s, s:s, s:I, s:o}", "recording_sid", sid, "job",
						kind_name(problem->kind), "reason", problem->reason, "attempts",
						(json_int_t)problem->attempts, "next",
						problem->next_msecs == INT64_MAX ?
							json_null() : cli_json_time(problem->next_msecs / 1000)));
	if (problems->out && problems->count < PROBLEMS_SHOWN) {
		next_text(problem->next_msecs, next, sizeof next);
		fprintf(problems->out, "    %s  %s: %s (%s)\n", sid, kind_text(problem->kind), problem->reason, next);
	}
	problems->count++;
	return 0;
}

static json_t *workspace_json(const struct catalog_workspace *w, const struct catalog_status *s, json_t *problems)
{
	json_t *states = json_object();

	for (int i = 1; i < CATALOG_STATE_COUNT; i++)
		json_object_set_new(states, catalog_state_name((enum catalog_state)i), json_integer((json_int_t)s->by_state[i]));
	return json_pack("{s:o, s:b, s:I, s:o, s:{s:I, s:I, s:I, s:I, s:I}, s:I, s:I, s:I, s:I, s:o}",
			 "name", cli_json_name(w->name), "removed", (int)w->removed, "calls", (json_int_t)s->calls,
			 "states", states,
			 "migrate", "none", (json_int_t)s->counts.none, "queued", (json_int_t)s->counts.queued,
			 "running", (json_int_t)s->counts.running, "done", (json_int_t)s->counts.done,
			 "failed", (json_int_t)s->counts.failed,
			 "twilio_deletes_queued", (json_int_t)s->counts.cleanup_queued,
			 "deletes_queued", (json_int_t)s->deletes_queued, "deletes_failed", (json_int_t)s->deletes_failed,
			 "sizes_unknown", (json_int_t)s->sizes_unknown, "problems", problems);
}

static void line(const char *what, int64_t n)
{
	if (n)
		printf("  %-34s %lld\n", what, (long long)n);
}

static void workspace_print(const struct catalog_workspace *w, const struct catalog_status *s)
{
	char shown[CATALOG_NAME_SIZE];

	printf("%s%s\n", cli_name(w->name, shown), w->removed ? " (removed; its deletes go on)" : "");
	printf("  %-34s %lld\n", "calls", (long long)s->calls);
	printf("  %-34s %lld\n", "recordings at Twilio",
	       (long long)(s->by_state[CATALOG_STATE_TWILIO] + s->by_state[CATALOG_STATE_UPLOADING]));
	printf("  %-34s %lld\n", "recordings in S3", (long long)(s->by_state[CATALOG_STATE_STORED] + s->by_state[CATALOG_STATE_S3]));
	line("migrations queued", s->counts.queued);
	line("migrations running", s->counts.running);
	line("migrations failed", s->counts.failed);
	line("in S3, Twilio's copy still there", s->by_state[CATALOG_STATE_STORED]);
	line("of these, deletes queued", s->counts.cleanup_queued);
	line("deletes of removed ones queued", s->deletes_queued);
	line("deletes of removed ones failed", s->deletes_failed);
	line("missing at Twilio and in S3", s->by_state[CATALOG_STATE_MISSING]);
	line("removed", s->by_state[CATALOG_STATE_DELETED]);
	line("size not known yet", s->sizes_unknown);
}

static int show_one(struct cli *cli, const struct catalog_workspace *w, json_t *array)
{
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, w->id };
	struct problems problems = { cli->json ? json_array() : NULL, cli->json ? NULL : stdout, 0 };
	struct catalog_status status;
	int err = catalog_status_get(cli->catalog, scope, &status);

	if (err == 0 && !cli->json)
		workspace_print(w, &status);
	if (err == 0 && !cli->json)
		err = status_classes_print(cli, w->id);
	if (err == 0)
		err = catalog_problem_each(cli->catalog, scope, problem_one, &problems);
	if (err < 0) {
		json_decref(problems.array);
		return cli_catalog_error(cli, err, "the status cannot be read");
	}
	if (cli->json) {
		json_t *shown = workspace_json(w, &status, problems.array);

		err = status_classes_json(cli, w->id, shown);
		json_array_append_new(array, shown);
		return err < 0 ? cli_catalog_error(cli, err, "the status cannot be read") : CLI_DONE;
	}
	if (problems.count > PROBLEMS_SHOWN)
		printf("    … and %zu more; --json shows all\n", problems.count - PROBLEMS_SHOWN);
	return CLI_DONE;
}

static int run_status(struct cli *cli, const void *values, int argc, char **argv)
{
	cleanup_free struct catalog_workspace *list = NULL;
	size_t count = 0;
	struct catalog_workspace one;
	json_t *array;
	int status = cli_catalog_open(cli);

	(void)values;
	if (status == CLI_DONE && argc)
		status = cli_workspace_find(cli, argv[0], &one);
	else if (status == CLI_DONE)
		status = cli_workspaces(cli, true, &list, &count);
	if (status != CLI_DONE)
		return status;
	array = json_array();
	if (argc)
		status = show_one(cli, &one, array);
	for (size_t i = 0; i < count && status == CLI_DONE; i++)
		status = show_one(cli, &list[i], array);
	if (status == CLI_DONE && cli->json)
		return cli_json_print(json_pack("{s:o}", "workspaces", array));
	json_decref(array);
	if (status == CLI_DONE && !argc && count == 0)
		printf("There are no workspaces yet; 'tonicfs workspace add' adds one.\n");
	return status;
}

const struct cli_command command_status = {
	.name = "status",
	.arguments = "[WORKSPACE]",
	.summary = "Shows what is where, what is under way, and what has failed and why",
	.text =
"Of each workspace: calls, recordings at Twilio and in S3, migrations queued,\n"
"running and failed, deletes that wait, recordings that are missing at both,\n"
"and every job that failed or waits for another try, with its reason. Nothing\n"
"is asked of Twilio or S3.\n",
	.arguments_max = 1,
	.run = run_status,
};
