/* The claimer: one thread that finds the jobs of all pools and keeps their leases. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "jobs/jobs-private.h"
#include "jobs/lease.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/times.h"
#include "util/wait.h"

#define IDLE_MSECS 60000  /* between looks, whatever the database says about changes */
#define LOOK_GAP_MSECS 20 /* after a look that found nothing, however often the catalog changes */
#define ADMIT_CHECK_MSECS 100
#define ERROR_PAUSE_MSECS 1000

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void jobs_wake(struct jobs *jobs)
{
	jobs->news++;
	pthread_cond_signal(&jobs->cond);
	if (jobs->is_in_catalog)
		catalog_wake(jobs->catalog);
}

/* ---- pools ---- */

static void free_stopped(struct jobs *jobs)
{
	list_for_each_entry_safe(struct job_pool, pool, &jobs->pools, link) {
		if (!pool_is_over(pool))
			continue;
		list_remove(&pool->link);
		pool->is_stopped = true;
		pthread_cond_broadcast(&jobs->stopped_cond);
	}
}

static struct job_run *take_stuck(struct jobs *jobs, int64_t now_msecs)
{
	struct job_run *run = NULL;

	pthread_mutex_lock(&jobs->mutex);
	list_for_each_entry(struct job_pool, pool, &jobs->pools, link)
		if (!run)
			run = pool_take_stuck(pool, now_msecs);
	pthread_mutex_unlock(&jobs->mutex);
	return run;
}

/* The claimer holds no pool and no run here: what has come to its end may go. */
static void put_back_stuck(struct jobs *jobs, int64_t now_msecs)
{
	struct job_run *run;

	while ((run = take_stuck(jobs, now_msecs)))
		run_put_back(run);
	pthread_mutex_lock(&jobs->mutex);
	free_stopped(jobs);
	pthread_mutex_unlock(&jobs->mutex);
}

/* False: a run is to be put back. */
static bool begin_runs(struct jobs *jobs, int64_t now_msecs)
{
	int err = 0;

	list_for_each_entry(struct job_pool, pool, &jobs->pools, link) {
		err = pool_begin(pool);
		if (err) {
			if (now_msecs >= jobs->pause_msecs)
				log_error("%s: no thread can be started: %s", pool->settings.name,
					  strerror(-err));
			jobs->pause_msecs = now_msecs + ERROR_PAUSE_MSECS;
			return false;
		}
	}
	return true;
}

/* ---- claiming ---- */

/* The wants of all pools, for one claim. */
struct look {
	struct job_pool **pools;
	struct job_want *wants;
	struct job_claimed *claimed; /* room for the sum of the limits */
	size_t count;
	unsigned limit; /* the sum */
	bool is_due;
};

static void look_release(struct look *look)
{
	free(look->pools);
	free(look->wants);
	free(look->claimed);
}

/* A commit of whomever is no reason to look again for jobs that there was no room for. */
static bool is_look_due(const struct jobs *jobs, const struct job_pool *pool, int64_t now_msecs)
{
	if (now_msecs >= jobs->look_at_msecs)
		return true;
	return pool->is_held_back ? jobs->news != jobs->looked_news ||
					    now_msecs - pool->looked_msecs >= ADMIT_CHECK_MSECS
				  : !pool->was_asked_for;
}

static int look_prepare(struct jobs *jobs, struct look *look, int64_t now_msecs)
{
	list_for_each_entry(struct job_pool, pool, &jobs->pools, link) {
		unsigned limit = pool_wanted(pool, now_msecs);
		struct job_pool **added_pool;
		struct job_want *want;
		size_t count = look->count;

		if (!limit) {
			pool->was_asked_for = false;
			continue;
		}
		added_pool = array_add(&look->pools, &count);
		want = array_add(&look->wants, &look->count);
		if (!added_pool || !want)
			return -ENOMEM;
		*added_pool = pool;
		*want = (struct job_want){
			.kinds = pool->settings.kinds,
			.limit = limit,
			.room = pool_room,
			.arg = pool,
		};
		look->limit += limit;
		look->is_due |= is_look_due(jobs, pool, now_msecs);
	}
	return 0;
}

static struct job_pool *pool_of(const struct look *look, enum catalog_job_kind kind)
{
	size_t i = 0;

	while (!(look->wants[i].kinds & kind))
		i++;
	return look->pools[i];
}

/* Where there is no memory for a run, its lease ends by itself. */
static int add_runs(struct look *look, int64_t now_msecs)
{
	unsigned count = 0;

	for (size_t i = 0; i < look->count; i++) {
		pool_looked(look->pools[i], &look->wants[i], now_msecs);
		count += look->wants[i].ret_count;
	}
	for (unsigned n = 0; n < count; n++) {
		const struct job_claimed *claimed = &look->claimed[n];
		struct job_pool *pool = pool_of(look, claimed->job.kind);
		struct job_run *run = calloc(1, pool->settings.run_size);

		if (!run)
			return -ENOMEM;
		run->job = claimed->job;
		if (pool->settings.claimed)
			pool->settings.claimed(pool->settings.arg, run, &claimed->recording);
		pool_add(pool, run, now_msecs);
	}
	return 0;
}

/* Claims for all pools that want jobs. 0: there are some, or nobody wants any now (-EAGAIN). */
static int claim(struct jobs *jobs, int64_t now_msecs)
{
	cleanup_with(look_release) struct look look = { 0 };
	int64_t wait_msecs = INT64_MAX;
	int err;

	pthread_mutex_lock(&jobs->mutex);
	err = look_prepare(jobs, &look, now_msecs);
	if (look.is_due)
		jobs->looked_news = jobs->news;
	pthread_mutex_unlock(&jobs->mutex);
	if (err == 0 && (!look.is_due || now_msecs < jobs->pause_msecs))
		return -EAGAIN;
	if (err == 0 && !(look.claimed = calloc(look.limit, sizeof *look.claimed)))
		err = -ENOMEM;
	if (err == 0)
		err = job_claim(jobs->catalog, look.wants, look.count, jobs->owner, LEASE_MSECS,
				look.claimed, &wait_msecs);
	jobs->looked_msecs = now_msecs;
	jobs->look_at_msecs = now_msecs + earlier(wait_msecs, IDLE_MSECS);
	if (err && err != -ENOENT)
		return err;
	pthread_mutex_lock(&jobs->mutex);
	if (add_runs(&look, now_msecs))
		err = -ENOMEM;
	pthread_mutex_unlock(&jobs->mutex);
	if (err == 0)
		fault_point("after-claim");
	return err;
}

/* False: there is nothing to claim now. */
static bool claim_some(struct jobs *jobs, int64_t now_msecs)
{
	int err = claim(jobs, now_msecs);

	if (err == -EAGAIN || err == -ENOENT)
		return false;
	if (err && !jobs->is_catalog_failing)
		log_error("jobs cannot be claimed: %s", strerror(-err));
	jobs->is_catalog_failing = err;
	if (err)
		jobs->look_at_msecs = jobs->pause_msecs = now_msecs + ERROR_PAUSE_MSECS;
	return !err;
}

/* ---- waiting ---- */

/* Until there are news, jobs may be due, or the time has come. */
static void wait_for_news(struct jobs *jobs, uint64_t news, int64_t until_msecs)
{
	bool is_in_catalog = false;
	int64_t now = time_mono_msecs(), msecs;

	pthread_mutex_lock(&jobs->mutex);
	list_for_each_entry(struct job_pool, pool, &jobs->pools, link) {
		if (pool->running >= pool->settings.workers || pool->is_stopping)
			continue;
		if (pool->ready_count || pool->is_held_back)
			until_msecs = earlier(until_msecs, now + ADMIT_CHECK_MSECS);
		else
			is_in_catalog = true;
	}
	if (jobs->pause_msecs > now)
		is_in_catalog = false, until_msecs = earlier(until_msecs, jobs->pause_msecs);
	else if (is_in_catalog)
		until_msecs = earlier(until_msecs, jobs->look_at_msecs);
	msecs = until_msecs - now;
	if (jobs->news != news || jobs->is_stopping || msecs <= 0) {
		pthread_mutex_unlock(&jobs->mutex);
		return;
	}
	if (is_in_catalog) {
		jobs->is_in_catalog = true;
		pthread_mutex_unlock(&jobs->mutex);
		if (catalog_wait(jobs->catalog, &jobs->generation, (unsigned)msecs) == 0)
			jobs->look_at_msecs =
				earlier(jobs->look_at_msecs, jobs->looked_msecs + LOOK_GAP_MSECS);
		pthread_mutex_lock(&jobs->mutex);
		jobs->is_in_catalog = false;
	} else {
		cond_wait_until(&jobs->cond, &jobs->mutex, until_msecs, NULL);
	}
	pthread_mutex_unlock(&jobs->mutex);
}

static void *claimer(void *arg)
{
	struct jobs *jobs = arg;

	for (;;) {
		int64_t now = time_mono_msecs(), renew_msecs;
		bool is_stopping, all_begin;
		uint64_t news;

		pthread_mutex_lock(&jobs->mutex);
		news = jobs->news;
		is_stopping = jobs->is_stopping;
		all_begin = begin_runs(jobs, now);
		pthread_mutex_unlock(&jobs->mutex);
		if (is_stopping)
			return NULL;
		put_back_stuck(jobs, now);
		renew_msecs = jobs_renew(jobs, now);
		if (all_begin && !claim_some(jobs, now))
			wait_for_news(jobs, news, earlier(renew_msecs, now + IDLE_MSECS));
	}
}

/* ---- start and stop ---- */

int jobs_new(struct catalog *catalog, struct jobs **ret_jobs)
{
	struct jobs *jobs = calloc(1, sizeof *jobs);
	int err;

	if (!jobs)
		return -ENOMEM;
	jobs->catalog = catalog;
	job_owner_new(jobs->owner);
	pthread_mutex_init(&jobs->mutex, NULL);
	cond_init(&jobs->cond);
	cond_init(&jobs->stopped_cond);
	list_init(&jobs->pools);
	err = thread_start(&jobs->thread, "jobs", claimer, jobs);
	if (err)
		free(jobs);
	else
		*ret_jobs = jobs;
	return err;
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	pthread_mutex_lock(&jobs->mutex);
	jobs->is_stopping = true;
	jobs_wake(jobs);
	pthread_mutex_unlock(&jobs->mutex);
	pthread_join(jobs->thread, NULL);
	pthread_mutex_destroy(&jobs->mutex);
	pthread_cond_destroy(&jobs->cond);
	pthread_cond_destroy(&jobs->stopped_cond);
	free(jobs);
}

struct catalog *jobs_catalog(const struct jobs *jobs)
{
	return jobs->catalog;
}
