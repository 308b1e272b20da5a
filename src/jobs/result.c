/* How a job ended, and what the catalog is told: done, put back, failed, to be retried. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "catalog/workspace.h"
#include "jobs/jobs-private.h"
#include "util/crypto.h"
#include "util/fault.h"
#include "util/log.h"

void job_result_set(struct job_result *result, enum job_outcome outcome, const char *format, ...)
{
	va_list args;

	result->outcome = outcome;
	result->retry_after_msecs = -1;
	result->max_attempts = 0;
	va_start(args, format);
	vsnprintf(result->reason, sizeof result->reason, format, args);
	va_end(args);
}

void job_result_set_remote(struct job_result *result, const char *who,
			   const struct remote_error *error)
{
	bool is_named = strncmp(error->message, who, strlen(who)) == 0;
	bool is_refused = error->kind == REMOTE_REJECTED;
	const char *text = error->message[0] ? error->message
			   : error->code[0]  ? error->code
					     : remote_kind_name(error->kind);

	if (error->kind == REMOTE_CANCELLED) {
		job_result_set(result, JOB_OUTCOME_PUT_BACK, "cancelled");
		return;
	}
	job_result_set(result, is_refused ? JOB_OUTCOME_FAILED : JOB_OUTCOME_RETRY, "%s%s%s",
		       is_named ? "" : who, is_named ? "" : ": ", text);
	if (is_refused)
		return;
	result->retry_after_msecs = error->retry_after_msecs;
	if (error->kind == REMOTE_INVALID || error->kind == REMOTE_NOT_FOUND)
		result->max_attempts = JOB_DOUBTFUL_ATTEMPTS;
}

int job_result_set_again(struct job_result *result, const char *who,
			 const struct remote_error *error)
{
	job_result_set_remote(result, who, error);
	if (result->outcome == JOB_OUTCOME_FAILED)
		result->outcome = JOB_OUTCOME_RETRY;
	result->max_attempts = 0;
	return error->error ? error->error : -EIO;
}

int job_result_set_local(struct job_result *result, const char *what, int err)
{
	job_result_set(result, err == -ESTALE ? JOB_OUTCOME_STALE : JOB_OUTCOME_RETRY, "%s: %s",
		       what, strerror(-err));
	return err;
}

/* Doubles with each attempt. The jitter, up to half of it, keeps jobs that failed together from
 * coming back together. */
static int64_t pause_msecs(const struct job_pool_settings *settings, unsigned attempts)
{
	int64_t half, pause = fault_hurry(settings->pause_first_msecs);
	uint32_t random = 0;

	for (unsigned i = 1; i < attempts && pause < settings->pause_limit_msecs; i++)
		pause *= 2;
	if (pause > settings->pause_limit_msecs)
		pause = settings->pause_limit_msecs;
	(void)!crypto_random(&random, sizeof random); /* stays 0 where there is no randomness */
	half = pause / 2;
	return half + (int64_t)((double)random / UINT32_MAX * (double)(pause - half));
}

static void log_end(struct catalog *catalog, const struct job_pool_settings *settings,
		    const struct job_run *run, const struct job_result *result)
{
	struct catalog_workspace workspace;
	char sid[SID_SIZE];

	if (catalog_workspace_get(catalog, run->job.workspace_id, &workspace) < 0)
		workspace.name[0] = '\0';
	sid_format(&run->job.recording_sid, "RE", sid);
	if (result->outcome == JOB_OUTCOME_FAILED)
		log_warning("%s: %s: %s: failed: %s", settings->name, workspace.name, sid,
			    result->reason);
	else
		log_info("%s: %s: %s: attempt %u: %s", settings->name, workspace.name, sid,
			 run->job.attempts, result->reason);
}

void job_run_finish(struct catalog *catalog, const struct job_pool_settings *settings,
		    struct job_run *run, struct job_result *result)
{
	int64_t pause = -1;
	int err;

	if (run->is_lost || result->outcome == JOB_OUTCOME_STALE ||
	    result->outcome == JOB_OUTCOME_DONE)
		return;
	if (result->outcome == JOB_OUTCOME_RETRY && result->max_attempts &&
	    run->job.attempts >= result->max_attempts)
		result->outcome = JOB_OUTCOME_FAILED;
	if (cancel_is_set(&run->cancel) && result->outcome == JOB_OUTCOME_RETRY)
		result->outcome = JOB_OUTCOME_PUT_BACK; /* it failed because it was cancelled */
	if (result->outcome == JOB_OUTCOME_PUT_BACK) {
		err = job_put_back(catalog, &run->job);
	} else {
		if (result->outcome != JOB_OUTCOME_FAILED) {
			pause = pause_msecs(settings, run->job.attempts);
			if (pause < result->retry_after_msecs)
				pause = result->retry_after_msecs;
		}
		log_end(catalog, settings, run, result);
		err = job_fail(catalog, &run->job, result->reason, pause);
	}
	/* Not fatal: when its lease has ended, it is due again. */
	if (err && err != -ESTALE)
		log_error("%s: the end of a job cannot be noted in the catalog: %s", settings->name,
			  strerror(-err));
}
