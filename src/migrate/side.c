/* A side of transfers: its places, its rates, its answers. */
#include "migrate/side.h"

#include "util/times.h"
#include "util/wait.h"

#define WAIT_CHECK_MSECS 100 /* the limit also grows as time passes */
#define BURST_MSECS 1000

void side_init(struct side *side, const struct side_limits *limits)
{
	pthread_mutex_init(&side->mutex, NULL);
	cond_init(&side->cond);
	pace_init(&side->pace, limits->connections, time_mono_msecs());
	rate_init(&side->requests, limits->requests_per_sec, BURST_MSECS);
	rate_init(&side->bytes, limits->bytes_per_sec, BURST_MSECS);
	side->running = side->waiting = 0;
}

void side_release(struct side *side)
{
	pthread_mutex_destroy(&side->mutex);
	pthread_cond_destroy(&side->cond);
}

/* ---- places; with the mutex held ---- */

static bool try_enter(struct side *side)
{
	if (side->running < pace_limit(&side->pace, time_mono_msecs())) {
		side->running++;
		return true;
	}
	pace_wanted(&side->pace);
	return false;
}

/* ---- places ---- */

bool side_try_enter(struct side *side)
{
	bool entered;

	pthread_mutex_lock(&side->mutex);
	entered = try_enter(side);
	pthread_mutex_unlock(&side->mutex);
	return entered;
}

bool side_enter(struct side *side, const struct cancel *cancel)
{
	bool entered = false;

	pthread_mutex_lock(&side->mutex);
	side->waiting++;
	while (!cancel_is_set(cancel) && !(entered = try_enter(side)))
		cond_wait_msecs(&side->cond, &side->mutex, WAIT_CHECK_MSECS);
	side->waiting--;
	pthread_mutex_unlock(&side->mutex);
	return entered;
}

void side_leave(struct side *side)
{
	unsigned limit;

	pthread_mutex_lock(&side->mutex);
	limit = pace_limit(&side->pace, time_mono_msecs());
	side->running--;
	pace_ended(&side->pace, time_mono_msecs());
	/* One place is free, or more where the limit has grown. */
	if (pace_limit(&side->pace, time_mono_msecs()) > limit)
		pthread_cond_broadcast(&side->cond);
	else
		pthread_cond_signal(&side->cond);
	pthread_mutex_unlock(&side->mutex);
}

unsigned side_room(struct side *side)
{
	unsigned limit;

	pthread_mutex_lock(&side->mutex);
	limit = pace_limit(&side->pace, time_mono_msecs());
	pthread_mutex_unlock(&side->mutex);
	return limit ? limit / 2 + 1 : 0;
}

bool side_is_crowded(struct side *side)
{
	bool is_crowded;

	pthread_mutex_lock(&side->mutex);
	is_crowded = side->waiting > pace_limit(&side->pace, time_mono_msecs());
	pthread_mutex_unlock(&side->mutex);
	return is_crowded;
}

/* ---- rates ---- */

void side_request(struct side *side, const struct cancel *cancel)
{
	int64_t pause;

	pthread_mutex_lock(&side->mutex);
	pause = rate_take(&side->requests, 1, time_mono_msecs());
	pthread_mutex_unlock(&side->mutex);
	sleep_msecs(pause, cancel);
}

void side_moved(struct side *side, size_t bytes, const struct cancel *cancel)
{
	int64_t pause;

	pthread_mutex_lock(&side->mutex);
	pace_moved(&side->pace, bytes);
	pause = rate_take(&side->bytes, (int64_t)bytes, time_mono_msecs());
	pthread_mutex_unlock(&side->mutex);
	sleep_msecs(pause, cancel);
}

/* ---- answers ---- */

/* Busy, or no answer at all. A conflict about one recording (409) says nothing about the side. */
static bool is_refusal(const struct remote_error *error)
{
	if (error->kind == REMOTE_BUSY)
		return error->status == 429 || error->status == 503;
	return (error->kind == REMOTE_TRANSIENT || error->kind == REMOTE_UNCERTAIN) &&
	       error->status == 0;
}

void side_answered(struct side *side, const struct remote_error *error, int64_t began_msecs)
{
	if (!is_refusal(error))
		return;
	pthread_mutex_lock(&side->mutex);
	pace_busy(&side->pace, began_msecs, error->retry_after_msecs, time_mono_msecs());
	pthread_mutex_unlock(&side->mutex);
}

static void before_request(void *arg)
{
	const struct side_user *user = arg;

	side_request(user->side, user->cancel);
}

static void after_request(void *arg, const struct remote_error *error, int64_t began_msecs)
{
	const struct side_user *user = arg;

	side_answered(user->side, error, began_msecs);
}

struct remote_gate side_gate(struct side_user *user)
{
	return (struct remote_gate){ before_request, after_request, user };
}
