/* Transfers as other threads see them: creating them, counting references, sending commands. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "net/http-private.h"
#include "util/crypto.h"
#include "util/times.h"

/* ---- memory ---- */

void http_unref(struct http *http)
{
	if (atomic_fetch_sub(&http->refs, 1) != 1)
		return;
	pthread_mutex_destroy(&http->lock);
	free(http->ca_file);
	free(http->user_agent);
	free(http);
}

void http_free_secret(const char *s)
{
	if (s)
		crypto_wipe((char *)s, strlen(s));
	free((char *)s);
}

static struct http_transfer *transfer_ref(struct http_transfer *t)
{
	atomic_fetch_add(&t->refs, 1);
	return t;
}

void http_transfer_unref(struct http_transfer *t)
{
	if (atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	http_handle_free(t);
	http_head_release(&t->head);
	http_url_release(&t->url);
	http_headers_free(t->request.headers, t->request.header_count);
	http_free_secret(t->request.url);
	free((char *)t->request.ca_file);
	http_unref(t->http);
	free(t);
}

static bool headers_are_valid(const struct http_request *request)
{
	for (size_t i = 0; i < request->header_count; i++) {
		const char *name = request->headers[i].name, *value = request->headers[i].value;

		if (!*name || name[strcspn(name, ":\r\n \t")] || value[strcspn(value, "\r\n")])
			return false;
	}
	return true;
}

static int transfer_new(struct http *http, const struct http_request *request,
			struct http_transfer **ret_transfer)
{
	struct http_transfer *t = calloc(1, sizeof *t);
	unsigned total = request->total_timeout_msecs ? request->total_timeout_msecs
						      : http->total_timeout_msecs;
	int err;

	if (!t)
		return -ENOMEM;
	atomic_init(&t->refs, 1);
	atomic_fetch_add(&http->refs, 1);
	t->http = http;
	list_init(&t->link);
	list_init(&t->command_link);
	t->request = *request;
	t->request.url = NULL;
	t->request.ca_file = NULL;
	t->request.headers = NULL;
	t->request.header_count = 0;
	if (request->method != HTTP_PUT && request->method != HTTP_POST)
		t->request.body_len = 0;
	if (!t->request.connect_timeout_msecs)
		t->request.connect_timeout_msecs = http->connect_timeout_msecs;
	if (!t->request.stall_timeout_msecs)
		t->request.stall_timeout_msecs = http->stall_timeout_msecs;
	t->deadline_msecs = total == UINT_MAX ? INT64_MAX : time_mono_msecs() + total;
	err = http_url_parse(request->url, &t->url);
	if (!err && !t->url.is_https && !t->url.is_loopback && !request->allow_plain_http)
		err = -EPERM;
	if (!err && !headers_are_valid(request))
		err = -EINVAL;
	if (!err)
		err = http_headers_copy(request->headers, request->header_count,
					&t->request.headers, &t->request.header_count);
	if (!err) {
		t->request.url = strdup(request->url);
		t->request.ca_file = request->ca_file ? strdup(request->ca_file) : NULL;
		if (!t->request.url || (request->ca_file && !t->request.ca_file))
			err = -ENOMEM;
	}
	if (err) {
		http_transfer_unref(t);
		return err;
	}
	*ret_transfer = t;
	return 0;
}

/* ---- commands, from any thread ---- */

/* -ECANCELED once the engine is being freed. */
static int send_command(struct http_transfer *t, unsigned command)
{
	struct http *http = t->http;
	int err = 0;

	pthread_mutex_lock(&http->lock);
	if (http->is_stopping) {
		err = -ECANCELED;
	} else {
		t->commands |= command;
		if (list_empty(&t->command_link))
			list_add(&http->commands, &transfer_ref(t)->command_link);
		/* Under the lock: after http_free has set is_stopping no command may be queued. */
		http_events_wake(&http->events);
	}
	pthread_mutex_unlock(&http->lock);
	return err;
}

int http_submit(struct http *http, const struct http_request *request,
		struct http_transfer **ret_transfer)
{
	struct http_transfer *t;
	int err;

	if (!request->url || !request->on_done || (request->header_count && !request->headers))
		return -EINVAL;
	err = transfer_new(http, request, &t);
	if (err)
		return err;
	/* Set before the command is sent: on_done may come before send_command returns. */
	if (ret_transfer)
		*ret_transfer = transfer_ref(t);
	err = send_command(t, COMMAND_SUBMIT);
	if (err) {
		if (ret_transfer) {
			*ret_transfer = NULL;
			http_transfer_unref(t);
		}
		http_transfer_unref(t);
	}
	return err; /* the first reference belongs to the loop from here on */
}

void http_transfer_resume(struct http_transfer *t)
{
	send_command(t, COMMAND_RESUME);
}

void http_transfer_cancel(struct http_transfer *t)
{
	send_command(t, COMMAND_CANCEL);
}
