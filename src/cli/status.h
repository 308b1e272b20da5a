/* Parts of what `status` says, each in a file of its own. */
#ifndef TONICFS_CLI_STATUS_H
#define TONICFS_CLI_STATUS_H

#include "catalog/status.h"
#include "cli/cli.h"
#include "cli/problems.h"

/* The lines that count recordings and jobs; those of storage classes where classes_of is a workspace's id, not 0. 0 or the catalog's -errno. */
int status_counts_print(struct cli *cli, const struct catalog_status *status, bool keep_at_twilio,
			int64_t classes_of);
struct json_t *status_scope_json(const struct catalog_status *status,
				 const struct problems *problems);

/* A campaign or a recording; with --json it is added to paths. Returns the exit status. */
int status_path_show(struct cli *cli, const struct catalog_node *node, struct json_t *paths);

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
