/*
 * Jobs that failed, or wait after a failure: by reason, with a count and a few recordings as
 * examples. Jobs of the same kind and reason are one group, those that will be tried again apart
 * from those that will not.
 */
#ifndef TONICFS_VIEW_PROBLEMS_H
#define TONICFS_VIEW_PROBLEMS_H

#include "catalog/problem.h"
#include "catalog/status.h"

struct json_t;

struct view_problems {
	struct catalog_problem_group *items;
	size_t count;
};
/* Adds those of a scope to what problems, zeroed at first, has already. kinds: a mask of enum
 * catalog_job_kind. only_failed: without those that will be tried again. */
int view_problems_load(struct catalog *catalog, struct catalog_scope scope, unsigned kinds,
		       bool only_failed, struct view_problems *problems);
#define VIEW_ALL_KINDS (~0U)
struct json_t *view_problems_json(const struct view_problems *problems);
void view_problems_release(struct view_problems *problems);
#define cleanup_view_problems __attribute__((cleanup(view_problems_release)))

/* It failed for good: nothing tries it again by itself. */
bool view_problem_is_final(const struct catalog_problem_group *group);
/* "delete_at_twilio": what a kind is called in JSON. */
const char *view_job_kind_name(enum catalog_job_kind kind);
/* When a job is tried again; null: not by itself. */
struct json_t *view_next_json(int64_t next_msecs);

/* How many recordings of a scope are in which state of their migration. */
struct json_t *view_counts_json(const struct catalog_counts *counts);

#endif
