/* So much a second at most: requests, or bytes. A token bucket with a second's burst, kept as the
 * time at which all that was taken is paid for. Pure; not thread-safe. */
#ifndef TONICFS_MIGRATE_RATE_H
#define TONICFS_MIGRATE_RATE_H

#include <stdint.h>

struct rate {
	int64_t per_sec; /* 0: without a limit */
	int64_t paid_nsecs;
};

void rate_init(struct rate *rate, int64_t per_sec);
/* Takes so much, and returns how long to wait before it is used (or, where it has been used
 * already, before the next is): what others took before has to be paid for first. */
int64_t rate_take(struct rate *rate, int64_t amount, int64_t now_msecs);

#endif
