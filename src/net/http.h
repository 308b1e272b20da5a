/*
 * HTTP over curl's multi interface: one engine, one event loop thread, any number of transfers.
 *
 * Purpose   Asynchronous requests whose callbacks run on the loop's thread, and a synchronous form
 *           for worker threads.
 * Threads   http_submit, http_perform and http_transfer_* may be called from any thread, also from
 *           callbacks (but http_perform never from a callback: -EDEADLK). The callbacks of an
 *           engine run one at a time on the loop thread: they must not block.
 * Ownership http_submit copies a request struct and all it points to, but for the body, which
 *           belongs to the caller and must live until on_done has been called.
 * Deadlines Every transfer has three: connect, stall (no byte in either direction; a head counts
 *           only when it is complete, so that a peer cannot send its lines for ever), total. A
 *           pause by on_data is no stall, but counts against the total. No call can wait for ever.
 * Safety    Plain http is refused unless the host is loopback (127.0.0.0/8, ::1, localhost,
 *           *.localhost) or allow_plain_http is set. TLS 1.2 or later, HTTP/1.1 only (curl buffers
 *           a paused HTTP/2 stream). No `Expect:`, no cookies, no netrc. A proxy from the standard
 *           environment, but not for loopback. An URL with a user or password is refused. Error
 *           messages name scheme, host and port of an URL, no more; nothing is logged.
 * Redirects Followed only if max_redirects > 0 and the method is GET or HEAD (else the 3xx is the
 *           answer), to https only (or from plain loopback to plain loopback). Another origin gets
 *           only Accept, Accept-*, Range, If-Match and If-None-Match: every other header may hold a
 *           credential.
 * Resending A request on a kept-alive connection that had gone stale is sent again on a new
 *           connection without telling the caller, a DELETE too; a POST always gets a new
 *           connection and is sent once. After the machine has slept, no older connection is used.
 * Limits    At most `origin_limit` transfers at a time to one origin (scheme, host, port), paused
 *           ones included; more wait in order of submission, urgent ones first. Waiting counts
 *           against total_timeout_msecs only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cancel.h"
#include "util/remote.h"

struct http;
struct http_transfer;

struct http_settings {
	unsigned connect_timeout_msecs; /* 0: 10,000 */
	unsigned stall_timeout_msecs;   /* 0: 30,000 */
	unsigned total_timeout_msecs;   /* 0: 60,000; default of requests that set none */
	unsigned origin_limit;          /* 0: 64 */
	const char *ca_file;            /* NULL: the system's */
	const char *user_agent;         /* NULL: "tonicfs/VERSION" */
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_DELETE, HTTP_OPTIONS };

struct http_header {
	const char *name;
	const char *value;
};

/* The head of the final response (after redirects, without 1xx). Valid only during the callback. */
struct http_response {
	int status;
	int64_t content_length; /* -1: unknown (chunked) */
	const struct http_header *headers;
	size_t header_count;
};
/* The value of the first header of that name, or NULL. Case-insensitive. */
const char *http_response_header(const struct http_response *response, const char *name);
/* Retry-After in milliseconds (seconds or an HTTP date); -1: absent or unparsable. */
int64_t http_response_retry_after_msecs(const struct http_response *response);
/* "Content-Range: bytes 5-9/100" of a 206. *ret_total is -1 for "*". 0 or -EINVAL. */
int http_response_content_range(const struct http_response *response, int64_t *ret_first,
				int64_t *ret_last, int64_t *ret_total);

enum http_data {
	HTTP_DATA_OK,
	/* The bytes were NOT taken: they come again after http_transfer_resume(). */
	HTTP_DATA_PAUSE,
	HTTP_DATA_ABORT, /* ends the transfer; on_done gets REMOTE_CANCELLED */
};

struct http_request {
	enum http_method method;
	const char *url;
	/* Sent unchanged, besides Host, User-Agent and Content-Length. */
	const struct http_header *headers;
	size_t header_count;
	const void *body; /* PUT, POST */
	size_t body_len;
	/* 0: the default of the engine. A total of UINT_MAX: only the stall limit. */
	unsigned connect_timeout_msecs, stall_timeout_msecs, total_timeout_msecs;
	unsigned max_redirects;
	bool allow_plain_http;
	bool no_proxy; /* directly to the host: a service of this machine or link */
	bool urgent;   /* a user waits for it: goes before others that wait for the same origin */
	const char *ca_file; /* NULL: the engine's */
	/* Called once, before any data, with the final response. A value other than 0 aborts as
	 * HTTP_DATA_ABORT does. May be NULL. */
	int (*on_head)(void *arg, struct http_transfer *transfer,
		       const struct http_response *response);
	/* NULL: the body is dropped. */
	enum http_data (*on_data)(void *arg, struct http_transfer *transfer, const void *bytes,
				  size_t n);
	/* Called exactly once per submitted transfer, as its last callback; the transfer ends
	 * when it returns. error->kind is REMOTE_OK for ANY complete HTTP response, whatever its
	 * status: the client rooms judge the status. Else it says how the transport failed. */
	void (*on_done)(void *arg, const struct remote_error *error);
	void *arg;
};

/* Starts the loop thread: call it after any fork. 0 or -errno. */
int http_new(const struct http_settings *settings, struct http **ret_http);
/* Cancels all transfers (their on_done gets REMOTE_CANCELLED) and ends the loop. NULL is fine. */
void http_free(struct http *http);

/* 0: on_done will be called. -errno: it will not (-ENOMEM; -EINVAL: malformed URL or header;
 * -EPERM: refused plain http). *ret_transfer (may be NULL) is a reference of the caller: it keeps
 * the handle (not the transfer) valid after on_done, so that any thread may cancel or resume at any
 * time. */
int http_submit(struct http *http, const struct http_request *request,
		struct http_transfer **ret_transfer);
void http_transfer_unref(struct http_transfer *transfer);
void http_transfer_resume(struct http_transfer *transfer);
/* on_done is called soon with REMOTE_CANCELLED, unless the transfer has just ended. */
void http_transfer_cancel(struct http_transfer *transfer);

/* The synchronous form: waits for the end. The callbacks of the request must be unset. */
struct http_reply {
	struct http_response head; /* a copy */
	char *body;                /* followed by a NUL; never NULL when the return is 0 */
	size_t body_len;
};
#define HTTP_REPLY_INIT { { 0, -1, NULL, 0 }, NULL, 0 }
/* Any complete response gives 0 and *ret_reply (release it). Else the negative errno of
 * *ret_error; a body larger than max_body_bytes is REMOTE_INVALID (-EFBIG). A set cancel (may be
 * NULL) ends the wait within 200 ms. */
int http_perform(struct http *http, const struct http_request *request, size_t max_body_bytes,
		 const struct cancel *cancel, struct http_reply *ret_reply,
		 struct remote_error *ret_error);
void http_reply_release(struct http_reply *reply);

struct http_url {
	char *origin;  /* scheme://host:port, always with the port; holds no secret */
	char *host;    /* lower case; an IPv6 address in brackets */
	char *path;    /* at least "/"; without the query */
	unsigned port; /* that of the scheme if the URL has none */
	bool is_https, is_loopback;
	bool is_localhost; /* ends in ".localhost": always resolved to loopback */
};
#define HTTP_URL_INIT { .origin = NULL }
/* By curl's parser. 0, -ENOMEM, -EINVAL: not http(s), no host, a user or password in it, or
 * malformed. Release *ret_url in any case. */
int http_url_parse(const char *text, struct http_url *ret_url);
void http_url_release(struct http_url *url);
#define cleanup_http_url __attribute__((cleanup(http_url_release)))
/* 0: http_submit accepts it. -EINVAL: malformed; -EPERM: plain http, and not to loopback. */
int http_url_check(const char *url, bool allow_plain_http);
/* The same scheme, host and port: a secret for one may be sent to the other. */
bool http_url_same_origin(const char *a, const char *b);

/* Appends bytes percent-encoded by RFC 3986 (unreserved bytes stay, with keep_slash '/', too). */
struct buf;
void http_url_encode(struct buf *out, const char *bytes, size_t n, bool keep_slash);
