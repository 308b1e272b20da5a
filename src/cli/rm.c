/* rm: removes as rm -r does in a mount, and says what happened to the bytes. */
#include <errno.h>
#include <stdlib.h>

#include "catalog/archive.h"
#include "catalog/campaign.h"
#include "cli/commands.h"
#include "cli/removing.h"
#include "util/cleanup.h"

static int remove_scope(struct cli *cli, const struct catalog_scope *scope,
			struct catalog_removal *ret_removal)
{
	if (scope->kind == CATALOG_SCOPE_RECORDING)
		return catalog_remove_recording(cli->catalog, scope->id, ret_removal);
	if (scope->kind == CATALOG_SCOPE_FOLDER)
		return catalog_remove_campaign(cli->catalog, scope->id, false, ret_removal);
	if (scope->kind == CATALOG_SCOPE_WORKSPACE)
		return catalog_remove_workspace(cli->catalog, scope->id, false, ret_removal);
	return -EPERM;
}

/* 0: not known. */
static int64_t workspace_of(struct cli *cli, const struct catalog_scope *scope)
{
	struct catalog_recording recording;
	struct catalog_campaign campaign;

	if (scope->kind == CATALOG_SCOPE_RECORDING &&
	    catalog_recording_get(cli->catalog, scope->id, &recording) == 0)
		return recording.workspace_id;
	if (scope->kind == CATALOG_SCOPE_FOLDER &&
	    catalog_campaign_get(cli->catalog, scope->id, &campaign) == 0)
		return campaign.workspace_id;
	return scope->kind == CATALOG_SCOPE_WORKSPACE ? scope->id : 0;
}

static void workspace_note(int64_t *ids, size_t *count, int64_t id)
{
	for (size_t i = 0; i < *count; i++)
		if (ids[i] == id)
			return;
	if (id)
		ids[(*count)++] = id;
}

static int run_rm(struct cli *cli, const void *values, int argc, char **argv)
{
	cleanup_scopes struct cli_scopes scopes = { NULL, 0 };
	cleanup_free int64_t *workspace_ids = NULL;
	struct catalog_removal sum = { 0 };
	size_t workspace_count = 0, removed = 0;
	bool failed = false;
	int status = cli_path_scopes(cli, argc, argv, &scopes);

	if (status != CLI_DONE)
		return status;
	workspace_ids = calloc(scopes.count + 1, sizeof *workspace_ids);
	if (!workspace_ids)
		return cli_error("out of memory");
	for (size_t i = 0; i < scopes.count; i++) {
		const struct catalog_scope *scope = &scopes.items[i];
		struct catalog_removal removal = { 0 };
		int64_t workspace_id = workspace_of(cli, scope), locked = 0;
		int err = remove_scope(cli, scope, &removal);

		if (err == -EPERM && catalog_lock_count(cli->catalog, *scope, &locked) == 0 &&
		    locked)
			cli_error(
				"the bucket must keep %lld of what is to be removed (retention or legal hold, the attribute "
				"user.tonicfs.retention); nothing of it was removed",
				(long long)locked);
		else if (err == -EPERM)
			cli_error("the root of the tree cannot be removed");
		else if (err < 0)
			cli_catalog_error(cli, err, "not removed");
		failed |= err < 0;
		if (err < 0)
			continue;
		removed++;
		removal_add(&sum, &removal);
		workspace_note(workspace_ids, &workspace_count, workspace_id);
	}
	if (removed == 0 && failed)
		return CLI_FAILED;
	status = removing_finish(cli, &sum, workspace_ids, workspace_count);
	return failed && status == CLI_DONE ? CLI_PART : status;
}

const struct cli_command command_rm = {
	.name = "rm",
	.arguments = "PATH…",
	.summary = "Removes recordings, campaigns or workspaces",
	.text = "Does the same as rm -r in a mount. The workspace's settings decide about the\n"
		"bytes: delete_twilio deletes them at Twilio, delete_s3 in the bucket; without\n"
		"these settings the bytes stay, and the next sync does not bring the recording\n"
		"back. Deletes are queued durably and tried at once; the next mount does those\n"
		"that take longer than ten seconds.\n"
		"\n"
		"PATH is WORKSPACE[/CAMPAIGN[/FILE]], a recording's SID, or a path inside a\n"
		"mount.\n",
	.argument_count = { 1, 1000000 },
	.run = run_rm,
};
