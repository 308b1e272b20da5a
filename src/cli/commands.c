/* The table of commands, and the options of every command. */
#include "cli/commands.h"

#include <stddef.h>
#include <string.h>

#define COMMAND_ADDRESS(name) &command_##name,
const struct cli_command *const cli_commands[] = { CLI_COMMANDS(COMMAND_ADDRESS) NULL };

#define GLOBAL(field) .offset = offsetof(struct cli_globals, field)
const struct cli_option cli_global_options[] = {
	{ "catalog", CLI_TEXT,
	  "the catalog (TONICFS_CATALOG; else ~/.local/share/tonicfs/catalog.db)", GLOBAL(catalog),
	  "FILE" },
	{ "key-file", CLI_TEXT, "the file with its key (TONICFS_KEY_FILE; else CATALOG.key)",
	  GLOBAL(key_file), "FILE" },
	{ "json", CLI_FLAG, "one JSON document instead of text; on failure with error and code",
	  GLOBAL(json) },
	{ "verbose", CLI_FLAG, "log more", GLOBAL(verbose), NULL, 'v' },
	{ "help-short", CLI_FLAG, NULL, GLOBAL(help_short), NULL, 'h' },
	{ "help", CLI_FLAG, "the help of the command; -h: only its options", GLOBAL(help) },
	{ "version", CLI_FLAG, "the program's version", GLOBAL(version) },
	{ 0 },
};

const struct cli_command *cli_command_find(int argc, char *const *argv, int *ret_words,
					   bool *ret_is_group)
{
	*ret_is_group = false;
	*ret_words = 0;
	if (argc == 0)
		return NULL;
	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		const char *space = strchr((*c)->name, ' ');
		size_t len = space ? (size_t)(space - (*c)->name) : strlen((*c)->name);

		if (strlen(argv[0]) != len || memcmp((*c)->name, argv[0], len) != 0)
			continue;
		if (!space) {
			*ret_words = 1;
			return *c;
		}
		*ret_is_group = true;
		if (argc > 1 && strcmp(argv[1], space + 1) == 0) {
			*ret_words = 2;
			return *c;
		}
	}
	return NULL;
}
