/* status: shows where recordings are, jobs in progress, and failures with their reasons. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/amounts.h"
#include "cli/commands.h"
#include "cli/problems.h"
#include "cli/status.h"
#include "util/cleanup.h"
#include "util/times.h"
#include "view/status.h"

#define PROBLEMS_LISTED 1000 /* by default, in JSON, of each workspace */

struct status_values {
	const char *limit;
};

struct status_run {
	struct cli *cli;
	int64_t limit; /* how many problems of a workspace are listed */
	json_t *workspaces, *paths;
};

/* ---- text ---- */

/* The columns of a label; on a narrow terminal, those that the amounts leave. */
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
	printf("  %-*s %11s\n", label_columns(), what, count_text(n));
}

static void line_if_any(const char *what, int64_t n)
{
	if (n)
		line(what, n);
}

static void line_bytes(const char *what, int64_t n, int64_t bytes)
{
	if (bytes)
		printf("  %-*s %11s  %9s\n", label_columns(), what, count_text(n),
		       bytes_text(bytes));
	else
		line(what, n);
}

/* A line whose value is a text: it is never cut, so the label column shrinks if needed. */
static void line_text(const char *what, const char *text)
{
	int columns = label_columns(),
	    room = (int)cli_columns(STDOUT_FILENO) - 3 - (int)cli_text_width(text);

	if (room < columns)
		columns = room < (int)strlen(what) ? (int)strlen(what) : room;
	printf("  %-*s %s\n", columns, what, text);
}

static void print_poll(const struct view_status *s)
{
	int64_t secs = s->sync.last_poll_secs, now = time_now_secs();
	char at[TIME_ISO8601_SIZE], text[TIME_ISO8601_SIZE + AMOUNT_SIZE + 16];

	if (secs <= 0) {
		line_text("last poll of Twilio", "never; 'tonicfs sync' or a mount asks");
		return;
	}
	time_format_iso8601(secs, at);
	snprintf(text, sizeof text, "%s (%s ago)", at, secs_text(now > secs ? now - secs : 0));
	line_text("last poll of Twilio", text);
}

static void print_bucket(const struct view_status *s)
{
	const struct catalog_workspace *w = &s->workspace;
	char text[CATALOG_BUCKET_SIZE + 16];

	if (w->removed)
		return;
	if (!w->has_storage) {
		line_text("bucket", "none; 'tonicfs storage set' names one");
		return;
	}
	snprintf(text, sizeof text, "%s%s", s->storage.bucket,
		 w->storage_enabled ? "" : " (disabled)");
	line_text("bucket", text);
}

static void print_classes(const struct view_status *s)
{
	char what[64];

	for (size_t i = 0; i < s->class_count; i++) {
		snprintf(what, sizeof what, "in %s", s->classes[i].name);
		printf("    %-32s %lld (%.1f MB)\n", what, (long long)s->classes[i].recordings,
		       (double)s->classes[i].size_bytes / 1e6);
	}
	if (s->restores.under_way)
		printf("    %-32s %lld\n", "being restored", (long long)s->restores.under_way);
	if (s->restores.refused)
		printf("    %-32s %lld\n", "restores refused", (long long)s->restores.refused);
}

static void print_counts(const struct view_status *status)
{
	const struct catalog_status *s = &status->counts;
	const int64_t *n = s->by_state, *bytes = s->bytes_by_state;

	line("calls", s->calls);
	line_bytes("recordings at Twilio", n[CATALOG_STATE_TWILIO] + n[CATALOG_STATE_UPLOADING],
		   bytes[CATALOG_STATE_TWILIO] + bytes[CATALOG_STATE_UPLOADING]);
	line_if_any("  queued", s->counts.queued);
	line_if_any("  in flight", s->counts.running);
	line_if_any("  paused", s->counts.paused);
	line_if_any("  failed", s->counts.failed);
	line_bytes("recordings in S3", n[CATALOG_STATE_STORED] + n[CATALOG_STATE_S3],
		   bytes[CATALOG_STATE_STORED] + bytes[CATALOG_STATE_S3]);
	print_classes(status);
	line_if_any(status->workspace.keep_at_twilio ? "  and kept at Twilio"
						     : "  stored, and still at Twilio",
		    n[CATALOG_STATE_STORED]);
	line_if_any("  deletes at Twilio that wait", s->counts.cleanup_queued);
	line_if_any("missing at Twilio and in S3", n[CATALOG_STATE_MISSING]);
	if (n[CATALOG_STATE_MISSING])
		printf("  gone from the bucket, or moved by another catalog of the account to\n"
		       "  another bucket or prefix: 'tonicfs status SID' tells which\n");
	line_if_any("removed", n[CATALOG_STATE_DELETED]);
	line_if_any("  deletes of these that wait", s->deletes_queued);
	line_if_any("  deletes of these that failed", s->deletes_failed);
	line_if_any("  tombstones to be written", s->tombstones_queued);
	line_if_any("size not known yet", s->sizes_unknown);
}

static const char *const state_texts[CATALOG_STATE_COUNT] = {
	[CATALOG_STATE_TWILIO] = "at Twilio",
	[CATALOG_STATE_UPLOADING] = "at Twilio, in flight to S3",
	[CATALOG_STATE_STORED] = "in S3, and still at Twilio",
	[CATALOG_STATE_S3] = "in S3",
	[CATALOG_STATE_MISSING] = "missing at Twilio and in S3",
	[CATALOG_STATE_DELETED] = "removed",
};

static void print_recording(const struct view_status *s)
{
	const struct catalog_recording *r = &s->recording;
	const struct catalog_counts *c = &s->counts.counts;
	const char *migration = c->queued    ? "queued"
				: c->running ? "in flight"
				: c->paused  ? "paused"
				: c->failed  ? "failed"
					     : NULL;

	printf("  where      %s\n", state_texts[r->state]);
	if (s->why.len)
		printf("  why        %s\n", buf_str(&s->why));
	if (migration)
		printf("  migration  %s\n", migration);
	printf("  size       %s\n",
	       r->size_bytes < 0 ? "not known yet" : bytes_text(r->size_bytes));
	if (r->duration_secs >= 0)
		printf("  duration   %s\n", secs_text(r->duration_secs));
	if (s->storage_class[0])
		printf("  class      %s\n", s->storage_class);
}

static void print_status(const struct view_status *s)
{
	bool is_workspace = s->scope.kind == CATALOG_SCOPE_WORKSPACE;

	printf("%s%s\n", s->path,
	       is_workspace && s->workspace.removed ? " (removed; its deletes go on)" : "");
	if (is_workspace) {
		print_bucket(s);
		print_poll(s);
	}
	if (s->scope.kind == CATALOG_SCOPE_RECORDING)
		print_recording(s);
	else
		print_counts(s);
	problems_print(&s->reasons, stdout);
}

/* ---- the command ---- */

static int show(struct status_run *run, struct catalog_scope scope)
{
	bool is_workspace = scope.kind == CATALOG_SCOPE_WORKSPACE;
	cleanup_view_status struct view_status status;
	int err = view_status_load(run->cli->catalog, scope, run->cli->json ? run->limit : -1,
				   &status);

	if (err < 0)
		return cli_catalog_error(run->cli, err, "the status cannot be read");
	if (run->cli->json)
		json_array_append_new(is_workspace ? run->workspaces : run->paths,
				      view_status_json(&status));
	else
		print_status(&status);
	return CLI_DONE;
}

static int show_all(struct status_run *run)
{
	cleanup_workspaces struct cli_workspaces list = { NULL, 0 };
	int status = cli_workspaces_find(run->cli, NULL, true, &list);

	for (size_t i = 0; i < list.count && status == CLI_DONE; i++)
		status = show(run,
			      (struct catalog_scope){ CATALOG_SCOPE_WORKSPACE, list.items[i].id });
	if (status == CLI_DONE && list.count == 0 && !run->cli->json)
		printf("There are no workspaces yet; 'tonicfs workspace add' adds one.\n");
	return status;
}

/* A recording that is not a file any more, because it is missing or was removed: by its SID. */
static bool find_unlisted(struct cli *cli, const char *word, struct catalog_scope *ret_scope)
{
	struct catalog_recording recording;
	struct sid sid;

	if (sid_parse(word, "RE", &sid) || catalog_recording_find(cli->catalog, &sid, &recording) ||
	    recording.is_listed || !recording.folder_id)
		return false;
	*ret_scope = (struct catalog_scope){ CATALOG_SCOPE_RECORDING, recording.id };
	return true;
}

/* A workspace by its name, also a removed one; anything else as a path. */
static int show_named(struct status_run *run, const char *word)
{
	struct catalog_workspace workspace;
	struct catalog_scope scope;
	struct catalog_node node;
	int status;

	if (catalog_workspace_find(run->cli->catalog, word, &workspace) == 0)
		return show(run, (struct catalog_scope){ CATALOG_SCOPE_WORKSPACE, workspace.id });
	if (find_unlisted(run->cli, word, &scope))
		return show(run, scope);
	status = cli_path_resolve(run->cli, word, &node);
	if (status != CLI_DONE)
		return status;
	if (node.kind == CATALOG_NODE_ROOT)
		return show_all(run);
	if (node.kind == CATALOG_NODE_CALLS)
		return cli_error("calls.csv has no status of its own; use its folder");
	return show(run, catalog_node_scope(&node));
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

static int run_status(struct cli *cli, const void *values, int argc, char **argv)
{
	cleanup_with(status_mounts_release) struct status_mounts mounts = { NULL, 0 };
	const struct status_values *v = values;
	struct status_run run = { .cli = cli, .limit = PROBLEMS_LISTED };
	json_t *document;
	int status = limit_parse(cli, v->limit, &run.limit), failed = 0;

	if (status == CLI_DONE && !argc)
		status = status_mounts_ask(cli->catalog_path, &mounts);
	if (status == CLI_DONE)
		status = cli_catalog_open(cli);
	if (status != CLI_DONE)
		return status;
	run.workspaces = json_array();
	run.paths = json_array();
	if (!argc)
		status = show_all(&run);
	for (int i = 0; i < argc; i++) {
		int one = show_named(&run, argv[i]);

		if (one != CLI_DONE)
			status = ++failed == argc ? one : CLI_PART;
	}
	if (status == CLI_DONE && !argc && !cli->json)
		status_mounts_print(&mounts);
	if (cli->json && status != CLI_FAILED) {
		document =
			json_pack("{s:O, s:O}", "workspaces", run.workspaces, "paths", run.paths);
		if (!argc)
			json_object_set_new(document, "mounts", status_mounts_json(&mounts));
		if (cli_json_print(document) != CLI_DONE)
			status = CLI_FAILED;
	}
	json_decref(run.workspaces);
	json_decref(run.paths);
	return status;
}

#define VALUES struct status_values
static const struct cli_option status_options[] = {
	CLI_TEXT("limit", limit, "with --json: the most problems to list (1000)", "N|all"),
	{ 0 },
};

const struct cli_command command_status = {
	.name = "status",
	.arguments = "[PATH…]",
	.summary = "Shows where recordings are, what is in progress, and what failed and why",
	.text = "For each workspace: its bucket, the time of the last poll, recordings at\n"
		"Twilio and in S3, migrations queued, in flight, paused and failed, deletes\n"
		"that wait, recordings that are missing in both places; and by reason the jobs\n"
		"that failed or wait for a retry, with a few recordings each. Bytes are exact\n"
		"for known sizes, and else estimated by the duration. Neither Twilio nor S3 is\n"
		"asked.\n"
		"\n"
		"PATH is a workspace, a campaign or a recording: WORKSPACE[/CAMPAIGN[/FILE]], a\n"
		"recording's SID, or a path inside a mount. A recording that is missing or was\n"
		"removed, and so is not a file, can be named by its SID.\n"
		"\n"
		"Without PATH, the counters of each of your mounts of this catalog follow:\n"
		"requests, bytes, read-ahead, upper bounds of read times, memory. A mount that\n"
		"does not answer within 1.5 s is named. Mounts with another fsname, and those\n"
		"of other users, are not found. After a failed read, the last failure is shown;\n"
		"user.tonicfs.why of a recording has its own.\n"
		"\n"
		"With --json, 'reasons' has the jobs by reason, and 'problems' each job, up to\n"
		"--limit; 'problems_count' is the number of all.\n",
	CLI_OPTIONS(status_options),
	.argument_count = { 0, 1000000 },
	.run = run_status,
};
