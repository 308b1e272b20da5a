/* Checks that Twilio accepts the credentials of workspace add and set. */
#ifndef TONICFS_CLI_WORKSPACE_CHECK_H
#define TONICFS_CLI_WORKSPACE_CHECK_H

#include "catalog/workspace.h"
#include "cli/cli.h"

/* Sends one request; opens cli->http. CLI_DONE where Twilio accepts them, and, after a warning,
 * where it does not answer. CLI_FAILED where Twilio refuses them; the error ends with not_done
 * ("nothing was changed"). */
int workspace_check(struct cli *cli, const struct catalog_workspace *workspace, const char *secret,
		    const char *not_done);

#endif
