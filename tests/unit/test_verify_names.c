/* Keys taken apart, and marks. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "verify/verify-private.h"

static const struct sid account = { { 1, 2, 3 } };
#define AC "AC01020300000000000000000000000000"
#define RE "REaabb0000000000000000000000000000"

static int parse(const char *key, struct verify_name *ret_name)
{
	return verify_name_parse("phone/", &account, key, ret_name);
}

static void test_verify__a_recordings_key_is_taken_apart_and_put_together(void **state)
{
	static const char *const keys[] = {
		"phone/recordings/" AC "/2026/03/01/" RE ".wav",
		"phone/recordings/" AC "/1970/01/01/" RE ".wav.encrypted",
		"phone/recordings/" AC "/2028/02/29/" RE ".wav",
	};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char again[CATALOG_KEY_TEXT_SIZE];
		struct verify_name name;

		assert_int_equal(parse(keys[i], &name), 0);
		assert_int_equal(name.sid.bytes[0], 0xaa);
		assert_int_equal(name.is_encrypted, i == 1);
		verify_name_key("phone/", &account, &name, again);
		assert_string_equal(again, keys[i]);
	}
}

static void test_verify__what_is_only_like_a_recordings_key_is_none(void **state)
{
	static const char *const keys[] = {
		"",
		"phone/",
		"phone/recordings/",
		"recordings/" AC "/2026/03/01/" RE ".wav",
		"phone/recordings/" AC "/2026/03/01/" RE,
		"phone/recordings/" AC "/2026/03/01/" RE ".mp3",
		"phone/recordings/" AC "/2026/03/01/" RE ".wav.gz",
		"phone/recordings/" AC "/2026/02/30/" RE ".wav",
		"phone/recordings/" AC "/2026/3/1/0/" RE ".wav",
		"phone/recordings/" AC "/2026-03-01/" RE ".wav",
		"phone/recordings/" AC "/2026/03/01/x/" RE ".wav",
		"phone/recordings/" AC "/2026/03/01/REAABB0000000000000000000000000000.wav",
		"phone/recordings/" AC "/2026/03/01/CAaabb0000000000000000000000000000.wav",
		"phone/recordings/AC010203000000000000000000000000ff/2026/03/01/" RE ".wav",
	};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		struct verify_name name;

		if (parse(keys[i], &name) != -EINVAL)
			fail_msg("taken for a recording's: %s", keys[i]);
	}
}

static void test_verify__another_accounts_folder_is_none_of_ours(void **state)
{
	assert_true(verify_is_other_account(
		"phone/", &account, "phone/recordings/AC010203000000000000000000000000ff/x"));
	assert_false(verify_is_other_account("phone/", &account, "phone/recordings/" AC "/x"));
	assert_false(verify_is_other_account("phone/", &account, "phone/recordings/notes"));
	assert_false(verify_is_other_account(
		"phone/", &account, "phone/recordings/AC010203000000000000000000000000ffx/"));
}

static void test_verify__marks_stand_for_any_id(void **state)
{
	static const int64_t ids[] = { 1, 7, 8, 4095, 40000, 1000000 };
	struct marks marks = { NULL, 0 };

	assert_false(marks_has(&marks, 1));
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		assert_int_equal(marks_set(&marks, ids[i]), 0);
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		assert_true(marks_has(&marks, ids[i]));
		assert_int_equal(marks_has(&marks, ids[i] + 1), ids[i] == 7);
	}
	assert_in_range(marks.size, 125000, 300000); /* a bit each */
	marks_release(&marks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify__a_recordings_key_is_taken_apart_and_put_together),
		cmocka_unit_test(test_verify__what_is_only_like_a_recordings_key_is_none),
		cmocka_unit_test(test_verify__another_accounts_folder_is_none_of_ours),
		cmocka_unit_test(test_verify__marks_stand_for_any_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
