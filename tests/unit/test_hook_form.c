#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hook/form.h"
#include "util/cleanup.h"

/* The text in memory of exactly its length, and a NUL, so that a step too far is seen. */
struct parsed {
	char *text;
	struct form form;
	int rc;
};

static struct parsed *parse(const char *text, size_t len)
{
	struct parsed *p = malloc(sizeof *p);

	p->text = malloc(len + 1);
	memcpy(p->text, text, len);
	p->text[len] = '\0';
	p->rc = form_parse(p->text, len, &p->form);
	return p;
}

static void parsed_free(struct parsed *p)
{
	free(p->text);
	free(p);
}

static void check_value(const char *text, const char *name, const char *expected)
{
	struct parsed *p = parse(text, strlen(text));
	const char *value;

	assert_int_equal(p->rc, 0);
	value = form_value(&p->form, name);
	if (expected) {
		assert_non_null(value);
		assert_string_equal(value, expected);
	} else {
		assert_null(value);
	}
	parsed_free(p);
}

static void test_hook__fields_come_in_order_with_names_and_values(void **state)
{
	struct parsed *p = parse("b=2&a=1&&c&=x&d=", 16);
	const char *const expected[][2] = {
		{ "b", "2" }, { "a", "1" }, { "c", "" }, { "", "x" }, { "d", "" },
	};

	assert_int_equal(p->rc, 0);
	assert_int_equal(p->form.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_string_equal(p->form.fields[i].name, expected[i][0]);
		assert_string_equal(p->form.fields[i].value, expected[i][1]);
		assert_int_equal(p->form.fields[i].value_len, strlen(expected[i][1]));
	}
	parsed_free(p);
}

static void test_hook__escapes_are_decoded(void **state)
{
	check_value("To=%2B1800&x=", "To", "+1800");
	check_value("a=1+2%203", "a", "1 2 3");
	check_value("a=%c3%A4%26%3D%25", "a", "\xc3\xa4&=%");
	check_value("%41b=1", "Ab", "1");
	check_value("a+b=1", "a b", "1");
	check_value("a=b=c", "a", "b=c");
}

static void test_hook__a_broken_escape_is_refused(void **state)
{
	const char *const broken[] = {
		"a=%", "a=%4", "a=%4&b=1", "a=%&41", "%=1", "a%2=1", "a=%g1", "a=%1g", "a=%%41",
	};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct parsed *p = parse(broken[i], strlen(broken[i]));

		assert_int_equal(p->rc, -EINVAL);
		parsed_free(p);
	}
}

static void test_hook__a_nul_is_a_byte_of_the_value_and_ends_no_text(void **state)
{
	struct parsed *p = parse("a=1%002&b=3", 11);
	struct parsed *raw = parse("a=1\0002&b=3", 9);

	assert_int_equal(p->rc, 0);
	assert_int_equal(p->form.fields[0].value_len, 3);
	assert_memory_equal(p->form.fields[0].value, "1\0002", 3);
	assert_null(form_value(&p->form, "a"));
	assert_string_equal(form_value(&p->form, "b"), "3");
	assert_int_equal(raw->form.count, 2);
	assert_int_equal(raw->form.fields[0].value_len, 3);
	assert_null(form_value(&raw->form, "a"));
	parsed_free(p);
	parsed_free(raw);
}

static void test_hook__a_name_that_is_repeated_with_another_value_has_none(void **state)
{
	check_value("a=1&a=2", "a", NULL);
	check_value("a=1&a=", "a", NULL);
	check_value("a=1&a=1", "a", "1");
	check_value("aa=1&A=2", "a", NULL);
	check_value("", "a", NULL);
	check_value("a", "a", "");
}

static void test_hook__a_form_has_so_many_fields_and_no_more(void **state)
{
	char text[2 * (FORM_FIELDS_MAX + 1)];
	struct parsed *p;

	for (size_t i = 0; i < sizeof text; i += 2)
		memcpy(text + i, "a&", 2);
	p = parse(text, 2 * FORM_FIELDS_MAX);
	assert_int_equal(p->rc, 0);
	assert_int_equal(p->form.count, FORM_FIELDS_MAX);
	parsed_free(p);
	p = parse(text, sizeof text);
	assert_int_equal(p->rc, -E2BIG);
	parsed_free(p);
}

static void test_hook__a_value_may_fill_all_64_kib(void **state)
{
	char *text = malloc(65536);
	struct parsed *p;

	memset(text, '+', 65536);
	memcpy(text, "a=", 2);
	p = parse(text, 65536);
	assert_int_equal(p->rc, 0);
	assert_int_equal(p->form.fields[0].value_len, 65534);
	assert_int_equal(strspn(form_value(&p->form, "a"), " "), 65534);
	parsed_free(p);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hook__fields_come_in_order_with_names_and_values),
		cmocka_unit_test(test_hook__escapes_are_decoded),
		cmocka_unit_test(test_hook__a_broken_escape_is_refused),
		cmocka_unit_test(test_hook__a_nul_is_a_byte_of_the_value_and_ends_no_text),
		cmocka_unit_test(test_hook__a_name_that_is_repeated_with_another_value_has_none),
		cmocka_unit_test(test_hook__a_form_has_so_many_fields_and_no_more),
		cmocka_unit_test(test_hook__a_value_may_fill_all_64_kib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
