/* What rm and the remove commands have in common: the policy's jobs are given a while, and what became of the bytes is said. */
#ifndef TONICFS_CLI_REMOVING_H
#define TONICFS_CLI_REMOVING_H

#include "catalog/removal.h"
#include "cli/cli.h"

void removal_add(struct catalog_removal *sum, const struct catalog_removal *part);
/* Returns the exit status: CLI_DONE also where deletes are still queued, for they are durable; CLI_PART where one failed for good. */
int removing_finish(struct cli *cli, const struct catalog_removal *removal,
		    const int64_t *workspace_ids, size_t workspace_count);

#endif
