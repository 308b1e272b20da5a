/* Waiting with a deadline. Deadlines are in milliseconds of time_mono_msecs(): a change of the wall
 * clock moves none of them. A wait may end early without a reason: callers check their condition in
 * a loop. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/cancel.h"

/* INT64_MAX as a deadline: only for a thread that has nothing to do until it is signalled. */
#define WAIT_NO_DEADLINE INT64_MAX

/* A condition on the monotonic clock, which the functions below need. */
void cond_init(pthread_cond_t *cond);

/* Waits for a signal, with the mutex held. False: the deadline has passed, or cancel (may be NULL)
 * is set. A cancellable wait wakes up ten times a second: not for idle threads. */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_msecs,
		     const struct cancel *cancel);
/* The same, timeout_msecs from now and not cancellable. */
bool cond_wait_msecs(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t timeout_msecs);

/* Sleeps without waking up. False: cancel (may be NULL) was set before the time was over. */
bool sleep_msecs(int64_t msecs, const struct cancel *cancel);
