/* Uploading: a whole recording by one PUT, a larger one in parts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/migrate-private.h"
#include "net/retry.h"
#include "storage/card.h"
#include "storage/object.h"
#include "util/array.h"
#include "util/fault.h"
#include "util/log.h"

#define CREATE_TRIES 5
#define CREATE_MSECS 60000
#define SWEEPS 3

/* ---- metadata ---- */

struct metadata {
	struct storage_card card;
	struct storage_card_text text; /* points into the card */
};

/* The metadata of every object: no phone numbers, no names. An encrypted recording is lost without
 * its key material, so the object carries it. Checks the lease last. */
static int put_fill(struct transfer *t, bool has_sha256, struct metadata *ret_metadata,
		    struct s3_put *ret_put)
{
	struct storage_card *card = &ret_metadata->card;
	int err = storage_card_of(t->migrate->catalog, t->recording, card);

	if (err)
		return job_result_set_local(t->result, "the catalog", err);
	if (has_sha256)
		memcpy(card->sha256, t->content.sha256_hex, sizeof card->sha256);
	if (storage_card_write(card, &ret_metadata->text))
		return transfer_fail(t, JOB_OUTCOME_FAILED,
				     "its encryption key is too long for an object's metadata");
	*ret_put = (struct s3_put){
		.key = t->key,
		.content_type =
			t->recording->is_encrypted ? "application/octet-stream" : "audio/x-wav",
		.metadata = ret_metadata->text.pairs,
		.metadata_count = ret_metadata->text.count,
	};
	return transfer_check_lease(t);
}

/* The server has no conditional writes. The key was looked at just before. */
static bool knows_no_condition(const struct remote_error *error)
{
	return error->status == 501 || strcmp(error->code, "NotImplemented") == 0;
}

/* ---- one PUT ---- */

int upload_whole(struct transfer *t, size_t len)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct s3_object object;
	struct metadata metadata;
	struct s3_put put;
	int err = put_fill(t, true, &metadata, &put);

	if (err)
		return err;
	put.body = t->buffer;
	put.body_len = len;
	put.if_none_match = put.send_checksum = true;
	put.sha256 = t->content.sha256;
	err = s3_put_object(t->s3, &put, &object, &error);
	if (err && knows_no_condition(&error)) {
		put.if_none_match = false;
		err = s3_put_object(t->s3, &put, &object, &error);
	}
	fault_point("after-put");
	/* Another writer was faster: its object is compared. */
	if (err == -EEXIST)
		t->object_exists = true;
	/* The object may have been stored: a HEAD decides. */
	else if (err && error.kind != REMOTE_UNCERTAIN)
		return transfer_fail_remote(t, "S3", &error);
	t->run->done_bytes += (int64_t)len;
	side_moved(t->bucket, len, &t->run->cancel);
	return 0;
}

/* ---- in parts ---- */

struct upload {
	char id[S3_UPLOAD_ID_SIZE]; /* "": no upload begun */
	char (*etags)[S3_ETAG_SIZE];
	unsigned count;
};

/* Aborts uploads that a crash, or an abort that failed, left under this key, and checks that they
 * are gone. A server that cannot list uploads is no obstacle. */
static void sweep(struct transfer *t)
{
	for (unsigned i = 0; i < SWEEPS && storage_uploads_abort(t->s3, t->key) > 0; i++)
		;
}

/* A beginning whose answer was lost leaves an upload, too. */
static int create(struct transfer *t, const struct s3_put *head, char ret_id[S3_UPLOAD_ID_SIZE])
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct retry retry;

	retry_init(&retry, CREATE_TRIES, CREATE_MSECS);
	for (;;) {
		sweep(t);
		if (s3_upload_create(t->s3, head, ret_id, &error) == 0)
			return 0;
		if (error.kind != REMOTE_UNCERTAIN ||
		    !retry_wait(&retry, &error, true, &t->run->cancel))
			return transfer_fail_remote(t, "S3", &error);
	}
}

static int begin(struct transfer *t, struct upload *upload)
{
	struct metadata metadata;
	struct s3_put head;
	int err = put_fill(t, false, &metadata, &head);

	if (err == 0)
		err = create(t, &head, upload->id);
	if (err == 0)
		fault_point("after-upload-create");
	return err;
}

static int add_part(struct transfer *t, struct upload *upload, size_t len)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	char (*etag)[S3_ETAG_SIZE];

	if (upload->count == PARTS_LIMIT)
		return transfer_fail(t, JOB_OUTCOME_FAILED, "longer than an upload can be");
	etag = array_add(&upload->etags, &upload->count);
	if (!etag)
		return transfer_fail(t, JOB_OUTCOME_RETRY, "out of memory");
	if (s3_upload_part(t->s3, t->key, upload->id, upload->count, t->buffer, len, *etag, &error))
		return transfer_fail_remote(t, "S3", &error);
	t->run->done_bytes += (int64_t)len;
	side_moved(t->bucket, len, &t->run->cancel);
	fault_point("after-part");
	return 0;
}

static int complete(struct transfer *t, struct upload *upload)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct s3_object object;
	int err = s3_head_object(t->s3, t->key, &object, &error);

	/* Some servers ignore the condition when an upload is completed, so the key is checked as
	 * late as possible. */
	if (err == 0) {
		t->object_exists = true;
		return 0;
	}
	if (error.kind != REMOTE_NOT_FOUND)
		return transfer_fail_remote(t, "S3", &error);
	fault_point("before-complete");
	err = transfer_check_lease(t);
	if (err)
		return err;
	err = s3_upload_complete(t->s3, t->key, upload->id, upload->etags, upload->count, true,
				 &object, &error);
	if (err && knows_no_condition(&error))
		err = s3_upload_complete(t->s3, t->key, upload->id, upload->etags, upload->count,
					 false, &object, &error);
	fault_point("after-complete");
	if (err == -EEXIST) {
		t->object_exists = true;
		return 0;
	}
	if (err && error.kind != REMOTE_UNCERTAIN)
		return transfer_fail_remote(t, "S3", &error);
	upload->id[0] = '\0'; /* an object now, or found by the next list of uploads */
	return 0;
}

static int send_parts(struct transfer *t, struct upload *upload, size_t len)
{
	bool end = false;
	int err = begin(t, upload);

	for (;;) {
		if (err == 0)
			err = add_part(t, upload, len);
		if (err || end)
			break;
		err = download_fill(t, &len, &end);
	}
	/* Only a recording that is proven to be whole becomes an object. */
	if (err == 0)
		err = download_check_end(t);
	return err ? err : complete(t, upload);
}

int upload_parts(struct transfer *t, size_t len)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct upload upload = { .count = 0 };
	int err = send_parts(t, &upload, len);

	/* Cancelled: there is no time for it, the next attempt does it. */
	if (upload.id[0] && !cancel_is_set(&t->run->cancel) &&
	    s3_upload_abort(t->s3, t->key, upload.id, &error) && error.kind != REMOTE_NOT_FOUND)
		log_info("migrate: an upload cannot be aborted: %s", error.message);
	free(upload.etags);
	/* This is the last look under this key. */
	if (err == 0 && t->run->job.attempts > 1 && transfer_check_lease(t) == 0)
		sweep(t);
	return err;
}
