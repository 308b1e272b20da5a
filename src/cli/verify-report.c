/* Prints the findings of verify, and the counts of each scope. */
#include "cli/verify-report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/object.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/text.h"

static const char *const kind_texts[VERIFY_KIND_COUNT] = {
	[VERIFY_MISSING] = "missing at Twilio and in S3",
	[VERIFY_NOT_IN_S3] = "gone from S3, still at Twilio",
	[VERIFY_WRONG_SIZE] = "a size that differs from what was migrated",
	[VERIFY_WRONG_HASH] = "content that differs from what was migrated",
	[VERIFY_NEW_ETAG] = "the same bytes, written again by somebody",
	[VERIFY_FOUND] = "in S3, and not known to the catalog",
	[VERIFY_UNVOUCHED] = "in S3 only, known to neither the catalog nor Twilio's call log",
	[VERIFY_UNREFERENCED] = "objects that no call refers to",
	[VERIFY_REMOVED] = "objects of removed recordings",
	[VERIFY_UPLOAD] = "incomplete uploads",
	[VERIFY_UNDECIDED] = "could not be checked now",
};

/* A finding of such a kind is no problem once it is repaired. A lost recording stays a problem,
 * even when the catalog has been told. */
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

static void finding_json(struct verify_report *report, const struct verify_finding *f,
			 const char *sid)
{
	json_t *one = json_pack("{s:s, s:s, s:s?, s:o, s:o, s:o, s:b, s:o}", "kind",
				verify_kind_name(f->kind), "scope", report->scope, "recording_sid",
				*sid ? sid : NULL, "key", view_name_json(f->key), "expected_bytes",
				view_number_json(f->expected_bytes), "found_bytes",
				view_number_json(f->found_bytes), "repaired", (int)f->is_repaired,
				"note", view_name_json(f->note));

	fputs(report->printed++ ? ",\n    " : "\n    ", stdout);
	if (!one || json_dumpf(one, stdout, JSON_COMPACT))
		report->has_failed = true;
	json_decref(one);
}

static void finding_print(const struct verify_finding *f, const char *sid)
{
	char key[CATALOG_KEY_TEXT_SIZE + 1];

	snprintf(key, sizeof key, "%s", f->key);
	/* The key may have been chosen by somebody else. */
	text_clean(key);
	printf("%-12s  %-34s  %s", verify_kind_name(f->kind), *sid ? sid : "-", key);
	if (f->expected_bytes >= 0 && f->found_bytes >= 0 && f->expected_bytes != f->found_bytes)
		printf("  (%lld bytes, not %lld)", (long long)f->found_bytes,
		       (long long)f->expected_bytes);
	if (*f->note)
		printf("  (%s)", f->note);
	printf("%s\n", f->is_repaired ? "  repaired" : "");
}

static void show_finding(struct verify_report *report, const struct verify_finding *finding)
{
	char sid[SID_SIZE] = "";

	if (!sid_is_zero(&finding->recording_sid))
		sid_format(&finding->recording_sid, "RE", sid);
	if (report->cli->json)
		finding_json(report, finding, sid);
	else
		finding_print(finding, sid);
}

static void finding_release(const struct verify_finding *kept)
{
	free((char *)kept->key);
	free((char *)kept->note);
}

static void on_finding(void *arg, const struct verify_finding *finding)
{
	struct verify_report *report = arg;
	struct verify_finding kept = *finding;

	kept.key = strdup(finding->key);
	kept.note = strdup(finding->note);
	if (kept.key && kept.note &&
	    array_push(&report->findings, &report->finding_count, &kept) == 0)
		return;
	finding_release(&kept);
	show_finding(report, finding); /* no memory: printed out of order, but not lost */
}

/* By kind, losses first; then by key, which contains the date. */
static int compare_found(const void *a, const void *b)
{
	const struct verify_finding *x = a, *y = b;

	return x->kind != y->kind ? (x->kind > y->kind ? 1 : -1) : strcmp(x->key, y->key);
}

static void show_findings(struct verify_report *report)
{
	if (report->finding_count)
		qsort(report->findings, report->finding_count, sizeof *report->findings,
		      compare_found);
	for (size_t i = 0; i < report->finding_count; i++) {
		show_finding(report, &report->findings[i]);
		finding_release(&report->findings[i]);
	}
	free(steal_pointer(&report->findings));
	report->finding_count = 0;
}

static void on_progress(void *arg, const struct verify_stats *stats)
{
	struct verify_report *report = arg;

	if (stats->read_bytes)
		cli_progress_show(&report->progress,
				  "%s: %lld of %lld read back, %lld MB, %lld problems",
				  report->scope, (long long)stats->read, (long long)stats->good,
				  (long long)(stats->read_bytes / 1000000),
				  (long long)problems_of(stats));
	else
		cli_progress_show(&report->progress, "%s: %lld objects, %lld good, %lld problems",
				  report->scope, (long long)stats->objects, (long long)stats->good,
				  (long long)problems_of(stats));
}

/* ---- scopes ---- */

static json_t *kinds_json(const int64_t counts[VERIFY_KIND_COUNT])
{
	json_t *object = json_object();

	for (int kind = 0; kind < VERIFY_KIND_COUNT; kind++)
		json_object_set_new(object, verify_kind_name(kind), json_integer(counts[kind]));
	return object;
}

static void scope_json(struct verify_report *report, const char *error,
		       const struct verify_stats *s)
{
	json_array_append_new(
		report->scopes,
		json_pack("{s:s, s:b, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o}",
			  "scope", report->scope, "complete", error == NULL, "error", error,
			  "objects", (json_int_t)s->objects, "good", (json_int_t)s->good,
			  "not_vouched_for", (json_int_t)s->unvouched, "read", (json_int_t)s->read,
			  "read_bytes", (json_int_t)s->read_bytes, "read_unproven",
			  (json_int_t)s->read_unproven, "deleted_unseen", (json_int_t)s->never_seen,
			  "uploads_listed", !s->uploads_unknown, "found", kinds_json(s->found),
			  "repaired", kinds_json(s->repaired)));
}

static void scope_print(const struct verify_report *report, bool is_complete,
			const struct verify_stats *s)
{
	printf("%s: %lld recordings as they were migrated", report->scope, (long long)s->good);
	if (report->options->read)
		printf(", %lld of them read back", (long long)s->read);
	if (s->read_unproven)
		printf(" (%lld had no SHA-256 to compare with)", (long long)s->read_unproven);
	printf(is_complete ? "\n" : " (in part)\n");
	for (int kind = 0; kind < VERIFY_KIND_COUNT; kind++) {
		if (!s->found[kind])
			continue;
		printf("  %lld: %s", (long long)s->found[kind], kind_texts[kind]);
		if (s->repaired[kind])
			printf(" (%lld %s)", (long long)s->repaired[kind],
			       is_put_right(kind) ? "taken over" : "noted in the catalog");
		printf("\n");
	}
	if (s->unvouched)
		printf("  %lld of the good ones were adopted: only the bucket vouches for them\n",
		       (long long)s->unvouched);
	if (s->never_seen)
		printf("  %lld were deleted at Twilio before this catalog knew them, and are not in the bucket\n",
		       (long long)s->never_seen);
	if (s->uploads_unknown)
		printf("  incomplete uploads were not checked: the store does not list them\n");
	if (!report->options->repair && s->found[VERIFY_FOUND])
		printf("  'tonicfs verify --repair' takes over what is in the bucket\n");
	if (s->found[VERIFY_UNVOUCHED] > s->repaired[VERIFY_UNVOUCHED])
		printf("  anybody who may write to the bucket can have put these there;"
		       " 'tonicfs verify --adopt' makes recordings of them, marked as not vouched for\n");
}

void verify_report_scope_begin(struct verify_report *report)
{
	cli_progress_init(&report->progress, report->cli);
	cli_progress_show(&report->progress, "%s: listing the bucket", report->scope);
}

int64_t verify_report_scope_end(struct verify_report *report, const struct verify_stats *stats,
				const char *error)
{
	int64_t problems = problems_of(stats);

	cli_progress_clear(&report->progress);
	show_findings(report);
	report->problems += problems;
	if (report->cli->json)
		scope_json(report, error, stats);
	else if (!error || stats->objects || problems)
		scope_print(report, !error, stats);
	if (error)
		cli_error("%s: %s", report->scope, error);
	return problems;
}

/* ---- the whole ---- */

void verify_report_begin(struct verify_report *report, struct cli *cli,
			 const struct verify_options *options)
{
	*report = (struct verify_report){
		.cli = cli,
		.options = options,
		.observer = { on_finding, on_progress, report },
		.scopes = json_array(),
	};
	if (cli->json) {
		cli_json_took_over();
		fputs("{\n  \"findings\": [", stdout);
	}
}

static void end_json(struct verify_report *report, int status)
{
	json_t *failure = cli_json_failure(status);

	fputs(report->printed ? "\n  ],\n  \"scopes\": " : "],\n  \"scopes\": ", stdout);
	if (json_dumpf(report->scopes, stdout, JSON_COMPACT))
		report->has_failed = true;
	printf(",\n  \"problems\": %lld", (long long)report->problems);
	if (json_object_size(failure)) {
		printf(",\n  ");
		if (json_dumpf(failure, stdout, JSON_EMBED))
			report->has_failed = true;
	}
	printf("\n}\n");
	json_decref(failure);
}

int verify_report_end(struct verify_report *report, int status)
{
	if (report->cli->json)
		end_json(report, status);
	json_decref(report->scopes);
	if (!report->has_failed)
		return status;
	return cli_error("the JSON document could not be written");
}
