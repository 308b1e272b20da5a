/* migrate: buffers that are kept for the next transfer, never more of them than the limit because of that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "migrate/buffers.h"

#define MIB ((size_t)1 << 20)

static struct buffer get(struct buffers *buffers, size_t bytes)
{
	struct buffer buffer;

	assert_int_equal(buffers_get(buffers, bytes, &buffer), 0);
	assert_true(buffer.mapped_bytes >= bytes);
	memset(buffer.bytes, 1, bytes);
	return buffer;
}

static void test_migrate_buffers__the_next_gets_one_that_came_back(void **state)
{
	struct buffers buffers;
	struct buffer first, second, other;
	char *bytes;

	buffers_init(&buffers, 8 * MIB);
	first = get(&buffers, MIB);
	second = get(&buffers, MIB);
	assert_ptr_not_equal(first.bytes, second.bytes);
	bytes = second.bytes;
	buffers_put(&buffers, &second);
	assert_null(second.bytes);
	/* One of nearly its size, not one of another. */
	other = get(&buffers, 2 * MIB);
	assert_ptr_not_equal(other.bytes, bytes);
	second = get(&buffers, MIB - 1000);
	assert_ptr_equal(second.bytes, bytes);
	buffers_put(&buffers, &first);
	buffers_put(&buffers, &other);
	assert_int_equal(buffers.mapped_bytes, 4 * MIB);
	buffers_put(&buffers, &second);
	assert_int_equal(buffers.mapped_bytes, 0); /* nobody works any more */
	buffers_release(&buffers);
}

static void test_migrate_buffers__what_is_kept_gives_way(void **state)
{
	struct buffers buffers;
	struct buffer held, small, large, over;

	buffers_init(&buffers, 4 * MIB);
	held = get(&buffers, MIB);
	small = get(&buffers, 2 * MIB);
	buffers_put(&buffers, &small);
	assert_int_equal(buffers.mapped_bytes, 3 * MIB);
	large = get(&buffers, 3 * MIB);
	assert_int_equal(buffers.mapped_bytes, 4 * MIB);
	/* Who holds more than the limit keeps nothing for others. */
	over = get(&buffers, 2 * MIB);
	assert_int_equal(buffers.mapped_bytes, 6 * MIB);
	buffers_put(&buffers, &over);
	assert_int_equal(buffers.mapped_bytes, 4 * MIB);
	buffers_put(&buffers, &large);
	buffers_put(&buffers, &held);
	assert_int_equal(buffers.mapped_bytes, 0);
	buffers_release(&buffers);
}

static void test_migrate_buffers__any_number_may_come_back(void **state)
{
	struct buffers buffers;
	struct buffer many[2 * BUFFERS_KEPT], held, none = { NULL, 0 };

	buffers_init(&buffers, 1024 * MIB);
	held = get(&buffers, 1);
	for (size_t i = 0; i < 2 * BUFFERS_KEPT; i++)
		many[i] = get(&buffers, MIB);
	for (size_t i = 0; i < 2 * BUFFERS_KEPT; i++)
		buffers_put(&buffers, &many[i]);
	assert_int_equal(buffers.kept_count, BUFFERS_KEPT);
	assert_int_equal(buffers.mapped_bytes, BUFFERS_KEPT * MIB + held.mapped_bytes);
	buffers_put(&buffers, &none);
	buffers_put(&buffers, &held);
	assert_int_equal(buffers.mapped_bytes, 0);
	buffers_release(&buffers);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_migrate_buffers__the_next_gets_one_that_came_back),
		TEST(test_migrate_buffers__what_is_kept_gives_way),
		TEST(test_migrate_buffers__any_number_may_come_back),
	};

	return cmocka_run_group_tests_name("migrate_buffers", tests, NULL, NULL);
}
