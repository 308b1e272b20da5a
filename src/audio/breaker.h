/*
 * A circuit breaker for an origin: after several failures in a row requests fail at once for a
 * while, so that readers do not wait for their deadlines. Then one request is let through as a
 * probe.
 *
 * Pure: the caller passes the time, and holds the lock that guards it.
 *
 *   state    requests                   leaves by
 *   closed   are sent                   BREAKER_FAILURES failures in a row that span at least
 *                                       BREAKER_SPAN_MSECS → open (requests that are lost together
 *                                       with the network count as one failure)
 *   open     fail with the last errno   the pause is over → probed
 *   probed   fail, except for one       it works → closed; it fails → open, the pause doubled
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_FAILURES 8
#define BREAKER_SPAN_MSECS 2000
#define BREAKER_PAUSE_MSECS 1000
#define BREAKER_PAUSE_LIMIT_MSECS 15000

struct breaker { /* zeroed: closed */
	unsigned failures;
	int err;             /* of the last failure */
	int64_t since_msecs; /* of the first of them */
	bool is_open, is_probed;
	int64_t pause_msecs, until_msecs;
};

/* 0: the request may be sent; else the -errno to fail it with. */
int breaker_check(struct breaker *breaker, int64_t now_msecs);
void breaker_failed(struct breaker *breaker, int err, int64_t now_msecs);
void breaker_worked(struct breaker *breaker);
