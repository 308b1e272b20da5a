/*
 * A breaker for an origin: where its requests fail one after the other, the next ones fail at once
 * for a while, instead of each reader waiting for its own deadline; then one is let through to see.
 *
 * Pure: the caller says what time it is, and holds whatever lock guards it.
 *
 *   closed   requests go out             BREAKER_FAILURES failures in a row, over a time of
 *                                        BREAKER_SPAN_MSECS at least → open: many requests that
 *                                        are lost with a network at once are one failure
 *   open     fail with the last errno    its pause is over → the next request is let through
 *   (probed) others fail as before       it works → closed; it fails → open, the pause doubled
 */
#ifndef TONICFS_AUDIO_BREAKER_H
#define TONICFS_AUDIO_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_FAILURES 8
#define BREAKER_SPAN_MSECS 2000
#define BREAKER_PAUSE_MSECS 1000
#define BREAKER_PAUSE_LIMIT_MSECS 15000

struct breaker { /* zeroed: closed */
	unsigned failures;
	int error;           /* of the last failure */
	int64_t since_msecs; /* the first of them */
	bool is_open, is_probed;
	int64_t pause_msecs, until_msecs;
};

/* 0: the request may go; else the errno (negative) that it would meet. */
int breaker_check(struct breaker *breaker, int64_t now_msecs);
void breaker_failed(struct breaker *breaker, int error, int64_t now_msecs);
void breaker_worked(struct breaker *breaker);

#endif
