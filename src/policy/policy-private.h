/* Shared by the files of the policy room only. */
#ifndef TONICFS_POLICY_PRIVATE_H
#define TONICFS_POLICY_PRIVATE_H

#include "jobs/jobs.h"
#include "policy/policy.h"
#include "storage/storage.h"

struct policy {
	struct catalog *catalog;
	struct http *http;
	struct job_pool *pool;
};

/* Each does one job and returns 0 with a note for the audit (may be empty), or non-zero with
 * *result set. */
#define POLICY_NOTE_SIZE 160
int policy_delete_twilio(struct policy *policy, struct job_run *run, struct job_result *result,
			 char ret_note[POLICY_NOTE_SIZE]);
int policy_delete_s3(struct policy *policy, struct job_run *run, struct job_result *result,
		     char ret_note[POLICY_NOTE_SIZE]);
int policy_tombstone(struct policy *policy, struct job_run *run, struct job_result *result);

/* Both set *result to a retry: a delete is never given up by itself, for a service that refuses it
 * today may not tomorrow. */
int policy_fail(struct job_result *result, const char *who, const struct remote_error *error);
int policy_fail_local(struct job_result *result, const char *what, int err);

#endif
