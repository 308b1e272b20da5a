/* The table of commands, and the options of every command. */
#include "cli/commands.h"

#include <stddef.h>
#include <string.h>

#define COMMAND_ADDRESS(name) &command_##name,
const struct cli_command *const cli_commands[] = { CLI_COMMANDS(COMMAND_ADDRESS) NULL };

#define VALUES struct cli_globals
const struct cli_option cli_global_options[] = {
	CLI_TEXT("catalog", catalog,
		 "the catalog (TONICFS_CATALOG; else ~/.local/share/tonicfs/catalog.db)", "FILE"),
	CLI_TEXT("key-file", key_file, "the file with its key (TONICFS_KEY_FILE; else CATALOG.key)",
		 "FILE"),
	CLI_FLAG("json", json, "one JSON document instead of text; on failure with error and code"),
	CLI_FLAG("verbose", verbose, "log more", NULL, 'v'),
	CLI_FLAG("help-short", help_short, NULL, NULL, 'h'),
	CLI_FLAG("help", help, "the help of the command; -h: only its options"),
	CLI_FLAG("version", version, "the program's version"),
	{ 0 },
};

const struct cli_command *cli_command_find(int argc, char *const *argv, int *ret_words,
					   bool *ret_is_group)
{
	*ret_is_group = false;
	*ret_words = 0;
	for (const struct cli_command *const *c = cli_commands; *c && argc; c++) {
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
