/* For rm and remove: waits a while for the policy's jobs, and prints what became of the bytes. */
#pragma once

#include "catalog/removal.h"
#include "cli/cli.h"

void removal_add(struct catalog_removal *sum, const struct catalog_removal *part);
/* CLI_PART where a delete failed; CLI_DONE also where some are still queued: they are durable. */
int removing_finish(struct cli *cli, const struct catalog_removal *removal,
		    const int64_t *workspace_ids, size_t workspace_count);
