/* verify: compares the catalog with the bucket, and may tell the catalog what it found. */
#include "verify/verify.h"
#include "catalog/campaign.h"
#include "catalog/object.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/text.h"

struct verify_values {
	bool read, repair, adopt;
};

struct asked {
	struct catalog_scope *scopes;
	size_t count;
};

/* A finding that is kept until the scope's end, to be shown in order: some 200 bytes each. */
struct found {
	struct verify_finding finding; /* its texts are this one's to free */
	char *key, *note;
};

struct shown {
	struct cli *cli;
	struct cli_progress progress;
	char name[3 * CATALOG_NAME_SIZE]; /* of the scope */
	struct found *found;              /* in this scope */
	size_t found_count;
	int64_t findings, problems;
	json_t *scopes;
	bool has_failed; /* the output */
};

static const char *kind_text(enum verify_kind kind)
{
	static const char *const texts[VERIFY_KIND_COUNT] = {
		[VERIFY_MISSING] = "missing at Twilio and in S3",
		[VERIFY_NOT_IN_S3] = "gone from S3, still at Twilio",
		[VERIFY_WRONG_SIZE] = "another size than what was migrated",
		[VERIFY_WRONG_HASH] = "other bytes than what was migrated",
		[VERIFY_NEW_ETAG] = "the same bytes, written anew by somebody",
		[VERIFY_FOUND] = "in S3, and not known to the catalog",
		[VERIFY_UNVOUCHED] =
			"in S3 only, known to neither the catalog nor Twilio's call log",
		[VERIFY_UNREFERENCED] = "objects that no call refers to",
		[VERIFY_REMOVED] = "objects of removed recordings",
		[VERIFY_UPLOAD] = "uploads that nobody completed",
		[VERIFY_UNDECIDED] = "could not be told now",
	};

	return texts[kind];
}

/* What was put right is no problem any more; what is lost stays one, also when it is written
 * down. */
static bool is_put_right(enum verify_kind kind)
{
	return kind == VERIFY_FOUND || kind == VERIFY_NEW_ETAG || kind == VERIFY_UNVOUCHED;
}

static int64_t problems_of(const struct verify_stats *stats)
{
	int64_t sum = 0;

	for (int kind = 0; kind < VERIFY_KIND_COUNT; kind++)
		sum += stats->found[kind] - (is_put_right(kind) ? stats->repaired[kind] : 0);
	return sum;
}

/* ---- findings ---- */

static json_t *size_json(int64_t size_bytes)
{
	return size_bytes < 0 ? json_null() : json_integer(size_bytes);
}

/* One by one: a JSON document of a million findings takes many times the memory of the findings. */
static void finding_json(struct shown *shown, const struct verify_finding *f, const char *sid)
{
	json_t *one = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:o}", "kind",
				verify_kind_name(f->kind), "scope", shown->name, "recording_sid",
				*sid ? json_string(sid) : json_null(), "key", cli_json_name(f->key),
				"expected_bytes", size_json(f->expected_bytes), "found_bytes",
				size_json(f->found_bytes), "repaired", (int)f->is_repaired, "note",
				cli_json_name(f->note));

	fputs(shown->findings++ ? ",\n    " : "\n    ", stdout);
	if (!one || json_dumpf(one, stdout, JSON_COMPACT))
		shown->has_failed = true;
	json_decref(one);
}

static void finding_print(const struct verify_finding *f, const char *sid)
{
	char key[CATALOG_KEY_TEXT_SIZE + 1];

	snprintf(key, sizeof key, "%s", f->key);
	/* Somebody else may have chosen it. */
	text_clean(key);
	printf("%-12s  %-34s  %s", verify_kind_name(f->kind), *sid ? sid : "-", key);
	if (f->expected_bytes >= 0 && f->found_bytes >= 0 && f->expected_bytes != f->found_bytes)
		printf("  (%lld bytes, not %lld)", (long long)f->found_bytes,
		       (long long)f->expected_bytes);
	if (*f->note)
		printf("  (%s)", f->note);
	printf("%s\n", f->is_repaired ? "  repaired" : "");
}

static void show_finding(struct shown *shown, const struct verify_finding *finding)
{
	char sid[SID_SIZE] = "";

	if (!sid_is_zero(&finding->recording_sid))
		sid_format(&finding->recording_sid, "RE", sid);
	if (shown->cli->json)
		finding_json(shown, finding, sid);
	else
		finding_print(finding, sid);
}

static void on_finding(void *arg, const struct verify_finding *finding)
{
	struct shown *shown = arg;
	struct found found = { *finding, strdup(finding->key), strdup(finding->note) };

	found.finding.key = found.key;
	found.finding.note = found.note;
	if (found.key && found.note && array_push(&shown->found, &shown->found_count, &found) == 0)
		return;
	/* Without memory: out of order, but not lost. */
	free(found.key);
	free(found.note);
	show_finding(shown, finding);
}

/* Losses first; of a kind by key, and so by date. */
static int compare_found(const void *a, const void *b)
{
	const struct verify_finding *x = &((const struct found *)a)->finding,
				    *y = &((const struct found *)b)->finding;

	return x->kind != y->kind ? (x->kind > y->kind ? 1 : -1) : strcmp(x->key, y->key);
}

static void show_findings(struct shown *shown)
{
	if (shown->found_count)
		qsort(shown->found, shown->found_count, sizeof *shown->found, compare_found);
	for (size_t i = 0; i < shown->found_count; i++) {
		show_finding(shown, &shown->found[i].finding);
		free(shown->found[i].key);
		free(shown->found[i].note);
	}
	free(steal_pointer(&shown->found));
	shown->found_count = 0;
}

static void on_progress(void *arg, const struct verify_stats *stats)
{
	struct shown *shown = arg;

	if (stats->read_bytes)
		cli_progress_show(&shown->progress,
				  "%s: %lld of %lld read back, %lld MB, %lld problems", shown->name,
				  (long long)stats->read, (long long)stats->good,
				  (long long)(stats->read_bytes / 1000000),
				  (long long)problems_of(stats));
	else
		cli_progress_show(&shown->progress, "%s: %lld objects, %lld good, %lld problems",
				  shown->name, (long long)stats->objects, (long long)stats->good,
				  (long long)problems_of(stats));
}

/* ---- a scope's end ---- */

static json_t *kinds_json(const int64_t counts[VERIFY_KIND_COUNT])
{
	json_t *object = json_object();

	for (int kind = 0; kind < VERIFY_KIND_COUNT; kind++)
		json_object_set_new(object, verify_kind_name(kind), json_integer(counts[kind]));
	return object;
}

static void scope_json(struct shown *shown, const char *error, const struct verify_stats *s)
{
	json_array_append_new(
		shown->scopes,
		json_pack("{s:s, s:b, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o}",
			  "scope", shown->name, "complete", error == NULL, "error",
			  error ? json_string(error) : json_null(), "objects",
			  (json_int_t)s->objects, "good", (json_int_t)s->good, "not_vouched_for",
			  (json_int_t)s->unvouched, "read", (json_int_t)s->read, "read_bytes",
			  (json_int_t)s->read_bytes, "read_unproven", (json_int_t)s->read_unproven,
			  "deleted_unseen", (json_int_t)s->never_seen, "uploads_listed",
			  !s->uploads_unknown, "found", kinds_json(s->found), "repaired",
			  kinds_json(s->repaired)));
}

static void scope_print(const struct shown *shown, bool is_complete, const struct verify_values *v,
			const struct verify_stats *s)
{
	printf("%s: %lld recordings as they were migrated", shown->name, (long long)s->good);
	if (v->read)
		printf(", %lld of them read back", (long long)s->read);
	if (s->read_unproven)
		printf(" (%lld had no SHA-256 to compare with)", (long long)s->read_unproven);
	printf(is_complete ? "\n" : " (in part)\n");
	for (int kind = 0; kind < VERIFY_KIND_COUNT; kind++) {
		if (!s->found[kind])
			continue;
		printf("  %lld: %s", (long long)s->found[kind], kind_text(kind));
		if (s->repaired[kind])
			printf(" (%lld %s)", (long long)s->repaired[kind],
			       is_put_right(kind) ? "taken over" : "noted in the catalog");
		printf("\n");
	}
	if (s->unvouched)
		printf("  %lld of the good ones were adopted: nobody but the bucket vouches for them\n",
		       (long long)s->unvouched);
	if (s->never_seen)
		printf("  %lld that were deleted at Twilio before this catalog knew them, "
		       "not in the bucket\n",
		       (long long)s->never_seen);
	if (s->uploads_unknown)
		printf("  uploads that nobody completed were not looked for: "
		       "the store does not list them\n");
	if (!v->repair && s->found[VERIFY_FOUND])
		printf("  'tonicfs verify --repair' takes over what is in the bucket\n");
	if (s->found[VERIFY_UNVOUCHED] > s->repaired[VERIFY_UNVOUCHED])
		printf("  whoever may write the bucket may have put these there;"
		       " 'tonicfs verify --adopt' takes them over, marked as not vouched for\n");
}

static const char *error_text(int err, const struct remote_error *error)
{
	if (err == -ENODEV)
		return "the workspace has no bucket; 'tonicfs storage set' names one";
	if (cancel_is_set(&cli_cancel))
		return "stopped; what was found stands, and nothing else was changed";
	return error->message[0] ? error->message : strerror(-err);
}

/* How it ended: CLI_DONE, CLI_PART, CLI_FAILED. */
static int verify_one(struct cli *cli, struct catalog_scope scope, const struct verify_values *v,
		      struct shown *shown)
{
	const struct verify_env env = { cli->catalog, cli->http, &cli_cancel };
	const struct verify_options options = { .read = v->read,
						.repair = v->repair,
						.adopt = v->adopt };
	const struct verify_observer observer = { on_finding, on_progress, shown };
	struct remote_error error = REMOTE_ERROR_INIT;
	struct verify_stats stats = { 0 };
	int64_t problems;
	int err;

	cli_progress_init(&shown->progress, cli);
	cli_progress_show(&shown->progress, "%s: listing the bucket", shown->name);
	err = verify_scope(&env, scope, &options, &observer, &stats, &error);
	cli_progress_clear(&shown->progress);
	show_findings(shown);
	problems = problems_of(&stats);
	shown->problems += problems;
	if (cli->json)
		scope_json(shown, err ? error_text(err, &error) : NULL, &stats);
	else if (err == 0 || stats.objects || problems)
		scope_print(shown, err == 0, v, &stats);
	if (err)
		cli_error("%s: %s", shown->name, error_text(err, &error));
	if (err == 0)
		return problems ? CLI_PART : CLI_DONE;
	return stats.objects || stats.good || problems ? CLI_PART : CLI_FAILED;
}

/* ---- what is asked for ---- */

/* A scope as a path, of names as they were typed; of a recording its SID, so that no number is shown. */
static int scope_name(struct cli *cli, struct catalog_scope scope, char *ret_name, size_t size)
{
	char name[CATALOG_NAME_SIZE], folder_name[CATALOG_NAME_SIZE], sid[SID_SIZE];
	bool is_folder = scope.kind == CATALOG_SCOPE_FOLDER;
	struct catalog_recording recording;
	struct catalog_workspace workspace;
	struct catalog_campaign folder = { .workspace_id = scope.id };
	int err = 0;

	if (scope.kind == CATALOG_SCOPE_RECORDING) {
		err = catalog_recording_get(cli->catalog, scope.id, &recording);
		if (err == 0) {
			sid_format(&recording.sid, "RE", sid);
			snprintf(ret_name, size, "%s", sid);
		}
		return err;
	}
	if (is_folder)
		err = catalog_campaign_get(cli->catalog, scope.id, &folder);
	if (err == 0)
		err = catalog_workspace_get(cli->catalog, folder.workspace_id, &workspace);
	if (err == 0)
		snprintf(ret_name, size, "%s%s%s", cli_name(workspace.name, name),
			 is_folder ? "/" : "",
			 folder.is_unassigned ? CATALOG_UNASSIGNED
					      : cli_name(folder.name, folder_name));
	return err;
}

/* Everything: the workspaces that have a bucket. */
static int ask_everything(struct cli *cli, struct asked *asked)
{
	cleanup_free struct catalog_workspace *list = NULL;
	size_t count;
	int status = cli_workspaces(cli, false, &list, &count);

	if (status != CLI_DONE)
		return status;
	asked->scopes = calloc(count + 1, sizeof *asked->scopes);
	if (!asked->scopes) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	for (size_t i = 0; i < count; i++)
		if (list[i].has_storage)
			asked->scopes[asked->count++] =
				(struct catalog_scope){ CATALOG_SCOPE_WORKSPACE, list[i].id };
	if (asked->count == 0) {
		cli_error("no workspace has a bucket");
		return CLI_FAILED;
	}
	return CLI_DONE;
}

static int ask(struct cli *cli, int argc, char **argv, struct asked *asked)
{
	int status;

	if (argc == 0)
		return ask_everything(cli, asked);
	status = cli_path_scopes(cli, argc, argv, &asked->scopes, &asked->count);
	if (status != CLI_DONE || asked->count == 0)
		return status;
	if (asked->scopes[0].kind != CATALOG_SCOPE_ALL)
		return CLI_DONE;
	free(steal_pointer(&asked->scopes));
	asked->count = 0;
	return ask_everything(cli, asked);
}

static int verify_all(struct cli *cli, const struct asked *asked, const struct verify_values *v,
		      struct shown *shown)
{
	size_t failed = 0, in_part = 0;

	for (size_t i = 0; i < asked->count && !cancel_is_set(&cli_cancel); i++) {
		int err = scope_name(cli, asked->scopes[i], shown->name, sizeof shown->name);
		int status = err ? cli_catalog_error(cli, err, "not verified")
				 : verify_one(cli, asked->scopes[i], v, shown);

		failed += status == CLI_FAILED;
		in_part += status == CLI_PART;
	}
	if (failed && failed == asked->count)
		return CLI_FAILED;
	return failed || in_part || cancel_is_set(&cli_cancel) ? CLI_PART : CLI_DONE;
}

static int json_end(struct shown *shown, int status)
{
	json_t *failure = cli_json_failure(status);

	fputs(shown->findings ? "\n  ],\n  \"scopes\": " : "],\n  \"scopes\": ", stdout);
	if (json_dumpf(shown->scopes, stdout, JSON_COMPACT))
		shown->has_failed = true;
	printf(",\n  \"problems\": %lld", (long long)shown->problems);
	if (json_object_size(failure)) {
		printf(",\n  ");
		if (json_dumpf(failure, stdout, JSON_EMBED))
			shown->has_failed = true;
	}
	printf("\n}\n");
	json_decref(failure);
	if (!shown->has_failed)
		return status;
	cli_error("the JSON document could not be written");
	return CLI_FAILED;
}

static int run_verify(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct verify_values *v = values;
	struct shown shown = { .cli = cli };
	struct asked asked = { .count = 0 };
	int status = cli_catalog_open(cli);

	if (status == CLI_DONE)
		status = ask(cli, argc, argv, &asked);
	if (status == CLI_DONE)
		status = cli_http_open(cli);
	if (status == CLI_DONE) {
		cli_catch_signals();
		shown.scopes = json_array();
		if (cli->json) {
			cli_json_took_over();
			fputs("{\n  \"findings\": [", stdout);
		}
		status = verify_all(cli, &asked, v, &shown);
		if (cli->json)
			status = json_end(&shown, status);
		json_decref(shown.scopes);
	}
	free(asked.scopes);
	return status;
}

const struct cli_command command_verify = {
	.name = "verify",
	.arguments = "[PATH…] [--read] [--repair] [--adopt]",
	.summary = "Compares the catalog with the bucket",
	.text = "Lists the bucket and names recordings that are missing at Twilio and in S3,\n"
		"objects that are gone, or of another size or content than what was migrated,\n"
		"and, of whole workspaces, objects that no call refers to, objects of recordings\n"
		"that were removed, and uploads that nobody completed. What is doubtful is asked\n"
		"for by itself, in the bucket and at Twilio, before it is named. Nothing is ever\n"
		"deleted, and without --repair or --adopt nothing is changed.\n"
		"\n"
		"--repair tells the catalog: what is gone from the bucket is read from Twilio\n"
		"again, or shown as missing; what another machine has migrated is read from the\n"
		"bucket. What is at Twilio as well is queued for a migration, which compares the\n"
		"bytes before it takes the object over.\n"
		"\n"
		"A lost catalog is made anew by init, workspace add, campaign add and storage\n"
		"set as they were, then 'tonicfs sync' and 'tonicfs verify --repair': recordings\n"
		"that Twilio has forgotten come back with their names from the bucket and\n"
		"Twilio's call log, and what was removed stays away.\n"
		"\n"
		"Objects under a recording's key that neither the catalog nor Twilio knows, and\n"
		"that lead to no call in Twilio's call log, are named as unvouched: whoever may\n"
		"write the bucket may have put them there. --adopt makes recordings of them, in\n"
		"the folder unassigned; they keep the attribute user.tonicfs.vouched=no.\n"
		"\n"
		"PATH is WORKSPACE[/CAMPAIGN[/FILE]], a recording's SID, or a path inside a\n"
		"mount; without one all workspaces that have a bucket. What is at Twilio only is\n"
		"checked by 'tonicfs sync --full'. Exit status 3 when something was found that\n"
		"is not as it should be, and was not taken over, or could not be told.\n",
	.options =
		(const struct cli_option[]){
			{ 0, "read", CLI_FLAG, NULL,
			  "read every object back and compare its SHA-256",
			  offsetof(struct verify_values, read) },
			{ 0, "repair", CLI_FLAG, NULL, "tell the catalog what was found",
			  offsetof(struct verify_values, repair) },
			{ 0, "adopt", CLI_FLAG, NULL,
			  "take over recordings that only the bucket knows, marked as not vouched for",
			  offsetof(struct verify_values, adopt) },
			{ 0 },
		},
	.values_size = sizeof(struct verify_values),
	.arguments_max = 1000000,
	.run = run_verify,
};
