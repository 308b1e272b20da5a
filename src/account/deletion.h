/* Deletes a job's recording at Twilio. No other code sends a DELETE to Twilio. Two rooms use it:
 * migrate, for recordings that are verified in S3, and policy, for recordings that were removed. */
#pragma once

#include "jobs/jobs.h"
#include "twilio/twilio.h"

/* Waits for the rate limit (10 deletes a second in this process, as Twilio asks; setting
 * "twilio_deletes_per_sec"), notes durably that a DELETE may have been sent, then sends it. When
 * Twilio refuses it or answers 404, the recording's metadata decide: gone, or absent and without
 * media, is success; a recording that is not completed yet is retried later, because it may get
 * media.
 *
 * 0: Twilio has no media of the recording. *ret_note (a literal, for the audit) is "" or says that
 * there was nothing to delete; *ret_result is not set.
 * -ESTALE, -ECANCELED or another errno: *ret_result is set. Every failure is to be retried, even a
 * refusal, because credentials can be repaired. */
int account_delete_recording(struct catalog *catalog, struct twilio_client *twilio,
			     struct job_run *run, struct job_result *ret_result,
			     const char **ret_note);

/* A recording's state at Twilio. */
enum account_presence {
	ACCOUNT_RECORDING_GONE,    /* deleted, or no such recording */
	ACCOUNT_RECORDING_EMPTY,   /* absent or failed: it ended without media */
	ACCOUNT_RECORDING_THERE,   /* completed */
	ACCOUNT_RECORDING_PENDING, /* not completed */
};
int account_recording_presence(struct twilio_client *twilio, const struct sid *sid,
			       enum account_presence *ret_presence, struct remote_error *ret_error);
