/* Retries: exponential pauses with full jitter, plus Retry-After, up to a number of tries and a
 * deadline. Which failures may be retried follows from remote_error.kind; REMOTE_UNCERTAIN only if
 * the caller says that the request is idempotent. Not thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/cancel.h"
#include "util/remote.h"

struct retry {
	unsigned tries_left; /* set by retry_init */
	unsigned base_msecs;
	unsigned limit_msecs;   /* of a single pause */
	int64_t deadline_msecs; /* time_mono_msecs() */
	unsigned tried;
};

/* 5 tries, from 500 ms, pauses up to 15 s, within total_msecs. */
void retry_init(struct retry *retry, unsigned tries, unsigned total_msecs);
/* True: wait *ret_pause_msecs and send the request again. */
bool retry_next(struct retry *retry, const struct remote_error *error, bool idempotent,
		unsigned *ret_pause_msecs);
/* The same, and waits. False: no further try, or cancel (may be NULL) was set. */
bool retry_wait(struct retry *retry, const struct remote_error *error, bool idempotent,
		const struct cancel *cancel);
