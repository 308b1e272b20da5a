#include "catalog/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "catalog/workspace.h"
#include "util/crypto.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/pool.h"
#include "util/times.h"

#define LEASE_MSECS fault_hurry(30000)
#define RENEW_MSECS fault_hurry(3000) /* also how often progress is shown */
#define RENEW_CHECK_MSECS fault_hurry(500)
#define IDLE_WAIT_MSECS 30000
#define CATALOG_PAUSE_MSECS 1000 /* after an error of the catalog itself */

struct job_pool {
	struct catalog *catalog;
	struct job_pool_settings settings;
	pthread_mutex_t claim_mutex; /* held by the one who claims; guards generation */
	uint64_t generation;
	pthread_mutex_t mutex; /* guards the rest */
	pthread_cond_t cond;   /* a run ended, or the pool is to end */
	struct job_run *running;
	bool is_stopping; /* claims nothing more; read without the mutex too */
	bool is_over;     /* the renewer may go */
	pthread_t *threads, renewer;
	unsigned thread_count;
};

void job_result_set(struct job_result *result, enum job_outcome outcome, const char *format, ...)
{
	va_list args;

	result->outcome = outcome;
	result->retry_after_msecs = -1;
	result->max_attempts = 0;
	va_start(args, format);
	vsnprintf(result->reason, sizeof result->reason, format, args);
	va_end(args);
}

void job_result_set_remote(struct job_result *result, const char *who,
			   const struct remote_error *error)
{
	bool is_named = strncmp(error->message, who, strlen(who)) == 0;
	const char *text = error->message[0] ? error->message
			   : error->code[0]  ? error->code
					     : remote_kind_name(error->kind);

	switch (error->kind) {
	case REMOTE_CANCELLED:
		job_result_set(result, JOB_OUTCOME_PUT_BACK, "cancelled");
		return;
	case REMOTE_REJECTED:
		job_result_set(result, JOB_OUTCOME_FAILED, "%s%s%s", is_named ? "" : who,
			       is_named ? "" : ": ", text);
		return;
	default:
		job_result_set(result, JOB_OUTCOME_RETRY, "%s%s%s", is_named ? "" : who,
			       is_named ? "" : ": ", text);
	}
	result->retry_after_msecs = error->retry_after_msecs;
	if (error->kind == REMOTE_INVALID || error->kind == REMOTE_NOT_FOUND)
		result->max_attempts = JOB_DOUBTFUL_ATTEMPTS;
}

static bool is_stopping(struct job_pool *pool)
{
	return __atomic_load_n(&pool->is_stopping, __ATOMIC_ACQUIRE);
}

static void wait_msecs(struct job_pool *pool, int64_t msecs)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += msecs / 1000;
	at.tv_nsec += msecs % 1000 * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&pool->cond, &pool->mutex, &at);
}

/* ---- how a job ended ---- */

/* Doubles with each attempt; between half of it and all of it, so that those that failed together
 * do not come back together. */
static int64_t pause_msecs(const struct job_pool *pool, unsigned attempts)
{
	int64_t pause = fault_hurry(pool->settings.pause_first_msecs);
	uint32_t random = 0;

	for (unsigned i = 1; i < attempts && pause < pool->settings.pause_limit_msecs; i++)
		pause *= 2;
	if (pause > pool->settings.pause_limit_msecs)
		pause = pool->settings.pause_limit_msecs;
	(void)!crypto_random(&random,
			     sizeof random); /* 0 where there is no randomness: half of it */
	return pause / 2 + (int64_t)((double)random / UINT32_MAX * (double)(pause - pause / 2));
}

static void log_end(const struct job_pool *pool, const struct job_run *run,
		    const struct job_result *result)
{
	struct catalog_workspace workspace;
	char sid[SID_SIZE];

	if (catalog_workspace_get(pool->catalog, run->job.workspace_id, &workspace) < 0)
		workspace.name[0] = '\0';
	sid_format(&run->job.recording.sid, "RE", sid);
	if (result->outcome == JOB_OUTCOME_FAILED)
		log_warning("%s: %s: %s: failed: %s", pool->settings.name, workspace.name, sid,
			    result->reason);
	else
		log_info("%s: %s: %s: attempt %u: %s", pool->settings.name, workspace.name, sid,
			 run->job.attempts, result->reason);
}

static void finish(struct job_pool *pool, struct job_run *run, struct job_result *result)
{
	int64_t pause;
	int err = 0;

	if (run->is_lost || result->outcome == JOB_OUTCOME_STALE ||
	    result->outcome == JOB_OUTCOME_DONE)
		return;
	if (result->outcome == JOB_OUTCOME_RETRY && result->max_attempts &&
	    run->job.attempts >= result->max_attempts)
		result->outcome = JOB_OUTCOME_FAILED;
	if (run->is_cancelled && result->outcome == JOB_OUTCOME_RETRY)
		result->outcome = JOB_OUTCOME_PUT_BACK; /* it failed because we are ending */
	switch (result->outcome) {
	case JOB_OUTCOME_PUT_BACK:
		err = catalog_job_put_back(pool->catalog, &run->job);
		break;
	case JOB_OUTCOME_FAILED:
		log_end(pool, run, result);
		err = catalog_job_fail(pool->catalog, &run->job, result->reason, -1);
		break;
	default:
		pause = pause_msecs(pool, run->job.attempts);
		if (pause < result->retry_after_msecs)
			pause = result->retry_after_msecs;
		log_end(pool, run, result);
		err = catalog_job_fail(pool->catalog, &run->job, result->reason, pause);
	}
	/* Not fatal: its lease ends by itself, and then it is due again. */
	if (err && err != -ESTALE)
		log_error("%s: the catalog does not take the end of a job: %s", pool->settings.name,
			  strerror(-err));
}

/* ---- workers ---- */

static void run_add(struct job_pool *pool, struct job_run *run)
{
	pthread_mutex_lock(&pool->mutex);
	run->renewed_msecs = time_mono_msecs();
	run->next = pool->running;
	pool->running = run;
	run->is_cancelled = pool->is_stopping; /* claimed while the end began */
	pthread_mutex_unlock(&pool->mutex);
}

static void run_remove(struct job_pool *pool, struct job_run *run)
{
	struct job_run **at;

	pthread_mutex_lock(&pool->mutex);
	for (at = &pool->running; *at != run; at = &(*at)->next)
		;
	*at = run->next;
	pthread_cond_broadcast(&pool->cond);
	pthread_mutex_unlock(&pool->mutex);
}

/* One that waits for admission when the end begins does not begin any more. */
static bool admit(struct job_pool *pool, struct job_run *run)
{
	const struct job_pool_settings *settings = &pool->settings;
	bool admitted = !settings->admit || settings->admit(settings->arg, run);

	pthread_mutex_lock(&pool->mutex);
	run->is_admitted = admitted && !run->is_cancelled;
	pthread_mutex_unlock(&pool->mutex);
	return run->is_admitted;
}

/* With claim_mutex held. True: *run is claimed and admitted, or to be put back (*ret_admitted
 * false). False: the pool ends. */
static bool next_job(struct job_pool *pool, const char *owner, struct job_run *run,
		     bool *ret_admitted)
{
	const struct job_pool_settings *settings = &pool->settings;
	bool complained = false;

	while (!is_stopping(pool)) {
		int64_t next_msecs, wait;
		int err = catalog_job_claim(pool->catalog, settings->kinds, owner, LEASE_MSECS,
					    &run->job, &next_msecs);

		if (err == 0) {
			run_add(pool, run);
			fault_point("after-claim");
			*ret_admitted = admit(pool, run);
			return true;
		}
		if (err != -ENOENT) {
			if (!complained)
				log_error("%s: the catalog gives no job: %s", settings->name,
					  strerror(-err));
			complained = true;
			pthread_mutex_lock(&pool->mutex);
			if (!pool->is_stopping)
				wait_msecs(pool, CATALOG_PAUSE_MSECS);
			pthread_mutex_unlock(&pool->mutex);
			continue;
		}
		wait = next_msecs == INT64_MAX ? IDLE_WAIT_MSECS
					       : next_msecs - time_now_msecs() + 1;
		if (wait > IDLE_WAIT_MSECS)
			wait = IDLE_WAIT_MSECS;
		if (wait > 0)
			catalog_wait(pool->catalog, &pool->generation, (unsigned)wait);
	}
	return false;
}

static void *worker(void *arg)
{
	struct job_pool *pool = arg;
	char owner[CATALOG_OWNER_SIZE];

	catalog_owner_new(owner);
	for (;;) {
		struct job_run run = { .is_cancelled = false };
		struct job_result result = { .outcome = JOB_OUTCOME_PUT_BACK,
					     .retry_after_msecs = -1 };
		bool found, admitted = false;

		pthread_mutex_lock(&pool->claim_mutex);
		found = next_job(pool, owner, &run, &admitted);
		pthread_mutex_unlock(&pool->claim_mutex);
		if (!found)
			return NULL;
		if (admitted)
			pool->settings.work(pool->settings.arg, &run, &result);
		/* Out of the renewer's reach first: what follows gives the lease back. */
		run_remove(pool, &run);
		finish(pool, &run, &result);
		if (pool->settings.release)
			pool->settings.release(pool->settings.arg, &run);
	}
}

/* ---- leases ---- */

/* The run is on the list, and stays there while the mutex is held: renewing under it blocks the
 * workers' comings and goings only. */
static void renew(struct job_pool *pool, struct job_run *run, int64_t now)
{
	int err;

	if (run->is_lost || now - run->renewed_msecs < RENEW_MSECS)
		return;
	err = catalog_job_renew(pool->catalog, &run->job, LEASE_MSECS, run->done_bytes,
				run->total_bytes);
	if (err == 0) {
		run->renewed_msecs = now;
		run->is_cancelled |= run->job.is_wanted_back;
		return;
	}
	if (err == -ESTALE || time_now_msecs() + RENEW_MSECS >= run->job.lease_until_msecs) {
		/* Gone, or not to be saved in time. */
		run->is_lost = true;
		run->is_cancelled = true;
	}
}

bool job_run_is_ours(const struct job_run *run)
{
	return !run->is_cancelled &&
	       time_now_msecs() < __atomic_load_n(&run->job.lease_until_msecs, __ATOMIC_RELAXED);
}

static void *renewer(void *arg)
{
	struct job_pool *pool = arg;

	pthread_mutex_lock(&pool->mutex);
	while (!pool->is_over) {
		int64_t now = time_mono_msecs();

		for (struct job_run *run = pool->running; run; run = run->next)
			renew(pool, run, now);
		wait_msecs(pool, RENEW_CHECK_MSECS);
	}
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

/* ---- the pool ---- */

static void pool_free(struct job_pool *pool)
{
	pthread_mutex_destroy(&pool->claim_mutex);
	pthread_mutex_destroy(&pool->mutex);
	pthread_cond_destroy(&pool->cond);
	free(pool->threads);
	free(pool);
}

int job_pool_start(struct catalog *catalog, const struct job_pool_settings *settings,
		   struct job_pool **ret_pool)
{
	struct job_pool *pool = calloc(1, sizeof *pool);
	pthread_condattr_t attr;
	int err;

	if (!pool)
		return -ENOMEM;
	pool->catalog = catalog;
	pool->settings = *settings;
	pthread_mutex_init(&pool->claim_mutex, NULL);
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->cond, &attr);
	pthread_condattr_destroy(&attr);
	pool->threads = calloc(settings->workers, sizeof *pool->threads);
	err = pool->threads ? thread_start(&pool->renewer, renewer, pool) : -ENOMEM;
	if (err) {
		pool_free(pool);
		return err;
	}
	while (err == 0 && pool->thread_count < settings->workers) {
		err = thread_start(&pool->threads[pool->thread_count], worker, pool);
		pool->thread_count += err == 0;
	}
	if (err) {
		job_pool_stop(pool, 0);
		return err;
	}
	*ret_pool = pool;
	return 0;
}

void job_pool_stop(struct job_pool *pool, unsigned grace_msecs)
{
	int64_t end = time_mono_msecs() + grace_msecs;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->mutex);
	__atomic_store_n(&pool->is_stopping, true, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&pool->cond);
	catalog_wake(pool->catalog);
	for (struct job_run *run = pool->running; run; run = run->next)
		if (!run->is_admitted)
			run->is_cancelled = true;
	while (pool->running && time_mono_msecs() < end)
		wait_msecs(pool, end - time_mono_msecs());
	for (struct job_run *run = pool->running; run; run = run->next)
		run->is_cancelled = true;
	pthread_mutex_unlock(&pool->mutex);
	for (unsigned i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_mutex_lock(&pool->mutex);
	pool->is_over = true;
	pthread_cond_broadcast(&pool->cond);
	pthread_mutex_unlock(&pool->mutex);
	pthread_join(pool->renewer, NULL);
	pool_free(pool);
}
