/* workspace add, set: whether Twilio takes the credentials. */
#ifndef TONICFS_CLI_WORKSPACE_CHECK_H
#define TONICFS_CLI_WORKSPACE_CHECK_H

#include "catalog/workspace.h"
#include "cli/cli.h"

/* One request. CLI_DONE where Twilio accepts them, and, after a warning, where it does not answer; CLI_FAILED, and an error that
 * ends with not_done ("nothing was changed"), where it refuses them. Opens cli->http. */
int workspace_check(struct cli *cli, const struct catalog_workspace *workspace, const char *secret,
		    const char *not_done);

#endif
