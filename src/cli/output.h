/* Printing: errors, tables, progress. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct buf;
struct cli;

/* Prints "tonicfs: …" on standard error, as one line; returns CLI_FAILED. */
int cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for wrong usage, with the command's name and a hint to its help; returns CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints an error of the catalog; returns CLI_FAILED, or CLI_DONE where err is none. doing: "the
 * workspace was not added". */
int cli_catalog_error(const struct cli *cli, int err, const char *doing);
/* The same with the message that the catalog gave, unless that is "". */
int cli_catalog_failed(const struct cli *cli, int err, const char *message, const char *doing);

/* Columns of the terminal, or 80. */
size_t cli_columns(int fd);
/* Columns that a text takes on a terminal: one for each character. */
size_t cli_text_width(const char *text);
/* A name as one word for a shell, quoted where it must be. Valid as long as the buffer. */
const char *cli_shell_word(const char *text, struct buf *ret_word);

/* Columns of text, as wide as their widest cell; the first row is their headings. On a terminal
 * that is too narrow for them, each row is a block of lines. */
struct cli_table {
	size_t columns, count;
	char **cells;
	bool failed;
};
/* Adds a row. Its cells are separated by tabs. */
void cli_table_row(struct cli_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Prints the table and frees it. CLI_DONE, or CLI_FAILED for lack of memory. */
int cli_table_print(struct cli_table *table, FILE *out);

/* A line of progress, overwritten by the next one; only where standard error is a terminal. */
struct cli_progress {
	bool is_terminal;
	size_t shown;       /* columns of the last line */
	int64_t next_msecs; /* earliest time of the next line, by time_mono_msecs() */
};
void cli_progress_init(struct cli_progress *progress, const struct cli *cli);
void cli_progress_show(struct cli_progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
size_t cli_progress_columns(void); /* columns that a line may take */
void cli_progress_clear(struct cli_progress *progress);
