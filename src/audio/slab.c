/* Memory for blocks, from huge pages. */
#include "audio/slab.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "audio/block.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(bytes, n) ((void)(bytes), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(bytes, n) ((void)(bytes), (void)(n))
#endif

#define CHUNK_BYTES ((size_t)2 << 20) /* a huge page of x86-64, and of arm64 with pages of 4 KiB */
#define CHUNK_BLOCKS (CHUNK_BYTES / AUDIO_BLOCK_BYTES)
#define KEPT_CHUNKS 8

struct audio_chunk {
	struct list link; /* slab->roomy, unless it is full */
	struct list free; /* blocks, the next one to take first */
	unsigned used;
	char *bytes;
	struct audio_block blocks[CHUNK_BLOCKS];
};

void audio_slab_init(struct audio_slab *slab)
{
	*slab = (struct audio_slab){ .chunks = 0 };
	list_init(&slab->roomy);
}

static void push(struct list *head, struct list *item)
{
	list_add(head->next, item);
}

/* Aligned to its size: maps twice as much, and unmaps what is before and behind. */
static char *map_chunk(void)
{
	char *all = mmap(NULL, 2 * CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	size_t before;

	if (all == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)all % CHUNK_BYTES;
	if (before)
		munmap(all, before);
	munmap(all + before + CHUNK_BYTES, CHUNK_BYTES - before);
	/* Failures are ignored: both are optional. */
	madvise(all + before, CHUNK_BYTES, MADV_HUGEPAGE);
	madvise(all + before, CHUNK_BYTES, MADV_DONTDUMP);
	return all + before;
}

/* False: out of memory. */
static bool chunk_new(struct audio_slab *slab)
{
	struct audio_chunk *chunk = calloc(1, sizeof *chunk);

	if (!chunk)
		return false;
	chunk->bytes = map_chunk();
	if (!chunk->bytes) {
		free(chunk);
		return false;
	}
	list_init(&chunk->free);
	for (size_t i = 0; i < CHUNK_BLOCKS; i++) {
		struct audio_block *block = &chunk->blocks[i];

		block->chunk = chunk;
		block->bytes = chunk->bytes + i * AUDIO_BLOCK_BYTES;
		list_add(&chunk->free, &block->link);
	}
	ASAN_POISON_MEMORY_REGION(chunk->bytes, CHUNK_BYTES);
	push(&slab->roomy, &chunk->link);
	slab->chunks++;
	slab->empty_chunks++;
	return true;
}

static void chunk_free(struct audio_slab *slab, struct audio_chunk *chunk)
{
	list_remove(&chunk->link);
	slab->chunks--;
	slab->empty_chunks--;
	ASAN_UNPOISON_MEMORY_REGION(chunk->bytes, CHUNK_BYTES);
	munmap(chunk->bytes, CHUNK_BYTES);
	free(chunk);
}

struct audio_block *audio_slab_get(struct audio_slab *slab)
{
	struct audio_chunk *chunk;
	struct audio_block *block;

	if (list_empty(&slab->roomy) && !chunk_new(slab))
		return NULL;
	chunk = list_entry(slab->roomy.next, struct audio_chunk, link);
	block = list_entry(chunk->free.next, struct audio_block, link);
	list_remove(&block->link);
	ASAN_UNPOISON_MEMORY_REGION(block->bytes, AUDIO_BLOCK_BYTES);
	slab->empty_chunks -= chunk->used++ == 0;
	if (list_empty(&chunk->free))
		list_remove(&chunk->link);
	return block;
}

void audio_slab_put(struct audio_slab *slab, struct audio_block *block)
{
	struct audio_chunk *chunk = block->chunk;

	ASAN_POISON_MEMORY_REGION(block->bytes, AUDIO_BLOCK_BYTES);
	push(&chunk->free, &block->link);
	list_remove(&chunk->link);
	push(&slab->roomy, &chunk->link);
	if (--chunk->used)
		return;
	slab->empty_chunks++;
	if (slab->empty_chunks == slab->chunks) {
		list_for_each_entry_safe(struct audio_chunk, empty, &slab->roomy, link)
			chunk_free(slab, empty);
	} else if (slab->empty_chunks > KEPT_CHUNKS) {
		chunk_free(slab, chunk);
	}
}
