/* Parses the command line by tables of options. Arguments may come between; `--` ends options. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/suggest.h"
#include "util/array.h"
#include "util/cleanup.h"

struct parser {
	const struct cli_option *tables[2]; /* of the command, and of all commands */
	char *values[2];                    /* the structs that their offsets are in */
	char *message;
};

/* The place of an option's value; *ret_option is NULL where no table has the option. */
static void *option_find(struct parser *p, const char *name, size_t name_len, char letter,
			 bool *ret_negated, const struct cli_option **ret_option)
{
	*ret_negated = false;
	*ret_option = NULL;
	for (size_t t = 0; t < ARRAY_SIZE(p->tables); t++) {
		for (const struct cli_option *o = p->tables[t]; o && o->name; o++) {
			bool plain = name && strlen(o->name) == name_len &&
				     memcmp(o->name, name, name_len) == 0;
			bool negated = name && o->kind == CLI_SWITCH && name_len > 3 &&
				       memcmp(name, "no-", 3) == 0 &&
				       strlen(o->name) == name_len - 3 &&
				       memcmp(o->name, name + 3, name_len - 3) == 0;

			if (!plain && !negated && !(letter && o->letter == letter))
				continue;
			*ret_negated = negated;
			*ret_option = o;
			return p->values[t] + o->offset;
		}
	}
	return NULL;
}

/* Writes "there is no option …" as the message, and suggests a similar one. */
static void say_unknown(struct parser *p, const char *name, size_t len)
{
	char word[CATALOG_NAME_SIZE], candidate[CATALOG_NAME_SIZE];
	struct suggest suggest;

	snprintf(word, sizeof word, "%.*s", (int)len, name);
	suggest_init(&suggest, "--", word);
	for (size_t t = 0; t < ARRAY_SIZE(p->tables); t++) {
		for (const struct cli_option *o = p->tables[t]; o && o->name; o++) {
			if (!o->help)
				continue;
			suggest_try(&suggest, o->name);
			snprintf(candidate, sizeof candidate, "no-%s", o->name);
			if (o->kind == CLI_SWITCH)
				suggest_try(&suggest, candidate);
		}
	}
	snprintf(p->message, CATALOG_MESSAGE_SIZE, "there is no option '--%.*s'%s", (int)len, name,
		 suggest_text(&suggest));
}

/* Writes the message; -EINVAL. */
#define REFUSE(p, ...) (snprintf((p)->message, CATALOG_MESSAGE_SIZE, __VA_ARGS__), -EINVAL)

static bool takes_argument(const struct cli_option *option)
{
	return option->kind == CLI_TEXT || option->kind == CLI_TEXTS;
}

static int option_store(const struct cli_option *option, void *where, bool negated,
			const char *text)
{
	struct cli_texts *texts = where;

	switch (option->kind) {
	case CLI_FLAG:
		*(bool *)where = true;
		return 0;
	case CLI_SWITCH:
		*(int *)where = !negated;
		return 0;
	case CLI_TEXT:
		*(const char **)where = text;
		return 0;
	case CLI_TEXTS:
		return array_push(&texts->items, &texts->count, &text);
	}
	return -EINVAL;
}

/* Parses "--name", "--name=value" or "--name value". next: the word after it; *ret_took: it was
 * the value. */
static int long_parse(struct parser *p, const char *word, const char *next, bool *ret_took)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct cli_option *option;
	bool negated;
	void *where = option_find(p, name, len, 0, &negated, &option);

	if (!option) {
		say_unknown(p, name, len);
		return -EINVAL;
	}
	if (!takes_argument(option)) {
		if (equals)
			return REFUSE(p, "the option '--%.*s' takes no value", (int)len, name);
		return option_store(option, where, negated, NULL);
	}
	if (!equals && !next)
		return REFUSE(p, "the option '--%s' needs a value (%s)", option->name,
			      option->argument);
	*ret_took = !equals;
	return option_store(option, where, false, equals ? equals + 1 : next);
}

/* Parses "-x", "-xyz" (flags), "-xVALUE" or "-x VALUE". */
static int short_parse(struct parser *p, const char *word, const char *next, bool *ret_took)
{
	for (const char *letter = word + 1; *letter; letter++) {
		const struct cli_option *option;
		bool negated;
		void *where = option_find(p, NULL, 0, *letter, &negated, &option);
		const char *text = NULL;
		int err;

		if (!option)
			return REFUSE(p, "there is no option '-%c'", *letter);
		if (takes_argument(option)) {
			text = letter[1] ? letter + 1 : next;
			*ret_took = !letter[1];
			if (!text)
				return REFUSE(p, "the option '-%c' needs a value (%s)", *letter,
					      option->argument);
		}
		err = option_store(option, where, false, text);
		if (err < 0 || text)
			return err;
	}
	return 0;
}

int cli_options_parse(const struct cli_command *command, struct cli_globals *globals, void *values,
		      int *argc, char **argv, char ret_message[CATALOG_MESSAGE_SIZE])
{
	struct parser p = { { command ? command->options : NULL, cli_global_options },
			    { values, (char *)globals },
			    ret_message };
	int kept = 0, i;

	for (i = 0; i < *argc; i++) {
		bool took = false;
		int err;

		if (argv[i][0] != '-' || !argv[i][1]) {
			if (!command)
				break;
			argv[kept++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (argv[i][1] == '-')
			err = long_parse(&p, argv[i], argv[i + 1], &took);
		else
			err = short_parse(&p, argv[i], argv[i + 1], &took);
		if (err == -ENOMEM)
			snprintf(ret_message, CATALOG_MESSAGE_SIZE, "out of memory");
		if (err < 0)
			return err;
		i += took;
	}
	while (i < *argc)
		argv[kept++] = argv[i++];
	argv[kept] = NULL;
	*argc = kept;
	return 0;
}

void *cli_values_new(const struct cli_command *command)
{
	char *values = calloc(1, command->values_size ? command->values_size : 1);

	for (const struct cli_option *o = command->options; values && o && o->name; o++)
		if (o->kind == CLI_SWITCH)
			*(int *)(values + o->offset) = -1;
	return values;
}

void cli_values_free(const struct cli_command *command, void *values)
{
	for (const struct cli_option *o = command->options; values && o && o->name; o++)
		if (o->kind == CLI_TEXTS)
			free(((struct cli_texts *)((char *)values + o->offset))->items);
	free(values);
}
