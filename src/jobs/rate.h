/* A limit of requests or bytes per second: a token bucket, kept as the time at which
 * all that was taken is paid for. Pure; not thread-safe. */
#pragma once

#include <stdint.h>

struct rate {
	int64_t per_sec; /* 0: without a limit */
	int64_t burst_msecs;
	int64_t paid_nsecs;
};

/* burst_msecs: the capacity saved up while nothing is taken. */
void rate_init(struct rate *rate, int64_t per_sec, int64_t burst_msecs);
/* Takes an amount. Returns how many milliseconds to wait before it is used, or, where it has been
 * used already, before the next: what was taken before has to be paid for first. */
int64_t rate_take(struct rate *rate, int64_t amount, int64_t now_msecs);
