/* Parts of what `status` says, each in a file of its own. */
#ifndef TONICFS_CLI_STATUS_H
#define TONICFS_CLI_STATUS_H

#include "cli/cli.h"

void status_classes_print(struct cli *cli, int64_t workspace_id);
struct json_t *status_classes_json(struct cli *cli, int64_t workspace_id);

#endif
