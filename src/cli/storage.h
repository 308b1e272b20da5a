/* What several storage commands need. */
#ifndef TONICFS_CLI_STORAGE_H
#define TONICFS_CLI_STORAGE_H

#include "catalog/storage.h"
#include "catalog/workspace.h"
#include "cli/cli.h"

/* Opens the catalog and finds the workspace and its bucket. Has printed an error where it does not
 * return CLI_DONE. */
int cli_storage_open(struct cli *cli, const char *name, struct catalog_workspace *ret_workspace,
		     struct catalog_storage *ret_storage);

#endif
