/* Which word is near enough to another one to be suggested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/suggest.h"

static const char *of(const char *word, const char *const *known)
{
	static struct suggest suggest;

	suggest_init(&suggest, "", word);
	for (; *known; known++)
		suggest_try(&suggest, *known);
	suggest_text(&suggest);
	return suggest.best;
}

static void test_cli__the_nearest_word_is_suggested(void **state)
{
	static const char *const known[] = { "init",    "mount",     "unmount", "migrate", "status",
					     "storage", "workspace", "rm",      "url",     NULL };
	static const struct {
		const char *word, *meant;
	} words[] = {
		{ "staus", "status" },    { "sttaus", "status" },  { "mout", "mount" },
		{ "umount", "unmount" },  { "unmout", "unmount" }, { "stat", "status" },
		{ "work", "workspace" },  { "rmm", "rm" },         { "ulr", "url" },
		{ "migrrat", "migrate" }, { "strage", "storage" },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		assert_string_equal(of(words[i].word, known), words[i].meant);
}

static void test_cli__a_word_that_is_like_none_suggests_nothing(void **state)
{
	static const char *const known[] = { "init", "mount", "rm", "url", "status", NULL };
	static const char *const words[] = { "", "x", "xy", "banana", "tatsus-and-more", "zzzzzz" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		assert_string_equal(of(words[i], known), "");
}

static void test_cli__words_of_any_length_are_compared(void **state)
{
	char word[4 * CATALOG_NAME_SIZE], long_name[CATALOG_NAME_SIZE];
	const char *const known[] = { long_name, NULL };

	memset(word, 'a', sizeof word);
	word[sizeof word - 1] = '\0';
	memset(long_name, 'a', sizeof long_name);
	long_name[sizeof long_name - 1] = '\0';
	assert_string_equal(of(word, known), "");
	word[sizeof long_name - 1] = '\0';
	word[7] = 'b';
	assert_string_equal(of(word, known), long_name);
}

static void test_cli__what_stands_before_the_word_is_suggested_with_it(void **state)
{
	struct suggest suggest;

	suggest_init(&suggest, "acme/", "sprng");
	assert_string_equal(suggest_text(&suggest), "");
	suggest_try(&suggest, "spring");
	assert_string_equal(suggest_text(&suggest), "; did you mean 'acme/spring'?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cli__the_nearest_word_is_suggested),
		cmocka_unit_test(test_cli__a_word_that_is_like_none_suggests_nothing),
		cmocka_unit_test(test_cli__words_of_any_length_are_compared),
		cmocka_unit_test(test_cli__what_stands_before_the_word_is_suggested_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
