/*
 * Named points at which the fault tests end, stop or delay the process: fault_point("after-put").
 * Compiled only with -DTONICFS_FAULTS; without it the macros below are empty.
 *
 * TONICFS_FAULT=NAME[:ACTION[:COUNT]] in the environment: when the point NAME is passed for the
 * COUNT-th time (default 1), ACTION happens: kill (SIGKILL, the default), stop (SIGSTOP), exit
 * (_exit without any clean-up), sleep-MSECS. A NAME that ends in `*` matches every point with that
 * prefix.
 */
#pragma once

#include <stdint.h>

#ifdef TONICFS_FAULTS
void fault_point(const char *name);
/* TONICFS_FAULT_HURRY=N: leases, and pauses before a retry, are N times shorter; at least 1 ms. */
int64_t fault_hurry(int64_t msecs);
/* TONICFS_FAULT_CLOCK_SECS=N: the wall clock is N seconds ahead (negative: behind). */
int64_t fault_clock_nsecs(void);
/* A stop at a fault point waits until no thread is between these two: stopping there would keep
 * a lock that other processes wait for. No fault point of the same thread may be between them. */
void fault_busy_begin(void);
void fault_busy_end(void);
#else
#define fault_point(name) ((void)0)
#define fault_hurry(msecs) (msecs)
#define fault_clock_nsecs() ((int64_t)0)
#define fault_busy_begin() ((void)0)
#define fault_busy_end() ((void)0)
#endif
