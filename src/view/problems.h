/* Jobs that failed, or wait after a failure, grouped by kind, reason and whether they will be tried
 * again, each group with a count and a few recordings as examples. */
#pragma once

#include "catalog/problem.h"
#include "catalog/status.h"

struct json_t;

struct view_problems {
	struct catalog_problem_group *items;
	size_t count;
};
/* Adds the problems of a scope to problems, which is zeroed at first. kinds: a mask of enum
 * catalog_job_kind. only_failed: without jobs that will be retried. */
int view_problems_load(struct catalog *catalog, struct catalog_scope scope, unsigned kinds,
		       bool only_failed, struct view_problems *problems);
#define VIEW_ALL_KINDS (~0U)
struct json_t *view_problems_json(const struct view_problems *problems);
void view_problems_release(struct view_problems *problems);
#define cleanup_view_problems __attribute__((cleanup(view_problems_release)))

/* The jobs failed for good: they are not retried automatically. */
bool view_problem_is_final(const struct catalog_problem_group *group);
/* The name of a kind in JSON, such as "delete_at_twilio". */
const char *view_job_kind_name(enum catalog_job_kind kind);
/* The time of the next try; null for a job that is not retried automatically. */
struct json_t *view_next_json(int64_t next_msecs);

/* How many recordings of a scope are in which state of their migration. */
struct json_t *view_counts_json(const struct catalog_counts *counts);
