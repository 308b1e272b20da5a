/* Twilio answers 404 for a recording's media: it is not there yet, was deleted, or was moved. The
 * metadata and the object under its key in S3 decide, never the 404 alone. */
#include <string.h>

#include "account/deletion.h"
#include "catalog/belief.h"
#include "catalog/sync.h"
#include "migrate/migrate-private.h"
#include "storage/object.h"
#include "util/log.h"

#define FOUND_PAUSE_MSECS 60000 /* for the next step, before another worker may claim the job */

/* Another machine moved it here, or an earlier attempt that did not come to note it. The bytes are
 * proof enough when they agree with what is known of them. */
static int adopt(struct transfer *t)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct catalog_object stored;
	struct s3_object object;
	char sha256[65];
	int64_t size_bytes;
	int err = s3_head_object(t->s3, t->key, &object, &error);

	if (err)
		return transfer_fail_remote(t, "S3", &error);
	err = object_read_back(t, object.etag, &size_bytes, sha256);
	if (err)
		return err;
	if (size_bytes != object.size_bytes ||
	    (t->recording->size_bytes >= 0 && size_bytes != t->recording->size_bytes) ||
	    (object.meta_sha256[0] && strcmp(object.meta_sha256, sha256) != 0))
		return transfer_fail(
			t, JOB_OUTCOME_FAILED,
			"deleted at Twilio, and the object in S3 is not what was recorded");
	storage_object_describe(&t->storage, t->key, &object, &stored);
	stored.size_bytes = size_bytes;
	memcpy(stored.sha256, sha256, sizeof sha256);
	/* Ends the lease first: only a recording that no worker moves can be found in S3. */
	err = job_fail(t->migrate->catalog, &t->run->job, "found in S3", FOUND_PAUSE_MSECS);
	if (err == 0)
		err = catalog_recording_found_in_s3(t->migrate->catalog, t->recording->id, &stored);
	return err;
}

static int gone(struct transfer *t)
{
	int err = job_fail(t->migrate->catalog, &t->run->job,
			   "deleted at Twilio before it was migrated", -1);

	return err ? err : catalog_recording_gone(t->migrate->catalog, t->recording->id);
}

int transfer_media_missing(struct transfer *t)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	enum account_presence presence;
	char sid[SID_SIZE];
	int err = account_recording_presence(t->twilio, &t->recording->sid, &presence, &error);

	if (err)
		return transfer_fail_remote(t, "Twilio", &error);
	if (presence == ACCOUNT_RECORDING_THERE)
		return transfer_doubt(t, "Twilio lists it and has no audio for it (not yet, or in "
					 "external storage)");
	if (presence == ACCOUNT_RECORDING_PENDING)
		return transfer_fail(t, JOB_OUTCOME_RETRY, "Twilio has not completed it");
	if (presence == ACCOUNT_RECORDING_EMPTY && !t->object_exists)
		return transfer_fail(t, JOB_OUTCOME_FAILED, "Twilio has no audio of it");
	if (t->object_exists) {
		err = adopt(t);
		if (err > 0)
			return err;
	} else {
		err = gone(t);
	}
	if (err < 0)
		return job_result_set_local(t->result, "the catalog", err);
	sid_format(&t->recording->sid, "RE", sid);
	log_warning("migrate: %s: %s: deleted at Twilio%s", t->workspace.name, sid,
		    t->object_exists ? "; found in S3" : " before it was migrated");
	return transfer_fail(t, JOB_OUTCOME_DONE, "deleted at Twilio");
}
