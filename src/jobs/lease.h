/* Leases by name ("poll:3"): one owner at a time, among all processes and machines, until the lease
 * ends by the database's clock. Any thread. */
#pragma once

#include "catalog/queue.h"

/* A name for a new owner, unique everywhere. */
void job_owner_new(char ret_owner[CATALOG_OWNER_SIZE]);

/* Taking again extends the lease. 0, -EBUSY (another owner has it), -errno. */
int job_lease_take(struct catalog *catalog, const char *name, const char *owner, int64_t msecs);
int job_lease_give_back(struct catalog *catalog, const char *name, const char *owner);
