/* Parts of what `status` says, each in a file of its own. */
#ifndef TONICFS_CLI_STATUS_H
#define TONICFS_CLI_STATUS_H

#include "cli/cli.h"

/* 0 or the catalog's -errno. */
int status_classes_print(struct cli *cli, int64_t workspace_id);
/* Adds "storage_classes". */
int status_classes_json(struct cli *cli, int64_t workspace_id, struct json_t *workspace);

#endif
