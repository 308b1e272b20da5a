/* What the storage commands share. */
#ifndef TONICFS_CLI_STORAGE_H
#define TONICFS_CLI_STORAGE_H

#include "cli/cli.h"

/* Opens the catalog, finds the workspace and its bucket. An error has been said where it is not
 * CLI_DONE. */
int cli_storage_open(struct cli *cli, const char *name, struct catalog_workspace *ret_workspace,
		     struct catalog_storage *ret_storage);

#endif
