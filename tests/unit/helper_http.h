/* Engines and transfers for tests: short deadlines, and a place where what came is kept. */
#pragma once

#include <pthread.h>

#include "net/http.h"
#include "util/buf.h"

/* settings NULL: the defaults. Fails the test where it cannot be made. */
struct http *helper_http_new(const struct http_settings *settings);
/* A GET whose answer does not matter. ret_error may be NULL. */
int helper_http_get(struct http *http, const char *url, struct remote_error *ret_error);

struct helper_transfer {
	struct http_transfer *transfer; /* a reference */
	pthread_mutex_t lock;
	pthread_cond_t cond;
	/* under lock */
	struct buf body;
	unsigned heads, done;
	int status;
	struct remote_error error;
	unsigned pauses; /* on_data answers PAUSE so often before it takes bytes */
	bool is_paused;
};

void helper_transfer_start(struct helper_transfer *t, struct http *http,
			   const struct http_request *request);
/* As start, with that many PAUSE answers to come. */
void helper_transfer_start_paused(struct helper_transfer *t, struct http *http,
				  const struct http_request *request, unsigned pauses);
/* For at most 20 seconds, else the test fails. */
void helper_transfer_wait(struct helper_transfer *t);
void helper_transfer_wait_paused(struct helper_transfer *t);
/* Waits too. */
void helper_transfer_release(struct helper_transfer *t);
