/*
 * Shared by the files of this room only. A transfer's life:
 *
 *   submitted (in http->commands) -> waiting (in the queue of its origin) -> active (in
 *   http->active, with a curl handle) -> done (on_done has been called)
 *
 * A followed redirect goes from active back to waiting. Fields without a note belong to the loop
 * thread once the transfer has been submitted.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <curl/curl.h>

#include "net/http.h"
#include "util/buf.h"
#include "util/list.h"

/* The head of a response, collected line by line. */
struct http_head {
	struct buf text; /* name NUL value NUL … */
	size_t count;
	struct http_header *headers; /* points into text, once the head is complete */
	bool failed;                 /* out of memory, or larger than HEAD_LIMIT_BYTES */
};

void http_head_reset(struct http_head *head);
void http_head_release(struct http_head *head);
void http_head_add_line(struct http_head *head, const char *line, size_t n);
/* 0 or -ENOMEM, -EFBIG. */
int http_head_complete(struct http_head *head, int status, struct http_response *ret_response);
const char *http_headers_find(const struct http_header *headers, size_t count, const char *name);
/* 0 or -ENOMEM. */
int http_headers_copy(const struct http_header *headers, size_t count,
		      const struct http_header **ret_headers, size_t *ret_count);
void http_headers_free(const struct http_header *headers, size_t count);

struct http_origin {
	struct list link; /* http->origins */
	char *name;
	unsigned active;
	struct list urgent, waiting; /* http_transfer.link */
};

/* The descriptors and the timer that the loop waits for. */
struct http_events {
	CURLM *multi;
	int epoll_fd, wake_fd; /* -1: not open */
	int64_t timer_msecs;   /* when curl has to be called; INT64_MAX: not at all */
};
#define HTTP_EVENTS_INIT { NULL, -1, -1, INT64_MAX }

struct http {
	atomic_uint refs; /* the caller of http_free, and every transfer */
	CURLM *multi;
	struct http_events events;
	pthread_t thread;
	char *ca_file, *user_agent;
	unsigned connect_timeout_msecs, stall_timeout_msecs, total_timeout_msecs, origin_limit;

	pthread_mutex_t lock;
	struct list commands; /* lock; http_transfer.command_link, each with a reference */
	bool is_stopping;     /* lock; no command is taken any more */

	/* for the loop only */
	struct list origins;
	struct list active; /* http_transfer.link */
	int64_t next_scan_msecs;
	/* When the machine last woke up: older connections are not reused. 0: never. */
	int64_t resumed_msecs;
	int64_t asleep_msecs; /* boot clock less monotonic clock, when last read */
};

enum { COMMAND_SUBMIT = 1, COMMAND_RESUME = 2, COMMAND_CANCEL = 4 };

struct http_transfer {
	atomic_uint refs;
	struct http *http;
	struct list command_link; /* http->lock */
	unsigned commands;        /* http->lock */
	struct list link;

	/* Its url, headers and ca_file are copies; its body and arg belong to the caller. */
	struct http_request request;
	struct http_url url;
	/* Redirected to another origin: headers that may hold a credential are no longer sent. */
	bool has_left_origin;
	bool is_done;           /* on_done is being or has been called */
	int64_t deadline_msecs; /* INT64_MAX: none */

	struct http_origin *origin;
	CURL *easy; /* NULL: not active */
	struct curl_slist *header_list, *connect_to;
	char curl_text[CURL_ERROR_SIZE];
	struct http_head head;
	size_t body_sent;
	size_t dropped_bytes; /* of the body of a redirect */
	bool is_connected;    /* connected; the request is being sent */
	bool head_seen;
	bool is_paused;
	bool is_redirect;
	bool is_aborted;           /* by a callback of the caller */
	int head_error;            /* the head cannot be kept */
	int64_t active_msecs;      /* when a byte was last sent or received */
	curl_off_t uploaded_bytes; /* at the last check */
};

/* events.c: 0 or -errno; to be released in either case, after the multi handle. For the loop
 * only, but for http_events_wake, which any thread may call. */
int http_events_init(struct http_events *events, CURLM *multi);
void http_events_release(struct http_events *events);
void http_events_wake(struct http_events *events);
/* Calls curl if its timer is due. */
void http_events_run_timer(struct http_events *events);
/* Waits until deadline_msecs (INT64_MAX: none), and tells curl which sockets are ready. */
void http_events_wait(struct http_events *events, int64_t deadline_msecs);

/* transfer.c */
void http_unref(struct http *http);
void http_free_secret(const char *s); /* wipes and frees; NULL is fine */

/* handle.c: fills transfer->easy. 0, or -ENOMEM / -EINVAL with nothing left behind. */
int http_handle_new(struct http_transfer *transfer);
void http_handle_free(struct http_transfer *transfer);
/* error.c: turns a failure of curl into a remote_error. */
void http_error_from_curl(const struct http_transfer *transfer, CURLcode code,
			  struct remote_error *ret_error);
void http_error_timeout(const struct http_transfer *transfer, const char *what,
			struct remote_error *ret_error);
/* True if the peer may have processed the request although no answer came. */
bool http_transfer_may_have_acted(const struct http_transfer *transfer);
/* Older connections are not reused: after a sleep, peers may have dropped them. Loop only. */
void http_distrust_connections(struct http *http, int64_t now_msecs);
