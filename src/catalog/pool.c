#include "catalog/pool-private.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/fault.h"
#include "util/log.h"
#include "util/pool.h"
#include "util/times.h"

#define LEASE_MSECS fault_hurry(30000)
#define RENEW_MSECS fault_hurry(3000) /* also how often progress is shown */
#define RENEW_CHECK_MSECS fault_hurry(500)
#define RENEW_AT_ONCE 512
#define IDLE_WAIT_MSECS 30000
#define CATALOG_PAUSE_MSECS 1000 /* after an error of the catalog itself */
#define ADMIT_CHECK_MSECS 100
#define CLAIM_CHECK_MSECS 250 /* while claimed ones wait */
#define OVERTAKE_MSECS 2000   /* so long one that waits for what all share is overtaken */
#define HOLD_MSECS 5000       /* and what cannot begin soon is not kept from other processes */
#define AHEAD_MSECS 1000
#define READY_MOST 112 /* of them JOB_POOL_AHEAD of whatever workspace, the rest one of each */

struct job_pool {
	struct catalog *catalog;
	struct job_pool_settings settings;
	char owner[CATALOG_OWNER_SIZE];
	pthread_mutex_t claim_mutex; /* held by the one who looks for the next job; guards: */
	uint64_t generation;
	struct job_run *ready[READY_MOST]; /* claimed, not begun; also among `running` */
	unsigned ready_count;
	unsigned ahead; /* so many may be */
	int64_t claimed_msecs;
	pthread_mutex_t mutex; /* guards the rest; taken after claim_mutex */
	pthread_cond_t cond;   /* a run ended, another look is worth it, or the pool is to end */
	pthread_cond_t over_cond;
	struct job_run *running;
	uint64_t news;    /* of those who signalled cond */
	bool is_stopping; /* claims nothing more; read without the mutex too */
	bool is_over;     /* the renewer may go */
	pthread_t *threads, renewer;
	unsigned thread_count;
};

static bool is_stopping(struct job_pool *pool)
{
	return __atomic_load_n(&pool->is_stopping, __ATOMIC_ACQUIRE);
}

static void wait_msecs(struct job_pool *pool, pthread_cond_t *cond, int64_t msecs)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += msecs / 1000;
	at.tv_nsec += msecs % 1000 * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(cond, &pool->mutex, &at);
}

/* ---- runs ---- */

static void run_add(struct job_pool *pool, struct job_run *run)
{
	pthread_mutex_lock(&pool->mutex);
	run->claimed_msecs = run->renewed_msecs = time_mono_msecs();
	run->next = pool->running;
	pool->running = run;
	pthread_mutex_unlock(&pool->mutex);
}

/* With the mutex held. */
static void wake(struct job_pool *pool)
{
	pool->news++;
	pthread_cond_broadcast(&pool->cond);
}

void job_pool_look_again(struct job_pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	wake(pool);
	pthread_mutex_unlock(&pool->mutex);
}

/* What it was claimed for is over: tells the catalog, gives back what it has. */
static void run_end(struct job_pool *pool, struct job_run *run, struct job_result *result)
{
	struct job_run **at;

	/* Out of the renewer's reach first: what follows gives the lease back. */
	pthread_mutex_lock(&pool->mutex);
	for (at = &pool->running; *at != run; at = &(*at)->next)
		;
	*at = run->next;
	pthread_mutex_unlock(&pool->mutex);
	job_run_finish(pool->catalog, &pool->settings, run, result);
	if (pool->settings.release)
		pool->settings.release(pool->settings.arg, run);
	free(run);
	job_pool_look_again(pool);
}

/* ---- what is claimed and waits; with claim_mutex held ---- */

static struct job_run *ready_remove(struct job_pool *pool, unsigned i)
{
	struct job_run *run = pool->ready[i];

	pool->ready_count--;
	memmove(&pool->ready[i], &pool->ready[i + 1],
		(pool->ready_count - i) * sizeof *pool->ready);
	return run;
}

static void ready_put_back(struct job_pool *pool, unsigned i)
{
	struct job_result result = { .outcome = JOB_OUTCOME_PUT_BACK, .retry_after_msecs = -1 };

	run_end(pool, ready_remove(pool, i), &result);
}

static unsigned room_for(struct job_pool *pool, int64_t workspace_id)
{
	return pool->settings.room ? pool->settings.room(pool->settings.arg, workspace_id)
				   : UINT_MAX;
}

/* What nobody can begin soon, or lost its lease meanwhile. Only the renewer's flags change while we
 * look, and a moment later is soon enough for them. */
static void ready_clean(struct job_pool *pool, bool is_line_idle)
{
	int64_t now = time_mono_msecs();

	for (unsigned i = pool->ready_count; i-- > 0;) {
		struct job_run *run = pool->ready[i];
		bool is_old = now - run->claimed_msecs > HOLD_MSECS;

		if (cancel_is_set(&run->cancel) || is_stopping(pool) ||
		    (is_old && (is_line_idle || !room_for(pool, run->job.workspace_id))))
			ready_put_back(pool, i);
	}
}

static enum job_admission admit(struct job_pool *pool, struct job_run *run)
{
	return pool->settings.admit ? pool->settings.admit(pool->settings.arg, run) : JOB_ADMITTED;
}

static bool waits_already(const struct job_pool *pool, unsigned before)
{
	for (unsigned i = 0; i < before; i++)
		if (pool->ready[i]->job.workspace_id == pool->ready[before]->job.workspace_id)
			return true;
	return false;
}

/* The first that may begin; NULL: none. */
static struct job_run *ready_pick(struct job_pool *pool)
{
	int64_t now = time_mono_msecs();

	for (unsigned i = 0; i < pool->ready_count; i++) {
		struct job_run *run = pool->ready[i];
		enum job_admission admission;

		if (waits_already(pool, i))
			continue;
		admission = admit(pool, run);
		if (admission == JOB_ADMITTED)
			return ready_remove(pool, i);
		if (admission == JOB_WAITS_FIRST && now - run->claimed_msecs > OVERTAKE_MSECS)
			return NULL;
	}
	return NULL;
}

/* ---- claiming; with claim_mutex held ---- */

static unsigned claim_room(void *arg, int64_t workspace_id)
{
	struct job_pool *pool = arg;
	unsigned room = room_for(pool, workspace_id);

	/* While some wait, only workspaces that have none of them are of interest. */
	for (unsigned i = 0; i < pool->ready_count; i++)
		if (pool->ready[i]->job.workspace_id == workspace_id)
			return 0;
	return room && pool->ready_count ? 1 : room;
}

/* As many as have been begun within a second of late: twice as many as last time where those are
 * gone already, else fewer. */
static unsigned claim_size(struct job_pool *pool, int64_t now)
{
	if (now - pool->claimed_msecs > AHEAD_MSECS)
		pool->ahead = pool->ahead > 1 ? pool->ahead / 2 : 1;
	else if (pool->ready_count == 0)
		pool->ahead = pool->ahead < JOB_POOL_AHEAD / 2 ? pool->ahead * 2 : JOB_POOL_AHEAD;
	return pool->ahead < READY_MOST - pool->ready_count ? pool->ahead
							    : READY_MOST - pool->ready_count;
}

/* Where there is no memory for what was claimed its lease ends by itself. */
static int claim_more(struct job_pool *pool, struct catalog_claimed *ret_claimed)
{
	struct catalog_job jobs[JOB_POOL_AHEAD];
	struct catalog_claim claim = {
		.kinds = pool->settings.kinds,
		.owner = pool->owner,
		.lease_msecs = LEASE_MSECS,
		.room = claim_room,
		.arg = pool,
	};
	int64_t now = time_mono_msecs();
	unsigned size = claim_size(pool, now);
	int err;

	*ret_claimed = (struct catalog_claimed){ .next_msecs = INT64_MAX };
	if (!size)
		return -ENOENT;
	err = catalog_job_claim_some(pool->catalog, &claim, size, jobs, ret_claimed);
	pool->claimed_msecs = now;
	if (err)
		return err;
	for (unsigned i = 0; i < ret_claimed->count; i++) {
		struct job_run *run = calloc(1, sizeof *run);

		if (!run)
			return -ENOMEM;
		run->job = jobs[i];
		run_add(pool, run);
		pool->ready[pool->ready_count++] = run;
	}
	fault_point("after-claim");
	return 0;
}

/* ---- waiting; with claim_mutex held ---- */

static uint64_t news_of(struct job_pool *pool)
{
	uint64_t news;

	pthread_mutex_lock(&pool->mutex);
	news = pool->news;
	pthread_mutex_unlock(&pool->mutex);
	return news;
}

static void wait_for_news(struct job_pool *pool, uint64_t news, unsigned msecs)
{
	pthread_mutex_lock(&pool->mutex);
	if (!pool->is_stopping && pool->news == news)
		wait_msecs(pool, &pool->cond, msecs);
	pthread_mutex_unlock(&pool->mutex);
}

static void wait_for_jobs(struct job_pool *pool, int64_t next_msecs)
{
	int64_t wait =
		next_msecs == INT64_MAX ? IDLE_WAIT_MSECS : next_msecs - time_now_msecs() + 1;

	if (wait > IDLE_WAIT_MSECS)
		wait = IDLE_WAIT_MSECS;
	if (wait > 0)
		catalog_wait(pool->catalog, &pool->generation, (unsigned)wait);
}

/* While some have waited for a moment only a look into the catalog is not worth it. */
static bool should_claim(const struct job_pool *pool)
{
	return pool->ready_count == 0 ||
	       (pool->ready_count < READY_MOST &&
		time_mono_msecs() - pool->claimed_msecs > CLAIM_CHECK_MSECS);
}

/* The next run, claimed and admitted. NULL: the pool ends. */
static struct job_run *next_run(struct job_pool *pool)
{
	struct catalog_claimed claimed;
	struct job_run *run;
	int complained = 0, err;

	while (!is_stopping(pool)) {
		uint64_t news = news_of(pool);

		ready_clean(pool, false);
		run = ready_pick(pool);
		if (run)
			return run;
		if (!should_claim(pool)) {
			wait_for_news(pool, news, ADMIT_CHECK_MSECS);
			continue;
		}
		err = claim_more(pool, &claimed);
		if (err == 0)
			continue;
		if (err != -ENOENT) {
			if (!complained++)
				log_error("%s: the catalog gives no job: %s", pool->settings.name,
					  strerror(-err));
			wait_for_news(pool, news_of(pool), CATALOG_PAUSE_MSECS);
		} else if (pool->ready_count || claimed.is_held_back) {
			wait_for_news(pool, news, ADMIT_CHECK_MSECS);
		} else {
			wait_for_jobs(pool, claimed.next_msecs);
		}
	}
	while (pool->ready_count)
		ready_put_back(pool, 0);
	return NULL;
}

/* ---- workers ---- */

static void *worker(void *arg)
{
	struct job_pool *pool = arg;

	for (;;) {
		struct job_result result = { .outcome = JOB_OUTCOME_PUT_BACK,
					     .retry_after_msecs = -1 };
		struct job_run *run;
		bool begins = false;

		pthread_mutex_lock(&pool->claim_mutex);
		run = next_run(pool);
		pthread_mutex_unlock(&pool->claim_mutex);
		if (!run)
			return NULL;
		/* What is about to begin when the end does, does not begin any more. */
		pthread_mutex_lock(&pool->mutex);
		begins = run->is_begun = !cancel_is_set(&run->cancel) && !pool->is_stopping;
		pthread_mutex_unlock(&pool->mutex);
		if (begins)
			pool->settings.work(pool->settings.arg, run, &result);
		run_end(pool, run, &result);
	}
}

/* ---- leases ---- */

/* Its worker looks at the flag at any time, without the lock. */
static void cancel(struct job_run *run)
{
	cancel_set(&run->cancel);
}

static void note_renewal(struct job_run *run, int err, int64_t now)
{
	if (err == 0) {
		run->renewed_msecs = now;
		if (run->job.is_wanted_back)
			cancel(run);
	} else if (err == -ESTALE || time_now_msecs() + RENEW_MSECS >= run->job.lease_until_msecs) {
		/* Gone, or not to be saved in time. */
		run->is_lost = true;
		cancel(run);
	}
}

bool job_run_is_ours(const struct job_run *run)
{
	return !cancel_is_set(&run->cancel) &&
	       time_now_msecs() < __atomic_load_n(&run->job.lease_until_msecs, __ATOMIC_RELAXED);
}

/* The runs are on the list, and stay there while the mutex is held: renewing under it blocks the
 * workers' comings and goings only. All in one commit, also those whose turn would come soon. */
static void renew(struct job_pool *pool, int64_t now)
{
	struct catalog_renewal renewals[RENEW_AT_ONCE];
	struct job_run *runs[RENEW_AT_ONCE];
	bool is_due = false;
	size_t count = 0;
	int err;

	for (struct job_run *run = pool->running; run && count < RENEW_AT_ONCE; run = run->next) {
		int64_t age = now - run->renewed_msecs;

		if (run->is_lost || age < RENEW_MSECS / 2)
			continue;
		is_due |= age >= RENEW_MSECS;
		renewals[count] = (struct catalog_renewal){ &run->job, run->done_bytes,
							    run->total_bytes, 0, 0 };
		runs[count++] = run;
	}
	if (!is_due)
		return;
	err = catalog_job_renew_all(pool->catalog, renewals, count, LEASE_MSECS);
	for (size_t i = 0; i < count; i++)
		note_renewal(runs[i], err ? err : renewals[i].err, now);
}

static void *renewer(void *arg)
{
	struct job_pool *pool = arg;

	pthread_mutex_lock(&pool->mutex);
	while (!pool->is_over) {
		renew(pool, time_mono_msecs());
		pthread_mutex_unlock(&pool->mutex);
		/* Nobody looks for a job: every worker has one, perhaps for long. */
		if (pthread_mutex_trylock(&pool->claim_mutex) == 0) {
			ready_clean(pool, true);
			pthread_mutex_unlock(&pool->claim_mutex);
		}
		pthread_mutex_lock(&pool->mutex);
		if (!pool->is_over)
			wait_msecs(pool, &pool->over_cond, RENEW_CHECK_MSECS);
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
	pthread_cond_destroy(&pool->over_cond);
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
	pool->ahead = 1;
	catalog_owner_new(pool->owner);
	pthread_mutex_init(&pool->claim_mutex, NULL);
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->cond, &attr);
	pthread_cond_init(&pool->over_cond, &attr);
	pthread_condattr_destroy(&attr);
	pool->threads = calloc(settings->workers, sizeof *pool->threads);
	err = pool->threads ? thread_start(&pool->renewer, "job leases", renewer, pool) : -ENOMEM;
	if (err) {
		pool_free(pool);
		return err;
	}
	*ret_pool = pool; /* a worker may want it before we return */
	while (err == 0 && pool->thread_count < settings->workers) {
		err = thread_start(&pool->threads[pool->thread_count], settings->name, worker,
				   pool);
		pool->thread_count += err == 0;
	}
	if (err) {
		*ret_pool = NULL;
		job_pool_stop(pool, 0);
		return err;
	}
	return 0;
}

void job_pool_stop(struct job_pool *pool, unsigned grace_msecs)
{
	int64_t end = time_mono_msecs() + grace_msecs;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->mutex);
	__atomic_store_n(&pool->is_stopping, true, __ATOMIC_RELEASE);
	wake(pool);
	catalog_wake(pool->catalog);
	while (pool->running && time_mono_msecs() < end)
		wait_msecs(pool, &pool->cond, end - time_mono_msecs());
	for (struct job_run *run = pool->running; run; run = run->next)
		cancel(run);
	pthread_mutex_unlock(&pool->mutex);
	for (unsigned i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_mutex_lock(&pool->mutex);
	pool->is_over = true;
	pthread_cond_signal(&pool->over_cond);
	pthread_mutex_unlock(&pool->mutex);
	pthread_join(pool->renewer, NULL);
	pool_free(pool);
}
