/*
 * A few threads that run tasks in order of arrival, for what must not block its caller. A thread is
 * started when a task finds none idle, and ends after POOL_IDLE_MSECS without a task: a pool that
 * nobody uses has none. Threads of this room take no signals.
 */
#ifndef TONICFS_UTIL_POOL_H
#define TONICFS_UTIL_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/list.h"

#define POOL_IDLE_MSECS 5000

struct pool_task { /* embedded in what it works on, which must live until run has returned */
	struct list link;
	void (*run)(struct pool_task *task);
};

struct pool {
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t cond;  /* a task came, the pool stops, or its last thread ends */
	const char *name;     /* of its threads; a literal */
	struct list tasks;
	unsigned thread_limit, thread_count, idle_count, queued_count;
	int64_t idle_msecs;
	/* The thread that ended last; it has joined the one before. */
	pthread_t ended;
	bool has_ended, is_stopping;
};

/* name: a literal, as for thread_start. */
void pool_init(struct pool *pool, const char *name, unsigned thread_limit);
/* Any thread may push. -ESHUTDOWN once the pool is being stopped, -errno where not even one thread
 * can be started: the task will not run. */
int pool_push(struct pool *pool, struct pool_task *task);
/* Runs the queued tasks and waits until all have returned. Pushing stays allowed, and is refused. */
void pool_stop(struct pool *pool);
/* Stops; no thread may push any more. */
void pool_release(struct pool *pool);

/* A thread without signals. name: at most 15 bytes, for ps and debuggers. 0 or -errno. */
int thread_start(pthread_t *thread, const char *name, void *(*fn)(void *arg), void *arg);

/* Calls fn(arg, 0 … count - 1), each once, in up to `threads` threads, this one among them, and
 * returns when all have returned. */
#define PARALLEL_THREADS_MAX 32
void parallel_for(size_t count, unsigned threads, void (*fn)(void *arg, size_t index), void *arg);

#endif
