#include "cli/problems.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/amounts.h"
#include "cli/cli.h"
#include "util/array.h"
#include "util/sid.h"
#include "util/times.h"

static bool is_final(const struct catalog_problem_group *group)
{
	return group->next_msecs == INT64_MAX;
}

static bool is_shown(const struct catalog_problem_group *group, unsigned kinds, bool only_failed)
{
	return (group->kind & kinds) && (is_final(group) || !only_failed);
}

void problems_release(struct problems *problems)
{
	free(problems->items);
	*problems = (struct problems){ NULL, 0 };
}

/* ---- collecting ---- */

static void merge(struct catalog_problem_group *into, const struct catalog_problem_group *group)
{
	into->count += group->count;
	if (group->attempts > into->attempts)
		into->attempts = group->attempts;
	if (group->next_msecs < into->next_msecs)
		into->next_msecs = group->next_msecs;
	for (size_t i = 0;
	     i < group->example_count && into->example_count < CATALOG_PROBLEM_EXAMPLES; i++)
		into->examples[into->example_count++] = group->examples[i];
}

static int add(void *arg, const struct catalog_problem_group *group)
{
	struct problems *problems = arg;

	for (size_t i = 0; i < problems->count; i++) {
		struct catalog_problem_group *item = &problems->items[i];

		if (item->kind == group->kind && is_final(item) == is_final(group) &&
		    strcmp(item->reason, group->reason) == 0) {
			merge(item, group);
			return 0;
		}
	}
	return array_push(&problems->items, &problems->count, group);
}

int problems_collect(struct problems *problems, struct catalog *catalog, struct catalog_scope scope)
{
	return catalog_problem_groups(catalog, scope, add, problems);
}

/* ---- showing ---- */

const char *problem_kind_name(enum catalog_job_kind kind)
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

static const char *kind_text(enum catalog_job_kind kind, bool is_one)
{
	switch (kind) {
	case CATALOG_JOB_MIGRATE:
		return is_one ? "migration" : "migrations";
	case CATALOG_JOB_CLEANUP_TWILIO:
		return is_one ? "delete at Twilio after the migration"
			      : "deletes at Twilio after the migration";
	case CATALOG_JOB_DELETE_TWILIO:
		return is_one ? "delete at Twilio" : "deletes at Twilio";
	case CATALOG_JOB_DELETE_S3:
		return is_one ? "delete in S3" : "deletes in S3";
	case CATALOG_JOB_TOMBSTONE:
		return is_one ? "note of a removal in S3" : "notes of removals in S3";
	}
	return is_one ? "job" : "jobs";
}

/* "failed", "tried again in 5 min" */
static const char *next_text(const struct catalog_problem_group *group,
			     char ret_text[AMOUNT_SIZE * 2])
{
	int64_t secs = (group->next_msecs - time_now_msecs()) / 1000;

	if (is_final(group))
		return "failed";
	if (secs <= 0)
		return "about to be tried again";
	if (secs < 120)
		snprintf(ret_text, AMOUNT_SIZE * 2, "tried again in %lld s", (long long)secs);
	else if (secs < 7200)
		snprintf(ret_text, AMOUNT_SIZE * 2, "tried again in %lld min",
			 (long long)(secs / 60));
	else
		snprintf(ret_text, AMOUNT_SIZE * 2, "tried again in %lld h",
			 (long long)(secs / 3600));
	return ret_text;
}

static void print_one(const struct catalog_problem_group *group, FILE *out)
{
	char count[AMOUNT_SIZE], next[AMOUNT_SIZE * 2], sid[SID_SIZE];

	fprintf(out, "  %s %s %s: %s\n", amount_count(group->count, count),
		kind_text(group->kind, group->count == 1), next_text(group, next), group->reason);
	for (size_t i = 0; i < group->example_count; i++) {
		sid_format(&group->examples[i], "RE", sid);
		fprintf(out, "      %s\n", sid);
	}
	if (group->count > (int64_t)group->example_count)
		fprintf(out, "      … and %s more\n",
			amount_count(group->count - (int64_t)group->example_count, count));
}

void problems_print(const struct problems *problems, unsigned kinds, bool only_failed, FILE *out)
{
	for (size_t i = 0; i < problems->count; i++)
		if (is_shown(&problems->items[i], kinds, only_failed))
			print_one(&problems->items[i], out);
}

json_t *problems_json(const struct problems *problems, unsigned kinds, bool only_failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < problems->count; i++) {
		const struct catalog_problem_group *group = &problems->items[i];
		json_t *sids = json_array();
		char sid[SID_SIZE];

		for (size_t k = 0; k < group->example_count; k++) {
			sid_format(&group->examples[k], "RE", sid);
			json_array_append_new(sids, json_string(sid));
		}
		if (!is_shown(group, kinds, only_failed)) {
			json_decref(sids);
			continue;
		}
		json_array_append_new(
			array, json_pack("{s:s, s:s, s:I, s:I, s:o, s:o}", "job",
					 problem_kind_name(group->kind), "reason", group->reason,
					 "count", (json_int_t)group->count, "attempts",
					 (json_int_t)group->attempts, "next",
					 is_final(group) ? json_null()
							 : cli_json_time(group->next_msecs / 1000),
					 "recording_sids", sids));
	}
	return array;
}
