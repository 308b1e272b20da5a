/* A few threads that run tasks in order of arrival: for work that must not block the caller. A
 * thread is started when a task finds none idle, and ends after POOL_IDLE_MSECS without a task: an
 * idle pool has no threads. The threads block all signals. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/list.h"

#define POOL_IDLE_MSECS 5000

struct pool_task { /* embedded in the object it works on, which must live until run has returned */
	struct list link;
	void (*run)(struct pool_task *task);
};

struct pool {
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t cond; /* signalled when a task came, the pool stops, or its last thread ends */
	const char *name;    /* of its threads; a literal */
	struct list tasks;
	unsigned thread_limit, thread_count, idle_count, queued_count;
	int64_t idle_msecs;
	/* The thread that ended last; it has joined the one that ended before it. */
	pthread_t ended;
	bool has_ended, is_stopping;
};

/* name: a literal, as for thread_start. */
void pool_init(struct pool *pool, const char *name, unsigned thread_limit);
/* Any thread may push. -ESHUTDOWN once the pool is being stopped, -errno where not even one thread
 * can be started: the task will not run. */
int pool_push(struct pool *pool, struct pool_task *task);
/* Runs the queued tasks and waits until all have returned. Later pushes are refused. */
void pool_stop(struct pool *pool);
/* Stops it; no thread may push during or after the call. */
void pool_release(struct pool *pool);

/* A thread that blocks all signals. name: at most 15 bytes, for ps and debuggers. 0 or -errno. */
int thread_start(pthread_t *thread, const char *name, void *(*fn)(void *arg), void *arg);

/* Calls fn(arg, 0 … count - 1), each once, in up to `threads` threads, this one among them, and
 * returns when all have returned. */
#define PARALLEL_THREADS_MAX 32
void parallel_for(size_t count, unsigned threads, void (*fn)(void *arg, size_t index), void *arg);
