/* Growing byte string, always followed by a NUL that len does not count. An allocation that failed
 * is remembered: the adders become no-ops and buf_failed() tells, so that a caller checks once at
 * the end. Not thread-safe. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL only while nothing was ever added */
	size_t len;
	size_t capacity;
	bool failed;
};

#define BUF_INIT { NULL, 0, 0, false }
#define cleanup_buf __attribute__((cleanup(buf_release)))
#define cleanup_buf_secret __attribute__((cleanup(buf_release_secret)))

void buf_release(struct buf *b);
/* As buf_release, but overwrites the bytes with zeros first. Growing leaves copies behind:
 * reserve the final size before anything secret is added. */
void buf_release_secret(struct buf *b);
void buf_reset(struct buf *b);                /* len = 0, the memory is kept, failed is cleared */
int buf_reserve(struct buf *b, size_t extra); /* 0 or -ENOMEM */
void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
/* The string, "" when empty; owned by b. */
const char *buf_str(const struct buf *b);
static inline bool buf_failed(const struct buf *b)
{
	return b->failed;
}
/* Gives the memory to the caller (free()) and leaves b empty; NULL when an allocation had failed. */
char *buf_detach(struct buf *b);
