/*
 * Memory for blocks, from chunks of 2 MiB, each of which is a huge page if the kernel has one.
 * Reading fills fresh memory all the time: with pages of 4 KiB the page faults cost as much as a
 * copy.
 *
 * The block that was put back last is handed out first, because it is still in the CPU's caches.
 * Empty chunks are unmapped, except for a few while some memory is in use. Chunks are left out of
 * core dumps.
 *
 * Threads: under the lock of the slab's owner. Limits: one block keeps its chunk mapped; but chunks
 * never take more than the maximum that was in use at a time, rounded up to 2 MiB.
 */
#pragma once

#include "util/list.h"

struct audio_block;
struct audio_chunk;

struct audio_slab {
	struct list roomy; /* chunks with free blocks, the next one to take from first */
	unsigned chunks, empty_chunks;
};

void audio_slab_init(struct audio_slab *slab);
/* The block's bytes are undefined. NULL: out of memory. */
struct audio_block *audio_slab_get(struct audio_slab *slab);
/* The block must not be on a list. */
void audio_slab_put(struct audio_slab *slab, struct audio_block *block);
