/* One side of all transfers, an account at Twilio or a bucket: how many may use it at a time
 * (pace.h), the rates that are set, and how many wait. Any thread. */
#pragma once

#include <pthread.h>

#include "jobs/rate.h"
#include "migrate/pace.h"
#include "util/cancel.h"
#include "util/remote.h"

struct side_limits {
	unsigned connections;
	int64_t requests_per_sec, bytes_per_sec; /* 0: no limit */
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

/* Takes a place, where there is one. A place is left once. */
bool side_try_enter(struct side *side);
/* Waits for a place. False: cancelled. */
bool side_enter(struct side *side, const struct cancel *cancel);
void side_leave(struct side *side);
/* Before each request: waits until the rate allows it. */
void side_request(struct side *side, const struct cancel *cancel);
/* After each piece of a body, in either direction: counts its bytes, and waits likewise. */
void side_moved(struct side *side, size_t bytes, const struct cancel *cancel);
/* The end of a request that was sent at began_msecs (time_mono_msecs()). */
void side_answered(struct side *side, const struct remote_error *error, int64_t began_msecs);
/* For how many transfers there will be a place soon; 0 while the side is closed. */
unsigned side_room(struct side *side);
/* A client whose requests count for the side's rates, and whose answers for its pace. The gate
 * points to the user. */
struct side_user {
	struct side *side;
	const struct cancel *cancel;
};
struct remote_gate side_gate(struct side_user *user);
/* More transfers wait for it than it takes at a time: begin no others now. */
bool side_is_crowded(struct side *side);
