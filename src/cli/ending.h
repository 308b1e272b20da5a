/*
 * The end of a process that works in the background: it always comes, and the log says what it waits
 * for.
 *
 * A step that takes more than three seconds is logged. One that has not ended after fifteen, or all of
 * them after forty, are given up: the process ends without them, with status 1. That loses as little as
 * kill -9: each change of the catalog is durable, and what was in flight has a lease that ends by
 * itself. A mount that is still there is dead then, and taken away by the next one.
 */
#ifndef TONICFS_CLI_ENDING_H
#define TONICFS_CLI_ENDING_H

/* From here on the end waits for `what`, a constant: "migrations in flight". The first call begins the
 * end. By one thread. */
void ending_step(const char *what);
/* All steps are done. */
void ending_done(void);

#endif
