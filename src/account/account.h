/* Makes a client of a workspace's Twilio account from its settings in the catalog.
 * storage/storage.h does the same for the bucket. */
#pragma once

#include "catalog/workspace.h"
#include "twilio/twilio.h"
#include "util/cancel.h"

/* The caller frees *ret_client with twilio_client_free(). This function's copy of the secret is
 * wiped. -ENOENT: no such workspace; -ENOKEY: a removed workspace, its credentials are wiped.
 * cancel and ret_workspace may be NULL. total_timeout_msecs 0: the client's default. */
int account_client_new(struct catalog *catalog, struct http *http, int64_t workspace_id,
		       unsigned total_timeout_msecs, const struct cancel *cancel,
		       struct twilio_client **ret_client, struct catalog_workspace *ret_workspace);
/* The same for settings that are not (yet) in the catalog. */
int account_client_for(struct http *http, const struct catalog_workspace *workspace,
		       const char *secret, unsigned total_timeout_msecs,
		       const struct cancel *cancel, struct twilio_client **ret_client);
