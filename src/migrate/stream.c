/* A download as a stream: what the event loop receives waits for the worker. */
#include "migrate/stream.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util/wait.h"

void stream_init(struct stream *stream, const struct cancel *cancel)
{
	memset(stream, 0, sizeof *stream);
	stream->cancel = cancel;
	pthread_mutex_init(&stream->mutex, NULL);
	cond_init(&stream->cond);
}

/* ---- on the engine's thread ---- */

/* A header more than fits, or no memory, leaves it out: none is needed to believe an answer, only
 * to doubt one. */
static void copy_head(struct stream *stream, const struct http_response *response)
{
	size_t count = 0;

	stream->response = *response;
	for (size_t i = 0; i < response->header_count && count < STREAM_HEADERS; i++) {
		char *name = strdup(response->headers[i].name),
		     *value = strdup(response->headers[i].value);

		if (!name || !value) {
			free(name);
			free(value);
			continue;
		}
		stream->headers[count++] = (struct http_header){ name, value };
	}
	stream->response.headers = stream->headers;
	stream->response.header_count = count;
}

static int on_head(void *arg, struct http_transfer *transfer, const struct http_response *response)
{
	struct stream *stream = arg;

	(void)transfer;
	pthread_mutex_lock(&stream->mutex);
	copy_head(stream, response);
	stream->has_head = true;
	pthread_cond_signal(&stream->cond);
	pthread_mutex_unlock(&stream->mutex);
	return 0;
}

static bool has_content(const struct stream *stream)
{
	return stream->response.status == 200 || stream->response.status == 206;
}

static enum http_data take_content(struct stream *stream, const void *bytes, size_t n)
{
	size_t space = stream->capacity - stream->len, taken;

	/* What was refused comes again from its first byte: also that part of it that was taken. */
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

static enum http_data on_data(void *arg, struct http_transfer *transfer, const void *bytes,
			      size_t n)
{
	struct stream *stream = arg;
	enum http_data result = HTTP_DATA_OK;

	(void)transfer;
	pthread_mutex_lock(&stream->mutex);
	if (has_content(stream)) {
		result = take_content(stream, bytes, n);
	} else {
		size_t space = sizeof stream->error_body - stream->error_body_len;

		memcpy(stream->error_body + stream->error_body_len, bytes, n < space ? n : space);
		stream->error_body_len += n < space ? n : space;
	}
	pthread_mutex_unlock(&stream->mutex);
	return result;
}

static void on_done(void *arg, const struct remote_error *error)
{
	struct stream *stream = arg;

	pthread_mutex_lock(&stream->mutex);
	stream->error = *error;
	stream->is_done = true;
	pthread_cond_signal(&stream->cond);
	pthread_mutex_unlock(&stream->mutex);
}

/* ---- on the worker's ---- */

int stream_start(struct stream *stream, struct http *http, struct http_request *request)
{
	struct http_transfer *transfer;
	int err;

	request->on_head = on_head;
	request->on_data = on_data;
	request->on_done = on_done;
	request->arg = stream;
	/* A long recording may take long; that nothing comes for too long is another matter. */
	request->total_timeout_msecs = UINT_MAX;
	/* on_done waits for the mutex, so that the transfer is there until we have our reference.
	 */
	pthread_mutex_lock(&stream->mutex);
	err = http_submit(http, request, &transfer);
	if (err == 0) {
		stream->transfer = http_transfer_ref(transfer);
		stream->is_started = true;
	}
	pthread_mutex_unlock(&stream->mutex);
	return err;
}

static bool is_cancelled(const struct stream *stream)
{
	return cancel_is_set(stream->cancel);
}

static int end_of_wait(const struct stream *stream, struct remote_error *ret_error)
{
	if (stream->is_done && stream->error.kind != REMOTE_OK) {
		*ret_error = stream->error;
		return stream->error.error ? stream->error.error : -EIO;
	}
	if (is_cancelled(stream)) {
		remote_error_clear(ret_error);
		remote_error_set(ret_error, REMOTE_CANCELLED, -ECANCELED, "cancelled");
		return -ECANCELED;
	}
	return 0;
}

int stream_wait_head(struct stream *stream, struct remote_error *ret_error)
{
	int err;

	pthread_mutex_lock(&stream->mutex);
	while (!stream->is_done && !(stream->has_head && has_content(stream)) &&
	       !is_cancelled(stream))
		cond_wait_msecs(&stream->cond, &stream->mutex, CANCEL_POLL_MSECS);
	/* A head that came stands, whatever became of its body; an error's body may be cut. */
	err = stream->has_head && !is_cancelled(stream) ? 0 : end_of_wait(stream, ret_error);
	if (err == 0 && !stream->has_head) {
		remote_error_clear(ret_error);
		remote_error_set(ret_error, REMOTE_TRANSIENT, -EIO, "no answer");
		err = -EIO;
	}
	pthread_mutex_unlock(&stream->mutex);
	return err;
}

int stream_fill(struct stream *stream, void *buffer, size_t capacity, size_t *ret_len,
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
	while (!stream->is_done && !stream->is_paused && !is_cancelled(stream))
		cond_wait_msecs(&stream->cond, &stream->mutex, CANCEL_POLL_MSECS);
	err = end_of_wait(stream, ret_error);
	*ret_len = stream->len;
	*ret_end = stream->is_done;
	/* What is there belongs to the caller now; nothing may be written behind its back. */
	stream->buffer = NULL;
	stream->capacity = stream->len = 0;
	pthread_mutex_unlock(&stream->mutex);
	return err;
}

void stream_stop(struct stream *stream)
{
	pthread_mutex_lock(&stream->mutex);
	stream->buffer = NULL;
	stream->capacity = stream->len = 0;
	if (stream->is_started && !stream->is_done)
		http_transfer_cancel(stream->transfer);
	while (stream->is_started && !stream->is_done)
		cond_wait_msecs(&stream->cond, &stream->mutex, CANCEL_POLL_MSECS);
	pthread_mutex_unlock(&stream->mutex);
	if (stream->transfer)
		http_transfer_unref(stream->transfer);
	for (size_t i = 0; i < stream->response.header_count; i++) {
		free((char *)stream->headers[i].name);
		free((char *)stream->headers[i].value);
	}
	memset(&stream->response, 0, sizeof stream->response);
	stream->transfer = NULL;
	stream->is_started = stream->has_head = stream->is_paused = stream->is_done = false;
	stream->error_body_len = stream->taken_before = 0;
	stream->received_bytes = 0;
}

void stream_release(struct stream *stream)
{
	stream_stop(stream);
	pthread_mutex_destroy(&stream->mutex);
	pthread_cond_destroy(&stream->cond);
}
