/* The workers for what removing leaves to do, and the kinds that need no file of their own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "account/deletion.h"
#include "policy/policy-private.h"
#include "util/fault.h"
#include "util/times.h"

#define WORKERS 4
#define PAUSE_FIRST_MSECS (60 * 1000)
#define PAUSE_LIMIT_MSECS (6 * 60 * 60 * 1000)

static int delete_twilio(struct policy *policy, struct job_run *run, struct job_result *result,
			 char ret_note[POLICY_NOTE_SIZE])
{
	struct twilio_client *twilio;
	const char *note;
	int err = account_client_new(policy->catalog, policy->http, run->job.workspace_id, 0,
				     &run->cancel, &twilio, NULL);

	if (err)
		return job_result_set_local(result, "the Twilio account cannot be used", err);
	err = account_delete_recording(policy->catalog, twilio, run, result, &note);
	twilio_client_free(twilio);
	snprintf(ret_note, POLICY_NOTE_SIZE, "%s", note);
	return err;
}

static int put_tombstone(struct policy *policy, struct job_run *run, struct job_result *result)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	char key[CATALOG_KEY_TEXT_SIZE], sid[SID_SIZE], at[TIME_ISO8601_SIZE], body[128];
	struct catalog_storage storage;
	struct s3_object object;
	struct s3_client *s3;
	struct s3_put put;
	int err = storage_client_new(policy->catalog, policy->http, run->job.workspace_id,
				     &run->cancel, &s3, &storage);

	if (err)
		return job_result_set_local(result, "the bucket cannot be used", err);
	catalog_tombstone_key(storage.prefix, &run->job.recording_sid, key);
	sid_format(&run->job.recording_sid, "RE", sid);
	time_format_iso8601(time_now_secs(), at);
	snprintf(body, sizeof body, "{\"recording_sid\":\"%s\",\"noted\":\"%s\"}\n", sid, at);
	put = (struct s3_put){ .key = key,
			       .body = body,
			       .body_len = strlen(body),
			       .content_type = "application/json" };
	err = s3_put_object(s3, &put, &object, &error);
	fault_point("after-tombstone");
	s3_client_free(s3);
	return err ? job_result_set_again(result, "S3", &error) : 0;
}

static void work(void *arg, struct job_run *run, struct job_result *ret_result)
{
	struct policy *policy = arg;
	char note[POLICY_NOTE_SIZE] = "";
	int err;

	switch (run->job.kind) {
	case CATALOG_JOB_DELETE_TWILIO:
		err = delete_twilio(policy, run, ret_result, note);
		break;
	case CATALOG_JOB_DELETE_S3:
		err = policy_delete_s3(policy, run, ret_result, note);
		break;
	case CATALOG_JOB_TOMBSTONE:
		err = put_tombstone(policy, run, ret_result);
		break;
	default:
		job_result_set(ret_result, JOB_OUTCOME_FAILED, "no job of this kind is known");
		return;
	}
	if (err)
		return;
	err = job_done(policy->catalog, &run->job, note);
	fault_point("after-policy");
	if (err)
		job_result_set_local(ret_result, "the catalog", err);
	else
		ret_result->outcome = JOB_OUTCOME_DONE;
}

int policy_start(struct jobs *jobs, struct http *http, struct policy **ret_policy)
{
	struct policy *policy = calloc(1, sizeof *policy);
	struct job_pool_settings settings = {
		.name = "delete",
		.kinds = CATALOG_JOB_DELETE_TWILIO | CATALOG_JOB_DELETE_S3 | CATALOG_JOB_TOMBSTONE,
		.workers = WORKERS,
		.pause_first_msecs = PAUSE_FIRST_MSECS,
		.pause_limit_msecs = PAUSE_LIMIT_MSECS,
		.work = work,
		.arg = policy,
	};
	int err;

	if (!policy)
		return -ENOMEM;
	policy->catalog = jobs_catalog(jobs);
	policy->http = http;
	err = job_pool_start(jobs, &settings, &policy->pool);
	if (err) {
		free(policy);
		return err;
	}
	*ret_policy = policy;
	return 0;
}

void policy_stop(struct policy *policy, unsigned grace_msecs)
{
	if (!policy)
		return;
	job_pool_stop(policy->pool, grace_msecs);
	free(policy);
}
