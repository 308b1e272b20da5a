/* setting list, set: what holds for the whole catalog. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "util/cleanup.h"

/* Read where they are used; a mount that runs goes on with what it has read. */
static const struct {
	const char *name;
	int64_t otherwise, least, most;
	const char *meaning;
} settings[] = {
	{ "connect_timeout_msecs", 10000, 100, 600000, "for a connection to Twilio or S3" },
	{ "stall_timeout_msecs", 30000, 1000, 600000, "for the next byte from there" },
	{ "read_timeout_msecs", 60000, 1000, 3600000, "for a read of a file in all" },
	{ "read_budget_bytes", 64 << 20, 4 << 20, INT64_C(1) << 40, "of memory for all open files" },
	{ "migrate_workers", 16, 1, 256, "transfers at a time" },
	{ "migrate_budget_bytes", 64 << 20, 16 << 20, INT64_C(1) << 40, "of memory for all transfers" },
	{ "url_expires_secs", 3600, 1, 604800, "until a URL that plays a recording ends" },
	{ "twilio_deletes_per_sec", 10, 1, 1000, "the rate at which deletes are sent to Twilio" },
};

static int run_list(struct cli *cli, const void *values, int argc, char **argv)
{
	const char *const head[] = { "NAME", "VALUE", "DEFAULT", "MEANING" };
	struct cli_table table = { 0 };
	json_t *document;
	int status = cli_catalog_open(cli);

	(void)values;
	(void)argc;
	(void)argv;
	if (status != CLI_DONE)
		return status;
	document = json_object();
	cli_table_row(&table, ARRAY_SIZE(head), head);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		int64_t value = catalog_setting_get_int(cli->catalog, settings[i].name, settings[i].otherwise);
		char text[24], otherwise[24];

		snprintf(text, sizeof text, "%" PRId64, value);
		snprintf(otherwise, sizeof otherwise, "%" PRId64, settings[i].otherwise);
		cli_table_row(&table, ARRAY_SIZE(head), (const char *const[]){ settings[i].name, text, otherwise, settings[i].meaning });
		json_object_set_new(document, settings[i].name, json_integer(value));
	}
	if (cli->json)
		status = cli_json_print(json_incref(document));
	else
		cli_table_print(&table, stdout);
	json_decref(document);
	cli_table_free(&table);
	return status;
}

const struct cli_command command_setting_list = {
	.name = "setting list",
	.arguments = "",
	.summary = "Lists the settings of the whole catalog",
	.run = run_list,
};

static int run_set(struct cli *cli, const void *values, int argc, char **argv)
{
	const char *text = argv[1];
	long long value = 0;
	size_t i = 0;
	char *end;
	int status, err;

	(void)values;
	(void)argc;
	while (i < ARRAY_SIZE(settings) && strcmp(settings[i].name, argv[0]) != 0)
		i++;
	if (i == ARRAY_SIZE(settings))
		return cli_usage(cli, "there is no setting '%s'", argv[0]);
	if (strcmp(text, "default") == 0) {
		text = NULL;
	} else {
		errno = 0;
		value = strtoll(text, &end, 10);
		if (errno || end == text || *end || value < settings[i].least || value > settings[i].most)
			return cli_usage(cli, "%s is a number from %" PRId64 " to %" PRId64 ", or default; not '%s'", settings[i].name,
					 settings[i].least, settings[i].most, text);
	}
	status = cli_catalog_open(cli);
	if (status != CLI_DONE)
		return status;
	err = catalog_setting_set(cli->catalog, settings[i].name, text);
	return err < 0 ? cli_catalog_error(cli, err, "the setting was not changed") : CLI_DONE;
}

const struct cli_command command_setting_set = {
	.name = "setting set",
	.arguments = "NAME VALUE|default",
	.summary = "Changes a setting of the whole catalog",
	.text =
"'tonicfs setting list' has the names, what they mean and their defaults. A mount\n"
"that runs goes on with what it began with.\n",
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_set,
};
