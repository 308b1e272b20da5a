/* Mounts that have been unmounted and whose process is still there: it finishes or puts back what is in flight. */
#ifndef TONICFS_CLI_PREDECESSOR_H
#define TONICFS_CLI_PREDECESSOR_H

#include "cli/cli.h"

/* Waits until those of this catalog have ended, a quarter of a minute at most, and says so where it takes more than a moment. Works
 * with the catalog open or not. own_mountpoint: this process's; NULL: none. False: there was nothing to wait for. */
bool predecessor_wait(struct cli *cli, const char *own_mountpoint);

#endif
