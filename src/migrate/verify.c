/* Proof that the object is what was downloaded: by the server's hash, else by reading it back. */
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "aws/credentials.h"
#include "migrate/migrate-private.h"
#include "util/cleanup.h"
#include "util/log.h"

static int hash_stream(struct transfer *t, struct http_stream *stream, struct crypto_hash *hash,
		       int64_t *ret_size_bytes)
{
	int64_t limit = catalog_recording_limit_bytes(t->recording);
	struct remote_error error = REMOTE_ERROR_INIT;
	bool end = false;
	int err = http_stream_wait_head(stream, &error);

	if (err)
		return transfer_fail_remote(t, "S3", &error);
	remote_error_clear(&error);
	s3_judge(&stream->response, stream->error_body, stream->error_body_len, &error);
	if (error.kind != REMOTE_OK) {
		s3_explain_denied(t->s3, t->key, &error);
		return transfer_fail_remote(t, "S3", &error);
	}
	if (stream->response.status != 200)
		return transfer_doubt(t, "S3: HTTP %d where all of the object was asked for",
				      stream->response.status);
	while (!end) {
		size_t len;

		if (http_stream_fill(stream, t->buffer, t->capacity_bytes, &len, &end, &error))
			return transfer_fail_remote(t, "S3", &error);
		if (stream->received_bytes > limit)
			return transfer_doubt(t,
					      "S3 gives %lld bytes, and its duration allows %lld",
					      (long long)stream->received_bytes, (long long)limit);
		side_moved(t->bucket, len, &t->run->cancel);
		err = crypto_hash_update(hash, t->buffer, len);
		if (err)
			return job_result_set_local(t->result, "it cannot be hashed", err);
	}
	*ret_size_bytes = stream->received_bytes;
	return 0;
}

int object_read_back(struct transfer *t, const char *etag, int64_t *ret_size_bytes,
		     char ret_sha256[65])
{
	cleanup_s3_request struct s3_request_memory *memory = NULL;
	cleanup_hash struct crypto_hash *hash = NULL;
	cleanup_http_stream struct http_stream stream;
	uint8_t digest[CRYPTO_SHA256_SIZE];
	cleanup_credentials struct aws_credentials keys = { .access_key = NULL };
	struct remote_error error = REMOTE_ERROR_INIT;
	struct http_request request;
	int err = t->buffer ? 0 : transfer_buffer(t, BUFFER_MIN_BYTES);

	http_stream_init(&stream, &t->run->cancel);
	if (err)
		return err;
	err = crypto_hash_new(CRYPTO_SHA256, &hash);
	/* Renewing credentials may take a while. */
	if (err == 0 && s3_client_credentials(t->s3, &keys, &error))
		return transfer_fail_remote(t, "S3", &error);
	if (err == 0)
		err = s3_request_get(t->s3, t->key, 0, -1, etag[0] ? etag : NULL, &request,
				     &memory);
	if (err == 0) {
		request.total_timeout_msecs = UINT_MAX; /* however long it is: a stall ends it */
		err = http_stream_start(&stream, t->migrate->http, &request);
	}
	if (err)
		return job_result_set_local(t->result, "the object cannot be asked for", err);
	err = hash_stream(t, &stream, hash, ret_size_bytes);
	if (err)
		return err;
	err = crypto_hash_finish(hash, digest);
	if (err)
		return job_result_set_local(t->result, "it cannot be hashed", err);
	crypto_hex(digest, sizeof digest, ret_sha256);
	return 0;
}

/* A matching hash of the server is proof. One that does not match may be a hash of something else:
 * then the bytes decide. */
static bool server_hash_agrees(const struct transfer *t, const struct s3_object *object)
{
	const struct content *content = &t->content;

	if (object->checksum_sha256[0])
		return strcmp(object->checksum_sha256, content->sha256_base64) == 0;
	if (s3_object_etag_is_md5(object))
		return strcasecmp(object->etag, content->md5_hex) == 0;
	return content->part_count > 1 && strcasecmp(object->etag, content->parts_etag) == 0;
}

static int differs(struct transfer *t)
{
	if (t->object_exists)
		return transfer_fail(
			t, JOB_OUTCOME_FAILED,
			"another object stands under its key in S3; it is left as it is");
	return transfer_fail(t, JOB_OUTCOME_FAILED,
			     "the object in S3 is not what was sent; Twilio keeps its copy");
}

/* Not deleted: another machine may have found it by its key and rely on it. */
static int stands_unencrypted(struct transfer *t)
{
	log_warning(
		"migrate: encryption is required, and what stands in bucket %s is not encrypted: %s",
		t->storage.bucket, t->key);
	return transfer_fail(
		t, JOB_OUTCOME_FAILED,
		"encryption is required, and its object in S3 is not encrypted; Twilio "
		"keeps its copy. Remove the object, then migrate --retry");
}

int verify_object(struct transfer *t, struct s3_object *ret_object)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	char sha256[65];
	int64_t size_bytes;
	int err;

	if (s3_head_object(t->s3, t->key, ret_object, &error)) {
		if (error.kind == REMOTE_NOT_FOUND)
			return transfer_doubt(t, "S3: accepted, and the object is not there");
		return transfer_fail_remote(t, "S3", &error);
	}
	if (ret_object->size_bytes != t->content.size_bytes)
		return differs(t);
	if (transfer_check_encryption(t, ret_object->encryption))
		return stands_unencrypted(t);
	if (!t->workspace.verify_readback && server_hash_agrees(t, ret_object))
		return 0;
	err = object_read_back(t, ret_object->etag, &size_bytes, sha256);
	if (err)
		return err;
	if (size_bytes != t->content.size_bytes || strcmp(sha256, t->content.sha256_hex) != 0)
		return differs(t);
	return 0;
}
