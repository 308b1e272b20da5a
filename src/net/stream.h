/*
 * A request whose answer one thread waits for. The body goes to one of two places:
 *
 *   on_data set    to that consumer, on the loop's thread; the waiting thread only learns of the
 *                  end (http_stream_wait)
 *   on_data unset  into the buffers of the waiting thread (http_stream_fill), one after the other;
 *                  while no buffer has room, the peer has to wait
 *
 * Threads   One thread uses a stream; never that of the loop. Any thread may set its cancel.
 * Deadlines Those of the request. A set cancel ends every wait within 200 ms.
 */
#pragma once

#include <pthread.h>

#include "net/http.h"
#include "util/cancel.h"

#define HTTP_STREAM_ERROR_BYTES 4096

struct http_stream {
	const struct cancel *cancel;    /* may be NULL */
	struct http_transfer *transfer; /* a reference; NULL before start and after stop */
	struct http_request consumer;   /* the callbacks of the caller, and their arg */

	pthread_mutex_t mutex; /* guards the rest */
	pthread_cond_t cond;
	bool has_head, is_paused, is_done;
	bool is_out_of_memory;     /* the head could not be kept: the transfer was ended */
	struct remote_error error; /* of the transport, once done */
	/* A copy, valid until stop. */
	struct http_response response;
	/* Without a consumer: the first bytes of an answer that is neither 200 nor 206. */
	char error_body[HTTP_STREAM_ERROR_BYTES];
	size_t error_body_len;
	char *buffer; /* where the next bytes go */
	size_t capacity, len;
	size_t taken_before; /* of bytes that will come again, the number that is in an earlier buffer */
	int64_t received_bytes; /* of a 200 or 206 */
};

void http_stream_init(struct http_stream *stream, const struct cancel *cancel);
/* Sends. The request's on_head and on_data may be set, on_done may not. 0 or -errno as http_submit,
 * -EDEADLK on the loop's thread. */
int http_stream_start(struct http_stream *stream, struct http *http,
		      const struct http_request *request);
/* Waits for the end; *ret_error is that of on_done. A set cancel ends the transfer. */
void http_stream_wait(struct http_stream *stream, struct remote_error *ret_error);
/* Waits for the head of a 200 or 206, or for the whole of another answer. 0: response is set; else
 * *ret_error says how the transport failed, or -ECANCELED. */
int http_stream_wait_head(struct http_stream *stream, struct remote_error *ret_error);
/* Fills the buffer: returns when it is full and more bytes come, or at the end (*ret_end).
 * *ret_len is the number of bytes in it. Errors as above. */
int http_stream_fill(struct http_stream *stream, void *buffer, size_t capacity, size_t *ret_len,
		     bool *ret_end, struct remote_error *ret_error);
/* Cancels a running transfer and waits for its end; the stream can be started anew. */
void http_stream_stop(struct http_stream *stream);
void http_stream_release(struct http_stream *stream); /* stops it first */
#define cleanup_http_stream __attribute__((cleanup(http_stream_release)))
