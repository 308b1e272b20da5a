/* Checks the bytes of objects: the head, or all of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "storage/object.h"
#include "twilio/wav.h"
#include "util/buf.h"
#include "util/crypto.h"
#include "util/pool.h"
#include "verify/verify-private.h"

#define HEAD_BYTES 4096
#define PIECE_BYTES (4 << 20) /* memory of each thread */
#define BATCH 64

/* ---- is it audio? ---- */

/* NULL: a WAV file so far; else what is wrong with it. */
static const char *fault_of_head(const struct buf *head, int64_t size_bytes)
{
	struct wav_info wav;
	int err = wav_parse(head->data, head->len, &wav);

	if (err == -EAGAIN && size_bytes > (int64_t)head->len)
		return NULL; /* a long head */
	if (err)
		return "not a WAV file";
	if (wav.data_size_bytes >= 0 && wav.data_offset_bytes + wav.data_size_bytes > size_bytes)
		return "truncated";
	return NULL;
}

int verify_is_audio(struct verify *v, const struct catalog_recording *recording, const char *key,
		    const struct s3_object *object, const char **ret_why,
		    struct remote_error *ret_error)
{
	cleanup_buf struct buf head = BUF_INIT;
	struct s3_object again;
	int err;

	if (!storage_object_may_be(recording, object->size_bytes) ||
	    (recording->size_bytes >= 0 && recording->size_bytes != object->size_bytes)) {
		*ret_why = "not of the recording's length";
		return -EBADMSG;
	}
	if (recording->is_encrypted)
		return 0;
	err = s3_get_object(v->s3, key, 0, HEAD_BYTES, HEAD_BYTES, &head, &again, ret_error);
	if (err == -EREMOTE && object->meta_sha256[0]) {
		remote_error_clear(ret_error);
		return 0;
	}
	if (err)
		return err;
	*ret_why = fault_of_head(&head, object->size_bytes);
	return *ret_why ? -EBADMSG : 0;
}

/* ---- reading back ---- */

static int read_piece(struct verify *v, const char *key, int64_t offset_bytes, int64_t size_bytes,
		      const char *etag, struct buf *piece, struct remote_error *ret_error)
{
	int64_t left = size_bytes - offset_bytes;
	int64_t length = left < PIECE_BYTES ? left : PIECE_BYTES;
	struct s3_object object;
	int err;

	buf_reset(piece);
	err = s3_get_object(v->s3, key, offset_bytes, length, PIECE_BYTES, piece, &object,
			    ret_error);
	if (err == 0 && (object.size_bytes != size_bytes || strcasecmp(object.etag, etag) != 0 ||
			 (int64_t)piece->len != length)) {
		remote_error_set(ret_error, REMOTE_INVALID, -ESTALE,
				 "S3: the object changed while it was read");
		err = -ESTALE;
	}
	return err;
}

int verify_read(struct verify *v, const char *key, int64_t size_bytes, const char *etag,
		char ret_sha256[65], struct remote_error *ret_error)
{
	cleanup_hash struct crypto_hash *hash = NULL;
	cleanup_buf struct buf piece = BUF_INIT;
	uint8_t digest[CRYPTO_SHA256_SIZE];
	int64_t offset_bytes = 0;
	int err = crypto_hash_new(CRYPTO_SHA256, &hash);

	remote_error_clear(ret_error);
	while (err == 0 && offset_bytes < size_bytes) {
		if (verify_is_over(v)) {
			remote_error_set(ret_error, REMOTE_CANCELLED, -ECANCELED, "cancelled");
			return -ECANCELED;
		}
		err = read_piece(v, key, offset_bytes, size_bytes, etag, &piece, ret_error);
		if (err)
			return err;
		err = crypto_hash_update(hash, piece.data, piece.len);
		offset_bytes += (int64_t)piece.len;
		verify_count(v, &v->stats.read_bytes, (int64_t)piece.len);
		verify_progress(v);
	}
	if (err == 0)
		err = crypto_hash_finish(hash, digest);
	if (err) {
		remote_error_set(ret_error, REMOTE_TRANSIENT, err, "it cannot be hashed");
		return err;
	}
	crypto_hex(digest, sizeof digest, ret_sha256);
	return 0;
}

struct reading {
	struct verify *v;
	int64_t after_id;
	size_t count, walked;
	struct catalog_belief beliefs[BATCH];
};

static int on_belief(void *arg, size_t index, const struct catalog_belief *belief)
{
	struct reading *reading = arg;

	reading->walked++;
	reading->after_id = belief->recording.id;
	if (belief->has_object && belief->recording.state != CATALOG_STATE_MISSING &&
	    marks_has(&reading->v->good, belief->recording.id))
		reading->beliefs[reading->count++] = *belief;
	return 0;
}

static void note_read(struct verify *v, const struct catalog_belief *belief, const char *sha256)
{
	struct catalog_object object = belief->object;
	bool is_unproven = !object.sha256[0];

	verify_count(v, &v->stats.read, 1);
	verify_count(v, &v->stats.read_unproven, is_unproven);
	if (!is_unproven || !v->options.repair)
		return;
	/* The next run compares with this hash. */
	snprintf(object.sha256, sizeof object.sha256, "%s", sha256);
	verify_was_told(v, catalog_object_renew(v->env->catalog, belief->recording.id, &object));
}

static void read_one(void *arg, size_t index)
{
	struct reading *reading = arg;
	struct verify *v = reading->v;
	const struct catalog_belief *belief = &reading->beliefs[index];
	const struct catalog_object *object = &belief->object;
	struct remote_error error = REMOTE_ERROR_INIT;
	char sha256[65];
	int err;

	if (verify_is_over(v))
		return;
	err = verify_read(v, object->key, object->size_bytes, object->etag, sha256, &error);
	if (!verify_answered(v, &belief->recording.sid, object->key, err, &error))
		return;
	note_read(v, belief, sha256);
	if (object->sha256[0] && strcasecmp(object->sha256, sha256) != 0)
		verify_doubt_wrong(v, belief, VERIFY_WRONG_HASH, object->size_bytes);
}

void verify_read_all(struct verify *v)
{
	struct reading *reading = calloc(1, sizeof *reading);
	int err = reading ? 0 : -ENOMEM;

	while (err == 0 && !verify_is_over(v)) {
		reading->v = v;
		reading->count = reading->walked = 0;
		err = catalog_beliefs_each(v->env->catalog, v->scope, reading->after_id, BATCH,
					   on_belief, reading);
		if (err == 0)
			parallel_for(reading->count, v->options.threads, read_one, reading);
		if (reading->walked < BATCH)
			break;
	}
	verify_fail(v, err, NULL);
	free(reading);
}
