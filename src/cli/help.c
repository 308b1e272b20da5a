/* help and version. The help and the manual page's lists are made from the tables of commands. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "catalog/settings.h"
#include "cli/commands.h"
#include "cli/suggest.h"
#include "cli/wrap.h"

#define HELP_COLUMN 24
#define LIST_COLUMN 8 /* lines of a text with at least so many blanks continue an item of a list */
#define HELP_COLUMNS 79 /* the longest line of the texts in the tables */

static size_t help_columns(FILE *out)
{
	size_t columns = out == stdout ? cli_columns(STDOUT_FILENO) - 1 : HELP_COLUMNS;

	return columns < HELP_COLUMNS ? columns : HELP_COLUMNS;
}

/* Prints text from column `at` in lines that fit; continued lines begin in column `hang`. */
static void print_wrapped(FILE *out, const char *text, size_t at, size_t hang)
{
	struct wrap wrap = { .at = at, .has_hang = true, .hang = hang };
	cleanup_buf struct buf lines = BUF_INIT;

	wrap_text(&wrap, help_columns(out), text, strlen(text), &lines);
	fprintf(out, "%s\n", buf_str(&lines));
}

static void print_entry(FILE *out, const char *head, const char *text)
{
	int at = (int)cli_text_width(head) + 2;

	fprintf(out, "  %s", head);
	if (at > HELP_COLUMN - 2) {
		fprintf(out, "\n");
		at = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - at, "");
	print_wrapped(out, text, HELP_COLUMN, HELP_COLUMN);
}

/* The bytes before the text of a list's item, "  WORD   text". 0: no text in its own column. */
static size_t item_head_len(const char *line, size_t len)
{
	size_t at = strspn(line, " ");

	for (; at + 2 < len; at++)
		if (line[at] == ' ' && line[at + 1] == ' ')
			return at + strspn(line + at, " ");
	return 0;
}

/* Lines of a paragraph or of a list's item, joined until they are printed. */
struct paragraph {
	struct buf text; /* empty: no paragraph has begun */
	size_t hang;     /* 0, or the column of a list item's text */
};

static void paragraph_print(struct paragraph *paragraph, FILE *out)
{
	if (paragraph->text.len)
		print_wrapped(out, buf_str(&paragraph->text), 0, paragraph->hang);
	buf_reset(&paragraph->text);
	paragraph->hang = 0;
}

static void paragraph_add(struct paragraph *paragraph, const char *line, size_t len)
{
	if (paragraph->text.len)
		buf_add_char(&paragraph->text, ' ');
	buf_add(&paragraph->text, line, len);
}

/* A line that begins with a blank continues an item, begins one, or is printed as it is. */
static void print_indented(struct paragraph *paragraph, const char *line, size_t len, FILE *out)
{
	size_t blanks = strspn(line, " "), head_len = item_head_len(line, len);

	if (paragraph->text.len && blanks == paragraph->hang) {
		paragraph_add(paragraph, line + blanks, len - blanks);
		return;
	}
	paragraph_print(paragraph, out);
	if (!head_len && blanks < LIST_COLUMN) {
		fprintf(out, "%.*s\n", (int)len, line);
		return;
	}
	buf_add(&paragraph->text, line, head_len ? head_len : blanks);
	paragraph->hang = cli_text_width(buf_str(&paragraph->text));
	buf_add(&paragraph->text, line + paragraph->text.len, len - paragraph->text.len);
}

/* Prints paragraphs and lists. On a narrow terminal their lines are joined and wrapped again. */
static void print_text(FILE *out, const char *text)
{
	struct paragraph paragraph = { BUF_INIT, 0 };

	if (help_columns(out) == HELP_COLUMNS) {
		fputs(text, out);
		return;
	}
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (*text == ' ') {
			print_indented(&paragraph, text, len, out);
		} else {
			if (!len || paragraph.hang)
				paragraph_print(&paragraph, out);
			if (len)
				paragraph_add(&paragraph, text, len);
			else
				fputc('\n', out);
		}
		text += len;
		text += *text == '\n';
	}
	paragraph_print(&paragraph, out);
	buf_release(&paragraph.text);
}

static void option_head(const struct cli_option *o, char *ret_head, size_t size)
{
	char letter[8] = "";

	if (o->letter)
		snprintf(letter, sizeof letter, "-%c, ", o->letter);
	snprintf(ret_head, size, "%s--%s%s%s%s", letter, o->kind == CLI_SWITCH ? "[no-]" : "",
		 o->name, o->argument ? " " : "", o->argument ? o->argument : "");
}

static void print_options(FILE *out, const struct cli_option *options)
{
	for (const struct cli_option *o = options; o && o->name; o++) {
		char head[128];

		if (!o->help)
			continue;
		option_head(o, head, sizeof head);
		print_entry(out, head, o->help);
	}
}

void cli_help_all(FILE *out)
{
	print_text(out,
		   "usage: tonicfs [--catalog FILE] [--key-file FILE] [--json] COMMAND …\n\n"
		   "Mounts a company's call recordings as ordinary files, wherever the bytes are:\n"
		   "at Twilio, or in the company's own S3 bucket, where they are moved to.\n\n"
		   "Commands:\n");
	for (const struct cli_command *const *c = cli_commands; *c; c++)
		print_entry(out, (*c)->name, (*c)->summary);
	fprintf(out, "\nOptions of every command:\n");
	print_options(out, cli_global_options);
	print_text(
		out,
		"\nPATH is WORKSPACE[/CAMPAIGN[/FILE]], a recording's SID, or a path inside a mount.\n"
		"Exit status: 0 done, 1 failed, 2 wrong usage, 3 done in part.\n"
		"'tonicfs help COMMAND' says more of each.\n");
}

static void print_usage(FILE *out, const struct cli_command *command)
{
	fprintf(out, "usage: tonicfs %s%s%s\n", command->name, *command->arguments ? " " : "",
		command->arguments);
}

void cli_help_command(FILE *out, const struct cli_command *command, bool is_short)
{
	print_usage(out, command);
	if (!is_short) {
		fprintf(out, "\n%s.\n", command->summary);
		if (command->text) {
			fputc('\n', out);
			print_text(out, command->text);
		}
	}
	if (command->options) {
		fprintf(out, "\n");
		print_options(out, command->options);
	}
}

bool cli_help_group(FILE *out, const char *group)
{
	size_t len = strlen(group);
	bool found = false;

	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		if (strncmp((*c)->name, group, len) != 0 || (*c)->name[len] != ' ')
			continue;
		if (found)
			fprintf(out, "\n\n");
		found = true;
		cli_help_command(out, *c, false);
	}
	return found;
}

/* ---- the manual page's part ---- */

/* roff needs escapes for a backslash, a minus, and a '.' or apostrophe that begins a line. */
static void print_roff(FILE *out, const char *text)
{
	bool line_begins = true;

	for (const char *s = text; *s; s++) {
		if (line_begins && (*s == '.' || *s == '\''))
			fputs("\\&", out);
		if (*s == '-')
			fputs("\\-", out);
		else if (*s == '\\')
			fputs("\\e", out);
		else
			fputc(*s, out);
		line_begins = *s == '\n';
	}
}

/* Prints paragraphs; lines that begin with a blank stay as they are. */
static void print_roff_text(FILE *out, const char *text)
{
	bool verbatim = false;

	while (*text) {
		size_t len = strcspn(text, "\n");
		char line[256];

		snprintf(line, sizeof line, "%.*s\n", (int)len, text);
		if ((line[0] == ' ') != verbatim && line[0] != '\n') {
			fprintf(out, verbatim ? ".EE\n" : ".EX\n");
			verbatim = !verbatim;
		}
		if (line[0] == '\n' && !verbatim)
			fprintf(out, ".IP\n");
		else
			print_roff(out, line);
		text += len;
		text += *text == '\n';
	}
	if (verbatim)
		fprintf(out, ".EE\n");
}

static void print_roff_line(FILE *out, const char *before, const char *text)
{
	fputs(before, out);
	print_roff(out, text);
	fputc('\n', out);
}

static void print_roff_options(FILE *out, const struct cli_option *options)
{
	for (const struct cli_option *o = options; o && o->name; o++) {
		char head[128];

		if (!o->help)
			continue;
		option_head(o, head, sizeof head);
		print_roff_line(out, ".TP\n.B ", head);
		print_roff_line(out, "", o->help);
	}
}

/* Prints the settings of the catalog. */
static void print_roff_settings(FILE *out)
{
	fprintf(out, ".SH SETTINGS\n"
		     "The settings of the whole catalog, with defaults and limits.\n"
		     ".B tonicfs setting set\nchanges them.\n");
	for (int i = 0; i < SETTING_COUNT; i++) {
		const struct catalog_setting *s = &catalog_settings[i];

		fprintf(out, ".TP\n.B %s\n%s", s->name, s->meaning);
		if (!s->text_form)
			fprintf(out, " (%" PRId64 "; from %" PRId64 " to %" PRId64 ")",
				s->otherwise, s->least, s->most);
		fprintf(out, "\n");
	}
}

void cli_help_manual(FILE *out)
{
	fprintf(out, ".SH OPTIONS OF EVERY COMMAND\n");
	print_roff_options(out, cli_global_options);
	fprintf(out, ".SH COMMANDS\n");
	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		fprintf(out, ".TP\n.B tonicfs ");
		print_roff(out, (*c)->name);
		print_roff_line(out, *(*c)->arguments ? "\\fR " : "\\fR", (*c)->arguments);
		print_roff(out, (*c)->summary);
		fprintf(out, ".\n");
		if ((*c)->text) {
			fprintf(out, ".IP\n");
			print_roff_text(out, (*c)->text);
		}
		if ((*c)->options) {
			fprintf(out, ".RS\n");
			print_roff_options(out, (*c)->options);
			fprintf(out, ".RE\n");
		}
	}
	print_roff_settings(out);
}

/* ---- the commands ---- */

struct help_values {
	bool manual;
};

static int say_unknown(struct cli *cli, int argc, char **argv, bool is_group)
{
	char before[CATALOG_NAME_SIZE];
	struct suggest suggest;

	snprintf(before, sizeof before, "%s ", argv[0]);
	suggest_init(&suggest, is_group ? before : "", argv[is_group]);
	suggest_commands(&suggest, is_group ? argv[0] : NULL);
	return cli_usage(cli, "'%s%s%s' is not a command%s", argv[0], argc > 1 ? " " : "",
			 argc > 1 ? argv[1] : "", suggest_text(&suggest));
}

static int run_help(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct help_values *v = values;
	bool is_group;
	int words;
	const struct cli_command *command = cli_command_find(argc, argv, &words, &is_group);

	if (v->manual)
		cli_help_manual(cli_json_text_begin());
	else if (argc == 0)
		cli_help_all(cli_json_text_begin());
	else if (command && words == argc)
		cli_help_command(cli_json_text_begin(), command, false);
	else if (is_group && argc == 1)
		cli_help_group(cli_json_text_begin(), argv[0]);
	else
		return say_unknown(cli, argc, argv, is_group);
	return cli_json_text_end();
}

#define VALUES struct help_values
static const struct cli_option help_options[] = {
	CLI_FLAG("manual", manual, "the manual page's list of commands, in roff"),
	{ 0 },
};

const struct cli_command command_help = {
	.name = "help",
	.arguments = "[COMMAND]",
	.summary = "Shows the help of a command",
	CLI_OPTIONS(help_options),
	.argument_count = { 0, 2 },
	.run = run_help,
};

int cli_version(void)
{
	if (cli_json_is_wanted())
		return cli_json_print(json_pack("{s:s}", "version", TONICFS_VERSION));
	printf("tonicfs " TONICFS_VERSION "\n");
	return CLI_DONE;
}

static int run_version(struct cli *cli, const void *values, int argc, char **argv)
{
	return cli_version();
}

const struct cli_command command_version = {
	.name = "version",
	.arguments = "",
	.summary = "Shows the version",
	.run = run_version,
};
