/*
 * The transfers' buffers. Pages of their own, which go back to the system at once: a heap would keep
 * what so many sizes leave between them. While others are in use those that come back are kept for
 * the next, for a fresh page costs more than what is read into it; all of them together are never
 * more than the limit because of that. Any thread.
 */
#ifndef TONICFS_MIGRATE_BUFFERS_H
#define TONICFS_MIGRATE_BUFFERS_H

#include <pthread.h>
#include <stddef.h>

#define BUFFERS_KEPT 64

struct buffer {
	char *bytes; /* NULL: none */
	size_t mapped_bytes;
};

struct buffers {
	pthread_mutex_t mutex;            /* guards the rest */
	size_t limit_bytes, mapped_bytes; /* mapped: given out, and kept */
	unsigned used;
	struct buffer kept[BUFFERS_KEPT]; /* the latest last */
	unsigned kept_count;
};

void buffers_init(struct buffers *buffers, size_t limit_bytes);
/* All of them must have come back. */
void buffers_release(struct buffers *buffers);
/* At least so many bytes, with whatever is in them. -ENOMEM. */
int buffers_get(struct buffers *buffers, size_t bytes, struct buffer *ret_buffer);
/* None is fine. */
void buffers_put(struct buffers *buffers, struct buffer *buffer);

#endif
