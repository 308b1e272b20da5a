/* workspace list, show. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "catalog/callback.h"
#include "catalog/status.h"
#include "cli/commands.h"
#include "util/cleanup.h"
#include "util/secret.h"

static const char *storage_state(const struct catalog_workspace *w)
{
	return !w->has_storage ? "none" : w->storage_enabled ? "enabled" : "disabled";
}

static int64_t recordings_of(const struct catalog_status *status)
{
	return status->by_state[CATALOG_STATE_TWILIO] + status->by_state[CATALOG_STATE_UPLOADING] +
	       status->by_state[CATALOG_STATE_STORED] + status->by_state[CATALOG_STATE_S3];
}

/* Whether there is a token to check callbacks with. */
static bool callbacks_can_be_checked(struct cli *cli, const struct catalog_workspace *w)
{
	cleanup_secret char *token = NULL;
	struct catalog_workspace found;

	return catalog_callback_account(cli->catalog, &w->account_sid, &found, &token) == 0;
}

static json_t *workspace_json(struct cli *cli, const struct catalog_workspace *w,
			      const struct catalog_status *status)
{
	char account[SID_SIZE];

	sid_format(&w->account_sid, "AC", account);
	return json_pack(
		"{s:o, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:s, s:I, s:b, s:s, s:I, s:I}",
		"name", cli_json_name(w->name), "folder", w->folder, "account", account, "api_key",
		w->api_key_sid, "twilio_url", w->twilio_url, "delete_s3", (int)w->delete_s3,
		"delete_twilio", (int)w->delete_twilio, "migrate_new", (int)w->migrate_new,
		"keep_at_twilio", (int)w->keep_at_twilio, "verify",
		w->verify_readback ? "readback" : "checksum", "poll_secs", (json_int_t)w->poll_secs,
		"callbacks", (int)callbacks_can_be_checked(cli, w), "storage", storage_state(w),
		"calls", (json_int_t)status->calls, "recordings",
		(json_int_t)recordings_of(status));
}

static int workspace_status(struct cli *cli, int64_t id, struct catalog_status *ret_status)
{
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, id };
	int err = catalog_status_get(cli->catalog, scope, ret_status);

	return err < 0 ? cli_catalog_error(cli, err, "the workspace's counts cannot be read")
		       : CLI_DONE;
}

static int run_list(struct cli *cli, const void *values, int argc, char **argv)
{
	cleanup_free struct catalog_workspace *list = NULL;
	size_t count = 0;
	const char *const head[] = { "NAME", "ACCOUNT", "STORAGE", "CALLS", "RECORDINGS" };
	struct cli_table table = { 0 };
	json_t *array;
	int status = cli_catalog_open(cli);

	(void)values;
	(void)argc;
	(void)argv;
	if (status != CLI_DONE)
		return status;
	status = cli_workspaces(cli, false, &list, &count);
	if (status != CLI_DONE)
		return status;
	array = json_array();
	cli_table_row(&table, ARRAY_SIZE(head), head);
	for (size_t i = 0; i < count; i++) {
		const struct catalog_workspace *w = &list[i];
		char account[SID_SIZE], shown[CATALOG_NAME_SIZE], calls[24], recordings[24];
		struct catalog_status counts;

		status = workspace_status(cli, w->id, &counts);
		if (status != CLI_DONE)
			break;
		sid_format(&w->account_sid, "AC", account);
		snprintf(calls, sizeof calls, "%lld", (long long)counts.calls);
		snprintf(recordings, sizeof recordings, "%lld", (long long)recordings_of(&counts));
		json_array_append_new(array, workspace_json(cli, w, &counts));
		cli_table_row(&table, ARRAY_SIZE(head),
			      (const char *const[]){ cli_name(w->name, shown), account,
						     storage_state(w), calls, recordings });
	}
	if (status == CLI_DONE && cli->json)
		status = cli_json_print(json_incref(array));
	else if (status == CLI_DONE && count)
		cli_table_print(&table, stdout);
	else if (status == CLI_DONE)
		printf("There are no workspaces yet; 'tonicfs workspace add' adds one.\n");
	json_decref(array);
	cli_table_free(&table);
	return status;
}

const struct cli_command command_workspace_list = {
	.name = "workspace list",
	.arguments = "",
	.summary = "Lists the workspaces",
	.run = run_list,
};

static int run_show(struct cli *cli, const void *values, int argc, char **argv)
{
	struct catalog_workspace w;
	struct catalog_status counts;
	char account[SID_SIZE], shown[CATALOG_NAME_SIZE];
	int status = cli_workspace_open(cli, argv[0], &w);

	(void)values;
	(void)argc;
	if (status == CLI_DONE)
		status = workspace_status(cli, w.id, &counts);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_json_print(workspace_json(cli, &w, &counts));
	sid_format(&w.account_sid, "AC", account);
	printf("name            %s\n", cli_name(w.name, shown));
	printf("account         %s\n", account);
	printf("signs in with   %s\n", w.api_key_sid[0] ? w.api_key_sid : "the auth token");
	printf("twilio_url      %s\n", w.twilio_url[0] ? w.twilio_url : "https://api.twilio.com");
	printf("storage         %s\n", storage_state(&w));
	printf("delete_s3       %s\n", w.delete_s3 ? "on" : "off");
	printf("delete_twilio   %s\n", w.delete_twilio ? "on" : "off");
	printf("migrate_new     %s\n", w.migrate_new ? "on" : "off");
	printf("keep_at_twilio  %s\n", w.keep_at_twilio ? "on" : "off");
	printf("verify          %s\n", w.verify_readback ? "readback" : "checksum");
	if (w.poll_secs)
		printf("poll            every %u s\n", w.poll_secs);
	else
		printf("poll            off\n");
	printf("callbacks       %s\n",
	       callbacks_can_be_checked(cli, &w)
		       ? "can be checked"
		       : "cannot be checked without the auth token (--auth-token-file)");
	printf("calls           %lld\n", (long long)counts.calls);
	printf("recordings      %lld\n", (long long)recordings_of(&counts));
	return CLI_DONE;
}

const struct cli_command command_workspace_show = {
	.name = "workspace show",
	.arguments = "NAME",
	.summary = "Shows a workspace's settings, but no secret",
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_show,
};
