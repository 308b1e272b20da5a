/* What the storage commands share. */
#ifndef TONICFS_CLI_STORAGE_H
#define TONICFS_CLI_STORAGE_H

#include "catalog/storage.h"
#include "catalog/workspace.h"
#include "cli/cli.h"

#define STORAGE_ENCRYPTION_COUNT 3
/* "none", "sse-s3", "sse-kms" */
const char *storage_encryption_name(int encryption);
/* Opens the catalog, finds the workspace and its bucket. An error has been said where it is not
 * CLI_DONE. */
int cli_storage_open(struct cli *cli, const char *name, struct catalog_workspace *ret_workspace,
		     struct catalog_storage *ret_storage);

#endif
