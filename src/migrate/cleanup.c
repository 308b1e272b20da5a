/* The delete at Twilio that a finished migration owes. */
#include <errno.h>
#include <strings.h>

#include "account/deletion.h"
#include "catalog/belief.h"
#include "migrate/migrate-private.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/times.h"

#define FRESH_SECS 60 /* after its verification, in which the object is not checked again */
#define LOOKS 3       /* must agree before an object counts as changed: a proxy may have answered */

/* 0: as it was stored; -ESTALE: changed; else the errno of *ret_error. */
static int look_at_object(struct s3_client *s3, const struct catalog_object *stored,
			  struct remote_error *ret_error)
{
	for (int look = 0; look < LOOKS; look++) {
		struct s3_object object;
		int err = s3_head_object(s3, stored->key, &object, ret_error);

		if (err)
			return err;
		if (object.size_bytes == stored->size_bytes &&
		    strcasecmp(object.etag, stored->etag) == 0)
			return 0;
	}
	return -ESTALE;
}

/* The bucket may have been emptied since: the DELETE would destroy the last copy. */
static int check_object(struct migrate *migrate, struct job_run *run, struct job_result *result)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct s3_client *s3;
	struct catalog_object stored;
	char sid[SID_SIZE];
	int err = catalog_recording_object(migrate->catalog, run->job.recording_id, &stored);

	if (err)
		return job_result_set_local(result, "the catalog", err);
	if (run->job.attempts == 1 && stored.stored_secs + FRESH_SECS > time_now_secs() &&
	    stored.stored_secs <= time_now_secs())
		return 0;
	/* The bucket that it was put into, whichever the workspace has now. */
	err = storage_client_new_of(migrate->catalog, migrate->http, run->job.workspace_id,
				    stored.bucket, &run->cancel, &s3, NULL);
	if (err)
		return job_result_set_local(result, "the bucket cannot be used", err);
	err = look_at_object(s3, &stored, &error);
	s3_client_free(s3);
	if (err == 0)
		return 0;
	if (err == -ESTALE && error.kind == REMOTE_OK) {
		job_result_set(result, JOB_OUTCOME_FAILED,
			       "the object in S3 is no longer what was migrated; Twilio keeps its "
			       "copy");
		return err;
	}
	if (error.kind != REMOTE_NOT_FOUND)
		return job_result_set_again(result, "S3", &error);
	sid_format(&run->job.recording_sid, "RE", sid);
	log_warning(
		"migrate: %s: its object is gone from S3 before Twilio's copy was deleted; it is to be migrated anew",
		sid);
	err = catalog_recording_lost_in_s3(migrate->catalog, run->job.recording_id);
	job_result_set(result, err && err != -ESTALE ? JOB_OUTCOME_RETRY : JOB_OUTCOME_STALE,
		       "the object is gone from S3");
	return -ENOENT;
}

void cleanup_work(void *arg, struct job_run *run, struct job_result *ret_result)
{
	struct migrate *migrate = arg;
	struct lane *lane = admission_lane(&migrate->admission, run->job.workspace_id);
	struct side_user user = { lane ? &lane->twilio : NULL, &run->cancel };
	struct remote_gate gate = side_gate(&user);
	struct catalog_recording recording;
	struct twilio_client *twilio;
	const char *note;
	int err = catalog_recording_get(migrate->catalog, run->job.recording_id, &recording);

	if (err) {
		job_result_set_local(ret_result, "the catalog", err);
		return;
	}
	/* The object of a removed recording may be gone by the same policy. */
	if (recording.state == CATALOG_STATE_STORED && check_object(migrate, run, ret_result))
		return;
	err = account_client_new(migrate->catalog, migrate->http, run->job.workspace_id, 0,
				 &run->cancel, &twilio, NULL);
	if (err) {
		job_result_set_local(ret_result, "the Twilio account cannot be used", err);
		return;
	}
	if (lane)
		twilio_client_set_gate(twilio, &gate);
	err = account_delete_recording(migrate->catalog, twilio, run, ret_result, &note);
	twilio_client_free(twilio);
	if (err)
		return;
	err = job_done(migrate->catalog, &run->job, note);
	fault_point("after-cleanup");
	if (err)
		job_result_set_local(ret_result, "the catalog", err);
	else
		ret_result->outcome = JOB_OUTCOME_DONE;
}
