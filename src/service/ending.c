/* A thread that watches how long the steps of the end take. */
#include "service/ending.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/fault.h"
#include "util/log.h"
#include "util/pool.h"
#include "util/times.h"
#include "util/wait.h"

#define LOG_AFTER_MSECS fault_hurry(3000)
#define STEP_MSECS fault_hurry(15000)
#define ALL_MSECS fault_hurry(40000)
#define LAST_WORDS_SECS 5

static struct {
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t cond;
	pthread_t watcher;
	bool is_watched; /* false: there was no thread to be had, and the alarm alone is left */
	bool is_over, is_logged;
	const char *what;
	int64_t began_msecs, step_msecs; /* when the first step and this step began */
	void (*on_overdue)(void);        /* not guarded: set before the watcher starts */
} ending = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Noreturn void give_up(const char *what, int64_t msecs)
{
	alarm(LAST_WORDS_SECS);
	log_error(
		"shutting down: gave up waiting for %s after %lld s; work in flight is put back when its"
		" lease ends",
		what, (long long)msecs / 1000);
	ending.on_overdue();
	abort();
}

/* Lock held. Returns when to look again. */
static int64_t look(int64_t now)
{
	int64_t log_at = ending.step_msecs + LOG_AFTER_MSECS;
	int64_t end = ending.step_msecs + STEP_MSECS, all = ending.began_msecs + ALL_MSECS;

	if (all < end)
		end = all;
	if (now >= end)
		give_up(ending.what, now - ending.step_msecs);
	if (ending.is_logged)
		return end;
	if (now < log_at)
		return log_at < end ? log_at : end;
	ending.is_logged = true;
	log_warning("shutting down: waiting for %s", ending.what);
	return end;
}

static void *watch(void *arg)
{
	pthread_mutex_lock(&ending.lock);
	while (!ending.is_over)
		cond_wait_until(&ending.cond, &ending.lock, look(time_mono_msecs()), NULL);
	pthread_mutex_unlock(&ending.lock);
	return NULL;
}

static void begin(void)
{
	ending.began_msecs = ending.step_msecs;
	cond_init(&ending.cond);
	ending.is_watched = thread_start(&ending.watcher, "ending", watch, NULL) == 0;
	/* The last resort, should the log hang, too. */
	alarm((unsigned)(ALL_MSECS / 1000) + LAST_WORDS_SECS);
}

void ending_init(void (*on_overdue)(void))
{
	ending.on_overdue = on_overdue;
}

void ending_step(const char *what)
{
	bool is_first;

	pthread_mutex_lock(&ending.lock);
	is_first = !ending.what;
	ending.what = what;
	ending.step_msecs = time_mono_msecs();
	ending.is_logged = false;
	if (is_first)
		begin();
	else
		pthread_cond_signal(&ending.cond);
	pthread_mutex_unlock(&ending.lock);
	log_debug("shutting down: %s", what);
	fault_point(what);
}

void ending_done(void)
{
	pthread_mutex_lock(&ending.lock);
	ending.is_over = true;
	if (ending.is_watched)
		pthread_cond_signal(&ending.cond);
	pthread_mutex_unlock(&ending.lock);
	if (ending.is_watched)
		pthread_join(ending.watcher, NULL);
	alarm(0);
}
