/*
 * Deleting at Twilio what a job of the queue names: the one place that sends a DELETE. Two rooms
 * owe such deletes: migration, for what is proven to be in S3, and policy, for what was removed.
 */
#ifndef TONICFS_ACCOUNT_DELETION_H
#define TONICFS_ACCOUNT_DELETION_H

#include "catalog/pool.h"
#include "twilio/twilio.h"

/* Waits its turn (at most 10 a second in this process, as Twilio asks; setting
 * "twilio_deletes_per_sec"), notes durably that a DELETE may have been sent, sends it. Where Twilio
 * refuses it or finds nothing, the recording's metadata decide: gone, or absent and without media,
 * is success; what is not completed yet is tried again later, for it may get media. Always sets
 * *ret_result but where it returns 0: then Twilio has no media of it, and *ret_note (a literal, for
 * the audit) is "", or says that there was nothing to delete. -ESTALE, -ECANCELED or other. What fails is to be
 * tried again, always: also after a refusal, for credentials can be mended. */
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
