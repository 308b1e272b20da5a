/* Shared by the files of the policy room only. */
#pragma once

#include "jobs/jobs.h"
#include "policy/policy.h"
#include "storage/storage.h"

struct policy {
	struct catalog *catalog;
	struct http *http;
	struct job_pool *pool;
};

/* Does the job and returns 0 with a note for the audit (may be empty), or non-zero with *result
 * set: a delete is retried without end. */
#define POLICY_NOTE_SIZE 160
int policy_delete_s3(struct policy *policy, struct job_run *run, struct job_result *result,
		     char ret_note[POLICY_NOTE_SIZE]);
