/* workspace list, show: the workspaces and their settings. */
#include <stdio.h>

#include "cli/commands.h"
#include "view/workspace.h"

static int print_list(const struct view_workspaces *list)
{
	struct cli_table table = { 0 };

	if (!list->count) {
		printf("There are no workspaces yet; 'tonicfs workspace add' adds one.\n");
		return CLI_DONE;
	}
	cli_table_row(&table, "NAME\tACCOUNT\tSTORAGE\tCALLS\tRECORDINGS");
	for (size_t i = 0; i < list->count; i++) {
		const struct view_workspace *w = &list->items[i];
		char account[SID_SIZE];

		sid_format(&w->row.account_sid, "AC", account);
		cli_table_row(&table, "%s\t%s\t%s\t%lld\t%lld", view_shown(w->row.name), account,
			      view_storage_state(&w->row), (long long)w->calls,
			      (long long)w->recordings);
	}
	return cli_table_print(&table, stdout);
}

static int run_list(struct cli *cli, const void *values, int argc, char **argv)
{
	cleanup_view_workspaces struct view_workspaces list = { NULL, 0 };
	int status = cli_catalog_open(cli), err;

	if (status != CLI_DONE)
		return status;
	err = view_workspaces_load(cli->catalog, &list);
	if (err < 0)
		return cli_catalog_error(cli, err, "the workspaces cannot be read");
	return cli->json ? cli_json_print(view_workspaces_json(&list)) : print_list(&list);
}

const struct cli_command command_workspace_list = {
	.name = "workspace list",
	.arguments = "",
	.summary = "Lists the workspaces",
	.run = run_list,
};

static const char *on_off(bool is_on)
{
	return is_on ? "on" : "off";
}

static void print_one(const struct view_workspace *workspace)
{
	const struct catalog_workspace *w = &workspace->row;
	char account[SID_SIZE];

	sid_format(&w->account_sid, "AC", account);
	printf("name            %s\n", view_shown(w->name));
	printf("account         %s\n", account);
	printf("signs in with   %s\n", w->api_key_sid[0] ? w->api_key_sid : "the auth token");
	printf("twilio_url      %s\n", w->twilio_url[0] ? w->twilio_url : "https://api.twilio.com");
	printf("storage         %s\n", view_storage_state(w));
	printf("delete_s3       %s\n", on_off(w->delete_s3));
	printf("delete_twilio   %s\n", on_off(w->delete_twilio));
	printf("migrate_new     %s\n", on_off(w->migrate_new));
	printf("keep_at_twilio  %s\n", on_off(w->keep_at_twilio));
	printf("verify          %s\n", w->verify_readback ? "readback" : "checksum");
	if (w->poll_secs)
		printf("poll            every %u s\n", w->poll_secs);
	else
		printf("poll            off\n");
	printf("callbacks       %s\n",
	       workspace->can_check_callbacks
		       ? "can be checked"
		       : "cannot be checked without the auth token (--auth-token-file)");
	printf("calls           %lld\n", (long long)workspace->calls);
	printf("recordings      %lld\n", (long long)workspace->recordings);
}

static int run_show(struct cli *cli, const void *values, int argc, char **argv)
{
	struct view_workspace workspace;
	struct catalog_workspace row;
	int status = cli_workspace_open(cli, argv[0], &row), err;

	if (status != CLI_DONE)
		return status;
	err = view_workspace_load(cli->catalog, &row, &workspace);
	if (err < 0)
		return cli_catalog_error(cli, err, "the workspace's counts cannot be read");
	if (cli->json)
		return cli_json_print(view_workspace_json(&workspace));
	print_one(&workspace);
	return CLI_DONE;
}

const struct cli_command command_workspace_show = {
	.name = "workspace show",
	.arguments = "NAME",
	.summary = "Shows a workspace's settings, without secrets",
	.argument_count = { 1, 1 },
	.run = run_show,
};
