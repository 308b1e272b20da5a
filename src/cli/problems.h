/* Jobs that failed or wait after a failure, as status and migrate show them: by reason, with a
 * count and a few recordings as examples. */
#ifndef TONICFS_CLI_PROBLEMS_H
#define TONICFS_CLI_PROBLEMS_H

#include <stdio.h>

#include "catalog/problem.h"

struct json_t;

struct problems {
	struct catalog_problem_group *items;
	size_t count;
};
#define cleanup_problems __attribute__((cleanup(problems_release)))
void problems_release(struct problems *problems);

/* Adds those of a scope; what has the same kind and reason is one. 0 or -errno. */
int problems_collect(struct problems *problems, struct catalog *catalog,
		     struct catalog_scope scope);
/* Kinds: a mask of enum catalog_job_kind. only_failed: not those that are tried again by
 * themselves. */
void problems_print(const struct problems *problems, unsigned kinds, bool only_failed, FILE *out);
struct json_t *problems_json(const struct problems *problems, unsigned kinds, bool only_failed);

/* "delete_at_twilio": what kinds are called in JSON. */
const char *problem_kind_name(enum catalog_job_kind kind);

#endif
