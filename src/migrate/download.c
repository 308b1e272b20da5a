/* Downloading from Twilio into the buffer; every answer is checked before it is used. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "catalog/size.h"
#include "migrate/migrate-private.h"
#include "net/retry.h"
#include "util/cleanup.h"
#include "util/times.h"

#define CODE_REALLY_MONO 16113
#define TRIES 5
#define TRIES_MSECS 30000

static int start(struct transfer *t, int channels)
{
	cleanup_twilio_request struct twilio_request_memory *memory = NULL;
	struct http_request request;
	int err;

	side_request(&t->lane->twilio, &t->run->cancel);
	t->began_msecs = time_mono_msecs();
	err = twilio_request_media(t->twilio, &t->recording->sid, channels, 0, -1, NULL, &request,
				   &memory);
	/* However long it is: a stall ends it. */
	request.total_timeout_msecs = UINT_MAX;
	http_stream_stop(&t->stream);
	if (err == 0)
		err = http_stream_start(&t->stream, t->migrate->http, &request);
	return err ? job_result_set_local(t->result, "the request to Twilio cannot be sent", err)
		   : 0;
}

static int look_under_key(struct transfer *t)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct s3_object object;

	if (s3_head_object(t->s3, t->key, &object, &error) == 0)
		t->object_exists = true;
	else if (error.kind != REMOTE_NOT_FOUND)
		return transfer_fail_remote(t, "S3", &error);
	return 0;
}

/* 0: an answer that may be audio. Else *ret_error. */
static int judge(struct transfer *t, struct remote_error *ret_error)
{
	struct http_stream *stream = &t->stream;
	int err = http_stream_wait_head(stream, ret_error);

	if (err == 0) {
		remote_error_clear(ret_error);
		twilio_judge_media(&stream->response, t->recording->is_encrypted,
				   stream->error_body, stream->error_body_len, ret_error);
	}
	if (ret_error->kind == REMOTE_OK && stream->response.status != 200)
		remote_error_set(ret_error, REMOTE_INVALID, -EIO,
				 "Twilio: HTTP %d where all of a recording was asked for",
				 stream->response.status);
	side_answered(&t->lane->twilio, ret_error, t->began_msecs);
	return ret_error->kind == REMOTE_OK ? 0 : -EIO;
}

/* A recording has a largest possible size: no memory and no parts for more. */
static int check_length(struct transfer *t, int64_t bytes)
{
	int64_t limit = catalog_recording_limit_bytes(t->recording);

	if (bytes <= limit)
		return 0;
	return transfer_doubt(t, "Twilio gives %lld bytes, and its duration allows %lld",
			      (long long)bytes, (long long)limit);
}

/* The whole recording, or one part of it. The largest recording has far less than PARTS_LIMIT. */
static size_t buffer_bytes(const struct transfer *t)
{
	int64_t announced = t->stream.response.content_length;
	int64_t length = announced >= 0 ? announced : t->recording->size_bytes;
	size_t want = PART_BYTES;

	if (length >= 0 && length < (int64_t)want)
		want = length < (int64_t)BUFFER_MIN_BYTES ? BUFFER_MIN_BYTES : (size_t)length;
	return want;
}

int download_open(struct transfer *t)
{
	struct catalog_size learned = { t->recording->id, t->recording->size_bytes, 1,
					t->recording->channels_stored };
	int channels = t->recording->channels_requested == 1 ? 1 : 2, err;
	struct remote_error error = REMOTE_ERROR_INIT;
	bool has_looked = false;
	struct retry retry;

	retry_init(&retry, TRIES, TRIES_MSECS);
	for (;;) {
		err = start(t, channels);
		/* While Twilio prepares its answer: does the object exist already? */
		if (err == 0 && !has_looked)
			err = look_under_key(t);
		if (err)
			return err;
		has_looked = true;
		if (judge(t, &error) == 0)
			break;
		if (error.twilio_code == CODE_REALLY_MONO && channels == 2) {
			channels = 1;
			continue;
		}
		if (error.kind == REMOTE_NOT_FOUND)
			return transfer_media_missing(t);
		if ((error.kind != REMOTE_BUSY && error.kind != REMOTE_TRANSIENT &&
		     error.kind != REMOTE_UNCERTAIN) ||
		    !retry_wait(&retry, &error, true, &t->run->cancel))
			return transfer_fail_remote(t, "Twilio", &error);
	}
	/* Noted, so that the next request asks for one channel at once. A lost note costs one request. */
	if (channels == 1 && t->recording->channels_requested != 1 && t->recording->size_bytes >= 0)
		catalog_sizes_set(t->migrate->catalog, &learned, 1);
	t->channels = channels;
	err = check_length(t, t->stream.response.content_length);
	return err ? err : transfer_buffer(t, buffer_bytes(t));
}

int download_fill(struct transfer *t, size_t *ret_len, bool *ret_end)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	char reason[CONTENT_REASON_SIZE];
	bool is_first = t->content.size_bytes == 0;
	int64_t announced = t->stream.response.content_length;
	int err = http_stream_fill(&t->stream, t->buffer, t->capacity_bytes, ret_len, ret_end,
				   &error);

	if (err) {
		side_answered(&t->lane->twilio, &error, t->began_msecs);
		return transfer_fail_remote(t, "Twilio", &error);
	}
	side_moved(&t->lane->twilio, *ret_len, &t->run->cancel);
	if (*ret_end)
		transfer_leave_twilio(t);
	if (is_first && !t->recording->is_encrypted &&
	    content_check_head(&t->content, t->buffer, *ret_len, t->channels, reason))
		return transfer_doubt(t, "%s", reason);
	err = content_add(&t->content, t->buffer, *ret_len, !(is_first && *ret_end));
	if (err)
		return job_result_set_local(t->result, "it cannot be hashed", err);
	err = check_length(t, t->content.size_bytes);
	if (err)
		return err;
	/* Every byte is downloaded and uploaded. */
	t->run->done_bytes += (int64_t)*ret_len;
	t->run->total_bytes = 2 * (announced > 0 ? announced : t->content.size_bytes);
	if (!*ret_end && t->capacity_bytes < PART_BYTES)
		return transfer_doubt(t, "Twilio gave more than a file of %lld bytes",
				      (long long)t->recording->size_bytes);
	return 0;
}

int download_check_end(struct transfer *t)
{
	char etag[64], reason[CONTENT_REASON_SIZE];
	int err = content_finish(&t->content);

	if (err)
		return job_result_set_local(t->result, "it cannot be hashed", err);
	twilio_etag_copy(http_response_header(&t->stream.response, "ETag"), etag, sizeof etag);
	if (content_check_end(&t->content, t->recording, t->stream.response.content_length, etag,
			      reason))
		return transfer_doubt(t, "%s", reason);
	return 0;
}
