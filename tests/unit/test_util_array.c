/* Arrays that grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "util/array.h"

struct item {
	int64_t number;
	const char *text;
};

struct list {
	struct item *items;
	size_t count;
};

static void test_util_array__items_stay_as_the_array_grows(void **state)
{
	struct list list = { NULL, 0 };

	for (int64_t i = 0; i < 1000; i++) {
		struct item *item = array_add(&list.items, &list.count);

		assert_non_null(item);
		assert_ptr_equal(item, &list.items[i]);
		assert_null(item->text);
		assert_int_equal(item->number, 0);
		item->number = i;
		item->text = "";
	}
	assert_int_equal(list.count, 1000);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(list.items[i].number, i);
	free(list.items);
}

static void test_util_array__several_items_are_added_at_once(void **state)
{
	uint32_t *numbers = NULL, *added;
	unsigned count = 0;

	for (unsigned more = 0; more < 40; more++) {
		unsigned before = count;

		added = array_add_many(&numbers, &count, more);
		assert_non_null(added);
		assert_int_equal(count, before + more);
		for (unsigned i = 0; i < more; i++) {
			assert_int_equal(added[i], 0);
			added[i] = before + i + 1;
		}
	}
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(numbers[i], i + 1);
	free(numbers);
}

static void test_util_array__a_copy_is_appended(void **state)
{
	const struct item item = { 7, "seven" };
	struct list list = { NULL, 0 };

	for (int i = 0; i < 9; i++)
		assert_int_equal(array_push(&list.items, &list.count, &item), 0);
	assert_int_equal(list.count, 9);
	assert_memory_equal(&list.items[8], &item, sizeof item);
	free(list.items);
}

static void test_util_array__one_that_was_shortened_can_grow_again(void **state)
{
	char *text = NULL;
	size_t count = 0;

	for (size_t round = 0; round < 20; round++) {
		for (size_t i = 0; i < 5 + round; i++) {
			char *c = array_add(&text, &count);

			assert_non_null(c);
			*c = 'x';
		}
		count = round % 3 ? count / 2 : 0;
	}
	free(text);
}

static void test_util_array__what_no_memory_can_hold_is_refused(void **state)
{
	uint64_t *numbers = NULL;
	size_t count = 0;

	assert_non_null(array_add(&numbers, &count));
	*numbers = 7;
	assert_null(array_grow(numbers, count, SIZE_MAX, sizeof *numbers));
	assert_null(array_grow(numbers, count, SIZE_MAX / 2, sizeof *numbers));
	assert_null(array_grow(numbers, count, SIZE_MAX / 8, sizeof *numbers));
	assert_int_equal(*numbers, 7);
	free(numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_array__items_stay_as_the_array_grows),
		cmocka_unit_test(test_util_array__several_items_are_added_at_once),
		cmocka_unit_test(test_util_array__a_copy_is_appended),
		cmocka_unit_test(test_util_array__one_that_was_shortened_can_grow_again),
		cmocka_unit_test(test_util_array__what_no_memory_can_hold_is_refused),
	};

	return cmocka_run_group_tests_name("util_array", tests, NULL, NULL);
}
