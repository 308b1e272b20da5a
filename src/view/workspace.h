/* Workspaces with their settings, and the campaigns of one. No secret is shown. */
#pragma once

#include "view/view.h"

struct view_workspace {
	struct catalog_workspace row;
	int64_t calls, recordings; /* recordings: those that are files */
	bool can_check_callbacks;  /* there is a token that their signatures can be checked with */
};
int view_workspace_load(struct catalog *catalog, const struct catalog_workspace *row,
			struct view_workspace *ret_workspace);
struct json_t *view_workspace_json(const struct view_workspace *workspace);
/* "none", "enabled", "disabled": of its bucket. */
const char *view_storage_state(const struct catalog_workspace *row);

struct view_workspaces { /* without those that were removed, by name */
	struct view_workspace *items;
	size_t count;
};
int view_workspaces_load(struct catalog *catalog, struct view_workspaces *ret_workspaces);
struct json_t *view_workspaces_json(const struct view_workspaces *workspaces);
void view_workspaces_release(struct view_workspaces *workspaces);
#define cleanup_view_workspaces __attribute__((cleanup(view_workspaces_release)))

struct view_campaign {
	struct catalog_campaign row;
	char (*numbers)[CATALOG_NUMBER_SIZE]; /* "+15551234567" */
	size_t number_count;
};
struct view_campaigns { /* by name, `unassigned` last */
	struct view_campaign *items;
	size_t count;
};
int view_campaigns_load(struct catalog *catalog, int64_t workspace_id,
			struct view_campaigns *ret_campaigns);
struct json_t *view_campaigns_json(const struct view_campaigns *campaigns);
void view_campaigns_release(struct view_campaigns *campaigns);
#define cleanup_view_campaigns __attribute__((cleanup(view_campaigns_release)))
