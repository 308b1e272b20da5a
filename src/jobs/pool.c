/* A pool: its claimed runs, those of them that wait to be admitted, and its workers. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/jobs-private.h"
#include "util/times.h"
#include "util/wait.h"

#define CLAIM_CHECK_MSECS 250 /* while claimed ones wait */
#define OVERTAKE_MSECS 2000   /* so long a run that waits for what all share is overtaken */
#define HOLD_MSECS 5000       /* and what cannot begin soon is not kept from other processes */
#define AHEAD_MSECS 1000

/* ---- the end of a run ---- */

void run_end(struct job_run *run, struct job_result *result)
{
	struct job_pool *pool = run->pool;

	/* Out of the renewer's reach first: what follows gives the lease back. */
	pthread_mutex_lock(&pool->jobs->mutex);
	list_remove(&run->link);
	pthread_mutex_unlock(&pool->jobs->mutex);
	job_run_finish(pool->jobs->catalog, &pool->settings, run, result);
	if (pool->settings.release)
		pool->settings.release(pool->settings.arg, run);
	free(run);
}

void run_put_back(struct job_run *run)
{
	struct job_result result = { .outcome = JOB_OUTCOME_PUT_BACK, .retry_after_msecs = -1 };

	run_end(run, &result);
}

/* ---- runs that wait ---- */

static struct job_run *ready_remove(struct job_pool *pool, unsigned i)
{
	struct job_run *run = pool->ready[i];

	pool->ready_count--;
	memmove(&pool->ready[i], &pool->ready[i + 1],
		(pool->ready_count - i) * sizeof *pool->ready);
	return run;
}

static bool waits_already(const struct job_pool *pool, int64_t workspace_id, unsigned before)
{
	for (unsigned i = 0; i < before; i++)
		if (pool->ready[i]->job.workspace_id == workspace_id)
			return true;
	return false;
}

static unsigned room_for(const struct job_pool *pool, int64_t workspace_id)
{
	return pool->settings.room ? pool->settings.room(pool->settings.arg, workspace_id)
				   : UINT_MAX;
}

struct job_run *pool_take_stuck(struct job_pool *pool, int64_t now_msecs)
{
	for (unsigned i = pool->ready_count; i-- > 0;) {
		const struct job_run *run = pool->ready[i];
		bool is_old = now_msecs - run->claimed_msecs > HOLD_MSECS;

		if (cancel_is_set(&run->cancel) || pool->is_stopping ||
		    (is_old && (pool->running >= pool->settings.workers ||
				!room_for(pool, run->job.workspace_id))))
			return ready_remove(pool, i);
	}
	return NULL;
}

/* The first that may begin; NULL: none. */
static struct job_run *ready_pick(struct job_pool *pool)
{
	int64_t now = time_mono_msecs();

	for (unsigned i = 0; i < pool->ready_count; i++) {
		struct job_run *run = pool->ready[i];
		enum job_admission admission = JOB_ADMITTED;

		if (waits_already(pool, run->job.workspace_id, i))
			continue;
		if (pool->settings.admit)
			admission = pool->settings.admit(pool->settings.arg, run);
		if (admission == JOB_ADMITTED)
			return ready_remove(pool, i);
		if (admission == JOB_WAITS_FIRST && now - run->claimed_msecs > OVERTAKE_MSECS)
			return NULL;
	}
	return NULL;
}

/* ---- claiming ---- */

unsigned pool_room(void *arg, int64_t workspace_id)
{
	struct job_pool *pool = arg;
	unsigned room;

	pthread_mutex_lock(&pool->jobs->mutex);
	room = room_for(pool, workspace_id);
	/* While some wait, only workspaces that have none of them are of interest. */
	if (waits_already(pool, workspace_id, pool->ready_count))
		room = 0;
	else if (room && pool->ready_count)
		room = 1;
	pthread_mutex_unlock(&pool->jobs->mutex);
	return room;
}

/* As many as have begun within a second of late: twice as many as last time where those are gone
 * already, half as many for each second that they have taken. */
static unsigned next_ahead(const struct job_pool *pool, int64_t now_msecs)
{
	int64_t halvings = (now_msecs - pool->claimed_msecs) / AHEAD_MSECS;
	unsigned ahead = pool->ahead;

	if (halvings == 0 && pool->ready_count == 0)
		ahead = ahead < JOB_POOL_AHEAD / 2 ? ahead * 2 : JOB_POOL_AHEAD;
	else
		ahead = halvings < 8 ? ahead >> halvings : 0;
	return ahead ? ahead : 1;
}

unsigned pool_wanted(const struct job_pool *pool, int64_t now_msecs)
{
	unsigned ahead, room = READY_LIMIT - pool->ready_count;

	if (pool->is_stopping || pool->running >= pool->settings.workers)
		return 0;
	/* While some wait a look into the catalog is worth it now and then only. */
	if (pool->ready_count && now_msecs - pool->looked_msecs <= CLAIM_CHECK_MSECS)
		return 0;
	ahead = next_ahead(pool, now_msecs);
	return ahead < room ? ahead : room;
}

void pool_looked(struct job_pool *pool, const struct job_want *want, int64_t now_msecs)
{
	pool->looked_msecs = now_msecs;
	pool->was_asked_for = want->ret_count < want->limit;
	pool->is_held_back = want->ret_is_held_back;
	if (!want->ret_count)
		return;
	pool->ahead = next_ahead(pool, now_msecs);
	pool->claimed_msecs = now_msecs;
}

void pool_add(struct job_pool *pool, struct job_run *run, int64_t now_msecs)
{
	run->pool = pool;
	run->claimed_msecs = run->renewed_msecs = now_msecs;
	list_add(&pool->runs, &run->link);
	pool->ready[pool->ready_count++] = run;
}

/* ---- workers ---- */

/* The worker's next run; NULL: it is idle now. Wakes the claimer where it has something to do. */
static struct job_run *next_run(struct job_pool *pool)
{
	struct job_run *run;

	pthread_mutex_lock(&pool->jobs->mutex);
	run = pool->is_stopping ? NULL : ready_pick(pool);
	pool->running -= !run;
	if (pool->running < pool->settings.workers)
		jobs_wake(pool->jobs);
	pthread_mutex_unlock(&pool->jobs->mutex);
	return run;
}

static void work(struct pool_task *task)
{
	struct job_run *run = list_entry(task, struct job_run, task);
	struct job_pool *pool = run->pool;

	while (run) {
		struct job_result result = { .outcome = JOB_OUTCOME_PUT_BACK,
					     .retry_after_msecs = -1 };

		/* When the pool stops, a run that has not begun does not begin any more. */
		if (!pool->is_stopping && !cancel_is_set(&run->cancel))
			pool->settings.work(pool->settings.arg, run, &result);
		run_end(run, &result);
		run = next_run(pool);
	}
}

int pool_begin(struct job_pool *pool)
{
	struct job_run *run;

	while (!pool->is_stopping && pool->running < pool->settings.workers &&
	       (run = ready_pick(pool))) {
		int err;

		run->task.run = work;
		err = pool_push(&pool->threads, &run->task);
		if (err) {
			cancel_set(&run->cancel);
			pool->ready[pool->ready_count++] = run;
			return err;
		}
		pool->running++;
	}
	return 0;
}

/* ---- start and stop ---- */

int job_pool_start(struct jobs *jobs, const struct job_pool_settings *settings,
		   struct job_pool **ret_pool)
{
	struct job_pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return -ENOMEM;
	pool->jobs = jobs;
	pool->settings = *settings;
	if (!pool->settings.run_size)
		pool->settings.run_size = sizeof(struct job_run);
	pool->ahead = 1;
	pool_init(&pool->threads, settings->name, settings->workers);
	list_init(&pool->runs);
	*ret_pool = pool; /* a worker may want it before this function returns */
	pthread_mutex_lock(&jobs->mutex);
	list_add(&jobs->pools, &pool->link);
	jobs_wake(jobs);
	pthread_mutex_unlock(&jobs->mutex);
	return 0;
}

bool pool_is_over(const struct job_pool *pool)
{
	return pool->is_stopping && list_empty(&pool->runs) && !pool->running;
}

void job_pool_stop(struct job_pool *pool, unsigned grace_msecs)
{
	int64_t end = time_mono_msecs() + grace_msecs;
	struct jobs *jobs = pool ? pool->jobs : NULL;

	if (!pool)
		return;
	pthread_mutex_lock(&jobs->mutex);
	pool->is_stopping = true;
	jobs_wake(jobs);
	while (!pool->is_stopped && cond_wait_until(&jobs->stopped_cond, &jobs->mutex, end, NULL))
		;
	list_for_each_entry(struct job_run, run, &pool->runs, link)
		cancel_set(&run->cancel);
	while (!pool->is_stopped)
		pthread_cond_wait(&jobs->stopped_cond, &jobs->mutex);
	pthread_mutex_unlock(&jobs->mutex);
	pool_release(&pool->threads);
	free(pool);
}

void job_pool_look_again(struct job_pool *pool)
{
	pthread_mutex_lock(&pool->jobs->mutex);
	jobs_wake(pool->jobs);
	pthread_mutex_unlock(&pool->jobs->mutex);
}
