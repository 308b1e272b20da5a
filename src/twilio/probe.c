/*
 * Learns a recording's exact size and channels with as few bytes as the server allows:
 *
 *   GET, Range: bytes=0-4095  206 with a total: the size is known; 200 with a length: the size is
 *                             known, and the rest is not read
 *   HEAD                      where the GET gave no length
 *   GET                       all of it, counted, where HEAD gives no length either, or an
 *                             impossible one
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "net/retry.h"
#include "net/stream.h"
#include "twilio/twilio-private.h"
#include "twilio/wav.h"
#include "util/cleanup.h"
#include "util/times.h"

#define RANGE_BYTES 4096
#define WIDE_RANGE_BYTES 65536
#define TRIES 8
#define WRONG_TRIES 3 /* answers that cannot be right: a page of a proxy, say */

/* ---- one transfer, cut off when its body has shown enough ---- */

struct look {
	struct twilio_client *client;
	struct http_stream stream;
	bool is_encrypted, read_all;
	int64_t limit_bytes;

	/* These belong to the loop thread while the stream runs. */
	int64_t count_bytes;
	struct buf start; /* the first bytes of the body */
	bool has_enough, is_out_of_memory;
};

/* The rest of the body is not needed: size and channels are known, or the error is. */
static bool is_enough(const struct look *look)
{
	const struct http_response *response = &look->stream.response;
	struct wav_info info;

	if (look->read_all)
		return look->count_bytes > look->limit_bytes;
	if (response->status != 200)
		return look->start.len >= WIDE_RANGE_BYTES;
	/* Reading the small rest keeps the connection usable. */
	if (response->content_length >= 0 && response->content_length <= WIDE_RANGE_BYTES)
		return false;
	return look->is_encrypted || look->start.len >= WIDE_RANGE_BYTES ||
	       wav_parse(buf_str(&look->start), look->start.len, &info) != -EAGAIN;
}

static enum http_data on_data(void *arg, struct http_transfer *transfer, const void *bytes,
			      size_t n)
{
	struct look *look = arg;
	size_t room = WIDE_RANGE_BYTES - look->start.len;

	look->count_bytes += (int64_t)n;
	buf_add(&look->start, bytes, n < room ? n : room);
	look->is_out_of_memory = buf_failed(&look->start);
	look->has_enough = is_enough(look);
	return look->is_out_of_memory || look->has_enough ? HTTP_DATA_ABORT : HTTP_DATA_OK;
}

static void look_perform(struct look *look, struct http_request *request,
			 struct remote_error *ret_error)
{
	const struct http_response *response = &look->stream.response;
	int err;

	buf_reset(&look->start);
	look->count_bytes = 0;
	look->has_enough = look->is_out_of_memory = false;
	request->on_data = on_data;
	request->arg = look;
	http_stream_stop(&look->stream);
	err = http_stream_start(&look->stream, look->client->http, request);
	if (err) {
		remote_error_set(ret_error, REMOTE_REJECTED, err,
				 "Twilio: the request could not be made");
		return;
	}
	http_stream_wait(&look->stream, ret_error);
	twilio_note_date(look->client, http_response_header(response, "Date"));
	if (look->is_out_of_memory)
		remote_error_set(ret_error, REMOTE_INVALID, -ENOMEM, "out of memory");
	else if (ret_error->kind == REMOTE_OK ||
		 (ret_error->kind == REMOTE_CANCELLED && look->has_enough))
		twilio_judge_media(response, look->is_encrypted, buf_str(&look->start),
				   request->method == HTTP_HEAD ? 0 : look->start.len, ret_error);
}

/* ---- the probe ---- */

struct probe {
	struct twilio_client *client;
	const struct sid *sid;
	struct look look;
	int channels_requested;
	int64_t range_bytes; /* 0: no range */
	enum http_method method;
	int64_t seen_bytes; /* the file has at least this many */
	unsigned spread_tried, spread_tries, wrong_tried;
	bool was_missing;
	struct retry retry;
};

/* A wrong answer may come from a proxy, and the next one be right. */
static bool wait_for_another(struct probe *probe, const struct remote_error *error)
{
	struct remote_error again = *error;

	if (error->kind == REMOTE_INVALID && error->error == -EIO &&
	    ++probe->wrong_tried < WRONG_TRIES)
		again.kind = REMOTE_TRANSIENT;
	return retry_wait(&probe->retry, &again, true, probe->client->cancel);
}

static void read_all(struct probe *probe)
{
	probe->method = HTTP_GET;
	probe->look.read_all = true;
	probe->range_bytes = 0;
}

/* After a failed request: 0 and another request set up in *probe, or the errno of the error. */
static int recover(struct probe *probe, struct remote_error *error)
{
	if (error->twilio_code == 16113 && probe->channels_requested == 2) {
		/* The recording is mono. */
		probe->channels_requested = 1;
		return 0;
	}
	if (probe->look.stream.response.status == 416 && probe->range_bytes) {
		/* An empty file has no range. */
		probe->range_bytes = 0;
		return 0;
	}
	if (probe->method == HTTP_HEAD && error->kind != REMOTE_BUSY && error->status >= 400) {
		/* The server does not support HEAD for media. */
		read_all(probe);
		return 0;
	}
	if (error->kind == REMOTE_NOT_FOUND) {
		if (!probe->was_missing)
			probe->spread_tries =
				twilio_judge_missing(probe->client, probe->sid, error);
		probe->was_missing = true;
		if (probe->spread_tried < probe->spread_tries &&
		    twilio_pause_spreading(probe->client, probe->spread_tried,
					   probe->retry.deadline_msecs)) {
			probe->spread_tried++;
			return 0;
		}
		return error->error;
	}
	return wait_for_another(probe, error) ? 0 : error->error;
}

/* The size of the file by the answer; -1: unknown, or no such answer. */
static int64_t range_total(const struct http_response *response)
{
	int64_t first, last, total;

	return http_response_content_range(response, &first, &last, &total) < 0 ? -1 : total;
}

/* The size; -1: not in the answer, and the next request is set up; -EIO: no request tells it. */
static int64_t take_size(struct probe *probe)
{
	const struct look *look = &probe->look;
	const struct http_response *response = &look->stream.response;
	int64_t length = response->content_length;

	if (probe->method == HTTP_HEAD) {
		/* Some servers answer a HEAD with length 0 where a GET would be chunked. */
		if (length > 0 && length >= probe->seen_bytes)
			return length;
	} else if (response->status == 206) {
		if (range_total(response) >= 0)
			return range_total(response);
	} else if (length >= 0) {
		return length;
	} else if (!look->has_enough || look->read_all) {
		return look->count_bytes;
	}
	if (look->read_all)
		return -EIO;
	if (probe->method == HTTP_HEAD) {
		read_all(probe);
		return -1;
	}
	probe->seen_bytes = look->count_bytes;
	probe->method = HTTP_HEAD;
	probe->range_bytes = 0;
	return -1;
}

/* 0: *info is filled from the body's start; -EAGAIN: a wider range is set up; else an error. */
static int take_start(struct probe *probe, struct twilio_media_info *info,
		      struct remote_error *ret_error)
{
	struct look *look = &probe->look;
	const struct http_response *response = &look->stream.response;
	struct wav_info wav = { .channels = 0 };
	int64_t first, last, total;

	if (response->status == 206 &&
	    (http_response_content_range(response, &first, &last, &total) < 0 || first != 0))
		return twilio_invalid(ret_error,
				      "Twilio: another range of the file than requested");
	twilio_etag_copy(http_response_header(response, "ETag"), info->etag, sizeof info->etag);
	info->channels_requested = probe->channels_requested;
	/* Even a WAV without samples has a head. */
	if (!look->start.len)
		return twilio_invalid(ret_error, "Twilio: an empty recording");
	if (look->is_encrypted)
		return 0;
	wav_parse(buf_str(&look->start), look->start.len, &wav);
	info->channels_stored = wav.channels;
	if (wav.channels)
		return 0;
	if (response->status == 206 && probe->range_bytes == RANGE_BYTES && total > RANGE_BYTES) {
		/* A long chunk comes before the fmt chunk. */
		probe->range_bytes = WIDE_RANGE_BYTES;
		return -EAGAIN;
	}
	return twilio_invalid(ret_error, "Twilio: a WAV file without a fmt chunk");
}

/* Takes the facts of a good answer. The size is set only when no further request is needed. */
static void take_answer(struct probe *probe, struct twilio_media_info *info,
			struct remote_error *ret_error)
{
	int64_t limit = probe->look.limit_bytes, size;

	if (probe->method == HTTP_GET && take_start(probe, info, ret_error))
		return;
	size = take_size(probe);
	if (size == -EIO)
		twilio_invalid(ret_error, "Twilio: the size of the recording cannot be determined");
	else if (size > limit)
		remote_error_set(ret_error, REMOTE_INVALID, -EFBIG,
				 "Twilio: a size of %" PRId64
				 " bytes, and its duration allows %" PRId64,
				 size, limit);
	else
		info->size_bytes = size;
}

static int probe_run(struct probe *probe, struct twilio_media_info *info,
		     struct remote_error *ret_error)
{
	while (info->size_bytes < 0) {
		cleanup_twilio_request struct twilio_request_memory *memory = NULL;
		struct http_request request;
		int64_t left = probe->retry.deadline_msecs - time_mono_msecs();
		int err;

		err = twilio_request_media(probe->client, probe->sid, probe->channels_requested, 0,
					   probe->range_bytes ? probe->range_bytes : -1, NULL,
					   &request, &memory);
		if (err < 0)
			return remote_error_set(ret_error, REMOTE_INVALID, err, "out of memory");
		request.method = probe->method;
		request.total_timeout_msecs = left > 1 ? (unsigned)left : 1;
		look_perform(&probe->look, &request, ret_error);
		if (ret_error->kind == REMOTE_OK)
			take_answer(probe, info, ret_error);
		if (ret_error->kind != REMOTE_OK)
			err = recover(probe, ret_error);
		if (err < 0)
			return err;
	}
	return 0;
}

int twilio_probe_media(struct twilio_client *client, const struct sid *sid, bool is_encrypted,
		       int channels_hint, int64_t limit_bytes, struct twilio_media_info *ret_info,
		       struct remote_error *ret_error)
{
	struct probe probe = {
		.client = client,
		.sid = sid,
		.channels_requested = channels_hint == 1 ? 1 : 2,
		.range_bytes = RANGE_BYTES,
		.method = HTTP_GET,
		.look = { .client = client,
			  .is_encrypted = is_encrypted,
			  .limit_bytes = limit_bytes,
			  .start = BUF_INIT },
	};
	int err;

	remote_error_clear(ret_error);
	*ret_info = (struct twilio_media_info){ .size_bytes = -1 };
	retry_init(&probe.retry, TRIES, client->total_timeout_msecs);
	http_stream_init(&probe.look.stream, client->cancel);
	err = probe_run(&probe, ret_info, ret_error);
	http_stream_release(&probe.look.stream);
	buf_release(&probe.look.start);
	return err;
}
