/* Lines on a narrow terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/wrap.h"
#include "util/cleanup.h"

static void assert_wrapped(size_t columns, const char *text, const char *expected)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct wrap wrap = { .at = 0 };

	wrap_text(&wrap, columns, text, strlen(text), &out);
	assert_string_equal(buf_str(&out), expected);
}

static void test_cli__a_line_that_fits_stays_as_it_is(void **state)
{
	assert_wrapped(20, "  bucket      a b c\n\n", "  bucket      a b c\n\n");
	assert_wrapped(20, "Secret: ", "Secret: ");
	assert_wrapped(9, "äöü äöü\n", "äöü äöü\n");
}

static void test_cli__a_longer_line_goes_on_below_itself(void **state)
{
	assert_wrapped(12, "one two three four\n", "one two\n  three four\n");
	assert_wrapped(12, "  one two  three\n", "  one two\n    three\n");
	assert_wrapped(8, "äöü äöü äöü\n", "äöü äöü\n  äöü\n");
}

static void test_cli__a_word_longer_than_the_terminal_is_not_cut(void **state)
{
	assert_wrapped(8, "https://example.com/a/b c\n", "https://example.com/a/b\n  c\n");
	assert_wrapped(8, "at https://example.com\nx\n", "at\n  https://example.com\nx\n");
}

static void test_cli__a_line_may_come_in_pieces(void **state)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct wrap wrap = { .at = 0 };

	wrap_text(&wrap, 10, "one two ", 8, &out);
	wrap_text(&wrap, 10, "three\nfour", 10, &out);
	assert_string_equal(buf_str(&out), "one two \n  three\nfour");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cli__a_line_that_fits_stays_as_it_is),
		cmocka_unit_test(test_cli__a_longer_line_goes_on_below_itself),
		cmocka_unit_test(test_cli__a_word_longer_than_the_terminal_is_not_cut),
		cmocka_unit_test(test_cli__a_line_may_come_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
