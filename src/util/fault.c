/* The fault points, and the clocks of the fault tests. */
#include "util/fault.h"

#ifdef TONICFS_FAULTS
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_named(const char *wanted, size_t len, const char *name)
{
	if (len && wanted[len - 1] == '*')
		return strncmp(wanted, name, len - 1) == 0;
	return strlen(name) == len && strncmp(wanted, name, len) == 0;
}

void fault_point(const char *name)
{
	static atomic_int passes;
	const char *wanted = getenv("TONICFS_FAULT"), *action, *count;
	size_t len;

	if (!wanted)
		return;
	len = strcspn(wanted, ":");
	if (!is_named(wanted, len, name))
		return;
	action = wanted[len] ? wanted + len + 1 : "kill";
	count = strchr(action, ':');
	if (atomic_fetch_add(&passes, 1) + 1 != (count ? atoi(count + 1) : 1))
		return;
	if (strncmp(action, "stop", 4) == 0) {
		fault_busy_begin();
		raise(SIGSTOP);
		fault_busy_end();
	} else if (strncmp(action, "exit", 4) == 0) {
		_exit(98);
	} else if (strncmp(action, "sleep-", 6) == 0) {
		usleep((useconds_t)atoi(action + 6) * 1000);
	} else {
		raise(SIGKILL);
	}
}

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

void fault_busy_begin(void)
{
	pthread_mutex_lock(&busy);
}

void fault_busy_end(void)
{
	pthread_mutex_unlock(&busy);
}

int64_t fault_hurry(int64_t msecs)
{
	const char *text = getenv("TONICFS_FAULT_HURRY");
	int64_t factor = text ? atoll(text) : 1;

	if (factor <= 1)
		return msecs;
	return msecs / factor > 0 ? msecs / factor : 1;
}

int64_t fault_clock_nsecs(void)
{
	const char *text = getenv("TONICFS_FAULT_CLOCK_SECS");

	return text ? atoll(text) * INT64_C(1000000000) : 0;
}
#endif
