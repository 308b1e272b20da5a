/* Sends the DELETE of a job, at a limited rate, and decides what a refusal means. */
#include "account/deletion.h"

#include <errno.h>
#include <pthread.h>

#include "catalog/settings.h"
#include "jobs/rate.h"
#include "util/fault.h"
#include "util/times.h"
#include "util/wait.h"

/* ---- the process's rate limit ---- */

static pthread_mutex_t pace_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct rate pace = { .paid_nsecs = INT64_MIN / 2 }; /* guarded by pace_mutex */

/* False: cancelled. */
static bool pace_wait(struct catalog *catalog, const struct cancel *cancel)
{
	int64_t wait_msecs,
		per_sec = catalog_setting_number(catalog, SETTING_TWILIO_DELETES_PER_SEC);

	pthread_mutex_lock(&pace_mutex);
	pace.per_sec = per_sec < 1 ? 1 : per_sec;
	wait_msecs = rate_take(&pace, 1, time_mono_msecs());
	pthread_mutex_unlock(&pace_mutex);
	return sleep_msecs(wait_msecs, cancel);
}

/* ---- is it there? ---- */

static int note_status(void *arg, const struct twilio_recording *recordings, size_t count)
{
	if (count)
		*(enum twilio_recording_status *)arg = recordings[0].status;
	return 0;
}

static enum account_presence presence_of(enum twilio_recording_status status)
{
	switch (status) {
	case TWILIO_RECORDING_DELETED:
		return ACCOUNT_RECORDING_GONE;
	case TWILIO_RECORDING_ABSENT:
	case TWILIO_RECORDING_FAILED:
		return ACCOUNT_RECORDING_EMPTY;
	case TWILIO_RECORDING_COMPLETED:
		return ACCOUNT_RECORDING_THERE;
	default:
		return ACCOUNT_RECORDING_PENDING;
	}
}

int account_recording_presence(struct twilio_client *twilio, const struct sid *sid,
			       enum account_presence *ret_presence, struct remote_error *ret_error)
{
	enum twilio_recording_status status = TWILIO_RECORDING_UNKNOWN;
	int err = twilio_fetch_recording(twilio, sid, note_status, &status, ret_error);

	if (err && ret_error->kind != REMOTE_NOT_FOUND)
		return err;
	*ret_presence = err ? ACCOUNT_RECORDING_GONE : presence_of(status);
	return 0;
}

/* ---- deleting ---- */

/* Twilio refused to delete this recording; not an authentication failure or a rate limit. */
static bool is_refusal(const struct remote_error *error)
{
	if (error->kind == REMOTE_BUSY)
		return error->status != 429 && error->status != 503;
	return error->kind == REMOTE_REJECTED && error->error != -EACCES;
}

/* The metadata say that there is no media. Requests the media as well, for a second opinion. */
static int check_empty(struct twilio_client *twilio, const struct sid *sid,
		       struct job_result *result)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct twilio_media_info info;
	int err = twilio_probe_media(twilio, sid, true, 0, INT64_MAX, &info, &error);

	if (err && error.kind == REMOTE_NOT_FOUND)
		return 0;
	if (err)
		return job_result_set_again(result, "Twilio", &error);
	job_result_set(result, JOB_OUTCOME_RETRY,
		       "Twilio: the recording is absent but has media, and its DELETE is refused");
	return -EBUSY;
}

/* The DELETE was refused or answered 404: the recording's metadata decide. */
static int judge_refused(struct twilio_client *twilio, const struct sid *sid, bool was_sent_before,
			 const struct remote_error *refused, struct job_result *result,
			 const char **ret_note)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	enum account_presence presence;
	int err = account_recording_presence(twilio, sid, &presence, &error);

	if (err)
		return job_result_set_again(result, "Twilio", &error);
	switch (presence) {
	case ACCOUNT_RECORDING_GONE:
		if (!was_sent_before)
			*ret_note = "it was gone from Twilio already";
		return 0;
	case ACCOUNT_RECORDING_EMPTY:
		err = check_empty(twilio, sid, result);
		if (err == 0)
			*ret_note = "Twilio has no media of it: nothing to delete";
		return err;
	case ACCOUNT_RECORDING_PENDING:
		job_result_set(result, JOB_OUTCOME_RETRY,
			       "Twilio has not completed it; it is deleted when it has");
		return -EBUSY;
	case ACCOUNT_RECORDING_THERE:
		break;
	}
	if (refused->kind != REMOTE_NOT_FOUND)
		return job_result_set_again(result, "Twilio", refused);
	job_result_set(result, JOB_OUTCOME_RETRY,
		       "Twilio: the recording is listed, but its DELETE answers 404");
	return -ENOENT;
}

int account_delete_recording(struct catalog *catalog, struct twilio_client *twilio,
			     struct job_run *run, struct job_result *ret_result,
			     const char **ret_note)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	bool was_sent_before = run->job.was_sent;
	int err;

	*ret_note = "";
	job_result_set(ret_result, JOB_OUTCOME_PUT_BACK, "cancelled");
	if (!pace_wait(catalog, &run->cancel))
		return -ECANCELED;
	err = job_mark_sent(catalog, &run->job);
	if (err)
		return job_result_set_local(ret_result, "the catalog", err);
	fault_point("after-mark-sent");
	/* If the lease has expired, another worker may have found the object missing and be about to
	 * migrate again the recording that this DELETE would remove. */
	if (!job_run_is_ours(run)) {
		job_result_set(ret_result, JOB_OUTCOME_PUT_BACK, "its lease ended");
		return -ESTALE;
	}
	err = twilio_delete_recording(twilio, &run->job.recording_sid, &error);
	fault_point("after-delete");
	if (err == 0)
		return 0;
	if (error.kind != REMOTE_NOT_FOUND && !is_refusal(&error))
		return job_result_set_again(ret_result, "Twilio", &error);
	return judge_refused(twilio, &run->job.recording_sid, was_sent_before, &error, ret_result,
			     ret_note);
}
