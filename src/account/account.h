/*
 * From a workspace's settings in the catalog to a client of its Twilio account; storage/storage.h
 * does the same for the bucket. Any thread. 0 or -errno.
 */
#ifndef TONICFS_ACCOUNT_ACCOUNT_H
#define TONICFS_ACCOUNT_ACCOUNT_H

#include "catalog/workspace.h"
#include "twilio/twilio.h"
#include "util/cancel.h"

/* The caller frees *ret_client with twilio_client_free(). cancel and ret_workspace may be NULL.
 * total_timeout_msecs 0: the client's default. -ENOENT: no such workspace; -ENOKEY: a removed one
 * whose credentials have been wiped. */
int account_client_new(struct catalog *catalog, struct http *http, int64_t workspace_id,
		       unsigned total_timeout_msecs, const struct cancel *cancel,
		       struct twilio_client **ret_client, struct catalog_workspace *ret_workspace);
/* For a workspace that is not in the catalog, or differs from its row there. */
int account_client_for(struct http *http, const struct catalog_workspace *workspace,
		       const char *secret, unsigned total_timeout_msecs,
		       const struct cancel *cancel, struct twilio_client **ret_client);

#endif
