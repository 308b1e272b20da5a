/* setting list, set: the settings of the whole catalog. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/suggest.h"
#include "view/setting.h"

static int print_list(const struct view_settings *settings)
{
	struct cli_table table = { 0 };

	cli_table_row(&table, "NAME\tVALUE\tDEFAULT\tMEANING");
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct view_setting *s = &settings->items[i];

		if (s->about->text_form)
			cli_table_row(&table, "%s\t%s\t\t%s", s->about->name,
				      s->text ? s->text : "", s->about->meaning);
		else
			cli_table_row(&table, "%s\t%" PRId64 "\t%" PRId64 "\t%s", s->about->name,
				      s->number, s->about->otherwise, s->about->meaning);
	}
	return cli_table_print(&table, stdout);
}

static int run_list(struct cli *cli, const void *values, int argc, char **argv)
{
	cleanup_view_settings struct view_settings settings = { 0 };
	int status = cli_catalog_open(cli), err;

	if (status != CLI_DONE)
		return status;
	err = view_settings_load(cli->catalog, &settings);
	if (err < 0)
		return cli_catalog_error(cli, err, "the settings cannot be read");
	return cli->json ? cli_json_print(view_settings_json(&settings)) : print_list(&settings);
}

const struct cli_command command_setting_list = {
	.name = "setting list",
	.arguments = "",
	.summary = "Lists the settings of the whole catalog",
	.run = run_list,
};

static int say_unknown(struct cli *cli, const char *name)
{
	struct suggest suggest;

	suggest_init(&suggest, "", name);
	for (size_t i = 0; i < SETTING_COUNT; i++)
		suggest_try(&suggest, catalog_settings[i].name);
	return cli_usage(cli, "there is no setting '%s'%s", name, suggest_text(&suggest));
}

static int check_value(struct cli *cli, const struct catalog_setting *s, const char *text)
{
	long long value;
	char *end;

	if (s->text_form) /* so far, all texts are URLs */
		return http_url_check(text, true) == 0
			       ? CLI_DONE
			       : cli_usage(cli, "%s is %s, or default; not '%s'", s->name,
					   s->text_form, text);
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value < s->least || value > s->most)
		return cli_usage(cli,
				 "%s is a number from %" PRId64 " to %" PRId64
				 ", or default; not '%s'",
				 s->name, s->least, s->most, text);
	return CLI_DONE;
}

static int run_set(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct catalog_setting *s = catalog_setting_find(argv[0]);
	bool is_default = strcmp(argv[1], "default") == 0;
	int status = CLI_DONE, err;

	if (!s)
		return say_unknown(cli, argv[0]);
	if (!is_default)
		status = check_value(cli, s, argv[1]);
	if (status == CLI_DONE)
		status = cli_catalog_open(cli);
	if (status != CLI_DONE)
		return status;
	err = catalog_setting_set(cli->catalog, s->name, is_default ? NULL : argv[1]);
	return cli_catalog_error(cli, err, "the setting was not changed");
}

const struct cli_command command_setting_set = {
	.name = "setting set",
	.arguments = "NAME VALUE|default",
	.summary = "Changes a setting of the whole catalog",
	.text = "'tonicfs setting list' shows all settings with their meanings and defaults. A\n"
		"running mount keeps the values that it started with.\n",
	.argument_count = { 2, 2 },
	.run = run_set,
};
