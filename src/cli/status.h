/* Parts of what `status` says, each in a file of its own. */
#ifndef TONICFS_CLI_STATUS_H
#define TONICFS_CLI_STATUS_H

#include "cli/cli.h"

/* 0 or the catalog's -errno. */
int status_classes_print(struct cli *cli, int64_t workspace_id);
/* Adds "storage_classes". */
int status_classes_json(struct cli *cli, int64_t workspace_id, struct json_t *workspace);

/* What the mounts of the catalog have read: each is asked in a process of its own, and all of them
 * have a second and a half, so that one that hangs holds up nobody. Before the catalog is opened,
 * for its connections must not be carried over a fork. */
struct status_mounts;
/* NULL: an error has been said. */
struct status_mounts *status_mounts_ask(const char *catalog_path);
void status_mounts_print(const struct status_mounts *mounts);
struct json_t *status_mounts_json(const struct status_mounts *mounts);
void status_mounts_free(struct status_mounts *mounts); /* NULL is fine */

#endif
