/* migrate --wait: the command runs the workers itself, shows progress, and reports the result. */
#pragma once

#include "cli/cli.h"

/* scopes: what the command line names. asked_count: recordings that the command has queued, for the report. Returns the exit status:
 * CLI_PART where some failed, are paused or are still queued. */
int migrate_wait(struct cli *cli, const struct cli_scopes *scopes, int64_t asked_count);
