/*
 * Memory for blocks: out of chunks of 2 MiB, each of which is one huge page where the kernel has some to
 * give. What is read fills memory for the first time, again and again: in pages of 4 KiB that costs as
 * much as a copy does.
 *
 * What was given back last is handed out first, for it is still in the processor's caches. Chunks
 * that are empty are given back to the system, but for a few as long as some memory is in use. Not in
 * core dumps.
 * Used under the lock of whoever owns the slab. Limits: a chunk stays for one block of it; yet chunks take
 * no more than the most that was in use at a time, to the next 2 MiB.
 */
#ifndef TONICFS_AUDIO_SLAB_H
#define TONICFS_AUDIO_SLAB_H

#include <stddef.h>

#include "util/list.h"

struct audio_block;
struct audio_chunk;

struct audio_slab {
	struct list roomy; /* chunks that have a free block, the one to take from first */
	unsigned chunks, empty_chunks;
};

void audio_slab_init(struct audio_slab *slab);
/* Its bytes are whatever they are. NULL: no memory. */
struct audio_block *audio_slab_get(struct audio_slab *slab);
/* Not on any list any more. */
void audio_slab_put(struct audio_slab *slab, struct audio_block *block);

#endif
