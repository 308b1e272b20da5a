/* util/buf: growing byte strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"

static void test_util_buf__empty_is_the_empty_string(void **state)
{
	struct buf b = BUF_INIT;
	char *s;

	assert_string_equal(buf_str(&b), "");
	s = buf_detach(&b);
	assert_non_null(s);
	assert_string_equal(s, "");
	free(s);
}

static void test_util_buf__adders_append_and_terminate(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;

	buf_add(&b, "ab\0c", 4);
	buf_add(&b, NULL, 0);
	buf_add_char(&b, 'd');
	buf_add_str(&b, "ef");
	buf_addf(&b, "%d-%s", 42, "x");
	assert_int_equal(b.len, 11);
	assert_memory_equal(b.data, "ab\0cdef42-x", 12);
	assert_false(buf_failed(&b));
}

static void test_util_buf__format_longer_than_the_room_left(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	char expected[5001];

	memset(expected, 'x', 5000);
	expected[5000] = '\0';
	buf_add_str(&b, "12345");
	buf_addf(&b, "%s", expected);
	assert_int_equal(b.len, 5005);
	assert_memory_equal(b.data, "12345xxx", 8);
	assert_string_equal(b.data + 5, expected);
	/* Exactly the room that is left, and one more. */
	for (int i = 0; i < 200; i++) {
		struct buf c = BUF_INIT;

		buf_addf(&c, "%.*s", i, expected);
		assert_int_equal(c.len, i);
		assert_int_equal(strlen(c.data), i);
		buf_release(&c);
	}
}

static void test_util_buf__impossible_size_fails_once_and_stays_failed(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;

	buf_add_str(&b, "kept");
	assert_int_equal(buf_reserve(&b, SIZE_MAX - 2), -ENOMEM);
	assert_true(buf_failed(&b));
	buf_add_str(&b, "lost");
	assert_string_equal(buf_str(&b), "kept");
	assert_null(buf_detach(&b));
	assert_int_equal(b.len, 0);
	assert_null(b.data);
}

static void test_util_buf__reset_keeps_memory_and_clears_failure(void **state)
{
	cleanup_buf_secret struct buf b = BUF_INIT;
	size_t capacity;

	buf_add_str(&b, "some");
	capacity = b.capacity;
	buf_reserve(&b, SIZE_MAX);
	buf_reset(&b);
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(b.capacity, capacity);
	buf_add_str(&b, "other");
	assert_false(buf_failed(&b));
	assert_string_equal(buf_str(&b), "other");
}

static void test_util_buf__reserved_room_is_used_without_moving(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	char *data;

	assert_int_equal(buf_reserve(&b, 1000), 0);
	data = b.data;
	for (int i = 0; i < 1000; i++)
		buf_add_char(&b, 'a');
	assert_ptr_equal(b.data, data);
	assert_int_equal(b.len, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_buf__empty_is_the_empty_string),
		cmocka_unit_test(test_util_buf__adders_append_and_terminate),
		cmocka_unit_test(test_util_buf__format_longer_than_the_room_left),
		cmocka_unit_test(test_util_buf__impossible_size_fails_once_and_stays_failed),
		cmocka_unit_test(test_util_buf__reset_keeps_memory_and_clears_failure),
		cmocka_unit_test(test_util_buf__reserved_room_is_used_without_moving),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
