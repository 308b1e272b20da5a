/* Jobs that failed or wait after a failure, as text. */
#include "cli/problems.h"

#include "cli/amounts.h"
#include "util/times.h"

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
		return is_one ? "tombstone in S3" : "tombstones in S3";
	}
	return is_one ? "job" : "jobs";
}

/* "failed", "tried again in 5 min" */
static const char *next_text(const struct catalog_problem_group *group,
			     char ret_text[AMOUNT_SIZE * 2])
{
	int64_t secs = (group->next_msecs - time_now_msecs()) / 1000;

	if (view_problem_is_final(group))
		return "failed";
	if (secs <= 0)
		return "retried soon";
	if (secs < 120)
		snprintf(ret_text, AMOUNT_SIZE * 2, "retried in %lld s", (long long)secs);
	else if (secs < 7200)
		snprintf(ret_text, AMOUNT_SIZE * 2, "retried in %lld min", (long long)(secs / 60));
	else
		snprintf(ret_text, AMOUNT_SIZE * 2, "retried in %lld h", (long long)(secs / 3600));
	return ret_text;
}

static void print_one(const struct catalog_problem_group *group, FILE *out)
{
	int64_t more = group->count - (int64_t)group->example_count;
	char next[AMOUNT_SIZE * 2], sid[SID_SIZE];

	fprintf(out, "  %s %s %s: %s\n", count_text(group->count),
		kind_text(group->kind, group->count == 1), next_text(group, next), group->reason);
	for (size_t i = 0; i < group->example_count; i++) {
		sid_format(&group->examples[i], "RE", sid);
		fprintf(out, "      %s\n", sid);
	}
	if (more > 0)
		fprintf(out, "      … and %s more\n", count_text(more));
}

void problems_print(const struct view_problems *problems, FILE *out)
{
	for (size_t i = 0; i < problems->count; i++)
		print_one(&problems->items[i], out);
}
