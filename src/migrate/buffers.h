/* The transfers' buffers. Each is mapped by itself, so that its pages go back to the system at
 * once: a heap would be fragmented by so many sizes. While transfers run, returned buffers are kept
 * for reuse, for a fresh page costs more than reading into it; used and kept ones together stay
 * within the limit. Any thread. */
#pragma once

#include <pthread.h>
#include <stddef.h>

#define BUFFERS_KEPT 64

struct buffer {
	char *bytes; /* NULL: no buffer */
	size_t mapped_bytes;
};

struct buffers {
	pthread_mutex_t mutex;            /* guards the rest */
	size_t limit_bytes, mapped_bytes; /* mapped: in use, and kept */
	unsigned used;
	struct buffer kept[BUFFERS_KEPT]; /* the newest last */
	unsigned kept_count;
};

void buffers_init(struct buffers *buffers, size_t limit_bytes);
/* All buffers have been put back. */
void buffers_release(struct buffers *buffers);
/* At least so many bytes, not zeroed. 0, -ENOMEM. */
int buffers_get(struct buffers *buffers, size_t bytes, struct buffer *ret_buffer);
/* No buffer (zeroed) is fine. */
void buffers_put(struct buffers *buffers, struct buffer *buffer);
