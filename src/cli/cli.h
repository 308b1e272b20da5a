/*
 * The command line: one table of commands, each with its own table of typed options, from which the parser, the help and the manual
 * page's lists come. One file per command; only this room prints and decides about exit statuses.
 */
#ifndef TONICFS_CLI_CLI_H
#define TONICFS_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "catalog/tree.h"
#include "catalog/workspace.h"
#include "net/http.h"
#include "util/cancel.h"

enum cli_exit {
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_PART = 3, /* done in part; what was left has been named */
};

/* What an option's value is in a command's struct of values. */
enum cli_kind {
	CLI_FLAG,   /* bool */
	CLI_SWITCH, /* int: 1 for --name, 0 for --no-name, -1 where not given */
	CLI_TEXT,   /* const char *: NULL where not given; the last one counts */
	CLI_TEXTS,  /* struct cli_texts: every one given, in order */
};

struct cli_texts {
	const char **items; /* of argv; the array is the parser's (cli_values_free) */
	size_t count;
};

struct cli_option {
	char letter;      /* 0: none */
	const char *name; /* NULL ends a table */
	enum cli_kind kind;
	const char *argument; /* as the help calls it; NULL for flags and switches */
	const char *help;
	size_t offset; /* in the struct of values */
};

struct buf;
struct cli;
struct cli_command {
	const char *name;                 /* "workspace add" */
	const char *arguments;            /* "NAME --account AC… [OPTIONS]" */
	const char *summary;              /* one line, without a full stop */
	const char *text;                 /* paragraphs for the help; lines of at most 78 columns */
	const struct cli_option *options; /* NULL: none */
	size_t values_size;               /* of the struct of values */
	unsigned arguments_min, arguments_max;
	int (*run)(struct cli *cli, const void *values, int argc, char **argv);
};

/* What every command gets. */
struct cli {
	const struct cli_command *command;
	char *catalog_path; /* absolute */
	char *key_file;     /* absolute; NULL: the rule of catalog/key.h */
	bool json, verbose;
	struct catalog *catalog;
	struct http *http;
};

/* ---- commands.c: the table ---- */
extern const struct cli_command *const cli_commands[]; /* NULL-terminated, in the order of the help */
extern const struct cli_option cli_global_options[];
struct cli_globals {
	const char *catalog, *key_file;
	bool json, verbose, help_short, help, version;
};
/* The command that the first words of argv name (one or two), and how many words that takes; NULL: none. *ret_is_group: the first word begins names of
 * two words, and the second is none of them. */
const struct cli_command *cli_command_find(int argc, char *const *argv, int *ret_words,
					   bool *ret_is_group);

/* ---- options.c: the parser ---- */
/* Sorts argv into values (zeroed; by the command's table), globals, and the rest (returned in front of argv; *ret_argc many). command NULL: global options only, and
 * stops at the first word that is none. 0, or -EINVAL and a sentence. */
int cli_options_parse(const struct cli_command *command, struct cli_globals *globals, void *values,
		      int *argc, char **argv, char ret_message[CATALOG_MESSAGE_SIZE]);
void cli_values_free(const struct cli_command *command, void *values);
/* The struct of values as it is before anything is given. NULL for lack of memory. */
void *cli_values_new(const struct cli_command *command);

/* ---- run.c: from words to an exit status ---- */
/* What the global options and the environment say. An error has been said where it is not CLI_DONE; cli_close in any case. */
int cli_init(struct cli *cli, const struct cli_command *command, const struct cli_globals *globals);
int cli_run(int argc, char **argv);

/* ---- help.c ---- */
void cli_help_all(FILE *out);
void cli_help_command(FILE *out, const struct cli_command *command, bool is_short);
bool cli_help_group(FILE *out, const char *group); /* false: there is none of that name */
int cli_version(void);                             /* says which it is; returns the exit status */
void cli_help_manual(FILE *out);                   /* the manual page's list of commands, in roff */

/* ---- session.c: the things that commands open ---- */
/* CLI_DONE, or an error has been said and the exit status is returned. */
int cli_catalog_open(struct cli *cli);
int cli_http_open(struct cli *cli);
void cli_close(struct cli *cli);
/* Says that the command waits for the process of an earlier mount. */
void cli_say_predecessor(const char *catalog_path);
/* $XDG_DATA_HOME/tonicfs/catalog.db or ~/.local/share/tonicfs/catalog.db; the caller frees; NULL where there is no home. */
char *cli_default_catalog(void);
int cli_workspace_find(struct cli *cli, const char *name, struct catalog_workspace *ret_workspace);
/* Opens the catalog and finds the workspace: how most commands begin. */
int cli_workspace_open(struct cli *cli, const char *name, struct catalog_workspace *ret_workspace);
/* All, in order of names; the caller frees. */
int cli_workspaces(struct cli *cli, bool with_removed, struct catalog_workspace **ret_workspaces,
		   size_t *ret_count);
/* From --secret-file, or asked for. */
int cli_secret_read(const char *secret_file, const char *prompt, char **ret_secret);
/* The same for an option of another name, which messages say. */
int cli_secret_read_as(const char *option, const char *secret_file, const char *prompt,
		       char **ret_secret);
/* Plain http is for loopback, unless allowed. what: "the endpoint". */
int cli_url_check(const char *what, const char *url, bool allow_http);
/* SIGINT, SIGTERM and SIGHUP set cli_cancel from now on instead of ending the program; the second one ends it. */
void cli_catch_signals(void);
extern struct cancel cli_cancel;
/* Waits for a change in the catalog, at most msecs; but never returns more than twenty times a second. */
void cli_wait(struct cli *cli, uint64_t *generation, unsigned msecs);

/* ---- streams.c ---- */
/* From here on, stdout and stderr take printable text only; the rest of it becomes '?'. Before anything is printed. */
void cli_streams_init(void);
/* The same on stdout, which gets JSON: as an escape of JSON. */
void cli_streams_json(void);

/* ---- output.c ---- */
/* One line on standard error, "tonicfs: …". */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for wrong usage, with the command's name and where to read on; returns CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says what a function of the catalog returned; returns CLI_FAILED. doing: "the workspace was not added". */
int cli_catalog_error(const struct cli *cli, int error, const char *doing);
/* The same, where the function has a message of its own: that is said, unless it is "". */
int cli_catalog_failed(const struct cli *cli, int error, const char *message, const char *doing);
/* The name of a workspace or campaign as it is shown: as it was typed, with %XX in place of bytes that could drive a terminal. */
const char *cli_name(const char *name, char ret_shown[CATALOG_NAME_SIZE]);

/* Columns that a line may take: the terminal's, or 80. */
size_t cli_columns(int fd);
/* A name as a word of a shell's command line, in quotes where it needs them. Valid as long as the buffer. */
const char *cli_shell_word(const char *text, struct buf *ret_word);

/* Columns that a text takes on a terminal: its characters, near enough. */
size_t cli_text_width(const char *text);

/* Columns of text, as wide as their widest cell; the first row is their headings. On a terminal that is too narrow a block a row. */
struct cli_table {
	size_t columns, count;
	char **cells;
	bool failed;
};
void cli_table_row(struct cli_table *table, size_t columns, const char *const *cells);
void cli_table_print(struct cli_table *table, FILE *out); /* and frees it */
void cli_table_free(struct cli_table *table);

/* Progress: a line that is written over on a terminal, none elsewhere. */
struct cli_progress {
	bool is_terminal;
	size_t shown;       /* columns */
	int64_t next_msecs; /* time_mono_msecs(): not before */
};
void cli_progress_init(struct cli_progress *progress, const struct cli *cli);
void cli_progress_show(struct cli_progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
size_t cli_progress_columns(void); /* that a line may take */
void cli_progress_clear(struct cli_progress *progress);

/* ---- document.c: the one document of --json ---- */
struct json_t;
/* From here on standard output gets one document, at cli_json_end. */
void cli_json_begin(void);
bool cli_json_is_wanted(void);
/* Takes the command's answer, with its reference, and keeps it for the document; without --json it is printed at once. CLI_DONE, or CLI_FAILED. */
int cli_json_print(struct json_t *answer);
/* Prints the answer at once, and it alone: for a command that goes on for long. */
int cli_json_print_early(struct json_t *answer);
/* Text that is all of the answer: standard output, or, with --json, what becomes the member of that name. */
FILE *cli_json_text_begin(void);
int cli_json_text_end(const char *member);
/* The command, or a child process, prints the whole document itself. */
void cli_json_took_over(void);
/* {"error": all that cli_error has said, "code": the exit status}; {} for CLI_DONE. The caller's reference; NULL for lack of memory. */
struct json_t *cli_json_failure(int status);
/* Called by cli_error. */
void cli_json_note_error(const char *text);
/* Prints the document of a command that has ended with this status: its answer, an object, with the members of cli_json_failure. Returns the exit
 * status, which changes where the document cannot be written. */
int cli_json_end(int status);
struct json_t *cli_json_name(const char *name); /* in UTF-8, whatever bytes it has */
struct json_t *cli_json_time(int64_t secs);     /* ISO 8601; null for 0 */

/* ---- path.c ---- */
/* WORKSPACE[/CAMPAIGN[/FILE]], a recording's SID, or a path inside a mount. An error has been said where it is not CLI_DONE. */
int cli_path_resolve(struct cli *cli, const char *path, struct catalog_node *ret_node);
/* The same of many, each recording asked for once: what is inside another is left out, and so is calls.csv. *ret_scopes is the caller's. */
int cli_path_scopes(struct cli *cli, int count, char *const *paths,
		    struct catalog_scope **ret_scopes, size_t *ret_count);

/* ---- a mount(8) helper's command line ---- */
bool cli_is_mount_helper(int argc, char *const *argv);
int cli_mount_helper(int argc, char **argv);

#endif
