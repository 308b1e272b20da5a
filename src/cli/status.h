/*
 * The part of `status` that shows the mounts of the catalog: what each has read. Each is asked in a
 * process of its own, and all of them have a second and a half, so that one that hangs holds up
 * nobody. Before the catalog is opened, for its connections must not be carried over a fork.
 */
#ifndef TONICFS_CLI_STATUS_H
#define TONICFS_CLI_STATUS_H

struct json_t;
struct status_mounts;
/* NULL: an error has been said. */
struct status_mounts *status_mounts_ask(const char *catalog_path);
void status_mounts_print(const struct status_mounts *mounts);
struct json_t *status_mounts_json(const struct status_mounts *mounts);
void status_mounts_free(struct status_mounts *mounts); /* NULL is fine */

#endif
