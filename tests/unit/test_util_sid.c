/* util/sid: Twilio's string identifiers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/sid.h"

#define LOWER "RE0123456789abcdef0123456789abcdef"

static void test_util_sid__there_and_back(void **state)
{
	struct sid sid;
	char text[SID_SIZE];

	assert_int_equal(sid_parse(LOWER, "RE", &sid), 0);
	assert_memory_equal(sid.bytes,
			    "\x01\x23\x45\x67\x89\xab\xcd\xef"
			    "\x01\x23\x45\x67\x89\xab\xcd\xef",
			    16);
	sid_format(&sid, "RE", text);
	assert_string_equal(text, LOWER);
	assert_false(sid_is_zero(&sid));
}

static void test_util_sid__upper_case_is_the_same_recording(void **state)
{
	struct sid lower, upper;
	char text[SID_SIZE];

	assert_int_equal(sid_parse(LOWER, "RE", &lower), 0);
	assert_int_equal(sid_parse("RE0123456789ABCDEF0123456789ABCDEF", "RE", &upper), 0);
	assert_true(sid_equal(&lower, &upper));
	sid_format(&upper, "RE", text);
	assert_string_equal(text, LOWER);
}

static void test_util_sid__refuses_what_is_no_sid(void **state)
{
	static const char *const cases[] = {
		"",
		"R",
		"RE",
		"RE0123456789abcdef0123456789abcde",
		LOWER "0",
		"CA0123456789abcdef0123456789abcdef",
		"re0123456789abcdef0123456789abcdef",
		"RE0123456789abcdef0123456789abcdeg",
		"RE0123456789abcdef 123456789abcdef",
		" E0123456789abcdef0123456789abcdef",
		LOWER ".wav",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sid sid;

		if (sid_parse(cases[i], "RE", &sid) != -EINVAL)
			fail_msg("%s was taken", cases[i]);
	}
}

static void test_util_sid__prefix_ignores_what_follows_but_not_what_is_missing(void **state)
{
	struct sid whole, head;

	assert_int_equal(sid_parse(LOWER, "RE", &whole), 0);
	assert_int_equal(sid_parse_prefix(LOWER ".wav", SID_LENGTH + 4, "RE", &head), 0);
	assert_true(sid_equal(&whole, &head));
	assert_int_equal(sid_parse_prefix(LOWER "g", SID_LENGTH, "RE", &head), 0);
	assert_int_equal(sid_parse_prefix(LOWER, SID_LENGTH - 1, "RE", &head), -EINVAL);
	assert_int_equal(sid_parse_prefix("RE", 2, "RE", &head), -EINVAL);
	assert_int_equal(sid_parse_prefix("", 0, "RE", &head), -EINVAL);
}

static void test_util_sid__inode_is_the_first_63_bits_and_never_the_roots(void **state)
{
	struct sid sid;

	memset(&sid, 0, sizeof sid);
	assert_true(sid_is_zero(&sid));
	assert_true(sid_inode(&sid) > 1);
	sid.bytes[7] = 2; /* would be 1 */
	assert_true(sid_inode(&sid) > 1);
	memset(&sid, 0xff, sizeof sid);
	assert_true(sid_inode(&sid) == UINT64_C(0x7fffffffffffffff));
	assert_int_equal(sid_parse("RE8000000000000002ffffffffffffffff", "RE", &sid), 0);
	assert_true(sid_inode(&sid) == UINT64_C(0x4000000000000001));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_sid__there_and_back),
		cmocka_unit_test(test_util_sid__upper_case_is_the_same_recording),
		cmocka_unit_test(test_util_sid__refuses_what_is_no_sid),
		cmocka_unit_test(
			test_util_sid__prefix_ignores_what_follows_but_not_what_is_missing),
		cmocka_unit_test(test_util_sid__inode_is_the_first_63_bits_and_never_the_roots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
