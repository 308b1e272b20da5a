/* Conditions and sleeps whose deadlines are on the monotonic clock. */
#include "util/wait.h"

#include <errno.h>
#include <time.h>

#include "util/times.h"

#define CANCEL_POLL_MSECS 100 /* how often a wait for a condition checks its cancel flag */

void cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

/* The deadline, or the next check of cancel where that comes first. */
static int64_t next_look_msecs(int64_t deadline_msecs, const struct cancel *cancel)
{
	int64_t look_msecs = cancel ? time_mono_msecs() + CANCEL_POLL_MSECS : deadline_msecs;

	return look_msecs < deadline_msecs ? look_msecs : deadline_msecs;
}

bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_msecs,
		     const struct cancel *cancel)
{
	int64_t look_msecs = next_look_msecs(deadline_msecs, cancel);
	const struct timespec at = time_to_timespec(look_msecs);
	int err = 0;

	if (cancel_is_set(cancel))
		return false;
	if (look_msecs == WAIT_NO_DEADLINE)
		pthread_cond_wait(cond, mutex);
	else
		err = pthread_cond_timedwait(cond, mutex, &at);
	return !cancel_is_set(cancel) && !(err == ETIMEDOUT && look_msecs == deadline_msecs);
}

bool cond_wait_msecs(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t timeout_msecs)
{
	return cond_wait_until(cond, mutex, time_mono_msecs() + timeout_msecs, NULL);
}

bool sleep_msecs(int64_t msecs, const struct cancel *cancel)
{
	static const struct cancel never;

	return !cancel_wait_until(cancel ? cancel : &never, time_mono_msecs() + msecs);
}
