/* Blocks of recordings in memory, and their eviction. */
#include "audio/block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/recording.h"

#define SPENT_BYTES ((size_t)16 << 20) /* kept, for readers that bypass the page cache */

struct audio_leaf {
	struct audio_slot slots[AUDIO_LEAF_BLOCKS];
};

static uint32_t block_of(int64_t offset)
{
	return (uint32_t)(offset / AUDIO_BLOCK_BYTES);
}

static int64_t start_of(uint32_t index)
{
	return (int64_t)index * AUDIO_BLOCK_BYTES;
}

/* The last block is shorter. */
static uint32_t length_of(const struct audio_blocks *blocks, uint32_t index)
{
	int64_t left = blocks->size_bytes - start_of(index);

	return left < AUDIO_BLOCK_BYTES ? (uint32_t)left : AUDIO_BLOCK_BYTES;
}

/* ---- the table ---- */

static uint32_t leaf_slots(const struct audio_blocks *blocks)
{
	return (blocks->count + AUDIO_LEAF_BLOCKS - 1) / AUDIO_LEAF_BLOCKS;
}

struct audio_slot *audio_blocks_slot(const struct audio_blocks *blocks, uint32_t index)
{
	struct audio_leaf *leaf = blocks->leaves[index / AUDIO_LEAF_BLOCKS];

	return leaf ? &leaf->slots[index % AUDIO_LEAF_BLOCKS] : NULL;
}

/* NULL: out of memory. */
static struct audio_slot *slot_make(struct audio_blocks *blocks, uint32_t index)
{
	struct audio_leaf **leaf = &blocks->leaves[index / AUDIO_LEAF_BLOCKS];

	if (!*leaf) {
		*leaf = calloc(1, sizeof **leaf);
		if (!*leaf)
			return NULL;
		blocks->leaf_count++;
	}
	return &(*leaf)->slots[index % AUDIO_LEAF_BLOCKS];
}

static struct audio_block *block_at(const struct audio_blocks *blocks, uint32_t index)
{
	const struct audio_slot *slot = audio_blocks_slot(blocks, index);

	return slot ? slot->block : NULL;
}

static uint32_t filled_of(const struct audio_blocks *blocks, uint32_t index)
{
	const struct audio_block *block = block_at(blocks, index);

	return block ? block->filled : 0;
}

void audio_store_init(struct audio_store *store, size_t budget_bytes)
{
	*store = (struct audio_store){ .budget_bytes = budget_bytes };
	list_init(&store->lru);
	list_init(&store->spent);
	audio_slab_init(&store->slab);
}

size_t audio_store_cost(int64_t begin_bytes, int64_t end_bytes)
{
	if (begin_bytes >= end_bytes)
		return 0;
	return ((size_t)block_of(end_bytes - 1) - block_of(begin_bytes) + 1) * AUDIO_BLOCK_BYTES;
}

int audio_blocks_init(struct audio_blocks *blocks, struct audio_store *store, int64_t size_bytes)
{
	if (size_bytes > CATALOG_RECORDING_BYTES_LIMIT)
		return -EFBIG;
	*blocks = (struct audio_blocks){
		.store = store,
		.size_bytes = size_bytes,
		.count = (uint32_t)((size_bytes + AUDIO_BLOCK_BYTES - 1) / AUDIO_BLOCK_BYTES),
	};
	blocks->leaves = calloc((size_t)leaf_slots(blocks) + 1, sizeof *blocks->leaves);
	return blocks->leaves ? 0 : -ENOMEM;
}

/* Takes the block out of its recording; the caller owns it. */
static void block_take(struct audio_block *block)
{
	struct audio_store *store = block->owner->store;

	audio_blocks_slot(block->owner, block->index)->block = NULL;
	store->used_bytes -= AUDIO_BLOCK_BYTES;
	store->spent_bytes -= block->is_spent ? AUDIO_BLOCK_BYTES : 0;
	list_remove(&block->link);
}

static void block_free(struct audio_block *block)
{
	struct audio_store *store = block->owner->store;

	block_take(block);
	audio_slab_put(&store->slab, block);
}

/* Evicts the blocks of a leaf from `first` on: the unpinned ones, or all. */
static void leaf_empty(struct audio_leaf *leaf, uint32_t first, bool is_all)
{
	for (uint32_t i = first; i < AUDIO_LEAF_BLOCKS; i++)
		if (leaf->slots[i].block && (is_all || !leaf->slots[i].pins))
			block_free(leaf->slots[i].block);
}

void audio_blocks_release(struct audio_blocks *blocks)
{
	for (uint32_t i = 0; i < leaf_slots(blocks); i++) {
		if (!blocks->leaves[i])
			continue;
		leaf_empty(blocks->leaves[i], 0, true);
		free(blocks->leaves[i]);
	}
	free(blocks->leaves);
	blocks->leaves = NULL;
	blocks->count = blocks->leaf_count = 0;
}

/* The index behind the last block of [begin, end), within the recording. */
static uint32_t block_end(const struct audio_blocks *blocks, int64_t begin, int64_t end)
{
	uint32_t index;

	if (begin >= end)
		return 0;
	index = block_of(end - 1) + 1;
	return index < blocks->count ? index : blocks->count;
}

int audio_blocks_pin(struct audio_blocks *blocks, int64_t begin_bytes, int64_t end_bytes)
{
	uint32_t end = block_end(blocks, begin_bytes, end_bytes);

	/* Memory first, so that either all is pinned or nothing. */
	for (uint32_t i = block_of(begin_bytes); i < end; i++)
		if (!slot_make(blocks, i))
			return -ENOMEM;
	for (uint32_t i = block_of(begin_bytes); i < end; i++)
		audio_blocks_slot(blocks, i)->pins++;
	return 0;
}

void audio_blocks_unpin(struct audio_blocks *blocks, int64_t begin_bytes, int64_t end_bytes)
{
	uint32_t end = block_end(blocks, begin_bytes, end_bytes);

	for (uint32_t i = block_of(begin_bytes); i < end; i++)
		audio_blocks_slot(blocks, i)->pins--;
}

void audio_blocks_keep(struct audio_blocks *blocks, uint32_t count)
{
	uint32_t first = count % AUDIO_LEAF_BLOCKS;

	for (uint32_t i = count / AUDIO_LEAF_BLOCKS; i < leaf_slots(blocks); i++, first = 0)
		if (blocks->leaves[i])
			leaf_empty(blocks->leaves[i], first, false);
}

size_t audio_blocks_bytes(const struct audio_blocks *blocks)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < leaf_slots(blocks); i++)
		for (uint32_t k = 0; blocks->leaves[i] && k < AUDIO_LEAF_BLOCKS; k++)
			if (blocks->leaves[i]->slots[k].block)
				sum += blocks->leaves[i]->slots[k].block->filled;
	return sum;
}

int64_t audio_blocks_missing(const struct audio_blocks *blocks, int64_t begin_bytes,
			     int64_t end_bytes)
{
	while (begin_bytes < end_bytes) {
		uint32_t index = block_of(begin_bytes);
		int64_t there = start_of(index) + filled_of(blocks, index);

		if (there <= begin_bytes)
			return begin_bytes;
		begin_bytes = there;
		if (filled_of(blocks, index) < length_of(blocks, index))
			break;
	}
	return begin_bytes < end_bytes ? begin_bytes : end_bytes;
}

int64_t audio_blocks_start(const struct audio_blocks *blocks, int64_t offset_bytes)
{
	uint32_t index = block_of(offset_bytes);

	return start_of(index) + filled_of(blocks, index);
}

static bool fits(const struct audio_store *store, size_t n)
{
	return store->used_bytes + n <= store->budget_bytes;
}

static bool is_pinned(const struct audio_block *block)
{
	return audio_blocks_slot(block->owner, block->index)->pins;
}

static bool evict(struct audio_store *store, struct list *blocks, size_t n)
{
	list_for_each_entry_safe(struct audio_block, block, blocks, link) {
		if (fits(store, n))
			return true;
		if (!is_pinned(block))
			block_free(block);
	}
	return fits(store, n);
}

/* Evicts blocks until n more bytes fit. */
static bool make_room(struct audio_store *store, size_t n)
{
	return evict(store, &store->spent, n) || evict(store, &store->lru, n);
}

bool audio_blocks_has_room(struct audio_blocks *blocks, int64_t offset_bytes, size_t n)
{
	int64_t end = offset_bytes + (int64_t)n;
	unsigned count = 0;

	if (end > blocks->size_bytes)
		end = blocks->size_bytes;
	for (int64_t at = offset_bytes; at < end; at = start_of(block_of(at) + 1))
		count += !block_at(blocks, block_of(at));
	return !count || make_room(blocks->store, (size_t)count * AUDIO_BLOCK_BYTES);
}

/* NULL: out of memory. */
static struct audio_block *memory_get(struct audio_store *store)
{
	struct audio_block *block;

	if (store->spent_bytes > SPENT_BYTES) {
		block = list_entry(store->spent.next, struct audio_block, link);
		if (!is_pinned(block)) {
			block_take(block);
			return block;
		}
	}
	make_room(store, AUDIO_BLOCK_BYTES);
	return audio_slab_get(&store->slab);
}

static struct audio_block *block_new(struct audio_blocks *blocks, uint32_t index)
{
	struct audio_store *store = blocks->store;
	struct audio_slot *slot = slot_make(blocks, index);
	struct audio_block *block = slot ? memory_get(store) : NULL;

	if (!block)
		return NULL;
	block->owner = blocks;
	block->index = index;
	block->filled = 0;
	block->is_spent = false;
	list_add(&store->lru, &block->link);
	store->used_bytes += AUDIO_BLOCK_BYTES;
	if (store->peak_bytes < store->used_bytes)
		store->peak_bytes = store->used_bytes;
	slot->block = block;
	return block;
}

int audio_blocks_write(struct audio_blocks *blocks, int64_t offset_bytes, const void *bytes,
		       size_t n)
{
	const char *from = bytes;

	while (n && offset_bytes < blocks->size_bytes) {
		uint32_t index = block_of(offset_bytes),
			 in_block = (uint32_t)(offset_bytes - start_of(index));
		uint32_t length = length_of(blocks, index), part = length - in_block;
		struct audio_block *block = block_at(blocks, index);

		if (part > n)
			part = (uint32_t)n;
		if (!block && in_block == 0) {
			block = block_new(blocks, index);
			if (!block)
				return -ENOMEM;
		}
		if (block && in_block <= block->filled && in_block + part > block->filled) {
			uint32_t known = block->filled - in_block;

			memcpy(block->bytes + block->filled, from + known, part - known);
			block->filled = in_block + part;
		}
		offset_bytes += part;
		from += part;
		n -= part;
	}
	return 0;
}

static void block_touch(struct audio_block *block, bool is_spent)
{
	struct audio_store *store = block->owner->store;

	list_remove(&block->link);
	list_add(is_spent ? &store->spent : &store->lru, &block->link);
	store->spent_bytes += is_spent ? AUDIO_BLOCK_BYTES : 0;
	store->spent_bytes -= block->is_spent ? AUDIO_BLOCK_BYTES : 0;
	block->is_spent = is_spent;
}

unsigned audio_parts_max(size_t n)
{
	return n ? (unsigned)((n - 1) / AUDIO_BLOCK_BYTES + 2) : 0;
}

unsigned audio_blocks_read(struct audio_blocks *blocks, int64_t offset_bytes, size_t n,
			   struct iovec *ret_parts)
{
	unsigned count = 0;

	while (n) {
		uint32_t index = block_of(offset_bytes),
			 in_block = (uint32_t)(offset_bytes - start_of(index));
		struct audio_block *block = block_at(blocks, index);
		size_t part = length_of(blocks, index) - in_block;

		if (part > n)
			part = n;
		ret_parts[count++] = (struct iovec){ block->bytes + in_block, part };
		block_touch(block, in_block + part == length_of(blocks, index));
		offset_bytes += (int64_t)part;
		n -= part;
	}
	return count;
}
