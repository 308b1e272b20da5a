/*
 * One side of transfers as all of them see it: an account at Twilio, or a bucket. Its pace (pace.h)
 * with a lock, the limits that are set, and who is waiting. Any thread.
 */
#ifndef TONICFS_MIGRATE_SIDE_H
#define TONICFS_MIGRATE_SIDE_H

#include <pthread.h>

#include "jobs/rate.h"
#include "migrate/pace.h"
#include "util/cancel.h"
#include "util/remote.h"

struct side_limits {
	unsigned connections;
	int64_t requests_per_sec, bytes_per_sec; /* 0: none */
};

struct side {
	pthread_mutex_t mutex; /* guards the rest */
	pthread_cond_t cond;
	struct pace pace;
	struct rate requests, bytes;
	unsigned running, waiting;
};

void side_init(struct side *side, const struct side_limits *limits);
void side_release(struct side *side);

/* A place, where there is one. Each place is left once. */
bool side_try_enter(struct side *side);
/* Waits for one. False: cancel was set. */
bool side_enter(struct side *side, const struct cancel *cancel);
void side_leave(struct side *side);
/* Before each request: waits until the rate that is set allows it. */
void side_request(struct side *side, const struct cancel *cancel);
/* After each piece: so many bytes went to or came from it. Waits likewise. */
void side_moved(struct side *side, size_t bytes, const struct cancel *cancel);
/* How a request ended that was sent at began_msecs (time_mono_msecs()). */
void side_answered(struct side *side, const struct remote_error *error, int64_t began_msecs);
/* How many transfers will find a place soon: 0 while it is closed. */
unsigned side_room(struct side *side);
/* More wait for it than it takes at a time: it needs no others now. */
bool side_is_crowded(struct side *side);

#endif
