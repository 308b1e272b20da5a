/* campaign add, list, remove. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/campaign.h"
#include "catalog/name.h"
#include "catalog/sync.h"
#include "cli/commands.h"
#include "cli/removing.h"
#include "cli/suggest.h"
#include "util/array.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* ---- add ---- */

struct add_values {
	struct cli_texts numbers;
};

static void say_added(struct cli *cli, const struct catalog_workspace *w,
		      const struct catalog_campaign *campaign, const char *folder)
{
	cleanup_buf struct buf word = BUF_INIT;
	struct catalog_sync_state sync = { 0 };
	char shown[CATALOG_NAME_SIZE];

	printf("Added campaign %s", cli_name(campaign->name, shown));
	if (campaign->recordings)
		printf(" with %lld recordings from %s", (long long)campaign->recordings,
		       CATALOG_UNASSIGNED);
	if (strcmp(shown, folder) != 0)
		printf("; its folder is %s", folder);
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

	(void)argc;
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
		return cli_json_print(json_pack("{s:o, s:s, s:I}", "name", cli_json_name(argv[1]),
						"folder", campaign.folder, "recordings",
						(json_int_t)campaign.recordings));
	say_added(cli, &w, &campaign, campaign.folder);
	return CLI_DONE;
}

const struct cli_command command_campaign_add = {
	.name = "campaign add",
	.arguments = "WORKSPACE NAME --number +E164 [--number …]",
	.summary = "Adds a campaign: a folder for the calls of some tracking numbers",
	.text = "A call belongs to the campaign of its tracking number: the one that was\n"
		"called, or, for an outbound call, the one that it came from. Calls that are\n"
		"known already leave 'unassigned' for the new campaign.\n",
	.options =
		(const struct cli_option[]){
			{ 0, "number", CLI_TEXTS, "+E164",
			  "a tracking number, such as +15551234567; may be given often",
			  offsetof(struct add_values, numbers) },
			{ 0 },
		},
	.values_size = sizeof(struct add_values),
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_add,
};

/* ---- list ---- */

struct campaign_list {
	struct catalog_campaign *items;
	size_t count;
};

static void campaign_list_release(struct campaign_list *list)
{
	free(list->items);
}

static int list_one(void *arg, const struct catalog_campaign *campaign)
{
	struct campaign_list *list = arg;
	return array_push(&list->items, &list->count, campaign);
}

struct numbers {
	struct buf text;
	json_t *array;
};

static int number_one(void *arg, const char *number)
{
	struct numbers *numbers = arg;

	if (numbers->text.len)
		buf_add_char(&numbers->text, ' ');
	buf_add_str(&numbers->text, number);
	json_array_append_new(numbers->array, json_string(number));
	return 0;
}

static int run_list(struct cli *cli, const void *values, int argc, char **argv)
{
	cleanup_with(campaign_list_release) struct campaign_list list = { NULL, 0 };
	const char *const head[] = { "NAME", "RECORDINGS", "NUMBERS" };
	struct cli_table table = { 0 };
	struct catalog_workspace w;
	json_t *array = NULL;
	int status = cli_workspace_open(cli, argv[0], &w);
	int err;

	(void)values;
	(void)argc;
	if (status != CLI_DONE)
		return status;
	err = catalog_campaign_each(cli->catalog, w.id, list_one, &list);
	if (err < 0)
		return cli_catalog_error(cli, err, "the campaigns cannot be read");
	array = json_array();
	cli_table_row(&table, ARRAY_SIZE(head), head);
	for (size_t i = 0; i < list.count && err >= 0; i++) {
		const struct catalog_campaign *c = &list.items[i];
		struct numbers numbers = { BUF_INIT, json_array() };
		char shown[CATALOG_NAME_SIZE], recordings[24];

		err = catalog_campaign_numbers(cli->catalog, c->id, number_one, &numbers);
		snprintf(recordings, sizeof recordings, "%lld", (long long)c->recordings);
		cli_table_row(&table, ARRAY_SIZE(head),
			      (const char *const[]){ cli_name(c->name, shown), recordings,
						     buf_str(&numbers.text) });
		json_array_append_new(array, json_pack("{s:o, s:s, s:b, s:I, s:o}", "name",
						       cli_json_name(c->name), "folder", c->folder,
						       "is_unassigned", (int)c->is_unassigned,
						       "recordings", (json_int_t)c->recordings,
						       "numbers", numbers.array));
		buf_release(&numbers.text);
	}
	if (err < 0)
		status = cli_catalog_error(cli, err, "the campaigns' numbers cannot be read");
	else if (cli->json)
		status = cli_json_print(json_incref(array));
	else
		cli_table_print(&table, stdout);
	json_decref(array);
	cli_table_free(&table);
	return status;
}

const struct cli_command command_campaign_list = {
	.name = "campaign list",
	.arguments = "WORKSPACE",
	.summary = "Lists a workspace's campaigns and their numbers",
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_list,
};

/* ---- remove ---- */

static int run_remove(struct cli *cli, const void *values, int argc, char **argv)
{
	char shown[CATALOG_NAME_SIZE];
	struct catalog_removal removal = { 0 };
	struct catalog_campaign campaign;
	struct catalog_workspace w;
	int status = cli_workspace_open(cli, argv[0], &w);
	int err;

	(void)values;
	(void)argc;
	if (status != CLI_DONE)
		return status;
	err = catalog_campaign_find(cli->catalog, w.id, argv[1], &campaign);
	if (err == -ENOENT) {
		struct suggest suggest;

		suggest_init(&suggest, "", argv[1]);
		suggest_campaigns(&suggest, cli, w.id);
		cli_error("there is no campaign '%s' in workspace '%s'%s", cli_name(argv[1], shown),
			  argv[0], suggest_text(&suggest));
		return CLI_FAILED;
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
	.summary = "Removes a campaign with the recordings in it",
	.text = "The same as 'rm -r' of its folder. What becomes of the bytes follows the\n"
		"workspace's settings delete_twilio and delete_s3. Later calls of its numbers\n"
		"are 'unassigned'. Removing 'unassigned' removes what is in it now; it comes\n"
		"back with the next call of no campaign.\n",
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_remove,
};
