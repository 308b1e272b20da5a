/* Threads: a pool that runs tasks, and a parallel loop. */
#include "util/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

#include "util/times.h"
#include "util/wait.h"

/* Signals are handled by the main thread alone. */
int thread_start(pthread_t *thread, const char *name, void *(*fn)(void *arg), void *arg)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err == 0)
		pthread_setname_np(*thread, name);
	return -err;
}

/* Lock held. Waits for a task; false: the thread is to end. */
static bool wait_for_task(struct pool *pool)
{
	int64_t deadline_msecs = time_mono_msecs() + pool->idle_msecs;
	bool has_time = true;

	pool->idle_count++;
	while (list_empty(&pool->tasks) && !pool->is_stopping && has_time)
		has_time = cond_wait_until(&pool->cond, &pool->lock, deadline_msecs, NULL);
	pool->idle_count--;
	return !list_empty(&pool->tasks);
}

static void *work(void *arg)
{
	struct pool *pool = arg;
	pthread_t before;
	bool has_before;

	pthread_mutex_lock(&pool->lock);
	while (wait_for_task(pool)) {
		struct pool_task *task = list_entry(pool->tasks.next, struct pool_task, link);

		list_remove(&task->link);
		pool->queued_count--;
		pthread_mutex_unlock(&pool->lock);
		task->run(task);
		pthread_mutex_lock(&pool->lock);
	}
	before = pool->ended;
	has_before = pool->has_ended;
	pool->ended = pthread_self();
	pool->has_ended = true;
	if (--pool->thread_count == 0)
		pthread_cond_broadcast(&pool->cond);
	pthread_mutex_unlock(&pool->lock);
	/* The pool may be gone from here on. */
	if (has_before)
		pthread_join(before, NULL);
	return NULL;
}

void pool_init(struct pool *pool, const char *name, unsigned thread_limit)
{
	*pool = (struct pool){ .thread_limit = thread_limit, .idle_msecs = POOL_IDLE_MSECS };
	pthread_mutex_init(&pool->lock, NULL);
	cond_init(&pool->cond);
	pool->name = name;
	list_init(&pool->tasks);
}

void pool_stop(struct pool *pool)
{
	bool has_ended;

	pthread_mutex_lock(&pool->lock);
	pool->is_stopping = true;
	pthread_cond_broadcast(&pool->cond);
	while (pool->thread_count)
		pthread_cond_wait(&pool->cond, &pool->lock);
	has_ended = pool->has_ended;
	pool->has_ended = false;
	pthread_mutex_unlock(&pool->lock);
	if (has_ended)
		pthread_join(pool->ended, NULL);
}

void pool_release(struct pool *pool)
{
	pool_stop(pool);
	pthread_cond_destroy(&pool->cond);
	pthread_mutex_destroy(&pool->lock);
}

/* Lock held. Starts a thread, unless an idle one is left: idle threads may have been woken for
 * earlier tasks. */
static int provide_thread(struct pool *pool)
{
	pthread_t thread;
	int err;

	if (pool->queued_count < pool->idle_count || pool->thread_count >= pool->thread_limit)
		return 0;
	err = thread_start(&thread, pool->name, work, pool);
	if (!err)
		pool->thread_count++;
	return pool->thread_count ? 0 : err;
}

int pool_push(struct pool *pool, struct pool_task *task)
{
	int err;

	pthread_mutex_lock(&pool->lock);
	err = pool->is_stopping ? -ESHUTDOWN : provide_thread(pool);
	if (!err) {
		list_add(&pool->tasks, &task->link);
		pool->queued_count++;
		pthread_cond_signal(&pool->cond);
	}
	pthread_mutex_unlock(&pool->lock);
	return err;
}

/* ---- in parallel ---- */

struct parallel {
	void (*fn)(void *arg, size_t index);
	void *arg;
	size_t count;
	atomic_size_t next;
};

static void *parallel_work(void *arg)
{
	struct parallel *parallel = arg;
	size_t index;

	while ((index = atomic_fetch_add(&parallel->next, 1)) < parallel->count)
		parallel->fn(parallel->arg, index);
	return NULL;
}

void parallel_for(size_t count, unsigned threads, void (*fn)(void *arg, size_t index), void *arg)
{
	struct parallel parallel = { .fn = fn, .arg = arg, .count = count };
	pthread_t others[PARALLEL_THREADS_MAX];
	unsigned started = 0;

	if (threads > PARALLEL_THREADS_MAX)
		threads = PARALLEL_THREADS_MAX;
	/* Where no further thread can be started, fewer do the work. */
	while (started + 1 < threads && started + 1 < count &&
	       thread_start(&others[started], "parallel", parallel_work, &parallel) == 0)
		started++;
	parallel_work(&parallel);
	while (started)
		pthread_join(others[--started], NULL);
}
