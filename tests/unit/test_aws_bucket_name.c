/* Which names a bucket can have, at AWS and elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "aws/bucket.h"

static char names[2][300];

static const char *repeated(int slot, size_t len)
{
	memset(names[slot], 'a', len);
	names[slot][len] = '\0';
	return names[slot];
}

static void test_aws__a_name_that_no_server_takes_is_refused(void **state)
{
	const char *const wrong[] = { "",           "ab",    "a b",           "a/bc",
				      "b\xc3\xa4r", "a\nb",  "a..b",          "192.168.5.4",
				      "arn:aws:s3", "a%20b", repeated(0, 256) };

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_non_null(s3_bucket_name_problem(wrong[i], false));
		assert_non_null(s3_bucket_name_problem(wrong[i], true));
	}
}

static void test_aws__a_name_that_aws_once_took_is_good_where_it_may_be_one(void **state)
{
	const char *const old[] = { "My_Bucket", "Calls",         "_calls",        "calls-",
				    ".calls",    repeated(0, 64), repeated(1, 255) };

	for (size_t i = 0; i < sizeof old / sizeof *old; i++) {
		assert_null(s3_bucket_name_problem(old[i], false));
		assert_non_null(s3_bucket_name_problem(old[i], true));
	}
}

static void test_aws__an_ordinary_name_is_good_everywhere(void **state)
{
	const char *const good[] = { "abc",        "acme-calls",      "acme.calls.2026",
				     "1st-bucket", "192.168.5.calls", repeated(0, 63) };

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_null(s3_bucket_name_problem(good[i], true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws__a_name_that_no_server_takes_is_refused),
		cmocka_unit_test(test_aws__a_name_that_aws_once_took_is_good_where_it_may_be_one),
		cmocka_unit_test(test_aws__an_ordinary_name_is_good_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
