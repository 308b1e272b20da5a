/* The one place where a request and its policy become a curl handle. Any option that cannot be
 * set fails the request. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/http-private.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/times.h"

/* A longer body of a redirect is not read to its end, which would save the connection. */
#define REDIRECT_BODY_LIMIT_BYTES (64 * 1024)
#define UNSENT_LIMIT_BYTES (64L * 1024)

static bool is_redirect_status(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Only GET and HEAD follow redirects; for PUT, POST and DELETE the 3xx is the answer. */
static bool should_follow(const struct http_transfer *t, const struct http_response *response)
{
	return t->request.max_redirects > 0 && is_redirect_status(response->status) &&
	       (t->request.method == HTTP_GET || t->request.method == HTTP_HEAD) &&
	       http_response_header(response, "Location");
}

/* Called at the end of a head. An intermediate head (1xx) is dropped by the next status line. */
static int head_is_complete(struct http_transfer *t)
{
	struct http_response response;
	long status = 0;
	int err;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 100 && status < 200)
		return 0;
	/* Single header lines do not count as progress: a peer could send them for ever. */
	t->active_msecs = time_mono_msecs();
	err = http_head_complete(&t->head, (int)status, &response);
	if (err < 0) {
		t->head_error = err;
		return err;
	}
	t->head_seen = true;
	t->is_redirect = should_follow(t, &response);
	if (t->is_redirect || !t->request.on_head)
		return 0;
	if (t->request.on_head(t->request.arg, t, &response)) {
		t->is_aborted = true;
		return -ECANCELED;
	}
	return 0;
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http_transfer *t = arg;

	n *= size;
	if (t->head_seen) /* trailers of a chunked body */
		return n;
	if (n >= 5 && strncasecmp(line, "HTTP/", 5) == 0) {
		http_head_reset(&t->head);
		return n;
	}
	if (n == 0 || line[0] == '\r' || line[0] == '\n')
		return head_is_complete(t) < 0 ? 0 : n;
	http_head_add_line(&t->head, line, n);
	if (t->head.failed) {
		t->head_error = -EFBIG;
		return 0;
	}
	return n;
}

static size_t on_write(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_transfer *t = arg;

	n *= size;
	t->active_msecs = time_mono_msecs();
	if (t->is_redirect) {
		t->dropped_bytes += n;
		return t->dropped_bytes > REDIRECT_BODY_LIMIT_BYTES ? 0 : n;
	}
	if (!t->request.on_data)
		return n;
	switch (t->request.on_data(t->request.arg, t, bytes, n)) {
	case HTTP_DATA_OK:
		return n;
	case HTTP_DATA_PAUSE:
		t->is_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	case HTTP_DATA_ABORT:
		break;
	}
	t->is_aborted = true;
	return n == 0 ? 1 : 0;
}

static size_t on_read(char *space, size_t size, size_t n, void *arg)
{
	struct http_transfer *t = arg;
	size_t left = t->request.body_len - t->body_sent;

	n *= size;
	if (n > left)
		n = left;
	if (n)
		memcpy(space, (const char *)t->request.body + t->body_sent, n);
	t->body_sent += n;
	t->active_msecs = time_mono_msecs();
	return n;
}

/* curl replaces a stale connection by a new one and sends the body again from its start. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http_transfer *t = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > t->request.body_len)
		return CURL_SEEKFUNC_FAIL;
	t->body_sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is that of CURLOPT_PREREQFUNCTION */
static int on_connected(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct http_transfer *t = arg;

	(void)peer, (void)local, (void)peer_port, (void)local_port;
	t->is_connected = true;
	t->active_msecs = time_mono_msecs();
	return CURL_PREREQFUNC_OK;
}

/* Limits the unsent bytes in the kernel, so that the bytes curl has written are about the bytes
 * that were sent: megabytes in the queue of a slow line would look like a stall. A kernel
 * without this option works without it. */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	int limit = (int)UNSENT_LIMIT_BYTES;

	(void)arg, (void)purpose;
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &limit, sizeof limit);
	return CURL_SOCKOPT_OK;
}

/* Headers that may be sent to another origin. Any service may have a credential header of its
 * own, so only headers known to hold no secret are allowed. */
static bool may_leave_origin(const char *name)
{
	static const char *const names[] = { "Accept",   "Accept-Encoding", "Accept-Language",
					     "If-Match", "If-None-Match",   "Range" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static int add_header_line(struct http_transfer *t, const char *name, const char *separator,
			   const char *value)
{
	struct curl_slist *longer;
	char *line;

	if (asprintf(&line, "%s%s%s", name, separator, value) < 0)
		return -ENOMEM;
	longer = curl_slist_append(t->header_list, line);
	crypto_wipe(line, strlen(line));
	free(line);
	if (!longer)
		return -ENOMEM;
	t->header_list = longer;
	return 0;
}

static int build_header_list(struct http_transfer *t)
{
	const struct http_request *request = &t->request;
	int err = add_header_line(t, "Expect", ":", "");

	/* curl would send a POST with the content type of a form. */
	if (!err && !http_headers_find(request->headers, request->header_count, "Content-Type"))
		err = add_header_line(t, "Content-Type", ":", "");
	for (size_t i = 0; !err && i < request->header_count; i++) {
		const struct http_header *header = &request->headers[i];

		if (t->has_left_origin && !may_leave_origin(header->name))
			continue;
		/* "Name:" would tell curl to leave the header out; "Name;" sends it empty. */
		err = add_header_line(t, header->name, *header->value ? ": " : ";", header->value);
	}
	return err;
}

#define SET(option, value) \
	do { \
		CURLcode set_code = curl_easy_setopt(easy, option, value); \
		if (set_code) \
			return set_code; \
	} while (0)

static CURLcode set_method(CURL *easy, struct http_transfer *t)
{
	switch (t->request.method) {
	case HTTP_GET:
		SET(CURLOPT_HTTPGET, 1L);
		return CURLE_OK;
	case HTTP_HEAD:
		SET(CURLOPT_NOBODY, 1L);
		return CURLE_OK;
	case HTTP_DELETE:
		SET(CURLOPT_CUSTOMREQUEST, "DELETE");
		return CURLE_OK;
	case HTTP_OPTIONS:
		SET(CURLOPT_CUSTOMREQUEST, "OPTIONS");
		return CURLE_OK;
	case HTTP_PUT:
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->request.body_len);
		break;
	case HTTP_POST:
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->request.body_len);
		/* On a reused connection that ends without an answer, curl sends the request
		 * again, which is harmless for all methods but POST. curl does not do so on a
		 * fresh connection. */
		SET(CURLOPT_FRESH_CONNECT, 1L);
		break;
	}
	SET(CURLOPT_READFUNCTION, on_read);
	SET(CURLOPT_READDATA, t);
	SET(CURLOPT_SEEKFUNCTION, on_seek);
	SET(CURLOPT_SEEKDATA, t);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, UNSENT_LIMIT_BYTES);
	return CURLE_OK;
}

static CURLcode set_connection(CURL *easy, struct http_transfer *t)
{
	const struct http *http = t->http;
	const char *ca_file = t->request.ca_file ? t->request.ca_file : http->ca_file;

	SET(CURLOPT_PROTOCOLS_STR, t->url.is_https ? "https" : "http");
	SET(CURLOPT_FOLLOWLOCATION, 0L); /* http.c follows redirects by its own rules */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (ca_file)
		SET(CURLOPT_CAINFO, ca_file);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_SOCKOPTFUNCTION, on_socket);
	/* Requests to this machine must not reach a proxy unencrypted. */
	if (t->url.is_loopback || t->request.no_proxy)
		SET(CURLOPT_PROXY, "");
	if (t->url.is_localhost) {
		t->connect_to = curl_slist_append(NULL, "::localhost:");
		if (!t->connect_to)
			return CURLE_OUT_OF_MEMORY;
		SET(CURLOPT_CONNECT_TO, t->connect_to);
	}
	if (http->resumed_msecs) {
		int64_t age_secs = (time_mono_msecs() - http->resumed_msecs) / 1000;

		if (age_secs < 1)
			SET(CURLOPT_FRESH_CONNECT, 1L);
		else if (age_secs < LONG_MAX)
			SET(CURLOPT_MAXLIFETIME_CONN, (long)age_secs);
	}
	return CURLE_OK;
}

static CURLcode set_options(CURL *easy, struct http_transfer *t)
{
	const struct http *http = t->http;
	CURLcode code;

	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_NOPROGRESS, 1L);
	SET(CURLOPT_PRIVATE, t);
	SET(CURLOPT_ERRORBUFFER, t->curl_text);
	SET(CURLOPT_URL, t->request.url);
	SET(CURLOPT_PATH_AS_IS, 1L); /* "/../" may be part of an object key */
	SET(CURLOPT_USERAGENT, http->user_agent);
	SET(CURLOPT_HTTPHEADER, t->header_list);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)t->request.connect_timeout_msecs);
	/* Without it, ending a transfer waits for the thread of the resolver, and delays every
	 * other transfer. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_BUFFERSIZE, 64L * 1024);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_write);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_PREREQFUNCTION, on_connected);
	SET(CURLOPT_PREREQDATA, t);
	code = set_connection(easy, t);
	return code ? code : set_method(easy, t);
}

int http_handle_new(struct http_transfer *t)
{
	CURLcode code;
	int err;

	t->is_connected = t->head_seen = t->is_paused = t->is_redirect = t->is_aborted = false;
	t->head_error = 0;
	t->body_sent = t->dropped_bytes = 0;
	t->uploaded_bytes = 0;
	t->curl_text[0] = '\0';
	t->active_msecs = time_mono_msecs();
	http_head_reset(&t->head);
	t->easy = curl_easy_init();
	err = t->easy ? build_header_list(t) : -ENOMEM;
	if (!err) {
		code = set_options(t->easy, t);
		if (code)
			err = code == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
	}
	if (err)
		http_handle_free(t);
	return err;
}

void http_handle_free(struct http_transfer *t)
{
	if (t->easy)
		curl_easy_cleanup(t->easy);
	t->easy = NULL;
	for (struct curl_slist *item = t->header_list; item; item = item->next)
		crypto_wipe(item->data, strlen(item->data));
	curl_slist_free_all(t->header_list);
	t->header_list = NULL;
	curl_slist_free_all(t->connect_to);
	t->connect_to = NULL;
}
