/*
 * Workspaces (a Twilio account each), their storage settings, their campaigns.
 */
#ifndef TONICFS_CATALOG_WORKSPACE_H
#define TONICFS_CATALOG_WORKSPACE_H

#include "catalog/catalog.h"
#include "util/sid.h"

#define CATALOG_NAME_SIZE 256
#define CATALOG_URL_SIZE 512
#define CATALOG_NUMBER_SIZE 64
#define CATALOG_UNASSIGNED \
	"unassigned" /* the folder of calls whose number belongs to no campaign; no campaign may have the name */

struct catalog_workspace {
	int64_t id;
	char name[CATALOG_NAME_SIZE];
	struct sid account_sid;
	char api_key_sid[SID_SIZE];        /* "": the account SID and its auth token are used */
	char twilio_url[CATALOG_URL_SIZE]; /* "": api.twilio.com */
	bool twilio_plain_http; /* plain http to a host that is not loopback was allowed explicitly */
	bool delete_s3, delete_twilio, migrate_new, keep_at_twilio; /* default: all off */
	bool verify_readback;                                       /* `verify = readback` */
	unsigned poll_secs; /* default 300; 0: never by itself */
	bool removed;       /* gone from the tree; kept until its delete jobs are done */
	bool has_storage, storage_enabled;
	char folder[CATALOG_NAME_SIZE]; /* what it is called in the tree; catalog_workspace_add decides */
};

/* name: any bytes but NUL, 1..255 once encoded as a folder name. -EEXIST: the name, or the account, has a workspace already
 * (ret_message says which; it is "" where the catalog itself failed). The secret is stored encrypted with everything else. */
int catalog_workspace_add(struct catalog *catalog, const struct catalog_workspace *workspace,
			  const char *secret, int64_t *ret_id,
			  char ret_message[CATALOG_MESSAGE_SIZE]);
int catalog_workspace_get(struct catalog *catalog, int64_t id,
			  struct catalog_workspace *ret_workspace); /* removed ones too */
/* By its name, or by its folder's. */
int catalog_workspace_find(struct catalog *catalog, const char *name,
			   struct catalog_workspace *ret_workspace);
typedef int catalog_workspace_fn(void *arg, const struct catalog_workspace *workspace);
/* In order of names; with_removed: those too that still have jobs. A callback's non-zero value ends it and is returned. */
int catalog_workspace_each(struct catalog *catalog, bool with_removed, catalog_workspace_fn *fn,
			   void *arg);
/* Changes everything but id, name, account_sid, removed, has_storage, storage_enabled. secret NULL:
 * stays. keep_at_twilio that is set takes back the deletes that finished migrations owe, but for
 * those that may be on their way; unset, it queues one for everything that is in both places.
 * migrate_new is for what becomes a file from now on. */
int catalog_workspace_update(struct catalog *catalog, const struct catalog_workspace *workspace,
			     const char *secret);
/* Free with secret_free(). */
int catalog_workspace_secret(struct catalog *catalog, int64_t id, char **ret_secret);
/* Removing is in catalog/removal.h. */

struct catalog_storage {
	char bucket[256], region[64], endpoint[CATALOG_URL_SIZE], prefix[CATALOG_NAME_SIZE];
	char access_key[256];  /* "": the keys come from where `credentials` says */
	char credentials[256]; /* "" (access_key and the secret), "default", "profile:NAME" */
	char provider[32];     /* a name of storage/provider.h, or "" */
	bool path_style, plain_http;
	int encryption;          /* 0 none, 1 SSE-S3, 2 SSE-KMS */
	bool require_encryption; /* nothing is moved to a server that does not confirm it */
	char kms_key_id[256], storage_class[32], ca_file[CATALOG_URL_SIZE];
	char origins[1024]; /* of pages that may play recordings, one a line; "": pages of this machine, "none": of no page */
	bool enabled;
	int64_t tested_secs; /* when a connection test passed with these settings; 0: not yet */
	char tested_encryption[32]; /* what the server confirmed then: "AES256", "aws:kms" or "" */
};
int catalog_storage_get(struct catalog *catalog, int64_t workspace_id,
			struct catalog_storage *ret_storage); /* -ENOENT: none set */
/* secret_key NULL: the old one stays (-EINVAL where there is none and `credentials` is ""). */
int catalog_storage_set(struct catalog *catalog, int64_t workspace_id,
			const struct catalog_storage *storage, const char *secret_key);
/* Disabled: no new transfer begins, new recordings stay at Twilio; transfers under way end as they
 * would have, what was migrated is read as before, and what is queued stays so. Enabled again: the
 * queue goes on, and where the workspace has migrate_new, what came meanwhile is queued. -ENOENT:
 * no such workspace, or no bucket. */
int catalog_storage_enable(struct catalog *catalog, int64_t workspace_id, bool enabled);
int catalog_storage_secret(struct catalog *catalog, int64_t workspace_id,
			   char **ret_secret_key); /* secret_free() */
/* Notes that a connection test passed, with what it learned and the origins it was for, and enables the bucket where `enable`
 * says so. tested: what was tested; -ESTALE where the settings (or the secret) have changed in the meantime. */
int catalog_storage_tested(struct catalog *catalog, int64_t workspace_id,
			   const struct catalog_storage *tested, const char *secret_key,
			   bool enable);

struct catalog_campaign {
	int64_t id; /* the folder's id */
	int64_t workspace_id;
	char name[CATALOG_NAME_SIZE];
	bool is_unassigned;
	int64_t recordings;             /* listed ones */
	char folder[CATALOG_NAME_SIZE]; /* what it is called in the tree */
};
/* Takes its calls out of `unassigned`. numbers: E.164 ("+15551234567"); spaces, dots, dashes and brackets are dropped. -EEXIST: the name is taken, or a
 * number belongs to another campaign of the workspace (ret_message names it); -EINVAL: no number, or none that could be one. */
int catalog_campaign_add(struct catalog *catalog, int64_t workspace_id, const char *name,
			 const char *const *numbers, size_t number_count, int64_t *ret_id,
			 char ret_message[CATALOG_MESSAGE_SIZE]);
/* By its name, or by its folder's. */
int catalog_campaign_find(struct catalog *catalog, int64_t workspace_id, const char *name,
			  struct catalog_campaign *ret_campaign);
int catalog_campaign_get(struct catalog *catalog, int64_t folder_id,
			 struct catalog_campaign *ret_campaign);
typedef int catalog_campaign_fn(void *arg, const struct catalog_campaign *campaign);
/* By name, `unassigned` last (whether empty or not). */
int catalog_campaign_each(struct catalog *catalog, int64_t workspace_id, catalog_campaign_fn *fn,
			  void *arg);
typedef int catalog_number_fn(void *arg, const char *number);
int catalog_campaign_numbers(struct catalog *catalog, int64_t folder_id, catalog_number_fn *fn,
			     void *arg);

/* Names as folder names: reversible, without collisions, safe everywhere: bytes outside printable UTF-8, and / \ : * ? " < > | %, a leading dot
 * or dash, a trailing dot or space, the first letter of a device's name on Windows (CON, nul.txt, COM1), and characters that are others in NFC,
 * become %XX. Where that differs by case only from another one's beside it, the folder that was added later has further letters so escaped:
 * struct catalog_workspace and catalog_campaign have the folder's name. -ENAMETOOLONG beyond 255 bytes. */
int catalog_name_encode(const char *name, char ret_encoded[CATALOG_NAME_SIZE]);
int catalog_name_decode(const char *encoded,
			char ret_name[CATALOG_NAME_SIZE]); /* any escapes; -EINVAL: no name */

#endif
