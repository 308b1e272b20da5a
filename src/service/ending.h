/*
 * The orderly end of a process that works in the background: a row of steps, each with a deadline.
 * The process always ends, and the log names the step that it waits for.
 *
 *   3 s of one step   a warning in the log
 *  15 s of one step   on_overdue, which ends the process
 *  40 s of all steps  the same
 *  45 s               SIGALRM ends the process, should the log hang, too
 *
 * Giving up loses no more than kill -9: each change of the catalog is durable, and work in flight
 * has a lease that ends by itself. A mount that is still there is left dead, and the next mount on
 * its mountpoint takes it away.
 *
 * One per process; all functions from one thread.
 */
#pragma once

/* Before the first step. on_overdue is called on another thread and must not return. */
void ending_init(void (*on_overdue)(void));
/* From here on the end waits for `what`, a constant text. The first call starts the watch. */
void ending_step(const char *what);
/* Every step is done. */
void ending_done(void);
