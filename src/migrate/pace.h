/*
 * How many transfers one side (an account at Twilio, a bucket) is given at a time: found by trying.
 * Pure: time and measurements are parameters. Not thread-safe.
 *
 * Algorithm  Hill climbing on measured throughput, with TCP's answer to a refusal.
 *   double   from PACE_FIRST on, twice as many while that brings at least a quarter more.
 *   base     the throughput of the limit found is measured, once its connections are warm, and
 *            measured again after every probe.
 *   probe    a sixth more, or fewer, in turn. More stays where the gain is at least
 *            PACE_WORTH_MORE of what so many more would bring if nothing were shared; fewer stays
 *            where the loss is less than PACE_WORTH_FEWER of it. So it settles where one more
 *            brings a fifth to two fifths of a transfer; the gap between keeps chance from making
 *            it wander, and two sides that wait for each other from leading each other down.
 *            Probes that change nothing come more and more rarely.
 *   busy     429, 503, no answer: half as many, at most once for those on their way then,
 *            and for a while not up to the number that was refused; each time it is refused again
 *            the while doubles. Retry-After closes the side until then.
 * A window is as many transfers as may run, and a least time; only one in which somebody had to
 * wait for this very limit is judged: where memory, the other side or an empty queue holds
 * transfers back nothing can be learned of this one.
 *
 * Why not latency (Vegas, gradient): recordings are of all sizes, so that the time of one says
 * little; and a limit that rises with throughput is what was asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PACE_FIRST 16
#define PACE_WORTH_MORE 0.4
#define PACE_WORTH_FEWER 0.2
#define PACE_RETRY_AFTER_LIMIT_MSECS (10 * 60 * 1000) /* an hour in a header is not believed */

enum pace_phase { PACE_DOUBLE, PACE_BASE, PACE_UP, PACE_DOWN };

struct pace {
	unsigned most, limit;
	enum pace_phase phase;
	unsigned base_limit;      /* of the last judged window */
	double base_rate;         /* work per millisecond; 0: not measured yet */
	bool was_up;              /* the last probe */
	unsigned rest, rest_next; /* windows before the next probe; after a vain one */
	/* The window */
	int64_t since_msecs;
	uint64_t work;
	unsigned ended, settling; /* transfers that end first are of the limit before */
	bool is_full;
	/* Refusals */
	int64_t closed_until_msecs, halved_msecs, warned_until_msecs, warn_msecs;
	unsigned warned_limit;
};

/* most: never more than so many. */
void pace_init(struct pace *pace, unsigned most, int64_t now_msecs);
/* 0 while it is closed. */
unsigned pace_limit(const struct pace *pace, int64_t now_msecs);
/* A transfer waits for this limit and nothing else. */
void pace_wanted(struct pace *pace);
void pace_moved(struct pace *pace, uint64_t bytes);
/* A transfer has ended, well or not. */
void pace_ended(struct pace *pace, int64_t now_msecs);
/* The side refused, or did not answer, a request of a transfer that began then. retry_after_msecs
 * -1: nothing said. */
void pace_busy(struct pace *pace, int64_t began_msecs, int64_t retry_after_msecs,
	       int64_t now_msecs);
