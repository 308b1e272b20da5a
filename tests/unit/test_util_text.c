/* What may go on from text of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/text.h"
#include <errno.h>
#include <stdio.h>

static void check(const char *text, const char *clean)
{
	char space[64];

	strcpy(space, text);
	assert_int_equal(text_clean(space), strlen(clean));
	assert_string_equal(space, clean);
}

static void test_util_text__controls_and_broken_bytes_become_question_marks(void **state)
{
	check("", "");
	check("+1555 \xc3\xbc \xe6\x9d\xb1 \xf0\x9f\x8e\xa7",
	      "+1555 \xc3\xbc \xe6\x9d\xb1 \xf0\x9f\x8e\xa7");
	check("\x1b]0;title\a\r\n\t\x7f", "?]0;title?????");
	check("\xc2\x9b"
	      "31m",
	      "?31m"); /* CSI as one character of the second block */
	check("\x9b"
	      "31m",
	      "?31m"); /* and as a byte of Latin-1 */
	check("a\xe2\x80\xae"
	      "b",
	      "a?b"); /* right-to-left override */
	check("a\xd8\x9c"
	      "b",
	      "a?b"); /* Arabic letter mark, which changes the direction, too */
	check("\xc3", "?");
	check("\xe2\x80", "??");
	check("\xed\xa0\x80", "???");
	check("\xc0\xaf", "??");
}

static void assert_decoded(const char *encoded, const char *expected, size_t len)
{
	char text[64];

	snprintf(text, sizeof text, "%s", encoded);
	assert_int_equal(text_url_decode(text, strlen(text)), len);
	assert_memory_equal(text, expected, len + 1);
}

static void test_util_text__percent_encoding_is_undone_in_place(void **state)
{
	char bad[][8] = { "%", "a%2", "%g0", "%0g", "%%41" }, cut[] = "%41";

	assert_decoded("", "", 0);
	assert_decoded("plain", "plain", 5);
	assert_decoded("a+b%2Bc%2fd", "a b+c/d", 7);
	assert_decoded("a%00b", "a\0b", 3);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(text_url_decode(bad[i], strlen(bad[i])), -EINVAL);
	/* The digits behind the end do not count. */
	assert_int_equal(text_url_decode(cut, 2), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_text__controls_and_broken_bytes_become_question_marks),
		cmocka_unit_test(test_util_text__percent_encoding_is_undone_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
