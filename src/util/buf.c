/* A byte string that grows and remembers a failed allocation. */
#include "util/buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/crypto.h"

#define BUF_MIN_CAPACITY 64

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

void buf_release_secret(struct buf *b)
{
	if (b->data)
		crypto_wipe(b->data, b->capacity);
	buf_release(b);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

int buf_reserve(struct buf *b, size_t extra)
{
	size_t wanted, capacity;
	char *data;

	if (b->failed)
		return -ENOMEM;
	/* capacity counts the NUL */
	if (extra >= SIZE_MAX / 2 - b->len) {
		b->failed = true;
		return -ENOMEM;
	}
	wanted = b->len + extra + 1;
	if (wanted <= b->capacity)
		return 0;

	capacity = b->capacity + b->capacity / 2;
	if (capacity < wanted)
		capacity = wanted;
	if (capacity < BUF_MIN_CAPACITY)
		capacity = BUF_MIN_CAPACITY;
	data = realloc(b->data, capacity);
	if (!data) {
		b->failed = true;
		return -ENOMEM;
	}
	data[b->len] = '\0';
	b->data = data;
	b->capacity = capacity;
	return 0;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (buf_reserve(b, n) < 0)
		return;
	if (n)
		memcpy(b->data + b->len, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vaddf(b, format, args);
	va_end(args);
}

void buf_vaddf(struct buf *b, const char *format, va_list args)
{
	va_list again;
	size_t room;
	int n;

	if (buf_reserve(b, 0) < 0)
		return;
	va_copy(again, args);
	room = b->capacity - b->len;
	n = vsnprintf(b->data + b->len, room, format, args);
	if (n < 0) {
		b->data[b->len] = '\0';
		b->failed = true;
	} else if ((size_t)n < room) {
		b->len += (size_t)n;
	} else {
		b->data[b->len] = '\0';
		if (buf_reserve(b, (size_t)n) == 0) {
			vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
			b->len += (size_t)n;
		}
	}
	va_end(again);
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *buf_detach(struct buf *b)
{
	char *data;

	/* An empty string needs memory, too: NULL means that an allocation failed. */
	if (buf_reserve(b, 0) < 0) {
		buf_release(b);
		return NULL;
	}
	data = b->data;
	*b = (struct buf)BUF_INIT;
	return data;
}
