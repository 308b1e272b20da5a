/* Memory for blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "audio/block.h"

#define B AUDIO_BLOCK_BYTES
#define PER_CHUNK 32
#define MANY (20 * PER_CHUNK)

struct fixture {
	struct audio_slab slab;
	struct audio_block *blocks[MANY];
};

static void take(struct fixture *f, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		f->blocks[i] = audio_slab_get(&f->slab);
		assert_non_null(f->blocks[i]);
	}
}

static void give_back(struct fixture *f, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		audio_slab_put(&f->slab, f->blocks[i]);
}

static void test_audio_slab__blocks_are_whole_and_nobody_elses(void **state)
{
	struct fixture f;

	audio_slab_init(&f.slab);
	take(&f, 100);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal((uintptr_t)f.blocks[i]->bytes % 4096, 0);
		memset(f.blocks[i]->bytes, (int)i, B);
	}
	for (unsigned i = 0; i < 100; i++)
		for (unsigned at = 0; at < B; at += 997)
			assert_int_equal(f.blocks[i]->bytes[at], (char)i);
	assert_int_equal(f.slab.chunks, 4);
	give_back(&f, 0, 100);
	assert_int_equal(f.slab.chunks, 0);
}

static void test_audio_slab__what_was_given_back_last_comes_first(void **state)
{
	struct fixture f;

	audio_slab_init(&f.slab);
	take(&f, 3 * PER_CHUNK);
	give_back(&f, 40, 41);
	give_back(&f, 70, 72);
	assert_ptr_equal(audio_slab_get(&f.slab), f.blocks[71]);
	assert_ptr_equal(audio_slab_get(&f.slab), f.blocks[70]);
	assert_ptr_equal(audio_slab_get(&f.slab), f.blocks[40]);
	assert_int_equal(f.slab.chunks, 3);
	give_back(&f, 0, 3 * PER_CHUNK);
	assert_int_equal(f.slab.chunks, 0);
}

static void test_audio_slab__little_is_kept_and_nothing_in_the_end(void **state)
{
	struct fixture f;

	audio_slab_init(&f.slab);
	take(&f, MANY);
	assert_int_equal(f.slab.chunks, MANY / PER_CHUNK);
	assert_int_equal(f.slab.empty_chunks, 0);
	give_back(&f, 1, MANY);
	assert_int_equal(f.slab.chunks, 9);
	assert_int_equal(f.slab.empty_chunks, 8);
	f.blocks[1] = audio_slab_get(&f.slab); /* of a chunk that is there */
	assert_int_equal(f.slab.chunks, 9);
	give_back(&f, 0, 2);
	assert_int_equal(f.slab.chunks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_audio_slab__blocks_are_whole_and_nobody_elses),
		cmocka_unit_test(test_audio_slab__what_was_given_back_last_comes_first),
		cmocka_unit_test(test_audio_slab__little_is_kept_and_nothing_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
