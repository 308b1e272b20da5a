/*
 * An HTTP answer that a worker takes in buffer by buffer: while its buffer is full the peer has to
 * wait. Threads: one worker uses a stream; the engine's thread only copies into the buffer that it
 * was given.
 */
#ifndef TONICFS_MIGRATE_STREAM_H
#define TONICFS_MIGRATE_STREAM_H

#include <pthread.h>

#include "net/http.h"
#include "util/cancel.h"

#define STREAM_ERROR_BODY_SIZE 4096
#define STREAM_HEADERS 32

struct stream {
	const struct cancel *cancel; /* may be NULL */
	struct http_transfer
		*transfer; /* with a reference; NULL before stream_start and after stream_stop */
	pthread_mutex_t mutex; /* guards the rest */
	pthread_cond_t cond;
	bool is_started, has_head, is_paused, is_done;
	struct remote_error error; /* of the transport, once done */
	/* The head, copied: valid until stream_stop. */
	struct http_response response;
	struct http_header headers[STREAM_HEADERS];
	char error_body[STREAM_ERROR_BODY_SIZE]; /* the first bytes of an answer that is neither 200
						    nor 206 */
	size_t error_body_len;
	/* Where the next bytes go. */
	char *buffer;
	size_t capacity, len;
	size_t taken_before; /* of bytes that will come again, so many are in an earlier buffer */
	int64_t received_bytes; /* of a 200 or 206 */
};

void stream_init(struct stream *stream, const struct cancel *cancel);
/* Sends; the request's callbacks are set here. */
int stream_start(struct stream *stream, struct http *http, struct http_request *request);
/* Waits for the head of a 200 or 206, or for the whole of another answer. 0: has_head, response is
 * set; else *ret_error says how the transport failed, -ECANCELED. */
int stream_wait_head(struct stream *stream, struct remote_error *ret_error);
/* Fills the buffer: returns when it is full and more is to come, or at the end (*ret_end). *ret_len
 * bytes are in it. Errors as above. */
int stream_fill(struct stream *stream, void *buffer, size_t capacity, size_t *ret_len,
		bool *ret_end, struct remote_error *ret_error);
/* Cancels what still runs and waits for its end; the stream can be started anew. */
void stream_stop(struct stream *stream);
void stream_release(struct stream *stream); /* stream_stop, and the rest */
#define cleanup_stream __attribute__((cleanup(stream_release)))

#endif
