/* status: what is where, what is under way, what has failed and why. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog/problem.h"
#include "catalog/status.h"
#include "catalog/storage.h"
#include "catalog/sync.h"
#include "cli/amounts.h"
#include "cli/commands.h"
#include "cli/problems.h"
#include "cli/status.h"
#include "util/cleanup.h"
#include "util/times.h"

#define PROBLEMS_LISTED 1000 /* in JSON, of each workspace; their reasons are complete */
#define ALL_KINDS (~0U)

struct status_values {
	const char *limit;
};

/* All that is said of one workspace. */
struct shown {
	struct catalog_workspace workspace;
	struct catalog_status status;
	struct catalog_sync_state sync;
	struct catalog_storage storage; /* where the workspace has one */
	struct problems problems;
};

static int shown_load(struct cli *cli, const struct catalog_workspace *workspace,
		      struct shown *ret_shown)
{
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, workspace->id };
	struct shown *s = ret_shown;
	int err;

	memset(s, 0, sizeof *s);
	s->workspace = *workspace;
	err = catalog_status_get(cli->catalog, scope, &s->status);
	if (err == 0)
		err = catalog_sync_state_get(cli->catalog, workspace->id, &s->sync);
	if (err == 0 && workspace->has_storage)
		err = catalog_storage_get(cli->catalog, workspace->id, &s->storage);
	return err ? err : problems_collect(&s->problems, cli->catalog, scope);
}

/* ---- JSON ---- */

struct listing {
	json_t *array;
	int64_t limit, count;
};

static int list_problem(void *arg, const struct catalog_problem *problem)
{
	struct listing *listing = arg;
	char sid[SID_SIZE];

	if (listing->count++ >= listing->limit)
		return 0;
	sid_format(&problem->recording_sid, "RE", sid);
	json_array_append_new(listing->array,
			      json_pack("{s:s, s:s, s:s, s:I, s:o}", "recording_sid", sid, "job",
					problem_kind_name(problem->kind), "reason", problem->reason,
					"attempts", (json_int_t)problem->attempts, "next",
					problem->next_msecs == INT64_MAX
						? json_null()
						: cli_json_time(problem->next_msecs / 1000)));
	return 0;
}

static json_t *by_state(const int64_t *values)
{
	json_t *object = json_object();

	for (int i = 1; i < CATALOG_STATE_COUNT; i++)
		json_object_set_new(object, catalog_state_name((enum catalog_state)i),
				    json_integer((json_int_t)values[i]));
	return object;
}

json_t *status_scope_json(const struct catalog_status *s, const struct problems *problems)
{
	const struct catalog_counts *c = &s->counts;

	return json_pack(
		"{s:I, s:o, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:I, s:I, s:I, s:I, s:I, s:o}",
		"calls", (json_int_t)s->calls, "states", by_state(s->by_state), "bytes",
		by_state(s->bytes_by_state), "migrate", "none", (json_int_t)c->none, "queued",
		(json_int_t)c->queued, "running", (json_int_t)c->running, "paused",
		(json_int_t)c->paused, "done", (json_int_t)c->done, "failed", (json_int_t)c->failed,
		"twilio_deletes_queued", (json_int_t)c->cleanup_queued, "deletes_queued",
		(json_int_t)s->deletes_queued, "deletes_failed", (json_int_t)s->deletes_failed,
		"tombstones_queued", (json_int_t)s->tombstones_queued, "sizes_unknown",
		(json_int_t)s->sizes_unknown, "reasons", problems_json(problems, ALL_KINDS, false));
}

static json_t *workspace_json(const struct shown *shown, const struct listing *listing)
{
	const struct catalog_workspace *w = &shown->workspace;
	json_t *object =
		json_pack("{s:o, s:b, s:{s:b, s:b, s:s}, s:b, s:b, s:o, s:I, s:O}", "name",
			  cli_json_name(w->name), "removed", (int)w->removed, "storage",
			  "configured", (int)w->has_storage, "enabled", (int)w->storage_enabled,
			  "bucket", shown->storage.bucket, "migrate_new", (int)w->migrate_new,
			  "keep_at_twilio", (int)w->keep_at_twilio, "last_poll",
			  cli_json_time(shown->sync.last_poll_secs), "problems_count",
			  (json_int_t)listing->count, "problems", listing->array);
	json_t *counts = status_scope_json(&shown->status, &shown->problems);

	json_object_update_missing(object, counts);
	json_decref(counts);
	return object;
}

/* ---- for people ---- */

/* Columns of the words in front of an amount: of a narrow terminal what amounts leave. */
static int label_columns(void)
{
	const size_t amounts = 25, widest = 36, narrowest = 28;
	size_t columns = cli_columns(STDOUT_FILENO);

	return (int)(columns >= widest + amounts     ? widest
		     : columns < narrowest + amounts ? narrowest
						     : columns - amounts);
}

static void line(const char *what, int64_t n)
{
	char count[AMOUNT_SIZE];

	printf("  %-*s %11s\n", label_columns(), what, amount_count(n, count));
}

static void line_where_any(const char *what, int64_t n)
{
	if (n)
		line(what, n);
}

static void line_bytes(const char *what, int64_t n, int64_t bytes)
{
	char count[AMOUNT_SIZE], size[AMOUNT_SIZE];

	if (bytes)
		printf("  %-*s %11s  %9s\n", label_columns(), what, amount_count(n, count),
		       amount_bytes(bytes, size));
	else
		line(what, n);
}

/* A line of words, not of numbers: it is cut nowhere, and the column in front gives way. */
static void line_text(const char *what, const char *text)
{
	int columns = label_columns(),
	    room = (int)cli_columns(STDOUT_FILENO) - 3 - (int)cli_text_width(text);

	if (room < columns)
		columns = room < (int)strlen(what) ? (int)strlen(what) : room;
	printf("  %-*s %s\n", columns, what, text);
}

static void poll_print(const struct shown *shown)
{
	int64_t secs = shown->sync.last_poll_secs;
	char at[TIME_ISO8601_SIZE], ago[AMOUNT_SIZE], text[TIME_ISO8601_SIZE + AMOUNT_SIZE + 16];

	if (secs <= 0) {
		line_text("Twilio was asked for news", "never; 'tonicfs sync' or a mount asks");
		return;
	}
	time_format_iso8601(secs, at);
	snprintf(text, sizeof text, "%s (%s ago)", at,
		 amount_secs(time_now_secs() > secs ? time_now_secs() - secs : 0, ago));
	line_text("Twilio was asked for news", text);
}

static void bucket_print(const struct shown *shown)
{
	const struct catalog_workspace *w = &shown->workspace;
	char text[CATALOG_BUCKET_SIZE + 16];

	if (w->removed)
		return;
	if (!w->has_storage)
		line_text("bucket", "none; 'tonicfs storage set' names one");
	else if (!w->storage_enabled) {
		snprintf(text, sizeof text, "%s (disabled)", shown->storage.bucket);
		line_text("bucket", text);
	} else {
		line_text("bucket", shown->storage.bucket);
	}
}

int status_counts_print(struct cli *cli, const struct catalog_status *s, bool keep_at_twilio,
			int64_t classes_of)
{
	const int64_t *n = s->by_state, *bytes = s->bytes_by_state;
	int err = 0;

	line("calls", s->calls);
	line_bytes("recordings at Twilio", n[CATALOG_STATE_TWILIO] + n[CATALOG_STATE_UPLOADING],
		   bytes[CATALOG_STATE_TWILIO] + bytes[CATALOG_STATE_UPLOADING]);
	line_where_any("  queued", s->counts.queued);
	line_where_any("  in flight", s->counts.running);
	line_where_any("  paused", s->counts.paused);
	line_where_any("  failed", s->counts.failed);
	line_bytes("recordings in S3", n[CATALOG_STATE_STORED] + n[CATALOG_STATE_S3],
		   bytes[CATALOG_STATE_STORED] + bytes[CATALOG_STATE_S3]);
	if (classes_of)
		err = status_classes_print(cli, classes_of);
	line_where_any(keep_at_twilio ? "  and kept at Twilio" : "  stored, and still at Twilio",
		       n[CATALOG_STATE_STORED]);
	line_where_any("  deletes at Twilio that wait", s->counts.cleanup_queued);
	line_where_any("missing at Twilio and in S3", n[CATALOG_STATE_MISSING]);
	if (n[CATALOG_STATE_MISSING])
		printf("  gone from the bucket, or moved by another catalog of the account to\n"
		       "  another bucket or prefix: 'tonicfs status SID' says which\n");
	line_where_any("removed", n[CATALOG_STATE_DELETED]);
	line_where_any("  deletes of these that wait", s->deletes_queued);
	line_where_any("  deletes of these that failed", s->deletes_failed);
	line_where_any("  to be noted in the bucket", s->tombstones_queued);
	line_where_any("size not known yet", s->sizes_unknown);
	return err;
}

static int workspace_print(struct cli *cli, const struct shown *shown)
{
	const struct catalog_workspace *w = &shown->workspace;
	char name[CATALOG_NAME_SIZE];
	int err;

	printf("%s%s\n", cli_name(w->name, name),
	       w->removed ? " (removed; its deletes go on)" : "");
	bucket_print(shown);
	poll_print(shown);
	err = status_counts_print(cli, &shown->status, w->keep_at_twilio, w->id);
	problems_print(&shown->problems, ALL_KINDS, false, stdout);
	return err;
}

static int show_one(struct cli *cli, const struct catalog_workspace *w, int64_t limit,
		    json_t *array)
{
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, w->id };
	struct listing listing = { NULL, limit, 0 };
	struct shown shown;
	int err = shown_load(cli, w, &shown);

	if (err == 0 && cli->json) {
		listing.array = json_array();
		err = catalog_problem_each(cli->catalog, scope, list_problem, &listing);
	}
	if (err == 0 && cli->json) {
		json_t *workspace = workspace_json(&shown, &listing);

		err = status_classes_json(cli, w->id, workspace);
		json_array_append_new(array, workspace);
	} else if (err == 0) {
		err = workspace_print(cli, &shown);
	}
	json_decref(listing.array);
	problems_release(&shown.problems);
	return err < 0 ? cli_catalog_error(cli, err, "the status cannot be read") : CLI_DONE;
}

static int show_all(struct cli *cli, int64_t limit, json_t *array)
{
	cleanup_free struct catalog_workspace *list = NULL;
	size_t count = 0;
	int status = cli_workspaces(cli, true, &list, &count);

	for (size_t i = 0; i < count && status == CLI_DONE; i++)
		status = show_one(cli, &list[i], limit, array);
	if (status == CLI_DONE && count == 0 && !cli->json)
		printf("There are no workspaces yet; 'tonicfs workspace add' adds one.\n");
	return status;
}

static int limit_parse(const struct cli *cli, const char *text, int64_t *limit)
{
	char *end;
	long long value;

	if (!text)
		return CLI_DONE;
	if (strcmp(text, "all") == 0) {
		*limit = INT64_MAX;
		return CLI_DONE;
	}
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value < 0)
		return cli_usage(cli, "--limit is a number, or all, not '%s'", text);
	*limit = value;
	return CLI_DONE;
}

static void mounts_freep(struct status_mounts **mounts)
{
	status_mounts_free(*mounts);
}

/* Of one that is no file any more, by its SID: missing, or removed. */
static bool find_unlisted(struct cli *cli, const char *word, struct catalog_node *ret_node)
{
	struct catalog_recording recording;
	struct sid sid;

	if (sid_parse(word, "RE", &sid) || catalog_recording_find(cli->catalog, &sid, &recording) ||
	    recording.is_listed || !recording.folder_id)
		return false;
	*ret_node = (struct catalog_node){ .kind = CATALOG_NODE_RECORDING,
					   .folder_id = recording.folder_id,
					   .recording_id = recording.id };
	return true;
}

/* A workspace by its name, also a removed one; anything else as a path. */
static int show_named(struct cli *cli, const char *word, int64_t limit, json_t *workspaces,
		      json_t *paths)
{
	struct catalog_workspace workspace;
	struct catalog_node node;
	int status;

	if (catalog_workspace_find(cli->catalog, word, &workspace) == 0)
		return show_one(cli, &workspace, limit, workspaces);
	if (find_unlisted(cli, word, &node))
		return status_path_show(cli, &node, paths);
	status = cli_path_resolve(cli, word, &node);
	if (status != CLI_DONE)
		return status;
	if (node.kind == CATALOG_NODE_ROOT)
		return show_all(cli, limit, workspaces);
	if (node.kind != CATALOG_NODE_WORKSPACE)
		return status_path_show(cli, &node, paths);
	if (catalog_workspace_get(cli->catalog, node.workspace_id, &workspace) < 0)
		return cli_catalog_error(cli, -EIO, "the status cannot be read");
	return show_one(cli, &workspace, limit, workspaces);
}

static int run_status(struct cli *cli, const void *values, int argc, char **argv)
{
	cleanup_with(mounts_freep) struct status_mounts *mounts = NULL;
	const struct status_values *v = values;
	int64_t limit = PROBLEMS_LISTED;
	json_t *workspaces, *paths, *document;
	int status = limit_parse(cli, v->limit, &limit), failed = 0;

	if (status == CLI_DONE && !argc) {
		mounts = status_mounts_ask(cli->catalog_path);
		status = mounts ? CLI_DONE : CLI_FAILED;
	}
	if (status == CLI_DONE)
		status = cli_catalog_open(cli);
	if (status != CLI_DONE)
		return status;
	workspaces = json_array();
	paths = json_array();
	if (!argc)
		status = show_all(cli, limit, workspaces);
	for (int i = 0; i < argc; i++) {
		int one = show_named(cli, argv[i], limit, workspaces, paths);

		if (one != CLI_DONE)
			status = ++failed == argc ? one : CLI_PART;
	}
	if (status == CLI_DONE && mounts && !cli->json)
		status_mounts_print(mounts);
	if (cli->json && status != CLI_FAILED) {
		document = json_pack("{s:O, s:O}", "workspaces", workspaces, "paths", paths);
		if (mounts)
			json_object_set_new(document, "mounts", status_mounts_json(mounts));
		if (cli_json_print(document) != CLI_DONE)
			status = CLI_FAILED;
	}
	json_decref(workspaces);
	json_decref(paths);
	return status;
}

const struct cli_command command_status = {
	.name = "status",
	.arguments = "[PATH…]",
	.summary = "Shows what is where, what is under way, and what has failed and why",
	.text = "Of each workspace: its bucket, when Twilio was last asked for news, recordings\n"
		"at Twilio and in S3, migrations queued, in flight, paused and failed, deletes\n"
		"that wait, recordings that are missing at both; and by reason whatever failed\n"
		"or waits for another try, with a few recordings each. Bytes are exact where\n"
		"sizes are known, else by the duration. Nothing is asked of Twilio or S3.\n"
		"\n"
		"PATH is a workspace, a campaign or a recording: WORKSPACE[/CAMPAIGN[/FILE]], a\n"
		"recording's SID, or a path inside a mount. By its SID also a recording that is\n"
		"no file any more, because it is missing or was removed.\n"
		"\n"
		"Without PATH also what each of your mounts of this catalog has read:\n"
		"requests, bytes, read-ahead, how long reads took (as bounds that they kept to),\n"
		"memory. One that does not answer within 1.5 s is named. A mount with another\n"
		"fsname is not found, nor one that another user has made. Where reading failed,\n"
		"the last failure is named; user.tonicfs.why of a recording has its own.\n"
		"\n"
		"With --json, reasons has the same, and problems every recording of them, up\n"
		"to --limit; problems_count says how many there are.\n",
	.options =
		(const struct cli_option[]){
			{ 0, "limit", CLI_TEXT, "N|all",
			  "with --json: how many problems are listed (1000)",
			  offsetof(struct status_values, limit) },
			{ 0 },
		},
	.values_size = sizeof(struct status_values),
	.arguments_max = 1000000,
	.run = run_status,
};
