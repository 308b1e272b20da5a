#include "util/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

#include "util/cleanup.h"

/* Signals are for the thread that waits for them, not for helpers. */
int thread_start(pthread_t *thread, const char *name, void *(*fn)(void *arg), void *arg)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r == 0)
		pthread_setname_np(*thread, name);
	return -r;
}

static void *work(void *arg)
{
	struct pool *pool = arg;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct pool_task *task;

		while (list_empty(&pool->tasks) && !pool->is_stopping) {
			pool->idle++;
			pthread_cond_wait(&pool->cond, &pool->lock);
			pool->idle--;
		}
		if (list_empty(&pool->tasks))
			break;
		task = list_entry(pool->tasks.next, struct pool_task, link);
		list_remove(&task->link);
		pool->queued--;
		pthread_mutex_unlock(&pool->lock);
		task->run(task);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

int pool_init(struct pool *pool, const char *name, unsigned thread_limit)
{
	int err;

	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->cond, NULL);
	pool->name = name;
	list_init(&pool->tasks);
	pool->idle = pool->queued = 0;
	pool->is_stopping = false;
	pool->thread_limit =
		thread_limit < ARRAY_SIZE(pool->threads) ? thread_limit : ARRAY_SIZE(pool->threads);
	/* One at once, so that a task always finds somebody. */
	pool->thread_count = 1;
	err = thread_start(&pool->threads[0], name, work, pool);
	if (err) {
		pthread_cond_destroy(&pool->cond);
		pthread_mutex_destroy(&pool->lock);
	}
	return err;
}

void pool_stop(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->is_stopping = true;
	pthread_cond_broadcast(&pool->cond);
	pthread_mutex_unlock(&pool->lock);
	/* Threads are only added before is_stopping was set. */
	for (unsigned i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	pool->thread_count = 0;
}

void pool_release(struct pool *pool)
{
	pool_stop(pool);
	pthread_cond_destroy(&pool->cond);
	pthread_mutex_destroy(&pool->lock);
}

int pool_push(struct pool *pool, struct pool_task *task)
{
	pthread_mutex_lock(&pool->lock);
	if (pool->is_stopping) {
		pthread_mutex_unlock(&pool->lock);
		return -ESHUTDOWN;
	}
	list_add(&pool->tasks, &task->link);
	pool->queued++;
	/* Who is idle may have been woken for another task already. */
	if (pool->queued > pool->idle && pool->thread_count < pool->thread_limit &&
	    thread_start(&pool->threads[pool->thread_count], pool->name, work, pool) == 0)
		pool->thread_count++;
	pthread_cond_signal(&pool->cond);
	pthread_mutex_unlock(&pool->lock);
	return 0;
}

/* ---- side by side ---- */

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
	/* Where no thread is to be had, those that there are do the work. */
	while (started + 1 < threads && started + 1 < count &&
	       thread_start(&others[started], "parallel", parallel_work, &parallel) == 0)
		started++;
	parallel_work(&parallel);
	while (started)
		pthread_join(others[--started], NULL);
}
