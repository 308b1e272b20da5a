/* The synchronous form: a request whose callbacks fill a reply, and a thread that waits for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/http-private.h"
#include "util/cleanup.h"

#define CANCEL_POLL_NSECS (100 * 1000 * 1000)

struct waiter {
	struct http_reply *reply;
	struct buf body;
	size_t limit_bytes;
	bool too_large, out_of_memory;

	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool is_done;              /* lock */
	struct remote_error error; /* lock */
};

static int copy_head(struct http_reply *reply, const struct http_response *response)
{
	reply->status = response->status;
	reply->content_length = response->content_length;
	reply->headers = calloc(response->header_count + 1, sizeof *reply->headers);
	if (!reply->headers)
		return -ENOMEM;
	for (size_t i = 0; i < response->header_count; i++) {
		reply->headers[i].name = strdup(response->headers[i].name);
		reply->headers[i].value = strdup(response->headers[i].value);
		reply->header_count = i + 1;
		if (!reply->headers[i].name || !reply->headers[i].value)
			return -ENOMEM;
	}
	return 0;
}

static int on_head(void *arg, struct http_transfer *transfer, const struct http_response *response)
{
	struct waiter *waiter = arg;

	(void)transfer;
	if (copy_head(waiter->reply, response) < 0) {
		waiter->out_of_memory = true;
		return -ENOMEM;
	}
	return 0;
}

static enum http_data on_data(void *arg, struct http_transfer *transfer, const void *bytes,
			      size_t n)
{
	struct waiter *waiter = arg;

	(void)transfer;
	if (n > waiter->limit_bytes - waiter->body.len) {
		waiter->too_large = true;
		return HTTP_DATA_ABORT;
	}
	buf_add(&waiter->body, bytes, n);
	if (buf_failed(&waiter->body)) {
		waiter->out_of_memory = true;
		return HTTP_DATA_ABORT;
	}
	return HTTP_DATA_OK;
}

static void on_done(void *arg, const struct remote_error *error)
{
	struct waiter *waiter = arg;

	pthread_mutex_lock(&waiter->lock);
	waiter->error = *error;
	waiter->is_done = true;
	pthread_cond_signal(&waiter->cond);
	pthread_mutex_unlock(&waiter->lock);
}

/* Waits for on_done, which comes soon after a cancel: nothing of ours may be freed before. */
static void wait_until_done(struct waiter *waiter, struct http_transfer *transfer,
			    const struct cancel *cancel)
{
	bool was_cancelled = false;

	pthread_mutex_lock(&waiter->lock);
	while (!waiter->is_done) {
		struct timespec until;

		if (!cancel || was_cancelled) {
			pthread_cond_wait(&waiter->cond, &waiter->lock);
			continue;
		}
		if (cancel_is_set(cancel)) {
			was_cancelled = true;
			pthread_mutex_unlock(&waiter->lock);
			http_transfer_cancel(transfer);
			pthread_mutex_lock(&waiter->lock);
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += CANCEL_POLL_NSECS;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&waiter->cond, &waiter->lock, &until);
	}
	pthread_mutex_unlock(&waiter->lock);
}

static int submit_and_wait(struct http *http, const struct http_request *request,
			   struct waiter *waiter, const struct cancel *cancel)
{
	struct http_request copy = *request;
	struct http_transfer *transfer;
	pthread_condattr_t attributes;
	int r;

	copy.on_head = on_head;
	copy.on_data = on_data;
	copy.on_done = on_done;
	copy.arg = waiter;
	pthread_mutex_init(&waiter->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&waiter->cond, &attributes);
	pthread_condattr_destroy(&attributes);
	r = http_submit_ref(http, &copy, &transfer);
	if (!r) {
		wait_until_done(waiter, transfer, cancel);
		http_transfer_unref(transfer);
	}
	pthread_cond_destroy(&waiter->cond);
	pthread_mutex_destroy(&waiter->lock);
	return r;
}

static void judge_submit(int r, struct remote_error *ret_error)
{
	if (r == -EPERM)
		remote_error_set(ret_error, REMOTE_REJECTED, r,
				 "plain http is for this machine only; use https");
	else if (r == -EINVAL)
		remote_error_set(ret_error, REMOTE_REJECTED, r,
				 "no request can be made of this URL and headers");
	else if (r == -ECANCELED)
		remote_error_set(ret_error, REMOTE_CANCELLED, r, "cancelled");
	else
		remote_error_set(ret_error, REMOTE_TRANSIENT, r, "the request cannot be set up");
	snprintf(ret_error->code, sizeof ret_error->code, "%s",
		 r == -EPERM ? "plain-http" : "setup");
}

static void judge_end(const struct waiter *waiter, struct remote_error *ret_error)
{
	*ret_error = waiter->error;
	if (waiter->too_large) {
		remote_error_set(ret_error, REMOTE_INVALID, -EFBIG,
				 "the answer is larger than %zu bytes", waiter->limit_bytes);
		snprintf(ret_error->code, sizeof ret_error->code, "too-large");
	} else if (waiter->out_of_memory) {
		remote_error_set(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
		snprintf(ret_error->code, sizeof ret_error->code, "memory");
	}
}

int http_perform(struct http *http, const struct http_request *request, size_t max_body_bytes,
		 const struct cancel *cancel, struct http_reply *ret_reply,
		 struct remote_error *ret_error)
{
	struct waiter waiter = { .reply = ret_reply,
				 .body = BUF_INIT,
				 .limit_bytes = max_body_bytes };
	int r;

	*ret_reply = (struct http_reply)HTTP_REPLY_INIT;
	remote_error_clear(ret_error);
	if (request->on_head || request->on_data || request->on_done)
		r = -EINVAL;
	else if (pthread_equal(pthread_self(), http->thread))
		r = -EDEADLK;
	else
		r = submit_and_wait(http, request, &waiter, cancel);
	if (r)
		judge_submit(r, ret_error);
	else
		judge_end(&waiter, ret_error);
	if (ret_error->kind == REMOTE_OK) {
		buf_add(&waiter.body, "", 0);
		ret_reply->body_len = waiter.body.len;
		ret_reply->body = buf_detach(&waiter.body);
		if (!ret_reply->body)
			ret_reply->body = calloc(1, 1);
		if (!ret_reply->body)
			remote_error_set(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
	}
	buf_release(&waiter.body);
	if (ret_error->kind != REMOTE_OK) {
		int status = ret_reply->status;

		http_reply_release(ret_reply);
		ret_error->status = status;
	}
	return ret_error->error;
}

void http_reply_release(struct http_reply *reply)
{
	for (size_t i = 0; i < reply->header_count; i++) {
		free((char *)reply->headers[i].name);
		free((char *)reply->headers[i].value);
	}
	free(reply->headers);
	free(reply->body);
	*reply = (struct http_reply)HTTP_REPLY_INIT;
}

const char *http_reply_header(const struct http_reply *reply, const char *name)
{
	return http_headers_find(reply->headers, reply->header_count, name);
}

int64_t http_reply_retry_after_msecs(const struct http_reply *reply)
{
	return http_headers_retry_after_msecs(reply->headers, reply->header_count);
}
