/* What several storage commands need. */
#include "cli/storage.h"

#include <errno.h>

int cli_storage_open(struct cli *cli, const char *name, struct catalog_workspace *ret_workspace,
		     struct catalog_storage *ret_storage)
{
	int status = cli_workspace_open(cli, name, ret_workspace);
	char shown[CATALOG_NAME_SIZE];
	int err;

	if (status != CLI_DONE)
		return status;
	err = catalog_storage_get(cli->catalog, ret_workspace->id, ret_storage);
	if (err == -ENOENT)
		return cli_error("workspace '%s' has no bucket; 'tonicfs storage set' names one",
				 view_name(ret_workspace->name, shown));
	return err < 0 ? cli_catalog_error(cli, err, "the bucket's settings cannot be read")
		       : CLI_DONE;
}
