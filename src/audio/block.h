/*
 * Bytes of open recordings in memory: blocks of 64 KiB, each filled from its start, in one memory
 * budget; the least recently used block is evicted first. A block that has been read to its end is
 * spent, because the kernel has it in its page cache: a few spent blocks are kept, the others are
 * reused before more memory is taken.
 *
 * The table of a recording's blocks is sparse: leaves of AUDIO_LEAF_BLOCKS slots, each allocated
 * when a block in it is first kept or pinned. So its cost depends on use, not on the size that an
 * origin reports.
 *
 * Threads: under the lock of the store's owner. Limits: the bytes of an evicted block are lost, and
 * have to be fetched again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "audio/slab.h"
#include "util/list.h"

#define AUDIO_BLOCK_BYTES (64 * 1024)
#define AUDIO_LEAF_BLOCKS 64

struct audio_block {
	struct list link; /* store->lru or store->spent */
	struct audio_blocks *owner;
	uint32_t index, filled;
	bool is_spent;
	struct audio_chunk *chunk; /* slab.c */
	char *bytes;               /* AUDIO_BLOCK_BYTES, whatever is filled */
};

struct audio_store {
	struct list lru;   /* the least recently used first */
	struct list spent; /* read to their ends, the oldest first */
	struct audio_slab slab;
	size_t budget_bytes, spent_bytes;
	size_t used_bytes, peak_bytes; /* of blocks; the maximum so far */
};

struct audio_blocks { /* of one recording */
	struct audio_store *store;
	int64_t size_bytes;
	uint32_t count;
	struct audio_leaf **leaves; /* NULL: no block in it is in memory or pinned */
	uint32_t leaf_count;        /* allocated */
};

struct audio_slot {
	struct audio_block *block; /* NULL: not in memory */
	unsigned pins;             /* by reads and streams; a pinned block is not evicted */
};

void audio_store_init(struct audio_store *store, size_t budget_bytes);
/* The size of the blocks that [begin, end) touches. */
size_t audio_store_cost(int64_t begin_bytes, int64_t end_bytes);
/* -EFBIG: more than CATALOG_RECORDING_BYTES_LIMIT. */
int audio_blocks_init(struct audio_blocks *blocks, struct audio_store *store, int64_t size_bytes);
/* No block may be pinned. */
void audio_blocks_release(struct audio_blocks *blocks);

/* The number of its bytes in memory. */
size_t audio_blocks_bytes(const struct audio_blocks *blocks);
/* Evicts all blocks except for the first `count` and pinned ones. */
void audio_blocks_keep(struct audio_blocks *blocks, uint32_t count);
/* NULL: the block is neither in memory nor pinned. */
struct audio_slot *audio_blocks_slot(const struct audio_blocks *blocks, uint32_t index);
/* Pins the blocks of [begin, end), those that are to come, too. -ENOMEM: none is pinned; cannot
 * happen if all of it is in memory. */
int audio_blocks_pin(struct audio_blocks *blocks, int64_t begin_bytes, int64_t end_bytes);
void audio_blocks_unpin(struct audio_blocks *blocks, int64_t begin_bytes, int64_t end_bytes);

/* The first byte of [begin, end) that is not in memory, or end. */
int64_t audio_blocks_missing(const struct audio_blocks *blocks, int64_t begin_bytes,
			     int64_t end_bytes);
/* Where a request has to begin to bring the byte at the offset: blocks fill from their start. */
int64_t audio_blocks_start(const struct audio_blocks *blocks, int64_t offset_bytes);
/* A write of n bytes, at most a block, needs no memory or the budget has it; evicts for it. */
bool audio_blocks_has_room(struct audio_blocks *blocks, int64_t offset_bytes, size_t n);
/* Stores bytes. Bytes that are there already are dropped, and those of blocks whose start is
 * missing. Exceeds the budget if no block can be evicted. -ENOMEM: the rest is dropped. */
int audio_blocks_write(struct audio_blocks *blocks, int64_t offset_bytes, const void *bytes,
		       size_t n);
/* The most parts that n bytes at any offset can have. */
unsigned audio_parts_max(size_t n);
/* Where the bytes lie; valid while their blocks are pinned. All of them must be in memory. Counts
 * as a use. Returns the number of parts. */
unsigned audio_blocks_read(struct audio_blocks *blocks, int64_t offset_bytes, size_t n,
			   struct iovec *ret_parts);
