/* Sends an operation: its retries, the correction of the clock, the judgement of the answer. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "aws/s3-private.h"
#include "net/retry.h"
#include "util/crypto.h"
#include "util/times.h"

/* A body extends its request's deadline at this rate; only the stall limit ends a slower line. */
#define SLOWEST_BYTES_PER_MSEC 64
/* Servers refuse a signature that is 15 minutes off. A refusal without a code (of a HEAD) is
 * taken for that from this difference on. */
#define SKEW_MIN_SECS (5 * 60)

/* True: the clock was corrected by the Date of the server, and the request should be sent again. */
static bool correct_clock(struct s3_client *client, const struct http_reply *reply,
			  int64_t signed_secs, const struct remote_error *error)
{
	const char *date = http_response_header(&reply->head, "Date");
	bool is_said = strcmp(error->code, "RequestTimeTooSkewed") == 0;
	int64_t theirs;

	if (!date || time_parse_rfc2822(date, &theirs) < 0 || reply->head.status != 403 ||
	    (!is_said && *error->code))
		return false;
	if (!is_said && theirs - signed_secs < SKEW_MIN_SECS &&
	    signed_secs - theirs < SKEW_MIN_SECS)
		return false;
	atomic_store(&client->clock_offset_secs, theirs - time_now_secs());
	return true;
}

static int hash_payload(const struct s3_call *call,
			char ret_hex[CRYPTO_HEX_SIZE(CRYPTO_SHA256_SIZE)])
{
	uint8_t digest[CRYPTO_SHA256_SIZE];
	int err = 0;

	if (!call->sha256)
		err = crypto_sha256(call->body_len ? call->body : "", call->body_len, digest);
	if (!err)
		crypto_hex(call->sha256 ? call->sha256 : digest, sizeof digest, ret_hex);
	return err;
}

static int send_call(struct s3_client *client, const struct aws_credentials *credentials,
		     struct s3_call *call, const char *payload_sha256, int64_t time_secs,
		     int64_t left_msecs, struct remote_error *ret_error)
{
	struct http_reply *reply = &call->reply;
	cleanup_s3_request struct s3_request_memory *memory = NULL;
	struct http_request request;
	int err = s3_call_sign(client, credentials, call, payload_sha256, time_secs, &request,
			       &memory);

	if (err)
		return s3_fail(ret_error, REMOTE_TRANSIENT, err, "the request cannot be signed");
	request.body = call->body;
	request.body_len = call->body_len;
	request.total_timeout_msecs = left_msecs < 1           ? 1
				      : left_msecs >= UINT_MAX ? UINT_MAX - 1
							       : (unsigned)left_msecs;
	err = http_perform(client->http, &request,
			   call->limit_bytes ? call->limit_bytes : S3_ANSWER_LIMIT_BYTES,
			   client->cancel, reply, ret_error);
	if (!err) {
		s3_judge(&reply->head, reply->body, reply->body_len, ret_error);
		/* A gateway answered, and does not know whether the server behind it has acted. */
		if (call->is_once && ret_error->kind == REMOTE_TRANSIENT && !*ret_error->code)
			ret_error->kind = REMOTE_UNCERTAIN;
	}
	return ret_error->error;
}

int s3_call_run(struct s3_client *client, struct s3_call *call, struct remote_error *ret_error)
{
	char sha256[CRYPTO_HEX_SIZE(CRYPTO_SHA256_SIZE)];
	bool clock_was_corrected = false, keys_were_renewed = false, may_go_on = true;
	struct retry retry;
	int64_t total;

	if (!call->is_on_bucket && s3_key_check(call->key, ret_error))
		return ret_error->error;
	if (call->document.len) {
		call->body = call->document.data;
		call->body_len = call->document.len;
		s3_pairs_add(&call->headers, "Content-Type", "application/xml");
	}
	if (buf_failed(&call->document) || hash_payload(call, sha256))
		return s3_fail(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
	total = client->total_timeout_msecs + (int64_t)(call->body_len / SLOWEST_BYTES_PER_MSEC);
	retry_init(&retry, 0, total > UINT_MAX ? UINT_MAX : (unsigned)total);
	while (may_go_on) {
		cleanup_credentials struct aws_credentials credentials = { .access_key = NULL };
		int64_t now, began;
		int err;

		if (s3_client_credentials(client, &credentials, ret_error))
			return ret_error->error;
		if (client->gate.before)
			client->gate.before(client->gate.arg);
		now = s3_client_now(client);
		began = time_mono_msecs();
		err = send_call(client, &credentials, call, sha256, now,
				retry.deadline_msecs - began, ret_error);
		if (client->gate.after)
			client->gate.after(client->gate.arg, ret_error, began);
		if (err == 0)
			return 0;
		if (ret_error->kind == REMOTE_UNCERTAIN || ret_error->kind == REMOTE_TRANSIENT)
			call->was_uncertain = true;
		if (!clock_was_corrected && correct_clock(client, &call->reply, now, ret_error)) {
			clock_was_corrected = true;
		} else if (client->source && !keys_were_renewed && s3_keys_are_refused(ret_error)) {
			/* The keys were revoked early, or renewed by another program. */
			aws_source_distrust(client->source, &credentials);
			keys_were_renewed = true;
		} else {
			may_go_on = retry_wait(&retry, ret_error, !call->is_once, client->cancel);
		}
		http_reply_release(&call->reply);
	}
	if (cancel_is_set(client->cancel) && ret_error->kind != REMOTE_UNCERTAIN)
		s3_fail(ret_error, REMOTE_CANCELLED, -ECANCELED, "cancelled");
	return ret_error->error;
}

int s3_call_get_document(struct s3_client *client, struct s3_call *call, const char *name,
			 struct remote_error *ret_error)
{
	/* RGW has its own code for a bucket created without object lock. */
	static const char *const missing[] = { "NoSuchCORSConfiguration",
					       "NoSuchLifecycleConfiguration",
					       "NoSuchObjectLockConfiguration",
					       "ObjectLockConfigurationNotFoundError" };
	int err;

	call->method = HTTP_GET;
	call->is_on_bucket = true;
	s3_pairs_add(&call->query, name, "");
	err = s3_call_run(client, call, ret_error);
	for (size_t i = 0; err && i < ARRAY_SIZE(missing); i++)
		if (strcmp(ret_error->code, missing[i]) == 0) {
			remote_error_clear(ret_error);
			err = 0;
		}
	return err;
}

int s3_call_put_document(struct s3_client *client, struct s3_call *call, const char *name,
			 struct remote_error *ret_error)
{
	char md5[CRYPTO_BASE64_SIZE(CRYPTO_MD5_SIZE)];
	uint8_t digest[CRYPTO_MD5_SIZE];

	if (crypto_md5(buf_str(&call->document), call->document.len, digest))
		return s3_fail(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
	crypto_base64(digest, sizeof digest, md5);
	call->method = HTTP_PUT;
	call->is_on_bucket = true;
	s3_pairs_add(&call->query, name, "");
	s3_pairs_add(&call->headers, "Content-MD5", md5);
	return s3_call_run(client, call, ret_error);
}
