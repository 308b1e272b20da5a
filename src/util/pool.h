/*
 * A few threads that run tasks in order of arrival; for what must not block its caller. Threads are
 * made as they are needed and take no signals.
 */
#ifndef TONICFS_UTIL_POOL_H
#define TONICFS_UTIL_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/list.h"

#define POOL_THREADS_MAX 16

struct pool_task { /* embedded in what it works on, which must live until run has returned */
	struct list link;
	void (*run)(struct pool_task *task);
};

struct pool {
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t cond;
	const char *name; /* of its threads; a literal */
	struct list tasks;
	pthread_t threads[POOL_THREADS_MAX];
	unsigned thread_count, thread_limit, idle, queued;
	bool is_stopping;
};

/* Any thread may push. name: a literal, as for thread_start. 0 or -errno of the first thread. */
int pool_init(struct pool *pool, const char *name, unsigned thread_limit);
/* -ESHUTDOWN once the pool is being stopped: the task will not run. */
int pool_push(struct pool *pool, struct pool_task *task);
/* Runs the tasks that wait to their end; pushing is still allowed, and refused. */
void pool_stop(struct pool *pool);
/* Stops, and nobody may push any more. */
void pool_release(struct pool *pool);

/* A thread without signals. name: at most 15 bytes, for ps and debuggers. 0 or -errno. */
int thread_start(pthread_t *thread, const char *name, void *(*fn)(void *arg), void *arg);

/* Calls fn(arg, 0 … count - 1), each once, in up to `threads` threads, this one among them, and
 * returns when all have returned. */
#define PARALLEL_THREADS_MAX 32
void parallel_for(size_t count, unsigned threads, void (*fn)(void *arg, size_t index), void *arg);

#endif
