/* Workspaces: a Twilio account each, with its secret and its policy. Removing is in
 * catalog/removal.h. */
#pragma once

#include "catalog/catalog.h"
#include "util/sid.h"

struct catalog_workspace {
	int64_t id;
	char name[CATALOG_NAME_SIZE];
	struct sid account_sid;
	char api_key_sid[SID_SIZE];        /* "": the account SID and its auth token are used */
	char twilio_url[CATALOG_URL_SIZE]; /* "": api.twilio.com */
	bool twilio_plain_http;            /* also to a host that is not loopback */
	bool delete_s3, delete_twilio, migrate_new, keep_at_twilio; /* default: all off */
	bool verify_readback;                                       /* `verify = readback` */
	unsigned poll_secs; /* default 300; 0: only when asked */
	bool removed;       /* gone from the tree; kept until its delete jobs are done */
	bool has_storage, storage_enabled;
	char folder[CATALOG_NAME_SIZE]; /* its name in the tree; catalog_workspace_add decides */
};

/* name: any bytes but NUL, 1..255 once encoded as a folder name. -EEXIST: the name, or the account,
 * has a workspace already (ret_message says which; it is "" where the catalog itself failed). The
 * secret is encrypted with the rest of the catalog. */
int catalog_workspace_add(struct catalog *catalog, const struct catalog_workspace *workspace,
			  const char *secret, int64_t *ret_id,
			  char ret_message[CATALOG_MESSAGE_SIZE]);
/* Removed ones too. */
int catalog_workspace_get(struct catalog *catalog, int64_t id,
			  struct catalog_workspace *ret_workspace);
/* By its name, or by its folder's. */
int catalog_workspace_find(struct catalog *catalog, const char *name,
			   struct catalog_workspace *ret_workspace);
typedef int catalog_workspace_fn(void *arg, const struct catalog_workspace *workspace);
/* In the order of the names' bytes. with_removed: also removed ones that still have jobs. A
 * callback's non-zero value ends it and is returned. */
int catalog_workspace_each(struct catalog *catalog, bool with_removed, catalog_workspace_fn *fn,
			   void *arg);
/* Changes everything but id, name, account_sid, removed, has_storage, storage_enabled. secret NULL:
 * stays. Setting keep_at_twilio cancels the deletes that finished migrations owe, but for those
 * that may have been sent; unsetting it queues one for everything that is in both places.
 * migrate_new concerns recordings that become files from now on. */
int catalog_workspace_update(struct catalog *catalog, const struct catalog_workspace *workspace,
			     const char *secret);
/* Free with secret_free(). */
int catalog_workspace_secret(struct catalog *catalog, int64_t id, char **ret_secret);
