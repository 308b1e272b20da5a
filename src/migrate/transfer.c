/* One recording from Twilio into the bucket. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "migrate/migrate-private.h"
#include "util/fault.h"

#define BYTES_PER_SEC_AND_CHANNEL 16000
#define CHANNELS 2
#define DURATION_SLACK_SECS 2 /* Twilio's is in whole seconds */
#define HEAD_SLACK_BYTES ((int64_t)64 << 10)

int transfer_fail(struct transfer *t, enum job_outcome outcome, const char *format, ...)
{
	char text[CATALOG_REASON_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	job_result_set(t->result, outcome, "%s", text);
	return 1;
}

int transfer_doubt(struct transfer *t, const char *format, ...)
{
	char text[CATALOG_REASON_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	job_result_set(t->result, JOB_OUTCOME_RETRY, "%s", text);
	t->result->max_attempts = JOB_DOUBTFUL_ATTEMPTS;
	return 1;
}

int transfer_fail_remote(struct transfer *t, const char *who, const struct remote_error *error)
{
	job_result_set_remote(t->result, who, error);
	return 1;
}

/* ---- memory ---- */

static size_t estimate(const struct catalog_recording *recording)
{
	int64_t bytes = PART_BYTES;

	if (recording->size_bytes >= 0)
		bytes = recording->size_bytes;
	else if (recording->duration_secs >= 0)
		bytes = (recording->duration_secs + DURATION_SLACK_SECS) *
				BYTES_PER_SEC_AND_CHANNEL * CHANNELS +
			HEAD_SLACK_BYTES;
	if (bytes < (int64_t)BUFFER_MIN_BYTES)
		return BUFFER_MIN_BYTES;
	return bytes > (int64_t)PART_BYTES ? PART_BYTES : (size_t)bytes;
}

bool transfer_admit(void *arg, struct job_run *run)
{
	struct migrate *migrate = arg;

	return budget_take(&migrate->budget, estimate(&run->job.recording), &run->is_cancelled,
			   &run->reserved_bytes);
}

void transfer_release(void *arg, struct job_run *run)
{
	struct migrate *migrate = arg;

	budget_give(&migrate->budget, run->reserved_bytes, false);
}

/* In pages of its own, which go back to the system at once: a heap would keep what so many sizes
 * leave between them. */
int transfer_buffer(struct transfer *t, size_t bytes)
{
	struct job_run *run = t->run;
	void *pages;

	if (bytes > run->reserved_bytes) {
		if (!budget_more(&t->migrate->budget, bytes - run->reserved_bytes,
				 &run->is_cancelled, &t->is_overdrawn))
			return transfer_fail(t, JOB_OUTCOME_PUT_BACK, "cancelled");
	} else {
		budget_give(&t->migrate->budget, run->reserved_bytes - bytes, false);
	}
	run->reserved_bytes = bytes;
	pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return transfer_fail(t, JOB_OUTCOME_RETRY, "out of memory");
	t->buffer = pages;
	t->capacity_bytes = bytes;
	return 0;
}

/* ---- the steps ---- */

static int open_clients(struct transfer *t)
{
	struct migrate *migrate = t->migrate;
	struct job_run *run = t->run;
	int err = account_client_new(migrate->catalog, migrate->http, run->job.workspace_id, 0,
				     &run->is_cancelled, &t->twilio, &t->workspace);

	if (err)
		return transfer_fail(t, JOB_OUTCOME_FAILED, "the Twilio account cannot be used: %s",
				     strerror(-err));
	err = storage_client_new(migrate->catalog, migrate->http, run->job.workspace_id,
				 &run->is_cancelled, &t->s3, &t->storage);
	if (err)
		return transfer_fail(t, JOB_OUTCOME_FAILED, "the bucket cannot be used: %s",
				     strerror(-err));
	if (t->recording->is_encrypted) {
		err = catalog_recording_encryption(migrate->catalog, t->recording->id,
						   &t->encryption);
		if (err == 0 && !t->encryption.cek[0])
			err = -ENOENT;
		if (err)
			return transfer_fail(
				t, JOB_OUTCOME_FAILED,
				"encrypted, and its key is not known; Twilio keeps it");
	}
	catalog_object_key(t->storage.prefix, &t->workspace.account_sid, t->recording, t->key);
	return 0;
}

/* What stands there already is not written to: the download is only hashed, to be compared. */
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
	if (!end)
		return upload_parts(t, len);
	err = download_check_end(t);
	fault_point("after-download");
	return err ? err : upload_whole(t, len);
}

void transfer_describe_object(const struct transfer *t, const struct s3_object *object,
			      struct catalog_object *ret_object)
{
	struct catalog_object *o = ret_object;

	memset(o, 0, sizeof *o);
	snprintf(o->bucket, sizeof o->bucket, "%s", t->storage.bucket);
	snprintf(o->key, sizeof o->key, "%s", t->key);
	snprintf(o->etag, sizeof o->etag, "%s", object->etag);
	snprintf(o->version_id, sizeof o->version_id, "%s", object->version_id);
	snprintf(o->checksum_sha256, sizeof o->checksum_sha256, "%s", object->checksum_sha256);
	snprintf(o->encryption, sizeof o->encryption, "%s", object->encryption);
	snprintf(o->kms_key_id, sizeof o->kms_key_id, "%s", object->kms_key_id);
	snprintf(o->storage_class, sizeof o->storage_class, "%s", object->storage_class);
	snprintf(o->lock_mode, sizeof o->lock_mode, "%s", object->lock_mode);
	o->retain_until_secs = object->retain_until_secs;
	o->has_legal_hold = object->has_legal_hold;
	o->bucket_key = object->bucket_key;
	o->size_bytes = object->size_bytes;
}

static int note_stored(struct transfer *t, const struct s3_object *object)
{
	struct catalog_object stored;
	int err;

	transfer_describe_object(t, object, &stored);
	memcpy(stored.sha256, t->content.sha256_hex, sizeof t->content.sha256_hex);
	err = catalog_migrate_stored(t->migrate->catalog, &t->run->job, &stored,
				     t->content.has_wav ? t->content.wav.channels : 0);
	if (err == -ESTALE)
		return transfer_fail(t, JOB_OUTCOME_STALE, "taken over");
	if (err)
		return transfer_fail(t, JOB_OUTCOME_RETRY, "the catalog: %s", strerror(-err));
	fault_point("after-stored");
	return transfer_fail(t, JOB_OUTCOME_DONE, "stored");
}

static int run_steps(struct transfer *t)
{
	struct s3_object object;
	int err = open_clients(t);

	if (err == 0)
		err = move(t);
	/* The connection to Twilio is not kept waiting for the verification. */
	stream_stop(&t->stream);
	if (err == 0)
		err = verify_object(t, &object);
	fault_point("after-verify");
	return err ? err : note_stored(t, &object);
}

void transfer_work(void *arg, struct job_run *run, struct job_result *ret_result)
{
	struct transfer t = {
		.migrate = arg, .run = run, .result = ret_result, .recording = &run->job.recording
	};

	stream_init(&t.stream, &run->is_cancelled);
	if (content_init(&t.content))
		transfer_fail(&t, JOB_OUTCOME_RETRY, "out of memory");
	else
		run_steps(&t);
	stream_release(&t.stream);
	content_release(&t.content);
	if (t.buffer)
		munmap(t.buffer, t.capacity_bytes);
	if (t.is_overdrawn)
		budget_give(&t.migrate->budget, 0, true);
	s3_client_free(t.s3);
	twilio_client_free(t.twilio);
	crypto_wipe(&t.encryption, sizeof t.encryption);
}
