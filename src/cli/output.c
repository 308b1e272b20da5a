/* Prints errors, tables and progress. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "util/array.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/text.h"
#include "util/times.h"

#define SHELL_PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.,:+@%/"

__attribute__((format(printf, 2, 0))) static void error_line(const char *who, const char *format,
							     va_list args)
{
	cleanup_buf struct buf line = BUF_INIT;

	buf_addf(&line, "tonicfs%s%s: ", who ? " " : "", who ? who : "");
	buf_vaddf(&line, format, args);
	/* Names and messages of servers must not begin a line of their own. */
	if (line.data)
		line.len = text_clean(line.data);
	cli_json_note_error(buf_str(&line) + strlen(who ? "tonicfs " : "tonicfs: "));
	buf_add_char(&line, '\n');
	fflush(stdout);
	fputs(buf_str(&line), stderr);
}

int cli_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_line(NULL, format, args);
	va_end(args);
	return CLI_FAILED;
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_line(cli->command->name, format, args);
	va_end(args);
	fprintf(stderr, "Try 'tonicfs help %s'.\n", cli->command->name);
	return CLI_USAGE;
}

int cli_catalog_failed(const struct cli *cli, int err, const char *message, const char *doing)
{
	return message[0] ? cli_error("%s", message) : cli_catalog_error(cli, err, doing);
}

int cli_catalog_error(const struct cli *cli, int err, const char *doing)
{
	if (err >= 0)
		return CLI_DONE;
	switch (err) {
	case -EBUSY:
		return cli_error("%s: another process has kept %s busy for half a minute", doing,
				 cli->catalog_path);
	case -ENOSPC:
		return cli_error("%s: the disk that %s is on is full", doing, cli->catalog_path);
	case -EROFS:
	case -EACCES:
		return cli_error("%s: %s cannot be written", doing, cli->catalog_path);
	case -EUCLEAN:
		return cli_error("%s: %s is damaged; " CATALOG_DAMAGED_ADVICE, doing,
				 cli->catalog_path);
	default:
		return cli_error("%s: %s", doing, strerror(-err));
	}
}

const char *cli_shell_word(const char *text, struct buf *ret_word)
{
	buf_reset(ret_word);
	if (*text && *text != '-' && strspn(text, SHELL_PLAIN) == strlen(text)) {
		buf_add_str(ret_word, text);
		return buf_str(ret_word);
	}
	buf_add_char(ret_word, '\'');
	for (const char *s = text; *s; s++) {
		if (*s == '\'')
			buf_add_str(ret_word, "'\\'");
		buf_add_char(ret_word, *s);
	}
	buf_add_char(ret_word, '\'');
	return buf_str(ret_word);
}

/* ---- tables ---- */

void cli_table_row(struct cli_table *table, const char *format, ...)
{
	cleanup_buf struct buf row = BUF_INIT;
	char *rest, *cell;
	va_list args;

	va_start(args, format);
	buf_vaddf(&row, format, args);
	va_end(args);
	rest = row.data;
	while ((cell = strsep(&rest, "\t"))) {
		char **added = array_add(&table->cells, &table->count);

		if (added)
			*added = strdup(cell);
		if (added && *added)
			text_clean(*added);
		else
			table->failed = true;
	}
	table->failed |= buf_failed(&row);
	if (!table->columns)
		table->columns = table->count;
}

size_t cli_text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* Of the cells first, first + step, …, before end. */
static size_t widest_cell(const struct cli_table *table, size_t first, size_t step, size_t end)
{
	size_t widest = 0;

	for (size_t i = first; i < end; i += step) {
		size_t width = cli_text_width(table->cells[i]);

		widest = width > widest ? width : widest;
	}
	return widest;
}

static void print_padded(FILE *out, const char *cell, size_t columns)
{
	fprintf(out, "%s%*s", cell, (int)(columns - cli_text_width(cell)), "");
}

/* Prints each row as a block, with a line for each cell: for a terminal that is too narrow. */
static void print_blocks(const struct cli_table *table, FILE *out)
{
	size_t widest = widest_cell(table, 1, 1, table->columns);

	for (size_t i = table->columns; i < table->count; i++) {
		size_t column = i % table->columns;

		if (column) {
			fputs("  ", out);
			print_padded(out, table->cells[column], widest + 2);
		}
		fprintf(out, "%s\n", table->cells[i]);
	}
}

static void print_columns(const struct cli_table *table, const size_t *widths, FILE *out)
{
	for (size_t i = 0; i < table->count; i++) {
		size_t column = table->columns ? i % table->columns : 0;

		if (column + 1 == table->columns)
			fprintf(out, "%s\n", table->cells[i]);
		else
			print_padded(out, table->cells[i], widths[column] + 2);
	}
}

int cli_table_print(struct cli_table *table, FILE *out)
{
	cleanup_free size_t *widths = calloc(table->columns + 1, sizeof *widths);
	size_t width = 0;
	int status = CLI_DONE;

	table->failed |= !widths || !table->columns;
	for (size_t column = 0; column < table->columns && !table->failed; column++) {
		widths[column] = widest_cell(table, column, table->columns, table->count);
		width += widths[column] + (column ? 2 : 0);
	}
	if (table->failed)
		status = cli_error("out of memory");
	else if (isatty(STDOUT_FILENO) && width > cli_columns(STDOUT_FILENO))
		print_blocks(table, out);
	else
		print_columns(table, widths, out);
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct cli_table){ 0 };
	return status;
}

/* ---- progress ---- */

#define PROGRESS_MSECS 100 /* the least time between two lines */

void cli_progress_init(struct cli_progress *progress, const struct cli *cli)
{
	*progress = (struct cli_progress){ .is_terminal = !cli->json && isatty(STDERR_FILENO) };
}

size_t cli_columns(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

size_t cli_progress_columns(void)
{
	return cli_columns(STDERR_FILENO) - 1;
}

void cli_progress_show(struct cli_progress *progress, const char *format, ...)
{
	char line[512];
	size_t width;
	va_list args;

	if (!progress->is_terminal || time_mono_msecs() < progress->next_msecs)
		return;
	progress->next_msecs = time_mono_msecs() + PROGRESS_MSECS;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	width = cli_progress_columns();
	if (strlen(line) > width && width < sizeof line)
		line[width] = '\0';
	text_clean(line);
	/* Not through the stream: that would replace the carriage return. */
	dprintf(STDERR_FILENO, "\r%s%*s", line,
		progress->shown > strlen(line) ? (int)(progress->shown - strlen(line)) : 0, "");
	progress->shown = strlen(line);
}

void cli_progress_clear(struct cli_progress *progress)
{
	if (!progress->is_terminal || !progress->shown)
		return;
	dprintf(STDERR_FILENO, "\r%*s\r", (int)progress->shown, "");
	progress->shown = 0;
}
