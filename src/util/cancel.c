/* Cancelling: the flag is a futex, so that it can be waited for and set by a signal handler. */
#include "util/cancel.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "util/times.h"

void cancel_set(struct cancel *cancel)
{
	atomic_store_explicit(&cancel->is_set, 1, memory_order_relaxed);
	syscall(SYS_futex, &cancel->is_set, FUTEX_WAKE_PRIVATE, INT_MAX);
}

bool cancel_wait_until(const struct cancel *cancel, int64_t deadline_msecs)
{
	const struct timespec at = time_to_timespec(deadline_msecs);

	/* The kernel compares the flag with 0 and sleeps in one step: no wake-up is lost. */
	while (!cancel_is_set(cancel) && time_mono_msecs() < deadline_msecs)
		syscall(SYS_futex, &cancel->is_set, FUTEX_WAIT_BITSET_PRIVATE, 0, &at, NULL,
			FUTEX_BITSET_MATCH_ANY);
	return cancel_is_set(cancel);
}
