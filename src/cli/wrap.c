/* Wraps long lines for a terminal. */
#include "cli/wrap.h"

#define HANGING 2

/* The bytes and columns of the next word, or of the next run of blanks. */
static size_t next_run(const char *s, const char *end, size_t *ret_columns)
{
	bool is_blank = *s == ' ';
	const char *start = s;

	*ret_columns = 0;
	for (; s < end && *s != '\n' && (*s == ' ') == is_blank; s++)
		*ret_columns += ((unsigned char)*s & 0xc0) != 0x80;
	return (size_t)(s - start);
}

static void continue_below(struct wrap *wrap, size_t columns, struct buf *out)
{
	size_t indent = wrap->indent + HANGING;

	if (wrap->has_hang)
		indent = wrap->hang;
	else if (indent > columns / 2)
		indent = HANGING;
	buf_add_char(out, '\n');
	for (size_t i = 0; i < indent; i++)
		buf_add_char(out, ' ');
	wrap->at = indent;
}

void wrap_text(struct wrap *wrap, size_t columns, const char *bytes, size_t len, struct buf *out)
{
	const char *end = bytes + len;
	size_t gap = 0; /* blanks before the next word, if it fits on the line */

	for (const char *s = bytes; s < end;) {
		size_t width, run;

		if (*s == '\n') {
			buf_add_char(out, *s++);
			*wrap = (struct wrap){ .at = 0 };
			gap = 0;
			continue;
		}
		run = next_run(s, end, &width);
		if (*s == ' ') {
			gap += width;
			if (!wrap->has_word)
				wrap->indent += width;
		} else {
			if (wrap->has_word && wrap->at + gap + width > columns) {
				continue_below(wrap, columns, out);
				gap = 0;
			}
			for (; gap; gap--, wrap->at++)
				buf_add_char(out, ' ');
			buf_add(out, s, run);
			wrap->at += width;
			wrap->has_word = true;
		}
		s += run;
	}
	for (; gap; gap--, wrap->at++)
		buf_add_char(out, ' ');
}
