/* Jobs that failed or wait after a failure, grouped by their reasons. */
#include "view/problems.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "view/view.h"

bool view_problem_is_final(const struct catalog_problem_group *group)
{
	return group->next_msecs == INT64_MAX;
}

struct loading {
	struct view_problems *problems;
	unsigned kinds;
	bool only_failed;
};

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
	const struct loading *loading = arg;
	struct view_problems *problems = loading->problems;

	if (!(group->kind & loading->kinds) ||
	    (loading->only_failed && !view_problem_is_final(group)))
		return 0;
	for (size_t i = 0; i < problems->count; i++) {
		struct catalog_problem_group *item = &problems->items[i];

		if (item->kind == group->kind &&
		    view_problem_is_final(item) == view_problem_is_final(group) &&
		    strcmp(item->reason, group->reason) == 0) {
			merge(item, group);
			return 0;
		}
	}
	return array_push(&problems->items, &problems->count, group);
}

int view_problems_load(struct catalog *catalog, struct catalog_scope scope, unsigned kinds,
		       bool only_failed, struct view_problems *problems)
{
	struct loading loading = { problems, kinds, only_failed };

	return catalog_problem_groups(catalog, scope, add, &loading);
}

void view_problems_release(struct view_problems *problems)
{
	free(problems->items);
	*problems = (struct view_problems){ NULL, 0 };
}

const char *view_job_kind_name(enum catalog_job_kind kind)
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

json_t *view_next_json(int64_t next_msecs)
{
	return next_msecs == INT64_MAX ? json_null() : view_time_json(next_msecs / 1000);
}

static json_t *group_json(const struct catalog_problem_group *group)
{
	json_t *sids = json_array();

	for (size_t i = 0; i < group->example_count; i++)
		json_array_append_new(sids, view_sid_json(&group->examples[i], "RE"));
	return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o}", "job", view_job_kind_name(group->kind),
			 "reason", group->reason, "count", (json_int_t)group->count, "attempts",
			 (json_int_t)group->attempts, "next", view_next_json(group->next_msecs),
			 "recording_sids", sids);
}

json_t *view_problems_json(const struct view_problems *problems)
{
	return view_array_json(problems->items, problems->count, group_json);
}

json_t *view_counts_json(const struct catalog_counts *counts)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "none", (json_int_t)counts->none,
			 "queued", (json_int_t)counts->queued, "running",
			 (json_int_t)counts->running, "paused", (json_int_t)counts->paused, "done",
			 (json_int_t)counts->done, "failed", (json_int_t)counts->failed);
}
