/* Shared by the files of the job pool only. */
#ifndef TONICFS_CATALOG_POOL_PRIVATE_H
#define TONICFS_CATALOG_POOL_PRIVATE_H

#include "catalog/pool.h"

/* pool-end.c: puts back, fails for good or for a while, as the result says. What was done, or is
 * somebody else's now, has nothing to be told. */
void job_run_finish(struct catalog *catalog, const struct job_pool_settings *settings,
		    struct job_run *run, struct job_result *result);

#endif
