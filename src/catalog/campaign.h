/* Campaigns: folders of a workspace, and the tracking numbers whose calls they hold. */
#pragma once

#include "catalog/catalog.h"

#define CATALOG_NUMBER_SIZE 64
/* The folder of calls whose number belongs to no campaign; no campaign may have the name. */
#define CATALOG_UNASSIGNED "unassigned"

struct catalog_campaign {
	int64_t id; /* the folder's id */
	int64_t workspace_id;
	char name[CATALOG_NAME_SIZE];
	bool is_unassigned;
	int64_t recordings;             /* listed ones */
	char folder[CATALOG_NAME_SIZE]; /* its name in the tree */
};

/* Moves the numbers' calls out of `unassigned`. numbers: E.164 ("+15551234567"); spaces, dots,
 * dashes and brackets are dropped. -EEXIST: the name is taken, or a number belongs to another
 * campaign of the workspace (ret_message names it); -EINVAL: no number, or a malformed one. */
int catalog_campaign_add(struct catalog *catalog, int64_t workspace_id, const char *name,
			 const char *const *numbers, size_t number_count, int64_t *ret_id,
			 char ret_message[CATALOG_MESSAGE_SIZE]);
/* By its name, or by its folder's. */
int catalog_campaign_find(struct catalog *catalog, int64_t workspace_id, const char *name,
			  struct catalog_campaign *ret_campaign);
int catalog_campaign_get(struct catalog *catalog, int64_t folder_id,
			 struct catalog_campaign *ret_campaign);
typedef int catalog_campaign_fn(void *arg, const struct catalog_campaign *campaign);
/* In the order of the names' bytes, `unassigned` last, even where it is empty. */
int catalog_campaign_each(struct catalog *catalog, int64_t workspace_id, catalog_campaign_fn *fn,
			  void *arg);
typedef int catalog_number_fn(void *arg, const char *number);
int catalog_campaign_numbers(struct catalog *catalog, int64_t folder_id, catalog_number_fn *fn,
			     void *arg);
