/* campaign add, list, remove. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "catalog/campaign.h"
#include "catalog/name.h"
#include "catalog/sync.h"
#include "cli/commands.h"
#include "cli/removing.h"
#include "cli/suggest.h"
#include "util/buf.h"
#include "view/workspace.h"

/* ---- add ---- */

struct add_values {
	struct cli_texts numbers;
};

static void say_added(struct cli *cli, const struct catalog_workspace *w,
		      const struct catalog_campaign *campaign)
{
	cleanup_buf struct buf word = BUF_INIT;
	struct catalog_sync_state sync = { 0 };
	char shown[CATALOG_NAME_SIZE];

	printf("Added campaign %s", view_name(campaign->name, shown));
	if (campaign->recordings)
		printf(" with %lld recordings from %s", (long long)campaign->recordings,
		       CATALOG_UNASSIGNED);
	if (strcmp(shown, campaign->folder) != 0)
		printf("; its folder is %s", campaign->folder);
	printf("\n");
	if (catalog_sync_state_get(cli->catalog, w->id, &sync) == 0 && sync.last_poll_secs <= 0)
		printf("Next: tonicfs sync %s\n", cli_shell_word(w->name, &word));
	else
		printf("Next: tonicfs mount DIR, unless it is mounted already\n");
}

static int run_add(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct add_values *v = values;
	char message[CATALOG_MESSAGE_SIZE], encoded[CATALOG_NAME_SIZE];
	struct catalog_campaign campaign;
	struct catalog_workspace w;
	int64_t id;
	int status, err;

	if (v->numbers.count == 0)
		return cli_usage(cli, "--number +E164 is missing");
	if (!*argv[1] || catalog_name_encode(argv[1], encoded) < 0)
		return cli_usage(cli, *argv[1] ? "the name is too long" : "the name is empty");
	status = cli_workspace_open(cli, argv[0], &w);
	if (status != CLI_DONE)
		return status;
	err = catalog_campaign_add(cli->catalog, w.id, argv[1], v->numbers.items, v->numbers.count,
				   &id, message);
	if (err == -EINVAL)
		return cli_usage(cli, "%s", message);
	if (err < 0)
		return cli_catalog_failed(cli, err, message, "the campaign was not added");
	err = catalog_campaign_get(cli->catalog, id, &campaign);
	if (err < 0)
		return cli_catalog_error(cli, err, "the campaign cannot be read");
	if (cli->json)
		return cli_json_print(json_pack("{s:o, s:s, s:I}", "name", view_name_json(argv[1]),
						"folder", campaign.folder, "recordings",
						(json_int_t)campaign.recordings));
	say_added(cli, &w, &campaign);
	return CLI_DONE;
}

#define VALUES struct add_values
static const struct cli_option add_options[] = {
	CLI_TEXTS("number", numbers, "a tracking number, such as +15551234567; may be repeated",
		  "+E164"),
	{ 0 },
};

const struct cli_command command_campaign_add = {
	.name = "campaign add",
	.arguments = "WORKSPACE NAME --number +E164 [--number …]",
	.summary = "Adds a campaign: a folder for the calls of some tracking numbers",
	.text = "A call belongs to the campaign of its tracking number: the number that was\n"
		"called, or, for an outbound call, the number it was made from. Known calls of\n"
		"these numbers move from 'unassigned' to the new campaign.\n",
	CLI_OPTIONS(add_options),
	.argument_count = { 2, 2 },
	.run = run_add,
};

/* ---- list ---- */

static int print_list(const struct view_campaigns *list)
{
	struct cli_table table = { 0 };

	cli_table_row(&table, "NAME\tRECORDINGS\tNUMBERS");
	for (size_t i = 0; i < list->count; i++) {
		const struct view_campaign *c = &list->items[i];
		cleanup_buf struct buf numbers = BUF_INIT;

		for (size_t n = 0; n < c->number_count; n++)
			buf_addf(&numbers, "%s%s", n ? " " : "", c->numbers[n]);
		cli_table_row(&table, "%s\t%lld\t%s", view_shown(c->row.name),
			      (long long)c->row.recordings, buf_str(&numbers));
	}
	return cli_table_print(&table, stdout);
}

static int run_list(struct cli *cli, const void *values, int argc, char **argv)
{
	cleanup_view_campaigns struct view_campaigns list = { NULL, 0 };
	struct catalog_workspace w;
	int status = cli_workspace_open(cli, argv[0], &w), err;

	if (status != CLI_DONE)
		return status;
	err = view_campaigns_load(cli->catalog, w.id, &list);
	if (err < 0)
		return cli_catalog_error(cli, err, "the campaigns cannot be read");
	return cli->json ? cli_json_print(view_campaigns_json(&list)) : print_list(&list);
}

const struct cli_command command_campaign_list = {
	.name = "campaign list",
	.arguments = "WORKSPACE",
	.summary = "Lists a workspace's campaigns and their numbers",
	.argument_count = { 1, 1 },
	.run = run_list,
};

/* ---- remove ---- */

static int run_remove(struct cli *cli, const void *values, int argc, char **argv)
{
	struct catalog_removal removal = { 0 };
	struct catalog_campaign campaign;
	struct catalog_workspace w;
	int status = cli_workspace_open(cli, argv[0], &w), err;

	if (status != CLI_DONE)
		return status;
	err = catalog_campaign_find(cli->catalog, w.id, argv[1], &campaign);
	if (err == -ENOENT) {
		struct suggest suggest;

		suggest_init(&suggest, "", argv[1]);
		suggest_campaigns(&suggest, cli, w.id);
		return cli_error("there is no campaign '%s' in workspace '%s'%s",
				 view_shown(argv[1]), argv[0], suggest_text(&suggest));
	}
	if (err < 0)
		return cli_catalog_error(cli, err, "the campaign cannot be read");
	err = catalog_remove_campaign(cli->catalog, campaign.id, false, &removal);
	if (err < 0)
		return cli_catalog_error(cli, err, "the campaign was not removed");
	return removing_finish(cli, &removal, &w.id, 1);
}

const struct cli_command command_campaign_remove = {
	.name = "campaign remove",
	.arguments = "WORKSPACE NAME",
	.summary = "Removes a campaign and the recordings in it",
	.text = "The same as 'rm -r' of its folder. The bytes are deleted where the workspace's\n"
		"settings delete_twilio and delete_s3 say so. Later calls of its numbers are in\n"
		"'unassigned'. Removing 'unassigned' removes its present content; the folder\n"
		"comes back with the next call that belongs to no campaign.\n",
	.argument_count = { 2, 2 },
	.run = run_remove,
};
