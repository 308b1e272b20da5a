/*
 * Shutting down a process that works in the background. It always ends, and the log says what it waits
 * for.
 *
 * A step that takes more than 3 s is logged. After 15 s of one step, or 40 s of all, the process gives
 * up and exits with status 1. That loses no more than kill -9: each change of the catalog is durable,
 * and work in flight has a lease that ends by itself. A mount that is still there is left dead, and the
 * next mount on its folder takes it away.
 */
#ifndef TONICFS_CLI_ENDING_H
#define TONICFS_CLI_ENDING_H

/* From here on the shutdown waits for `what`, a constant: "migrations in flight". The first call starts
 * the watch. From one thread only. */
void ending_step(const char *what);
/* Every step is done. */
void ending_done(void);

#endif
