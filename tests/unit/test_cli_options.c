/* The parser, and what it makes of the tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/mounting.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/files.h"

struct values {
	bool flag;
	int light, dark;
	const char *text;
	struct cli_texts texts;
};

static const struct cli_command command = {
	.name = "test",
	.arguments = "",
	.options =
		(const struct cli_option[]){
			{ "flag", CLI_FLAG, "", .offset = offsetof(struct values, flag), NULL,
			  'f' },
			{ "light", CLI_SWITCH, "", .offset = offsetof(struct values, light) },
			{ "dark", CLI_SWITCH, "", .offset = offsetof(struct values, dark) },
			{ "text", CLI_TEXT, "", .offset = offsetof(struct values, text), "TEXT",
			  't' },
			{ "more", CLI_TEXTS, "", .offset = offsetof(struct values, texts), "TEXT",
			  'm' },
			{ 0 },
		},
	.values_size = sizeof(struct values),
};

static char message[CATALOG_MESSAGE_SIZE];
static struct cli_globals globals;
static char *words[16];
static int count;

/* The rest of the words stays in `words`. */
static int parse(const struct cli_command *which, struct values **ret_values, const char *line)
{
	static char copy[256];
	char *save = NULL;

	snprintf(copy, sizeof copy, "%s", line);
	count = 0;
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		words[count++] = word;
	words[count] = NULL;
	memset(&globals, 0, sizeof globals);
	message[0] = '\0';
	*ret_values = cli_values_new(which ? which : &command);
	assert_non_null(*ret_values);
	return cli_options_parse(which, &globals, *ret_values, &count, words, message);
}

static void test_cli__nothing_given_leaves_switches_open(void **state)
{
	struct values *v;

	assert_int_equal(parse(&command, &v, ""), 0);
	assert_int_equal(count, 0);
	assert_false(v->flag);
	assert_int_equal(v->light, -1);
	assert_null(v->text);
	assert_int_equal(v->texts.count, 0);
	cli_values_free(&command, v);
}

static void test_cli__options_and_arguments_may_be_mixed(void **state)
{
	struct values *v;

	assert_int_equal(
		parse(&command, &v,
		      "one -f --light two --no-dark --text x --text=y -mA -m B --more C three"),
		0);
	assert_int_equal(count, 3);
	assert_string_equal(words[0], "one");
	assert_string_equal(words[1], "two");
	assert_string_equal(words[2], "three");
	assert_null(words[3]);
	assert_true(v->flag);
	assert_int_equal(v->light, 1);
	assert_int_equal(v->dark, 0);
	assert_string_equal(v->text, "y");
	assert_int_equal(v->texts.count, 3);
	assert_string_equal(v->texts.items[0], "A");
	assert_string_equal(v->texts.items[1], "B");
	assert_string_equal(v->texts.items[2], "C");
	cli_values_free(&command, v);
}

static void test_cli__two_dashes_end_the_options_and_one_is_an_argument(void **state)
{
	struct values *v;

	assert_int_equal(parse(&command, &v, "- -f -- --flag -- --nonsense"), 0);
	assert_int_equal(count, 4);
	assert_string_equal(words[0], "-");
	assert_string_equal(words[1], "--flag");
	assert_string_equal(words[2], "--");
	assert_string_equal(words[3], "--nonsense");
	cli_values_free(&command, v);
}

static void test_cli__a_value_may_look_like_an_option(void **state)
{
	struct values *v;

	assert_int_equal(parse(&command, &v, "-ft --flag"), 0);
	assert_true(v->flag);
	assert_string_equal(v->text, "--flag");
	assert_int_equal(count, 0);
	cli_values_free(&command, v);
	assert_int_equal(parse(&command, &v, "--text="), 0);
	assert_string_equal(v->text, "");
	cli_values_free(&command, v);
}

static void test_cli__what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *line, *named;
	} wrong[] = {
		{ "--nonsense", "'--nonsense'" },
		{ "--nonsense=1", "'--nonsense'" },
		{ "-x", "'-x'" },
		{ "-fx", "'-x'" },
		{ "--text", "'--text'" },
		{ "-t", "'-t'" },
		{ "--flag=1", "'--flag'" },
		{ "--no-flag", "'--no-flag'" },
		{ "--no-text x", "'--no-text'" },
		{ "--", "" },
		{ "--fla", "'--fla'" },
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct values *v;
		int expected = *wrong[i].named ? -EINVAL : 0;

		assert_int_equal(parse(&command, &v, wrong[i].line), expected);
		assert_non_null(strstr(message, wrong[i].named));
		cli_values_free(&command, v);
	}
}

static void test_cli__global_options_stand_before_and_behind_a_command(void **state)
{
	struct values *v;

	assert_int_equal(parse(NULL, &v, "--json --catalog c.db status --flag"), 0);
	assert_true(globals.json);
	assert_string_equal(globals.catalog, "c.db");
	assert_int_equal(count, 2);
	assert_string_equal(words[0], "status");
	assert_string_equal(words[1], "--flag");
	cli_values_free(&command, v);
	assert_int_equal(parse(&command, &v, "--flag --json --key-file=k x"), 0);
	assert_true(globals.json);
	assert_string_equal(globals.key_file, "k");
	assert_int_equal(count, 1);
	cli_values_free(&command, v);
}

static void test_cli__commands_are_found_by_one_or_two_words(void **state)
{
	char workspace[] = "workspace", add[] = "add", nonsense[] = "nonsense", mount[] = "mount",
	     work[] = "work";
	bool is_group;
	int n;

	assert_ptr_equal(cli_command_find(2, (char *const[]){ workspace, add, NULL }, &n,
					  &is_group),
			 &command_workspace_add);
	assert_int_equal(n, 2);
	assert_ptr_equal(cli_command_find(2, (char *const[]){ mount, add, NULL }, &n, &is_group),
			 &command_mount);
	assert_int_equal(n, 1);
	assert_null(
		cli_command_find(2, (char *const[]){ workspace, nonsense, NULL }, &n, &is_group));
	assert_true(is_group);
	assert_null(cli_command_find(1, (char *const[]){ workspace, NULL }, &n, &is_group));
	assert_true(is_group);
	assert_null(cli_command_find(1, (char *const[]){ work, NULL }, &n, &is_group));
	assert_false(is_group);
}

static void test_cli__every_table_is_whole_and_none_takes_a_secret(void **state)
{
	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		assert_non_null((*c)->run);
		assert_non_null((*c)->summary);
		assert_true((*c)->argument_count.max >= (*c)->argument_count.min);
		for (const struct cli_option *o = (*c)->options; o && o->name; o++) {
			const char *const secrets[] = { "secret",     "token",      "password",
							"secret-key", "auth-token", "key" };

			assert_true(o->offset < (*c)->values_size);
			assert_true((o->kind == CLI_TEXT || o->kind == CLI_TEXTS) ==
				    (o->argument != NULL));
			assert_non_null(o->help);
			for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
				assert_string_not_equal(o->name, secrets[i]);
			for (const struct cli_option *g = cli_global_options; g->name; g++) {
				assert_string_not_equal(o->name, g->name);
				assert_true(!o->letter || o->letter != g->letter);
			}
		}
	}
}

static void test_cli__a_name_is_quoted_where_a_shell_would_take_it_apart(void **state)
{
	static const struct {
		const char *name, *word;
	} names[] = {
		{ "acme", "acme" }, { "a.b-c_d/e", "a.b-c_d/e" }, { "Q1: sales", "'Q1: sales'" },
		{ "-rf", "'-rf'" }, { "it's", "'it'\\''s'" },     { "$(id)", "'$(id)'" },
		{ "", "''" },
	};
	cleanup_buf struct buf word = BUF_INIT;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_string_equal(cli_shell_word(names[i].name, &word), names[i].word);
}

/* The help's lines fit on a terminal. */
static void test_cli__no_line_of_the_help_is_longer_than_80_columns(void **state)
{
	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		char *text = NULL, *save = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		assert_non_null(out);
		cli_help_command(out, *c, false);
		assert_int_equal(fclose(out), 0);
		for (char *line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			if (strncmp(line, "usage:", 6) != 0 && cli_text_width(line) > 80)
				fail_msg("%s: %s", (*c)->name, line);
		}
		free(text);
	}
}

/* The page is made by scripts/man-page.sh; this says when it has to be made again. Run from the top folder, as make does. */
static void test_cli__the_manual_page_lists_the_commands_as_they_are(void **state)
{
	cleanup_free char *page = NULL;
	cleanup_free char *lists = NULL;
	size_t page_len, size;
	FILE *out = open_memstream(&lists, &size);

	assert_non_null(out);
	cli_help_manual(out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(files_read("src/cli/tonicfs.1", 1 << 20, &page, &page_len), 0);
	if (!strstr(page, lists))
		fail_msg("run: scripts/man-page.sh build/tonicfs src/cli/tonicfs.1");
}

/* ---- the words of mount -o ---- */

static void test_cli__mount_options_are_understood_passed_on_or_ignored(void **state)
{
	struct mount_options o = { 0 };

	assert_int_equal(
		mount_options_parse(
			&o, "ro,allow_other,names=sid,nodev,,x-systemd.automount,_netdev,user=jo",
			message),
		0);
	assert_int_equal(mount_options_parse(&o, "umask=027", message), 0);
	assert_true(o.has_umask && o.umask == 027);
	assert_int_equal(
		mount_options_parse(
			&o, "fsname=a\\,b,catalog=/c\\,d.db,key_file=/k,setuid=jo,noauto,nofail",
			message),
		0);
	assert_true(o.read_only && o.allow_other && o.has_fsname && !o.nonempty);
	assert_int_equal(mount_options_parse(&o, "nonempty", message), 0);
	assert_true(o.nonempty);
	assert_int_equal(o.names, CATALOG_NAMES_SID);
	assert_string_equal(o.catalog, "/c,d.db");
	assert_string_equal(o.key_file, "/k");
	assert_string_equal(o.user, "jo");
	assert_int_equal(o.word_count, 2);
	assert_string_equal(o.words[0], "nodev");
	assert_string_equal(o.words[1], "fsname=a\\,b");
	assert_null(o.words[2]);
	mount_options_release(&o);
}

static void test_cli__a_mount_option_that_means_nothing_is_named(void **state)
{
	const char *const wrong[] = { "nonsense",   "names=", "names=name", "ro=1",
				      "allow_othe", "umask=", "umask=8",    "umask=12345" };

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct mount_options o = { 0 };

		assert_int_equal(mount_options_parse(&o, wrong[i], message), -EINVAL);
		assert_non_null(strstr(message, wrong[i]));
		mount_options_release(&o);
	}
}

static void test_cli__mount_s_helper_is_known_by_its_name_or_its_words(void **state)
{
	char helper[] = "/sbin/mount.tonicfs", fuse_helper[] = "/sbin/mount.fuse.tonicfs",
	     program[] = "/usr/bin/tonicfs", source[] = "/home/jo/catalog.db", word[] = "tonicfs",
	     dir[] = "/mnt", mount[] = "mount", status[] = "status", typo[] = "staus",
	     none[] = "none", nearby[] = "./catalog.db";

	assert_true(cli_is_mount_helper(3, (char *const[]){ helper, word, dir, NULL }));
	assert_true(cli_is_mount_helper(3, (char *const[]){ program, source, dir, NULL }));
	assert_true(cli_is_mount_helper(3, (char *const[]){ program, word, dir, NULL }));
	assert_true(cli_is_mount_helper(3, (char *const[]){ fuse_helper, typo, dir, NULL }));
	assert_true(cli_is_mount_helper(3, (char *const[]){ program, none, dir, NULL }));
	assert_false(cli_is_mount_helper(3, (char *const[]){ program, mount, dir, NULL }));
	assert_false(cli_is_mount_helper(3, (char *const[]){ program, typo, dir, NULL }));
	assert_false(cli_is_mount_helper(3, (char *const[]){ program, nearby, dir, NULL }));
	assert_false(cli_is_mount_helper(3, (char *const[]){ program, status, dir, NULL }));
	assert_false(cli_is_mount_helper(2, (char *const[]){ program, dir, NULL }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cli__nothing_given_leaves_switches_open),
		cmocka_unit_test(test_cli__options_and_arguments_may_be_mixed),
		cmocka_unit_test(test_cli__two_dashes_end_the_options_and_one_is_an_argument),
		cmocka_unit_test(test_cli__a_value_may_look_like_an_option),
		cmocka_unit_test(test_cli__what_is_wrong_is_named),
		cmocka_unit_test(test_cli__global_options_stand_before_and_behind_a_command),
		cmocka_unit_test(test_cli__commands_are_found_by_one_or_two_words),
		cmocka_unit_test(test_cli__every_table_is_whole_and_none_takes_a_secret),
		cmocka_unit_test(test_cli__a_name_is_quoted_where_a_shell_would_take_it_apart),
		cmocka_unit_test(test_cli__no_line_of_the_help_is_longer_than_80_columns),
		cmocka_unit_test(test_cli__the_manual_page_lists_the_commands_as_they_are),
		cmocka_unit_test(test_cli__mount_options_are_understood_passed_on_or_ignored),
		cmocka_unit_test(test_cli__a_mount_option_that_means_nothing_is_named),
		cmocka_unit_test(test_cli__mount_s_helper_is_known_by_its_name_or_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
