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

#ifdef TONICFS_FAULTS
void fault_point(const char *name);
#else
#define fault_point(name) ((void)0)
#endif

#endif
