/* http_perform: a stream whose consumer collects the body into a reply. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/http-private.h"
#include "net/stream.h"
#include "util/cleanup.h"

struct collector { /* the loop's until the transfer has ended */
	struct buf body;
	size_t limit_bytes;
	bool is_too_large, is_out_of_memory;
};

static enum http_data on_data(void *arg, struct http_transfer *transfer, const void *bytes,
			      size_t n)
{
	struct collector *collector = arg;

	collector->is_too_large = n > collector->limit_bytes - collector->body.len;
	if (collector->is_too_large)
		return HTTP_DATA_ABORT;
	buf_add(&collector->body, bytes, n);
	collector->is_out_of_memory = buf_failed(&collector->body);
	return collector->is_out_of_memory ? HTTP_DATA_ABORT : HTTP_DATA_OK;
}

static void judge_start(int err, struct remote_error *ret_error)
{
	if (err == -EPERM)
		remote_fail(ret_error, REMOTE_REJECTED, err, "plain-http",
			    "plain http is for this machine only; use https");
	else if (err == -EINVAL)
		remote_fail(ret_error, REMOTE_REJECTED, err, "setup",
			    "no request can be made of this URL and headers");
	else if (err == -ECANCELED)
		remote_fail(ret_error, REMOTE_CANCELLED, err, "setup", "cancelled");
	else
		remote_fail(ret_error, REMOTE_TRANSIENT, err, "setup",
			    "the request cannot be set up");
}

/* After the end of the transfer. */
static void judge_end(const struct collector *collector, struct remote_error *error)
{
	if (collector->is_too_large)
		remote_fail(error, REMOTE_INVALID, -EFBIG, "too-large",
			    "the answer is larger than %zu bytes", collector->limit_bytes);
	else if (collector->is_out_of_memory)
		remote_fail(error, REMOTE_TRANSIENT, -ENOMEM, "memory", "out of memory");
}

/* Moves the answer into the reply. */
static int take_reply(struct http_stream *stream, struct collector *collector,
		      struct http_reply *ret_reply)
{
	size_t body_len = collector->body.len;
	char *body = buf_detach(&collector->body);

	if (!body)
		return -ENOMEM;
	*ret_reply = (struct http_reply){ stream->response, body, body_len };
	stream->response.headers = NULL;
	stream->response.header_count = 0;
	return 0;
}

int http_perform(struct http *http, const struct http_request *request, size_t max_body_bytes,
		 const struct cancel *cancel, struct http_reply *ret_reply,
		 struct remote_error *ret_error)
{
	struct collector collector = { .body = BUF_INIT, .limit_bytes = max_body_bytes };
	struct http_request copy = *request;
	cleanup_http_stream struct http_stream stream;
	int err = -EINVAL;

	*ret_reply = (struct http_reply)HTTP_REPLY_INIT;
	remote_error_clear(ret_error);
	http_stream_init(&stream, cancel);
	copy.on_data = on_data;
	copy.arg = &collector;
	if (!request->on_head && !request->on_data)
		err = http_stream_start(&stream, http, &copy);
	if (err) {
		judge_start(err, ret_error);
	} else {
		http_stream_wait(&stream, ret_error);
		judge_end(&collector, ret_error);
	}
	if (ret_error->kind == REMOTE_OK && take_reply(&stream, &collector, ret_reply))
		remote_fail(ret_error, REMOTE_TRANSIENT, -ENOMEM, "memory", "out of memory");
	if (ret_error->kind != REMOTE_OK)
		ret_error->status = stream.response.status;
	buf_release(&collector.body);
	return ret_error->error;
}

void http_reply_release(struct http_reply *reply)
{
	http_headers_free(reply->head.headers, reply->head.header_count);
	free(reply->body);
	*reply = (struct http_reply)HTTP_REPLY_INIT;
}
