/* Buffers of the transfers: mapped one by one, kept for reuse while transfers run. */
#include "migrate/buffers.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

/* A kept buffer is reused for a size that is at most a sixteenth smaller. */
#define ROUND_BYTES ((size_t)64 << 10)
#define SLACK_DIVISOR 16

void buffers_init(struct buffers *buffers, size_t limit_bytes)
{
	memset(buffers, 0, sizeof *buffers);
	pthread_mutex_init(&buffers->mutex, NULL);
	buffers->limit_bytes = limit_bytes;
}

/* ---- with the mutex held ---- */

static void unmap(struct buffers *buffers, struct buffer *buffer)
{
	munmap(buffer->bytes, buffer->mapped_bytes);
	buffers->mapped_bytes -= buffer->mapped_bytes;
	buffer->bytes = NULL;
}

static void remove_kept(struct buffers *buffers, unsigned i)
{
	buffers->kept_count--;
	memmove(&buffers->kept[i], &buffers->kept[i + 1],
		(buffers->kept_count - i) * sizeof *buffers->kept);
}

/* Unmaps kept buffers, the oldest first, until so many more bytes are within the limit. */
static void make_room(struct buffers *buffers, size_t bytes)
{
	while (buffers->kept_count && buffers->mapped_bytes + bytes > buffers->limit_bytes) {
		unmap(buffers, &buffers->kept[0]);
		remove_kept(buffers, 0);
	}
}

static bool take_kept(struct buffers *buffers, size_t bytes, struct buffer *ret_buffer)
{
	for (unsigned i = buffers->kept_count; i-- > 0;) {
		size_t mapped = buffers->kept[i].mapped_bytes;

		if (mapped < bytes || mapped > bytes + bytes / SLACK_DIVISOR)
			continue;
		*ret_buffer = buffers->kept[i];
		remove_kept(buffers, i);
		return true;
	}
	return false;
}

/* ---- for transfers ---- */

void buffers_release(struct buffers *buffers)
{
	make_room(buffers, buffers->limit_bytes);
	pthread_mutex_destroy(&buffers->mutex);
}

int buffers_get(struct buffers *buffers, size_t bytes, struct buffer *ret_buffer)
{
	size_t rounded = (bytes + ROUND_BYTES - 1) / ROUND_BYTES * ROUND_BYTES;
	void *pages;
	int err = 0;

	ret_buffer->bytes = NULL;
	pthread_mutex_lock(&buffers->mutex);
	if (!take_kept(buffers, rounded, ret_buffer)) {
		make_room(buffers, rounded);
		pages = mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
		if (pages == MAP_FAILED) {
			err = -ENOMEM;
		} else {
			*ret_buffer = (struct buffer){ pages, rounded };
			buffers->mapped_bytes += rounded;
		}
	}
	buffers->used += err == 0;
	pthread_mutex_unlock(&buffers->mutex);
	return err;
}

void buffers_put(struct buffers *buffers, struct buffer *buffer)
{
	if (!buffer->bytes)
		return;
	pthread_mutex_lock(&buffers->mutex);
	buffers->used--;
	if (buffers->kept_count < BUFFERS_KEPT && buffers->mapped_bytes <= buffers->limit_bytes)
		buffers->kept[buffers->kept_count++] = *buffer;
	else
		unmap(buffers, buffer);
	/* No transfer runs: keep no memory. */
	if (!buffers->used)
		make_room(buffers, buffers->limit_bytes);
	buffer->bytes = NULL;
	pthread_mutex_unlock(&buffers->mutex);
}
