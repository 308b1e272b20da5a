/* The steps of a transfer: one recording from Twilio into the bucket. */
#include <errno.h>
#include <string.h>

#include "migrate/migrate-private.h"
#include "storage/object.h"
#include "util/fault.h"

int transfer_check_lease(struct transfer *t)
{
	if (job_run_is_ours(t->run))
		return 0;
	return transfer_fail(t, JOB_OUTCOME_PUT_BACK, "its lease ended, or cancelled");
}

/* ---- memory ---- */

int transfer_buffer(struct transfer *t, size_t bytes)
{
	if (!admission_resize(&t->migrate->admission, t->lane, t->claim, bytes, &t->is_overdrawn))
		return transfer_fail(t, JOB_OUTCOME_PUT_BACK, "cancelled");
	if (buffers_get(&t->migrate->buffers, bytes, &t->pages))
		return transfer_fail(t, JOB_OUTCOME_RETRY, "out of memory");
	t->buffer = t->pages.bytes;
	t->capacity_bytes = bytes;
	return 0;
}

/* ---- the sides ---- */

void transfer_leave_twilio(struct transfer *t)
{
	if (admission_leave_twilio(t->lane, t->claim))
		job_pool_look_again(t->migrate->transfers);
}

static void end_download(struct transfer *t)
{
	http_stream_stop(&t->stream);
	transfer_leave_twilio(t);
}

static int enter_bucket(struct transfer *t)
{
	if (admission_enter_bucket(t->bucket, t->claim))
		return 0;
	return transfer_fail(t, JOB_OUTCOME_PUT_BACK, "cancelled");
}

/* ---- the steps ---- */

/* Before anything is sent: by what the connection test found; afterwards: by the object itself. */
int transfer_check_encryption(struct transfer *t, const char *confirmed)
{
	if (storage_is_encrypted(&t->storage, confirmed))
		return 0;
	return transfer_fail(t, JOB_OUTCOME_FAILED,
			     t->storage.tested_secs
				     ? "encryption is required, and the server does not encrypt"
				     : "encryption is required, and no storage test has shown that "
				       "the server does it");
}

static int open_clients(struct transfer *t)
{
	struct migrate *migrate = t->migrate;
	struct job_run *run = t->run;
	struct remote_gate twilio_gate = side_gate(&t->twilio_user),
			   bucket_gate = side_gate(&t->bucket_user);
	int err = account_client_new(migrate->catalog, migrate->http, run->job.workspace_id, 0,
				     &run->cancel, &t->twilio, &t->workspace);

	if (err)
		return transfer_fail(t, JOB_OUTCOME_FAILED, "the Twilio account cannot be used: %s",
				     strerror(-err));
	err = storage_client_new(migrate->catalog, migrate->http, run->job.workspace_id,
				 &run->cancel, &t->s3, &t->storage);
	if (err)
		return transfer_fail(t, JOB_OUTCOME_FAILED, "the bucket cannot be used: %s",
				     strerror(-err));
	err = transfer_check_encryption(t, t->storage.tested_encryption);
	if (err)
		return err;
	t->bucket = admission_bucket(&migrate->admission, t->lane, &t->storage);
	if (!t->bucket)
		return transfer_fail(t, JOB_OUTCOME_RETRY, "out of memory");
	t->twilio_user = (struct side_user){ &t->lane->twilio, &run->cancel };
	t->bucket_user = (struct side_user){ t->bucket, &run->cancel };
	twilio_client_set_gate(t->twilio, &twilio_gate);
	s3_client_set_gate(t->s3, &bucket_gate);
	if (t->recording->is_encrypted) {
		err = catalog_recording_encryption(migrate->catalog, t->recording->id,
						   &t->encryption);
		if (err == 0 && !t->encryption.cek[0])
			err = -ENOENT;
	}
	if (err)
		return transfer_fail(t, JOB_OUTCOME_FAILED,
				     "encrypted, and its key is not known; Twilio keeps it");
	catalog_object_key(t->storage.prefix, &t->workspace.account_sid, t->recording, t->key);
	return 0;
}

/* An object exists, and is not overwritten: the download is only hashed, for the comparison. */
static int hash_rest(struct transfer *t, bool end)
{
	size_t len;
	int err = 0;

	while (!end && err == 0)
		err = download_fill(t, &len, &end);
	return err ? err : download_check_end(t);
}

static int move(struct transfer *t)
{
	bool end;
	size_t len;
	int err = download_open(t);

	fault_point("after-head");
	if (err == 0)
		err = download_fill(t, &len, &end);
	if (err)
		return err;
	if (t->object_exists)
		return hash_rest(t, end);
	if (!end) {
		err = enter_bucket(t);
		return err ? err : upload_parts(t, len);
	}
	err = download_check_end(t);
	fault_point("after-download");
	end_download(t);
	if (err == 0)
		err = enter_bucket(t);
	return err ? err : upload_whole(t, len);
}

static int note_stored(struct transfer *t, const struct s3_object *object)
{
	struct catalog_object stored;
	int err;

	storage_object_describe(&t->storage, t->key, object, &stored);
	stored.stored_secs = 0; /* now, by our clock */
	memcpy(stored.sha256, t->content.sha256_hex, sizeof t->content.sha256_hex);
	err = migrate_job_stored(t->migrate->catalog, &t->run->job, &stored,
				 t->content.has_wav ? t->content.wav.channels : 0);
	if (err)
		return job_result_set_local(t->result, "the catalog", err);
	fault_point("after-stored");
	return transfer_fail(t, JOB_OUTCOME_DONE, "stored");
}

static int run_steps(struct transfer *t)
{
	struct s3_object object;
	int err = open_clients(t);

	if (err == 0)
		err = move(t);
	end_download(t);
	if (err == 0)
		err = enter_bucket(t);
	if (err == 0)
		err = verify_object(t, &object);
	admission_leave_bucket(t->claim);
	fault_point("after-verify");
	return err ? err : note_stored(t, &object);
}

void transfer_work(void *arg, struct job_run *run, struct job_result *ret_result)
{
	struct transfer t = {
		.migrate = arg,
		.run = run,
		.claim = (struct transfer_claim *)run,
		.result = ret_result,
	};

	t.recording = &t.claim->recording;
	t.lane = admission_lane(&t.migrate->admission, run->job.workspace_id);
	http_stream_init(&t.stream, &run->cancel);
	if (content_init(&t.content))
		job_result_set(ret_result, JOB_OUTCOME_RETRY, "out of memory");
	else
		run_steps(&t);
	http_stream_release(&t.stream);
	content_release(&t.content);
	buffers_put(&t.migrate->buffers, &t.pages);
	if (t.is_overdrawn)
		budget_give(&t.migrate->admission.budget, 0, true);
	s3_client_free(t.s3);
	twilio_client_free(t.twilio);
	crypto_wipe(&t.encryption, sizeof t.encryption);
}
