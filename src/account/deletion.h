/*
 * Deleting a job's recording at Twilio: the only code that sends a DELETE there. Two rooms owe such
 * deletes: migrate, for what is proven to be in S3, and policy, for what was removed.
 */
#ifndef TONICFS_ACCOUNT_DELETION_H
#define TONICFS_ACCOUNT_DELETION_H

#include "jobs/jobs.h"
#include "twilio/twilio.h"

/* Waits its turn (at most 10 a second in this process, as Twilio asks; setting
 * "twilio_deletes_per_sec"), notes durably that a DELETE may be sent, sends it. Where Twilio refuses
 * it or finds nothing, the recording's metadata decide: deleted, or absent and without media, is
 * success; a recording that is not completed yet is tried again later, for it may get media.
 *
 * 0: Twilio has no media of it; *ret_note (a literal, for the audit) is "", or says that there was
 * nothing to delete. Else -ESTALE, -ECANCELED or another error, and *ret_result is set. Failures are
 * always retried, also after a refusal, for credentials can be mended. */
int account_delete_recording(struct catalog *catalog, struct twilio_client *twilio,
			     struct job_run *run, struct job_result *ret_result,
			     const char **ret_note);

/* What Twilio says of a recording. */
enum account_presence {
	ACCOUNT_RECORDING_GONE,    /* deleted, or no such recording */
	ACCOUNT_RECORDING_EMPTY,   /* absent or failed: it ended without media */
	ACCOUNT_RECORDING_THERE,   /* completed */
	ACCOUNT_RECORDING_PENDING, /* not completed */
};
int account_recording_presence(struct twilio_client *twilio, const struct sid *sid,
			       enum account_presence *ret_presence, struct remote_error *ret_error);

#endif
