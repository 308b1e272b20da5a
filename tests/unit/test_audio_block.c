/* Blocks of open recordings: what is there, what is given up, what stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audio/block.h"
#include "catalog/recording.h"
#include "helper_audio.h"

#define B AUDIO_BLOCK_BYTES
#define BLOCK_COST ((size_t)AUDIO_BLOCK_BYTES)

struct fixture {
	struct audio_store store;
	struct audio_blocks blocks;
	char *content;
	int64_t size;
};

static char byte_at(int64_t offset)
{
	return (char)(offset * 31 + offset / 257);
}

static void begin(struct fixture *f, int64_t size, size_t budget_blocks)
{
	f->size = size;
	f->content = malloc((size_t)size + 1);
	assert_non_null(f->content);
	for (int64_t i = 0; i < size; i++)
		f->content[i] = byte_at(i);
	audio_store_init(&f->store, budget_blocks * BLOCK_COST);
	assert_int_equal(audio_blocks_init(&f->blocks, &f->store, size), 0);
}

static void end(struct fixture *f)
{
	audio_blocks_release(&f->blocks);
	assert_int_equal(f->store.used_bytes, 0);
	assert_true(list_empty(&f->store.lru));
	assert_true(list_empty(&f->store.spent));
	/* Memory is kept only while some is in use. */
	assert_int_equal(f->store.slab.chunks, 0);
	assert_int_equal(f->store.spent_bytes, 0);
	free(f->content);
}

static void put(struct fixture *f, int64_t offset, size_t n)
{
	assert_int_equal(audio_blocks_write(&f->blocks, offset, f->content + offset, n), 0);
}

static void take(struct fixture *f, int64_t offset, size_t n)
{
	struct iovec *parts = calloc(audio_parts_max(n), sizeof *parts);
	size_t got;
	char *bytes;

	assert_non_null(parts);
	assert_int_equal(audio_blocks_missing(&f->blocks, offset, offset + (int64_t)n),
			 offset + (int64_t)n);
	bytes = helper_gather(parts, audio_blocks_read(&f->blocks, offset, n, parts), &got);
	assert_non_null(bytes);
	assert_int_equal(got, n);
	assert_memory_equal(bytes, f->content + offset, n);
	free(bytes);
	free(parts);
}

static void test_audio__what_was_written_is_read_across_blocks(void **state)
{
	struct fixture f;

	begin(&f, 3 * B + 100, 8);
	for (int64_t at = 0; at < f.size; at += 10007)
		put(&f, at, (size_t)(at + 10007 > f.size ? f.size - at : 10007));
	take(&f, 0, (size_t)f.size);
	take(&f, B - 5, 10);
	take(&f, 3 * B + 99, 1);
	end(&f);
}

static void test_audio__missing_is_the_first_byte_that_is_not_there(void **state)
{
	struct fixture f;

	begin(&f, 4 * B, 8);
	assert_int_equal(audio_blocks_missing(&f.blocks, 0, 10), 0);
	put(&f, 0, B + 1000);
	assert_int_equal(audio_blocks_missing(&f.blocks, 10, 4 * B), B + 1000);
	assert_int_equal(audio_blocks_missing(&f.blocks, 10, B + 1000), B + 1000);
	assert_int_equal(audio_blocks_missing(&f.blocks, 2 * B + 7, 3 * B), 2 * B + 7);
	put(&f, 3 * B, B);
	assert_int_equal(audio_blocks_missing(&f.blocks, 3 * B + 5, 4 * B), 4 * B);
	assert_int_equal(audio_blocks_missing(&f.blocks, 5, 5), 5);
	end(&f);
}

static void test_audio__a_stream_starts_where_a_block_goes_on(void **state)
{
	struct fixture f;

	begin(&f, 4 * B, 8);
	assert_int_equal(audio_blocks_start(&f.blocks, 2 * B + 9000), 2 * B);
	put(&f, 2 * B, 500);
	assert_int_equal(audio_blocks_start(&f.blocks, 2 * B + 9000), 2 * B + 500);
	end(&f);
}

static void test_audio__bytes_that_are_there_already_are_not_written_twice(void **state)
{
	struct fixture f;
	char wrong[1000];

	begin(&f, B, 8);
	memset(wrong, 0x55, sizeof wrong);
	put(&f, 0, 600);
	assert_int_equal(audio_blocks_write(&f.blocks, 0, wrong, 600), 0);
	/* The first half is known, the second is new. */
	memcpy(wrong + 300, f.content + 600, 300);
	assert_int_equal(audio_blocks_write(&f.blocks, 300, wrong, 600), 0);
	take(&f, 0, 900);
	end(&f);
}

static void test_audio__bytes_without_their_blocks_start_are_dropped(void **state)
{
	struct fixture f;

	begin(&f, 2 * B, 8);
	put(&f, 100, B);
	assert_int_equal(audio_blocks_missing(&f.blocks, 100, 200), 100);
	assert_int_equal(audio_blocks_missing(&f.blocks, B, B + 200), B + 100);
	end(&f);
}

static void test_audio__the_budget_gives_up_what_was_read_first(void **state)
{
	struct fixture f;

	begin(&f, 8 * B, 3);
	put(&f, 0, 3 * B);
	take(&f, B, B); /* read to its end: the coldest */
	put(&f, 3 * B, B);
	assert_int_equal(f.store.used_bytes, 3 * BLOCK_COST);
	assert_int_equal(audio_blocks_missing(&f.blocks, B, 2 * B), B);
	take(&f, 0, B);
	take(&f, 2 * B, 2 * B);
	end(&f);
}

static void test_audio__a_block_that_is_only_begun_stays_warm(void **state)
{
	struct fixture f;

	begin(&f, 8 * B, 2);
	put(&f, 0, 2 * B);
	take(&f, 0, 10); /* its reader goes on here */
	put(&f, 2 * B, B);
	take(&f, 0, B);
	assert_int_equal(audio_blocks_missing(&f.blocks, B, 2 * B), B);
	end(&f);
}

static void test_audio__pinned_blocks_stay_even_over_the_budget(void **state)
{
	struct fixture f;

	begin(&f, 8 * B, 2);
	audio_blocks_pin(&f.blocks, 10, 2 * B);
	put(&f, 0, 2 * B);
	assert_false(audio_blocks_has_room(&f.blocks, 2 * B, 1));
	assert_true(audio_blocks_has_room(&f.blocks, B, B)); /* there already */
	put(&f, 2 * B, 2 * B);
	take(&f, 0, 2 * B);
	assert_true(f.store.used_bytes > f.store.budget_bytes);
	audio_blocks_unpin(&f.blocks, 10, 2 * B);
	assert_true(audio_blocks_has_room(&f.blocks, 5 * B, 1));
	assert_true(f.store.used_bytes < f.store.budget_bytes);
	end(&f);
}

/* More than 16 bits can count. */
static void test_audio__however_many_pin_a_block_it_stays(void **state)
{
	const unsigned counts[] = { 255, 256, 65535, 65536, 65537 };
	unsigned pinned = 0;
	struct fixture f;

	begin(&f, 4 * B, 1);
	put(&f, 0, B);
	for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		for (; pinned < counts[i]; pinned++)
			assert_int_equal(audio_blocks_pin(&f.blocks, 0, B), 0);
		put(&f, (1 + i % 2) * B, B);
		take(&f, 0, B);
	}
	for (; pinned; pinned--)
		audio_blocks_unpin(&f.blocks, 0, B);
	put(&f, 3 * B, B);
	assert_int_equal(audio_blocks_missing(&f.blocks, 0, B), 0);
	end(&f);
}

static void test_audio__a_table_costs_by_what_is_used_not_by_the_size_that_is_told(void **state)
{
	const int64_t size = CATALOG_RECORDING_BYTES_LIMIT, leaf = (int64_t)AUDIO_LEAF_BLOCKS * B;
	struct audio_blocks blocks;
	struct fixture f;

	begin(&f, B, 8);
	assert_int_equal(audio_blocks_init(&blocks, &f.store, (int64_t)1 << 46), -EFBIG);
	assert_int_equal(audio_blocks_init(&blocks, &f.store, INT64_MAX), -EFBIG);
	assert_int_equal(audio_blocks_init(&blocks, &f.store, size + 1), -EFBIG);
	assert_int_equal(audio_blocks_init(&blocks, &f.store, size), 0);
	assert_int_equal(blocks.leaf_count, 0);
	/* Looking costs nothing. */
	assert_int_equal(audio_blocks_missing(&blocks, 0, size), 0);
	assert_int_equal(audio_blocks_start(&blocks, size), size);
	assert_true(audio_blocks_has_room(&blocks, size - 10, 10));
	assert_int_equal(audio_blocks_bytes(&blocks), 0);
	assert_int_equal(blocks.leaf_count, 0);
	assert_int_equal(audio_blocks_write(&blocks, 0, f.content, B), 0);
	assert_int_equal(audio_blocks_write(&blocks, leaf * 100, f.content, B), 0);
	assert_int_equal(audio_blocks_write(&blocks, size - B, f.content, B), 0);
	assert_int_equal(blocks.leaf_count, 3);
	/* Over the border of two. */
	assert_int_equal(audio_blocks_pin(&blocks, leaf * 7 - 1, leaf * 7 + 1), 0);
	assert_int_equal(blocks.leaf_count, 5);
	audio_blocks_unpin(&blocks, leaf * 7 - 1, leaf * 7 + 1);
	assert_int_equal(audio_blocks_missing(&blocks, leaf * 100, size), leaf * 100 + B);
	assert_int_equal(audio_blocks_missing(&blocks, size - B, size), size);
	assert_int_equal(audio_blocks_bytes(&blocks), 3 * B);
	audio_blocks_keep(&blocks, AUDIO_LEAF_BLOCKS * 100 + 1);
	assert_int_equal(audio_blocks_bytes(&blocks), 2 * B);
	audio_blocks_keep(&blocks, 0);
	assert_int_equal(f.store.used_bytes, 0);
	audio_blocks_release(&blocks);
	end(&f);
}

static void test_audio__recordings_share_one_budget(void **state)
{
	struct audio_blocks other;
	struct fixture f;

	begin(&f, 2 * B, 2);
	assert_int_equal(audio_blocks_init(&other, &f.store, B), 0);
	put(&f, 0, 2 * B);
	assert_int_equal(audio_blocks_write(&other, 0, f.content, B), 0);
	assert_int_equal(f.store.used_bytes, 2 * BLOCK_COST);
	assert_int_equal(audio_blocks_missing(&f.blocks, 0, B), 0);
	audio_blocks_release(&other);
	end(&f);
}

/* However large the budget is: the kernel has it now. */
static void test_audio__what_was_read_makes_way_for_what_is_read_on(void **state)
{
	struct fixture f;
	size_t most = 0;

	begin(&f, 40 << 20, 4096);
	for (int64_t at = 0; at < f.size; at += B) {
		put(&f, at, B);
		take(&f, at, B);
		if (most < f.store.used_bytes)
			most = f.store.used_bytes;
	}
	assert_in_range(most, 16 << 20, 17 << 20);
	/* What was read last is still there, what was read first is not. */
	take(&f, f.size - (8 << 20), 8 << 20);
	assert_int_equal(audio_blocks_missing(&f.blocks, 0, B), 0);
	end(&f);
}

static void test_audio__an_empty_recording_has_no_block(void **state)
{
	struct fixture f;

	begin(&f, 0, 2);
	assert_int_equal(audio_blocks_missing(&f.blocks, 0, 0), 0);
	assert_int_equal(audio_blocks_write(&f.blocks, 0, "x", 1), 0);
	audio_blocks_pin(&f.blocks, 0, 1);
	audio_blocks_unpin(&f.blocks, 0, 1);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_audio__what_was_written_is_read_across_blocks),
		cmocka_unit_test(test_audio__missing_is_the_first_byte_that_is_not_there),
		cmocka_unit_test(test_audio__a_stream_starts_where_a_block_goes_on),
		cmocka_unit_test(test_audio__bytes_that_are_there_already_are_not_written_twice),
		cmocka_unit_test(test_audio__bytes_without_their_blocks_start_are_dropped),
		cmocka_unit_test(test_audio__the_budget_gives_up_what_was_read_first),
		cmocka_unit_test(test_audio__a_block_that_is_only_begun_stays_warm),
		cmocka_unit_test(test_audio__pinned_blocks_stay_even_over_the_budget),
		cmocka_unit_test(test_audio__however_many_pin_a_block_it_stays),
		cmocka_unit_test(
			test_audio__a_table_costs_by_what_is_used_not_by_the_size_that_is_told),
		cmocka_unit_test(test_audio__recordings_share_one_budget),
		cmocka_unit_test(test_audio__what_was_read_makes_way_for_what_is_read_on),
		cmocka_unit_test(test_audio__an_empty_recording_has_no_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
