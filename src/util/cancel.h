/*
 * A flag by which one thread tells others to give up. It is set once and stays set; any thread may
 * set and read it without a lock. What it interrupts polls it (util/wait.h), so that setting it
 * takes no lock and reaches a wait within CANCEL_POLL_MSECS. It says nothing about other memory:
 * what a waiter reads afterwards needs a lock of its own.
 */
#ifndef TONICFS_UTIL_CANCEL_H
#define TONICFS_UTIL_CANCEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define CANCEL_POLL_MSECS 100

struct cancel {
	atomic_bool is_set;
};

static inline void cancel_set(struct cancel *cancel)
{
	atomic_store_explicit(&cancel->is_set, true, memory_order_relaxed);
}

/* NULL is never set. */
static inline bool cancel_is_set(const struct cancel *cancel)
{
	return cancel && atomic_load_explicit(&cancel->is_set, memory_order_relaxed);
}

#endif
