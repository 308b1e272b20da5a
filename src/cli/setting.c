/* setting list, set: what holds for the whole catalog. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/suggest.h"
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
	{ "read_budget_bytes", 256 << 20, 4 << 20, INT64_C(1) << 40,
	  "of memory for all open files" },
	{ "migrate_workers", 64, 1, 256, "transfers of a workspace at a time, at most" },
	{ "migrate_budget_bytes", 64 << 20, 16 << 20, INT64_C(1) << 40,
	  "of memory for all transfers" },
	{ "twilio_connections", 64, 1, 256, "downloads of an account at a time, at most" },
	{ "twilio_requests_per_sec", 0, 0, 1000000, "of transfers to an account; 0: no limit" },
	{ "twilio_bytes_per_sec", 0, 0, INT64_C(1) << 40, "downloaded of an account; 0: no limit" },
	{ "s3_connections", 64, 1, 256, "uploads to a bucket at a time, at most" },
	{ "s3_requests_per_sec", 0, 0, 1000000, "of transfers to a bucket; 0: no limit" },
	{ "s3_bytes_per_sec", 0, 0, INT64_C(1) << 40, "uploaded to a bucket; 0: no limit" },
	{ "url_expires_secs", 3600, 1, 604800, "until a URL that plays a recording ends" },
	{ "twilio_deletes_per_sec", 10, 1, 1000, "the rate at which deletes are sent to Twilio" },
};

static bool is_url(const char *text)
{
	return http_url_check(text, true) == 0;
}

/* Those that are no numbers; without a default. */
static const struct {
	const char *name, *meaning, *values;
	bool (*check)(const char *text);
} texts[] = {
	{ "callback_url", "the callbacks' address that Twilio was told", "an http or https address",
	  is_url },
};

static void list_texts(struct cli *cli, struct cli_table *table, json_t *document)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_free char *text = NULL;

		if (catalog_setting_get(cli->catalog, texts[i].name, &text) < 0)
			text = NULL;
		cli_table_row(table, 4,
			      (const char *const[]){ texts[i].name, text ? text : "", "",
						     texts[i].meaning });
		json_object_set_new(document, texts[i].name,
				    text ? json_string(text) : json_null());
	}
}

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
		int64_t value = catalog_setting_get_int(cli->catalog, settings[i].name,
							settings[i].otherwise);
		char text[24], otherwise[24];

		snprintf(text, sizeof text, "%" PRId64, value);
		snprintf(otherwise, sizeof otherwise, "%" PRId64, settings[i].otherwise);
		cli_table_row(&table, ARRAY_SIZE(head),
			      (const char *const[]){ settings[i].name, text, otherwise,
						     settings[i].meaning });
		json_object_set_new(document, settings[i].name, json_integer(value));
	}
	list_texts(cli, &table, document);
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

static int store(struct cli *cli, const char *name, const char *text)
{
	int status = cli_catalog_open(cli);
	int err;

	if (status != CLI_DONE)
		return status;
	err = catalog_setting_set(cli->catalog, name, strcmp(text, "default") == 0 ? NULL : text);
	return err < 0 ? cli_catalog_error(cli, err, "the setting was not changed") : CLI_DONE;
}

static int run_set(struct cli *cli, const void *values, int argc, char **argv)
{
	const char *text = argv[1];
	bool is_default = strcmp(text, "default") == 0, is_number;
	long long value;
	size_t i = 0;
	char *end;

	(void)values;
	(void)argc;
	for (size_t t = 0; t < ARRAY_SIZE(texts); t++) {
		if (strcmp(texts[t].name, argv[0]) != 0)
			continue;
		if (!is_default && !texts[t].check(text))
			return cli_usage(cli, "%s is %s, or default; not '%s'", texts[t].name,
					 texts[t].values, text);
		return store(cli, texts[t].name, text);
	}
	while (i < ARRAY_SIZE(settings) && strcmp(settings[i].name, argv[0]) != 0)
		i++;
	if (i == ARRAY_SIZE(settings)) {
		struct suggest suggest;

		suggest_init(&suggest, "", argv[0]);
		for (size_t t = 0; t < ARRAY_SIZE(texts); t++)
			suggest_try(&suggest, texts[t].name);
		for (i = 0; i < ARRAY_SIZE(settings); i++)
			suggest_try(&suggest, settings[i].name);
		return cli_usage(cli, "there is no setting '%s'%s", argv[0],
				 suggest_text(&suggest));
	}
	errno = 0;
	value = strtoll(text, &end, 10);
	is_number = !errno && end != text && !*end;
	if (!is_default && (!is_number || value < settings[i].least || value > settings[i].most))
		return cli_usage(cli,
				 "%s is a number from %" PRId64 " to %" PRId64
				 ", or default; not '%s'",
				 settings[i].name, settings[i].least, settings[i].most, text);
	return store(cli, settings[i].name, text);
}

const struct cli_command command_setting_set = {
	.name = "setting set",
	.arguments = "NAME VALUE|default",
	.summary = "Changes a setting of the whole catalog",
	.text = "'tonicfs setting list' has the names, what they mean and their defaults. A mount\n"
		"that runs goes on with what it began with.\n",
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_set,
};
