/*
 * Named points at which the fault tests end, stop or delay the process: fault_point("after-put").
 * Compiled in only with -DTONICFS_FAULTS; otherwise nothing is left of them.
 *
 * TONICFS_FAULT=NAME[:ACTION[:COUNT]] in the environment: the COUNT-th pass (default the first) of
 * the point NAME does ACTION: kill (SIGKILL, the default), stop (SIGSTOP), exit (_exit without any
 * cleaning up), sleep-MSECS. A name that ends in `*` is that of every point that begins so.
 */
#ifndef TONICFS_UTIL_FAULT_H
#define TONICFS_UTIL_FAULT_H

#include <stdint.h>

#ifdef TONICFS_FAULTS
void fault_point(const char *name);
/* TONICFS_FAULT_HURRY=N: pauses before a retry, and leases, are N times shorter; at least 1. */
int64_t fault_hurry(int64_t msecs);
/* TONICFS_FAULT_CLOCK_SECS=N: the wall clock is so much ahead (negative: behind). */
int64_t fault_clock_nsecs(void);
/* Between these a stop waits: it would keep what others wait for, as no test means it to. Not across
 * a point of the same thread. */
void fault_busy_begin(void);
void fault_busy_end(void);
#else
#define fault_point(name) ((void)0)
#define fault_hurry(msecs) (msecs)
#define fault_clock_nsecs() ((int64_t)0)
#define fault_busy_begin() ((void)0)
#define fault_busy_end() ((void)0)
#endif

#endif
