/* Sends an operation: its retries, the correction of the clock, the judgement of the answer. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "aws/s3-private.h"
#include "net/retry.h"
#include "util/crypto.h"
#include "util/times.h"

/* A body extends the deadline of its request at this rate; a slower line is ended by the stall
 * limit only. */
#define SLOWEST_BYTES_PER_MSEC 64
/* Servers refuse a signature that is 15 minutes off. A refusal without a code (of a HEAD) is
 * taken for that from this difference on. */
#define SKEW_MIN_SECS (5 * 60)

/* True: the clock was corrected by the Date of the server, and the request should be sent again. */
static bool correct_clock(struct s3_client *client, const struct http_reply *reply,
			  int64_t signed_secs, const struct remote_error *error)
{
	const char *date = http_reply_header(reply, "Date");
	bool is_said = strcmp(error->code, "RequestTimeTooSkewed") == 0;
	int64_t theirs;

	if (!date || time_parse_rfc2822(date, &theirs) < 0 || reply->status != 403 ||
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
		     const struct s3_call *call, const char *payload_sha256, int64_t time_secs,
		     int64_t left_msecs, struct http_reply *ret_reply,
		     struct remote_error *ret_error)
{
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
			   client->cancel, ret_reply, ret_error);
	if (!err) {
		struct http_response response = { ret_reply->status, ret_reply->content_length,
						  ret_reply->headers, ret_reply->header_count };

		s3_judge(&response, ret_reply->body, ret_reply->body_len, ret_error);
		/* A gateway answered, and does not know whether the server behind it has acted. */
		if (call->is_once && ret_error->kind == REMOTE_TRANSIENT && !*ret_error->code)
			ret_error->kind = REMOTE_UNCERTAIN;
	}
	return ret_error->error;
}

int s3_call_run(struct s3_client *client, struct s3_call *call, struct http_reply *ret_reply,
		struct remote_error *ret_error)
{
	int64_t total =
		client->total_timeout_msecs + (int64_t)(call->body_len / SLOWEST_BYTES_PER_MSEC);
	char sha256[CRYPTO_HEX_SIZE(CRYPTO_SHA256_SIZE)];
	bool clock_was_corrected = false, keys_were_renewed = false;
	struct retry retry;

	*ret_reply = (struct http_reply)HTTP_REPLY_INIT;
	if (hash_payload(call, sha256))
		return s3_fail(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
	retry_init(&retry, 0, total > UINT_MAX ? UINT_MAX : (unsigned)total);
	for (;;) {
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
				retry.deadline_msecs - began, ret_reply, ret_error);
		if (client->gate.after)
			client->gate.after(client->gate.arg, ret_error, began);
		if (err == 0)
			return 0;
		if (ret_error->kind == REMOTE_UNCERTAIN || ret_error->kind == REMOTE_TRANSIENT)
			call->was_uncertain = true;
		if (!clock_was_corrected && correct_clock(client, ret_reply, now, ret_error)) {
			clock_was_corrected = true;
			http_reply_release(ret_reply);
			continue;
		}
		/* The keys were revoked, or renewed by another program, before they expired. */
		if (client->source && !keys_were_renewed && s3_keys_are_refused(ret_error)) {
			aws_source_distrust(client->source, &credentials);
			keys_were_renewed = true;
			http_reply_release(ret_reply);
			continue;
		}
		http_reply_release(ret_reply);
		if (!retry_wait(&retry, ret_error, !call->is_once, client->cancel))
			break;
	}
	if (cancel_is_set(client->cancel) && ret_error->kind != REMOTE_UNCERTAIN)
		s3_fail(ret_error, REMOTE_CANCELLED, -ECANCELED, "cancelled");
	return ret_error->error;
}
