/* Runs a command line: finds the command, parses its options, returns the exit status. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/suggest.h"
#include "util/buf.h"
#include "util/files.h"
#include "util/log.h"

static int hint(const char *topic)
{
	fprintf(stderr, "Try 'tonicfs help%s%s'.\n", topic ? " " : "", topic ? topic : "");
	return CLI_USAGE;
}

static int say_no_command(const char *group, const char *word)
{
	cleanup_buf struct buf before = BUF_INIT;
	struct suggest suggest;

	if (group)
		buf_addf(&before, "%s ", group);
	suggest_init(&suggest, buf_str(&before), word);
	suggest_commands(&suggest, group);
	cli_error("'%s%s' is no command%s", buf_str(&before), word, suggest_text(&suggest));
	return hint(group);
}

static int set_path(char **where, const char *option, const char *variable)
{
	const char *path = option ? option : getenv(variable);
	int err;

	if (!path || !*path)
		return 0;
	/* The shell's <(…) is a pipe, whose resolved path names no file. */
	if (strncmp(path, "/dev/fd/", 8) == 0)
		err = (*where = strdup(path)) ? 0 : -ENOMEM;
	else
		err = files_absolute(path, where);
	if (err < 0)
		cli_error("%s: %s", path, strerror(-err));
	return err;
}

int cli_init(struct cli *cli, const struct cli_command *command, const struct cli_globals *globals)
{
	*cli = (struct cli){ .command = command,
			     .json = globals->json,
			     .verbose = globals->verbose };
	if (globals->verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	if (set_path(&cli->catalog_path, globals->catalog, "TONICFS_CATALOG") < 0 ||
	    set_path(&cli->key_file, globals->key_file, "TONICFS_KEY_FILE") < 0)
		return CLI_FAILED;
	if (!cli->catalog_path)
		cli->catalog_path = cli_default_catalog();
	if (!cli->catalog_path)
		return cli_error(
			"there is no home folder to look for a catalog in; name one with --catalog");
	return CLI_DONE;
}

static int run_command(const struct cli_command *command, struct cli_globals *globals, int argc,
		       char **argv)
{
	void *values = cli_values_new(command);
	char message[CATALOG_MESSAGE_SIZE];
	struct cli cli = { .command = command };
	int status = CLI_FAILED;

	if (!values)
		return cli_error("out of memory");
	if (cli_options_parse(command, globals, values, &argc, argv, message) < 0) {
		status = cli_usage(&cli, "%s", message);
	} else if (globals->help || globals->help_short) {
		cli_help_command(cli_json_text_begin(), command, !globals->help);
		status = cli_json_text_end();
	} else if ((unsigned)argc < command->argument_count.min) {
		status = cli_usage(&cli, "too few arguments: %s", command->arguments);
	} else if ((unsigned)argc > command->argument_count.max) {
		status = cli_usage(&cli, "too many arguments, from '%s' on",
				   argv[command->argument_count.max]);
	} else if ((status = cli_init(&cli, command, globals)) == CLI_DONE) {
		status = command->run(&cli, values, argc, argv);
	}
	cli_close(&cli);
	cli_values_free(command, values);
	return status;
}

/* Output that could not be written is a failure, too. */
static int finish(int status)
{
	if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE) {
		cli_error("standard output: %s", strerror(errno));
		return status == CLI_DONE ? CLI_FAILED : status;
	}
	return status;
}

static int dispatch(int argc, char **argv)
{
	struct cli_globals globals = { 0 };
	const struct cli_command *command;
	char message[CATALOG_MESSAGE_SIZE];
	bool is_group;
	int words;

	if (cli_options_parse(NULL, &globals, NULL, &argc, argv, message) < 0) {
		cli_error("%s", message);
		return hint(NULL);
	}
	if (globals.version)
		return cli_version();
	if (argc == 0 && (globals.help || globals.help_short)) {
		cli_help_all(cli_json_text_begin());
		return cli_json_text_end();
	}
	if (argc == 0) {
		cli_error("no command was given; usage: tonicfs [OPTIONS] COMMAND …");
		return hint(NULL);
	}
	command = cli_command_find(argc, argv, &words, &is_group);
	if (command)
		return run_command(command, &globals, argc - words, argv + words);
	if (!is_group)
		return say_no_command(NULL, argv[0]);
	/* "workspace --help": the only use of a group without a command. */
	for (int i = 1; i < argc; i++)
		globals.help |= strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
	if (globals.help && cli_help_group(cli_json_text_begin(), argv[0]))
		return cli_json_text_end();
	if (argc > 1 && argv[1][0] != '-')
		return say_no_command(argv[0], argv[1]);
	cli_error("'%s' needs to be told what to do", argv[0]);
	return hint(argv[0]);
}

/* Asked before anything is parsed, so that errors of the parser become JSON, too. */
static bool wants_json(int argc, char *const *argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

int cli_run(int argc, char **argv)
{
	argc--;
	argv++;
	if (wants_json(argc, argv))
		cli_json_begin();
	return finish(cli_json_end(dispatch(argc, argv)));
}
