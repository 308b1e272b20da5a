/* Jobs that failed, or wait after a failure, with their reasons. */
#pragma once

#include "catalog/queue.h"

struct catalog_problem {
	enum catalog_job_kind kind;
	struct sid recording_sid;
	char reason[CATALOG_REASON_SIZE];
	unsigned attempts;
	int64_t next_msecs; /* of the next attempt, wall clock; INT64_MAX: not by itself */
};
typedef int catalog_problem_fn(void *arg, const struct catalog_problem *problem);
/* A callback's non-zero value ends it and is returned. */
int catalog_problem_each(struct catalog *catalog, struct catalog_scope scope,
			 catalog_problem_fn *fn, void *arg);

/* Grouped by kind and reason, the most frequent of a kind first: few groups, however many jobs. */
#define CATALOG_PROBLEM_EXAMPLES 3
struct catalog_problem_group {
	enum catalog_job_kind kind;
	char reason[CATALOG_REASON_SIZE];
	int64_t count;
	unsigned attempts;  /* of the job that has most */
	int64_t next_msecs; /* of the next attempt; INT64_MAX: not by itself */
	struct sid examples[CATALOG_PROBLEM_EXAMPLES];
	size_t example_count;
};
typedef int catalog_problem_group_fn(void *arg, const struct catalog_problem_group *group);
int catalog_problem_groups(struct catalog *catalog, struct catalog_scope scope,
			   catalog_problem_group_fn *fn, void *arg);
