/* A flag by which one thread tells others to give up. It is set once and stays set. Any thread may
 * set and read it without a lock, a signal handler too. It orders no other memory: what is read
 * after it needs a lock of its own. Zeroed memory is a flag that is not set. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cancel {
	atomic_uint is_set;
};

/* Sets the flag and wakes the threads in cancel_wait_until. */
void cancel_set(struct cancel *cancel);

/* NULL is never set. */
static inline bool cancel_is_set(const struct cancel *cancel)
{
	return cancel && atomic_load_explicit(&cancel->is_set, memory_order_relaxed);
}

/* Sleeps until the flag is set (true) or deadline_msecs (time_mono_msecs) has passed (false). */
bool cancel_wait_until(const struct cancel *cancel, int64_t deadline_msecs);
