/* The part of `status` that shows the mounts of the catalog: what each has read. Each is asked in a
 * process of its own, and all of them have a second and a half, so that one that hangs holds up
 * nobody. Before the catalog is opened, for its connections must not be carried over a fork. */
#pragma once

#include <stddef.h>

struct json_t;
struct status_mounts {
	struct status_mount *list;
	size_t count;
};
/* CLI_DONE, or CLI_FAILED after an error. */
int status_mounts_ask(const char *catalog_path, struct status_mounts *ret_mounts);
void status_mounts_print(const struct status_mounts *mounts);
struct json_t *status_mounts_json(const struct status_mounts *mounts);
void status_mounts_release(struct status_mounts *mounts);
