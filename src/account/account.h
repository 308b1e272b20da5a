/*
 * From a workspace's settings in the catalog to a client of its Twilio account: what
 * storage/storage.h is for the bucket.
 */
#ifndef TONICFS_ACCOUNT_ACCOUNT_H
#define TONICFS_ACCOUNT_ACCOUNT_H

#include "catalog/workspace.h"
#include "twilio/twilio.h"
#include "util/cancel.h"

/* Frees with twilio_client_free(). The secret is wiped from memory of ours. -ENOENT: no such
 * workspace; -ENOKEY: a removed one whose credentials are wiped already. cancelled and
 * ret_workspace may be NULL. total_timeout_msecs 0: the client's default. */
int account_client_new(struct catalog *catalog, struct http *http, int64_t workspace_id,
		       unsigned total_timeout_msecs, const struct cancel *cancel,
		       struct twilio_client **ret_client, struct catalog_workspace *ret_workspace);
/* The same of a workspace that is not in the catalog, or not yet as it is here. */
int account_client_for(struct http *http, const struct catalog_workspace *workspace,
		       const char *secret, unsigned total_timeout_msecs,
		       const struct cancel *cancel, struct twilio_client **ret_client);

#endif
