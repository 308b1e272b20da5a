/* Processes of former mounts, which still finish or put back what is in flight. */
#pragma once

#include <stdbool.h>

/* Waits until those of this catalog have ended, at most 15 s. Works with the catalog open or not.
 * own_mountpoint: this process's, NULL: it has no mount. on_wait is called once, where it takes
 * more than half a second; may be NULL. False: there was nothing to wait for. */
bool predecessor_wait(const char *catalog_path, const char *own_mountpoint,
		      void (*on_wait)(const char *catalog_path));
