/*
 * Filters standard output and standard error: only printable text passes, whether a command or a
 * library prints it, and whether it goes to a terminal or not. Names, paths and messages may come
 * from other users and from servers, and could drive a terminal.
 *
 * Line feeds and tabs pass, because layouts need them. Text from elsewhere that must not contain
 * them is cleaned by text_clean() before it is printed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/wrap.h"
#include "util/buf.h"
#include "util/files.h"
#include "util/text.h"

#define SEQUENCE_BYTES 4

struct stream {
	int fd;
	bool is_json;
	char begun[SEQUENCE_BYTES]; /* of a character whose rest comes with the next write */
	size_t begun_len;
	bool is_terminal;
	struct wrap wrap;
};

static struct stream out = { .fd = STDOUT_FILENO }, err = { .fd = STDERR_FILENO };

/* Do the bytes at the end begin a character that the next bytes may complete? */
static bool is_cut_off(const char *s, size_t left)
{
	unsigned char first = (unsigned char)*s;
	size_t len = first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;

	if (left >= len)
		return false;
	for (size_t i = 1; i < left; i++)
		if ((unsigned char)s[i] >> 6 != 2)
			return false;
	return true;
}

/* In JSON it can only be part of a string, and is escaped there; elsewhere it becomes '?'. */
static void add_unprintable(struct buf *clean, uint32_t c, bool is_json)
{
	if (!is_json)
		buf_add_char(clean, '?');
	else if (c < 0x10000)
		buf_addf(clean, "\\u%04x", (unsigned)c);
	else
		buf_addf(clean, "\\u%04x\\u%04x", 0xd800 + (unsigned)((c - 0x10000) >> 10),
			 0xdc00 + (unsigned)(c & 0x3ff));
}

static void clean_bytes(struct stream *stream, const struct buf *bytes, struct buf *clean)
{
	const char *end = bytes->data + bytes->len;

	stream->begun_len = 0;
	for (const char *s = bytes->data; s < end;) {
		uint32_t c = 0xfffd;
		size_t len = text_utf8(s, &c);

		if (len && (text_is_printable(c) || c == '\n' || c == '\t')) {
			buf_add(clean, s, len);
		} else if (!len && is_cut_off(s, (size_t)(end - s))) {
			stream->begun_len = (size_t)(end - s);
			memcpy(stream->begun, s, stream->begun_len);
			return;
		} else {
			add_unprintable(clean, c, stream->is_json);
		}
		s += len ? len : 1;
	}
}

static ssize_t stream_write(void *cookie, const char *data, size_t size)
{
	cleanup_buf struct buf bytes = BUF_INIT, clean = BUF_INIT, wrapped = BUF_INIT;
	const struct buf *text;
	struct stream *stream = cookie;

	buf_add(&bytes, stream->begun, stream->begun_len);
	buf_add(&bytes, data, size);
	if (!buf_failed(&bytes))
		clean_bytes(stream, &bytes, &clean);
	if (stream->is_terminal && !buf_failed(&clean))
		wrap_text(&stream->wrap, cli_columns(stream->fd), buf_str(&clean), clean.len,
			  &wrapped);
	if (buf_failed(&bytes) || buf_failed(&clean) || buf_failed(&wrapped)) {
		errno = ENOMEM;
		return 0;
	}
	text = stream->is_terminal ? &wrapped : &clean;
	return files_write_all(stream->fd, buf_str(text), text->len) ? 0 : (ssize_t)size;
}

static void replace(FILE **file, struct stream *stream, int mode)
{
	FILE *clean = fopencookie(stream, "w", (cookie_io_functions_t){ .write = stream_write });

	/* Nothing has been printed yet, and nothing may be printed without the filter. */
	if (!clean)
		abort();
	setvbuf(clean, NULL, mode, 0);
	stream->is_terminal = isatty(stream->fd);
	*file = clean;
}

void cli_streams_init(void)
{
	replace(&stdout, &out, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF);
	replace(&stderr, &err, _IONBF);
}

void cli_streams_json(void)
{
	out.is_json = true;
}
