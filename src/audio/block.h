/*
 * Bytes of open recordings in memory: blocks of 64 KiB, each filled from its start, inside one
 * budget, the coldest given up first. What has been read to its end the kernel has in its page cache:
 * a few such spent blocks are kept, the others are filled anew before more memory is taken.
 *
 * The table of a recording's blocks is sparse: leaves of AUDIO_LEAF_BLOCKS slots, each allocated when
 * something in it is kept or pinned first. So it costs by what is used, not by the size that an origin
 * tells.
 *
 * Used under the lock of whoever owns the store; knows neither threads nor the network.
 * Limits: a block that is given up takes its bytes with it; whoever wants them again has to fetch
 * them again.
 */
#ifndef TONICFS_AUDIO_BLOCK_H
#define TONICFS_AUDIO_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "audio/slab.h"
#include "util/list.h"

#define AUDIO_BLOCK_BYTES (64 * 1024)
#define AUDIO_LEAF_BLOCKS 64

struct audio_block {
	struct list link; /* of one of the store's lists */
	struct audio_blocks *owner;
	uint32_t index, filled;
	bool is_spent;
	struct audio_chunk *chunk; /* slab.c */
	char *bytes;               /* AUDIO_BLOCK_BYTES, whatever is filled */
};

struct audio_store {
	struct list lru;   /* the coldest first */
	struct list spent; /* read to their ends, the first of them first */
	struct audio_slab slab;
	size_t budget_bytes, spent_bytes;
	size_t used_bytes, peak_bytes; /* by blocks; the most that it was */
};

struct audio_blocks { /* of one recording */
	struct audio_store *store;
	int64_t size_bytes;
	uint32_t count;
	struct audio_leaf **leaves; /* NULL: nothing in it is in memory or pinned */
	uint32_t leaf_count;        /* those that are allocated */
};

struct audio_slot {
	struct audio_block *block; /* NULL: not in memory */
	unsigned pins;             /* a pinned block stays; each is a read's or a stream's */
};

void audio_store_init(struct audio_store *store, size_t budget_bytes);
/* Of the blocks that [begin, end) is in. */
size_t audio_store_cost(int64_t begin_bytes, int64_t end_bytes);
/* -EFBIG: more than CATALOG_RECORDING_BYTES_LIMIT. */
int audio_blocks_init(struct audio_blocks *blocks, struct audio_store *store, int64_t size_bytes);
/* Nothing is pinned any more. */
void audio_blocks_release(struct audio_blocks *blocks);

/* Of its bytes that are in memory. */
size_t audio_blocks_bytes(const struct audio_blocks *blocks);
/* Gives up all blocks but the first ones and those that are pinned. */
void audio_blocks_keep(struct audio_blocks *blocks, uint32_t count);
/* NULL: it is neither in memory nor pinned. */
const struct audio_slot *audio_blocks_slot(const struct audio_blocks *blocks, uint32_t index);
/* Pins whatever is, or comes to be, in [begin, end). -ENOMEM: nothing is pinned; never where all of it
 * is in memory. */
int audio_blocks_pin(struct audio_blocks *blocks, int64_t begin_bytes, int64_t end_bytes);
void audio_blocks_unpin(struct audio_blocks *blocks, int64_t begin_bytes, int64_t end_bytes);

/* The first byte of [begin, end) that is not in memory; end: all are. */
int64_t audio_blocks_missing(const struct audio_blocks *blocks, int64_t begin_bytes,
			     int64_t end_bytes);
/* Where to begin so that the byte at offset comes: blocks fill from their start. */
int64_t audio_blocks_start(const struct audio_blocks *blocks, int64_t offset_bytes);
/* True where a write of n bytes at offset, n at most a block, needs no new memory, or the budget
 * has it (cold blocks are given up for it). */
bool audio_blocks_has_room(struct audio_blocks *blocks, int64_t offset_bytes, size_t n);
/* Keeps bytes; those that are there already, and those whose block's start is not there, are
 * dropped. Goes over the budget where nothing can be given up. -ENOMEM: what did not fit is
 * dropped. */
int audio_blocks_write(struct audio_blocks *blocks, int64_t offset_bytes, const void *bytes,
		       size_t n);
/* How many parts n bytes at an offset may be in. */
unsigned audio_parts_max(size_t n);
/* Where they are, which is until their blocks are given up: pin them. All of it must be there. Counts as
 * read. Returns how many parts there are. */
unsigned audio_blocks_read(struct audio_blocks *blocks, int64_t offset_bytes, size_t n,
			   struct iovec *ret_parts);

#endif
