/* Workspaces and campaigns. */
#include "view/workspace.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog/callback.h"
#include "catalog/status.h"
#include "util/array.h"
#include "util/secret.h"

/* ---- a workspace ---- */

static bool has_callback_token(struct catalog *catalog, const struct catalog_workspace *row)
{
	cleanup_secret char *token = NULL;
	struct catalog_workspace found;

	return catalog_callback_account(catalog, &row->account_sid, &found, &token) == 0;
}

int view_workspace_load(struct catalog *catalog, const struct catalog_workspace *row,
			struct view_workspace *ret_workspace)
{
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, row->id };
	struct catalog_status status;
	int err = catalog_status_get(catalog, scope, &status);

	if (err)
		return err;
	*ret_workspace = (struct view_workspace){
		.row = *row,
		.calls = status.calls,
		.recordings = status.by_state[CATALOG_STATE_TWILIO] +
			      status.by_state[CATALOG_STATE_UPLOADING] +
			      status.by_state[CATALOG_STATE_STORED] +
			      status.by_state[CATALOG_STATE_S3],
		.can_check_callbacks = has_callback_token(catalog, row),
	};
	return 0;
}

const char *view_storage_state(const struct catalog_workspace *row)
{
	return !row->has_storage ? "none" : row->storage_enabled ? "enabled" : "disabled";
}

json_t *view_workspace_json(const struct view_workspace *workspace)
{
	const struct catalog_workspace *w = &workspace->row;

	return json_pack(
		"{s:o, s:s, s:o, s:s, s:s, s:b, s:b, s:b, s:b, s:s, s:I, s:b, s:s, s:I, s:I}",
		"name", view_name_json(w->name), "folder", w->folder, "account",
		view_sid_json(&w->account_sid, "AC"), "api_key", w->api_key_sid, "twilio_url",
		w->twilio_url, "delete_s3", (int)w->delete_s3, "delete_twilio",
		(int)w->delete_twilio, "migrate_new", (int)w->migrate_new, "keep_at_twilio",
		(int)w->keep_at_twilio, "verify", w->verify_readback ? "readback" : "checksum",
		"poll_secs", (json_int_t)w->poll_secs, "callbacks",
		(int)workspace->can_check_callbacks, "storage", view_storage_state(w), "calls",
		(json_int_t)workspace->calls, "recordings", (json_int_t)workspace->recordings);
}

/* ---- all workspaces ---- */

static int add_workspace(void *arg, const struct catalog_workspace *row)
{
	struct view_workspaces *list = arg;
	const struct view_workspace workspace = { .row = *row };

	return array_push(&list->items, &list->count, &workspace);
}

int view_workspaces_load(struct catalog *catalog, struct view_workspaces *ret_workspaces)
{
	struct view_workspaces *list = ret_workspaces;
	int err;

	*list = (struct view_workspaces){ NULL, 0 };
	err = catalog_workspace_each(catalog, false, add_workspace, list);
	for (size_t i = 0; i < list->count && err == 0; i++) {
		const struct catalog_workspace row = list->items[i].row;

		err = view_workspace_load(catalog, &row, &list->items[i]);
	}
	return err;
}

json_t *view_workspaces_json(const struct view_workspaces *workspaces)
{
	return view_array_json(workspaces->items, workspaces->count, view_workspace_json);
}

void view_workspaces_release(struct view_workspaces *workspaces)
{
	free(workspaces->items);
}

/* ---- campaigns ---- */

static int add_campaign(void *arg, const struct catalog_campaign *row)
{
	struct view_campaigns *list = arg;
	const struct view_campaign campaign = { .row = *row };

	return array_push(&list->items, &list->count, &campaign);
}

static int add_number(void *arg, const char *number)
{
	struct view_campaign *campaign = arg;
	char (*added)[CATALOG_NUMBER_SIZE] = array_add(&campaign->numbers, &campaign->number_count);

	if (!added)
		return -ENOMEM;
	snprintf(*added, sizeof *added, "%s", number);
	return 0;
}

int view_campaigns_load(struct catalog *catalog, int64_t workspace_id,
			struct view_campaigns *ret_campaigns)
{
	struct view_campaigns *list = ret_campaigns;
	int err;

	*list = (struct view_campaigns){ NULL, 0 };
	err = catalog_campaign_each(catalog, workspace_id, add_campaign, list);
	for (size_t i = 0; i < list->count && err == 0; i++)
		err = catalog_campaign_numbers(catalog, list->items[i].row.id, add_number,
					       &list->items[i]);
	return err;
}

static json_t *campaign_json(const struct view_campaign *campaign)
{
	const struct catalog_campaign *c = &campaign->row;
	json_t *numbers = json_array();

	for (size_t i = 0; i < campaign->number_count; i++)
		json_array_append_new(numbers, json_string(campaign->numbers[i]));
	return json_pack("{s:o, s:s, s:b, s:I, s:o}", "name", view_name_json(c->name), "folder",
			 c->folder, "is_unassigned", (int)c->is_unassigned, "recordings",
			 (json_int_t)c->recordings, "numbers", numbers);
}

json_t *view_campaigns_json(const struct view_campaigns *campaigns)
{
	return view_array_json(campaigns->items, campaigns->count, campaign_json);
}

void view_campaigns_release(struct view_campaigns *campaigns)
{
	for (size_t i = 0; i < campaigns->count; i++)
		free(campaigns->items[i].numbers);
	free(campaigns->items);
}
