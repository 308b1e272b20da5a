/* The command line: tables of commands and their typed options, from which parser, help and the
 * manual's lists are made. A file for each command. Only this room prints and sets exit codes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "catalog/tree.h"
#include "catalog/workspace.h"
#include "cli/document.h"
#include "cli/output.h"
#include "net/http.h"
#include "util/cancel.h"
#include "view/view.h"

enum cli_exit {
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_PART = 3, /* done in part; the error names the rest */
};

/* The type of an option, and of its field in the command's struct of values. */
enum cli_kind {
	CLI_FLAG,   /* bool */
	CLI_SWITCH, /* int: 1 for --name, 0 for --no-name, -1 if not given */
	CLI_TEXT,   /* const char *: the last one given; NULL if not given */
	CLI_TEXTS,  /* struct cli_texts: all that were given, in order */
};

struct cli_texts {
	const char **items; /* point into argv; cli_values_free() frees the array */
	size_t count;
};

struct cli_option {
	const char *name; /* NULL ends a table */
	enum cli_kind kind;
	const char *help;
	size_t offset;        /* in the struct of values */
	const char *argument; /* its name in the help; NULL for flags and switches */
	char letter;          /* 0: none */
};

struct catalog_storage;
struct cli;
struct cli_command {
	const char *name;                 /* "workspace add" */
	const char *arguments;            /* "NAME --account AC… [OPTIONS]" */
	const char *summary;              /* one line, without a full stop */
	const char *text;                 /* paragraphs for the help; lines of at most 78 columns */
	const struct cli_option *options; /* NULL: none */
	size_t values_size;               /* of the struct of values */
	struct {
		unsigned min, max;
	} argument_count;
	int (*run)(struct cli *cli, const void *values, int argc, char **argv);
};

/* A command's table of options, and its rows. A file says what VALUES is: its struct of values.
 * After the help come the argument's name and the letter, if there are any. */
#define CLI_OPTIONS(table) .options = (table), .values_size = sizeof(VALUES)
#define CLI_OPTION(name, kind, field, help, ...) \
	{ name, kind, help, .offset = offsetof(VALUES, field), __VA_ARGS__ }
#define CLI_FLAG(name, field, ...) CLI_OPTION(name, CLI_FLAG, field, __VA_ARGS__)
#define CLI_SWITCH(name, field, ...) CLI_OPTION(name, CLI_SWITCH, field, __VA_ARGS__)
#define CLI_TEXT(name, field, ...) CLI_OPTION(name, CLI_TEXT, field, __VA_ARGS__)
#define CLI_TEXTS(name, field, ...) CLI_OPTION(name, CLI_TEXTS, field, __VA_ARGS__)

/* The command that runs, and what it has opened. */
struct cli {
	const struct cli_command *command;
	char *catalog_path; /* absolute */
	char *key_file;     /* absolute; NULL: found as catalog/key.h says */
	bool json, verbose;
	struct catalog *catalog;
	struct http *http;
};

/* ---- commands.c: the table ---- */
extern const struct cli_command *const cli_commands[]; /* in the help's order; ends with NULL */
extern const struct cli_option cli_global_options[];
struct cli_globals {
	const char *catalog, *key_file;
	bool json, verbose, help_short, help, version;
};
/* The command that the first words of argv name, and its number of words; or NULL. *ret_is_group: the
 * first word begins names of two words ("storage"), but the second word completes none of them. */
const struct cli_command *cli_command_find(int argc, char *const *argv, int *ret_words,
					   bool *ret_is_group);

/* ---- options.c: the parser ---- */
/* Parses the options in argv into values (from cli_values_new()) and globals. The other words are
 * moved to the front of argv, and *argc becomes their number. command NULL: only global options are
 * known, and parsing stops at the first other word. 0, or -EINVAL and a sentence. */
int cli_options_parse(const struct cli_command *command, struct cli_globals *globals, void *values,
		      int *argc, char **argv, char ret_message[CATALOG_MESSAGE_SIZE]);
void cli_values_free(const struct cli_command *command, void *values);
/* The command's struct of values, without any option given. NULL for lack of memory. */
void *cli_values_new(const struct cli_command *command);

/* ---- run.c: runs the command that argv names ---- */
/* Applies the global options and the environment. Has printed an error where it does not return
 * CLI_DONE. cli_close() must follow in any case. */
int cli_init(struct cli *cli, const struct cli_command *command, const struct cli_globals *globals);
int cli_run(int argc, char **argv);

/* ---- help.c ---- */
void cli_help_all(FILE *out);
void cli_help_command(FILE *out, const struct cli_command *command, bool is_short);
bool cli_help_group(FILE *out, const char *group); /* false: there is no such group */
int cli_version(void);                             /* prints it; returns the exit status */
void cli_help_manual(FILE *out);                   /* the manual page's list of commands, in roff */

/* ---- session.c: what commands open ----
 * Each returns CLI_DONE, or has printed an error and returns the exit status. */
int cli_catalog_open(struct cli *cli);
int cli_http_open(struct cli *cli);
void cli_close(struct cli *cli);
/* Prints that the command waits for the process of an earlier mount. */
void cli_say_predecessor(const char *catalog_path);
/* $XDG_DATA_HOME/tonicfs/catalog.db or ~/.local/share/tonicfs/catalog.db; the caller frees; NULL
 * where $HOME is not known. */
char *cli_default_catalog(void);
int cli_workspace_find(struct cli *cli, const char *name, struct catalog_workspace *ret_workspace);
/* The same, after opening the catalog. */
int cli_workspace_open(struct cli *cli, const char *name, struct catalog_workspace *ret_workspace);
/* The same, and the workspace's bucket. */
int cli_storage_open(struct cli *cli, const char *name, struct catalog_workspace *ret_workspace,
		     struct catalog_storage *ret_storage);
struct cli_workspaces {
	struct catalog_workspace *items;
	size_t count;
};
/* The workspace of this name; NULL: all of them, by name. */
int cli_workspaces_find(struct cli *cli, const char *name, bool with_removed,
			struct cli_workspaces *ret_workspaces);
void cli_workspaces_release(struct cli_workspaces *workspaces);
#define cleanup_workspaces __attribute__((cleanup(cli_workspaces_release)))
/* Reads a secret from the file that an option names, or asks on the terminal. */
int cli_secret_read(const char *option, const char *secret_file, const char *prompt,
		    char **ret_secret);
/* Refuses plain http to other machines, unless allow_http. what: the option, for the message. */
int cli_url_check(const char *what, const char *url, bool allow_http);
/* From now on, the first SIGINT, SIGTERM or SIGHUP sets cli_cancel; the second one ends the program. */
void cli_catch_signals(void);
/* Sets a handler of SIGINT, SIGTERM and SIGHUP. flags: of sigaction(). */
void cli_handle_signals(void (*handler)(int), int flags);
extern struct cancel cli_cancel;
/* Waits for a change in the catalog, at most msecs. Returns at most twenty times a second. */
void cli_wait(struct cli *cli, uint64_t *generation, unsigned msecs);

/* ---- streams.c ---- */
/* From now on, stdout and stderr print '?' for what is not printable. Call it before any output. */
void cli_streams_init(void);
/* For JSON on stdout: such characters become escapes of JSON instead. */
void cli_streams_json(void);

/* ---- path.c ---- */
/* Finds WORKSPACE[/CAMPAIGN[/FILE]], a recording's SID, or a path inside a mount. Has printed an
 * error where it does not return CLI_DONE. */
int cli_path_resolve(struct cli *cli, const char *path, struct catalog_node *ret_node);
/* Opens the catalog, and does the same for many paths. Paths inside others of them are left out, so
 * that no recording is in two scopes, and so is calls.csv. */
struct cli_scopes {
	struct catalog_scope *items;
	size_t count;
};
int cli_path_scopes(struct cli *cli, int count, char *const *paths, struct cli_scopes *ret_scopes);
void cli_scopes_release(struct cli_scopes *scopes);
#define cleanup_scopes __attribute__((cleanup(cli_scopes_release)))
