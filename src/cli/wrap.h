/* Wraps lines that are longer than a terminal is wide, at the last blank that fits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

/* The state of the current line of a stream. Zeroed: the line is empty. */
struct wrap {
	size_t at;     /* columns in use */
	size_t indent; /* blanks that the line began with */
	bool has_word;
	bool has_hang; /* lines are continued in column `hang` */
	size_t hang;
};

/* Appends printable UTF-8 with line feeds, in lines of at most so many columns; only a longer word
 * exceeds them. A continued line begins two columns further in than its first one, or in column
 * `hang`. All of bytes is written, and its end ends a word. */
void wrap_text(struct wrap *wrap, size_t columns, const char *bytes, size_t len, struct buf *out);
