/* Streams: the callbacks on the loop's thread, and the waits of the thread that reads. */
#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/http-private.h"
#include "util/wait.h"

void http_stream_init(struct http_stream *stream, const struct cancel *cancel)
{
	memset(stream, 0, sizeof *stream);
	stream->cancel = cancel;
	pthread_mutex_init(&stream->mutex, NULL);
	cond_init(&stream->cond);
}

/* ---- on the loop's thread ---- */

static int on_head(void *arg, struct http_transfer *transfer, const struct http_response *response)
{
	struct http_stream *stream = arg;
	int err;

	pthread_mutex_lock(&stream->mutex);
	stream->response = *response;
	err = http_headers_copy(response->headers, response->header_count,
				&stream->response.headers, &stream->response.header_count);
	stream->is_out_of_memory = err != 0;
	stream->has_head = !err;
	pthread_cond_signal(&stream->cond);
	pthread_mutex_unlock(&stream->mutex);
	if (!err && stream->consumer.on_head)
		err = stream->consumer.on_head(stream->consumer.arg, transfer, response);
	return err;
}

static bool has_content(const struct http_stream *stream)
{
	return stream->response.status == 200 || stream->response.status == 206;
}

static enum http_data take_content(struct http_stream *stream, const void *bytes, size_t n)
{
	size_t space = stream->capacity - stream->len, taken;

	/* After a pause the same bytes come again, also those that were taken. */
	if (n <= stream->taken_before) {
		stream->taken_before -= n;
		return HTTP_DATA_OK;
	}
	bytes = (const char *)bytes + stream->taken_before;
	n -= stream->taken_before;
	taken = n < space ? n : space;
	if (taken)
		memcpy(stream->buffer + stream->len, bytes, taken);
	stream->len += taken;
	stream->received_bytes += (int64_t)taken;
	if (taken == n) {
		stream->taken_before = 0;
		return HTTP_DATA_OK;
	}
	stream->taken_before += taken;
	stream->is_paused = true;
	pthread_cond_signal(&stream->cond);
	return HTTP_DATA_PAUSE;
}

static void take_error(struct http_stream *stream, const void *bytes, size_t n)
{
	size_t space = sizeof stream->error_body - stream->error_body_len;

	if (n > space)
		n = space;
	memcpy(stream->error_body + stream->error_body_len, bytes, n);
	stream->error_body_len += n;
}

static enum http_data on_data(void *arg, struct http_transfer *transfer, const void *bytes,
			      size_t n)
{
	struct http_stream *stream = arg;
	enum http_data result = HTTP_DATA_OK;

	if (stream->consumer.on_data)
		return stream->consumer.on_data(stream->consumer.arg, transfer, bytes, n);
	pthread_mutex_lock(&stream->mutex);
	if (has_content(stream))
		result = take_content(stream, bytes, n);
	else
		take_error(stream, bytes, n);
	pthread_mutex_unlock(&stream->mutex);
	return result;
}

static void on_done(void *arg, const struct remote_error *error)
{
	struct http_stream *stream = arg;

	pthread_mutex_lock(&stream->mutex);
	stream->error = *error;
	if (stream->is_out_of_memory)
		remote_fail(&stream->error, REMOTE_TRANSIENT, -ENOMEM, "memory", "out of memory");
	stream->is_done = true;
	pthread_cond_signal(&stream->cond);
	pthread_mutex_unlock(&stream->mutex);
}

/* ---- on the waiting thread ---- */

int http_stream_start(struct http_stream *stream, struct http *http,
		      const struct http_request *request)
{
	struct http_request copy = *request;

	if (request->on_done)
		return -EINVAL;
	if (pthread_equal(pthread_self(), http->thread))
		return -EDEADLK;
	stream->consumer = *request;
	copy.on_head = on_head;
	copy.on_data = on_data;
	copy.on_done = on_done;
	copy.arg = stream;
	return http_submit(http, &copy, &stream->transfer);
}

static bool wait_more(struct http_stream *stream)
{
	return cond_wait_until(&stream->cond, &stream->mutex, WAIT_NO_DEADLINE, stream->cancel);
}

/* Mutex held. on_done comes soon after a cancel; nothing of the stream may be freed before. */
static void cancel_and_wait(struct http_stream *stream)
{
	if (!stream->is_done)
		http_transfer_cancel(stream->transfer);
	while (!stream->is_done)
		cond_wait_until(&stream->cond, &stream->mutex, WAIT_NO_DEADLINE, NULL);
}

void http_stream_wait(struct http_stream *stream, struct remote_error *ret_error)
{
	pthread_mutex_lock(&stream->mutex);
	while (!stream->is_done && wait_more(stream))
		;
	cancel_and_wait(stream);
	*ret_error = stream->error;
	pthread_mutex_unlock(&stream->mutex);
}

static int end_of_wait(const struct http_stream *stream, struct remote_error *ret_error)
{
	if (stream->is_done && stream->error.kind != REMOTE_OK) {
		*ret_error = stream->error;
		return stream->error.error ? stream->error.error : -EIO;
	}
	if (cancel_is_set(stream->cancel))
		return remote_fail(ret_error, REMOTE_CANCELLED, -ECANCELED, "", "cancelled");
	return 0;
}

int http_stream_wait_head(struct http_stream *stream, struct remote_error *ret_error)
{
	int err = 0;

	pthread_mutex_lock(&stream->mutex);
	while (!stream->is_done && !(stream->has_head && has_content(stream)) && wait_more(stream))
		;
	/* A complete head counts, however its body ended: an error's body may be cut. */
	if (!stream->has_head || cancel_is_set(stream->cancel))
		err = end_of_wait(stream, ret_error);
	if (!err && !stream->has_head)
		err = remote_fail(ret_error, REMOTE_TRANSIENT, -EIO, "", "no answer");
	pthread_mutex_unlock(&stream->mutex);
	return err;
}

int http_stream_fill(struct http_stream *stream, void *buffer, size_t capacity, size_t *ret_len,
		     bool *ret_end, struct remote_error *ret_error)
{
	int err;

	pthread_mutex_lock(&stream->mutex);
	stream->buffer = buffer;
	stream->capacity = capacity;
	stream->len = 0;
	if (stream->is_paused) {
		stream->is_paused = false;
		http_transfer_resume(stream->transfer);
	}
	while (!stream->is_done && !stream->is_paused && wait_more(stream))
		;
	err = end_of_wait(stream, ret_error);
	*ret_len = stream->len;
	*ret_end = stream->is_done;
	/* The buffer is the caller's again: nothing more is written to it. */
	stream->buffer = NULL;
	stream->capacity = stream->len = 0;
	pthread_mutex_unlock(&stream->mutex);
	return err;
}

void http_stream_stop(struct http_stream *stream)
{
	if (!stream->transfer)
		return;
	pthread_mutex_lock(&stream->mutex);
	stream->buffer = NULL;
	stream->capacity = stream->len = 0;
	cancel_and_wait(stream);
	pthread_mutex_unlock(&stream->mutex);
	http_transfer_unref(stream->transfer);
	stream->transfer = NULL;
	http_headers_free(stream->response.headers, stream->response.header_count);
	memset(&stream->response, 0, sizeof stream->response);
	stream->has_head = stream->is_paused = stream->is_done = stream->is_out_of_memory = false;
	stream->error_body_len = stream->taken_before = 0;
	stream->received_bytes = 0;
}

void http_stream_release(struct http_stream *stream)
{
	http_stream_stop(stream);
	pthread_mutex_destroy(&stream->mutex);
	pthread_cond_destroy(&stream->cond);
}
