/* Lines that are longer than a terminal is wide go on below themselves, from the last blank that fits. */
#ifndef TONICFS_CLI_WRAP_H
#define TONICFS_CLI_WRAP_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

/* Where a stream's line stands. Zeroed: at its beginning. */
struct wrap {
	size_t at;     /* columns that are taken */
	size_t indent; /* blanks that the line began with */
	bool has_word;
};

/* Appends printable UTF-8 with line feeds, in lines of at most so many columns; a longer word has a line of its own. What is continued
 * stands two columns further in than its line began. All of bytes is written, and a word is taken to end with it. */
void wrap_text(struct wrap *wrap, size_t columns, const char *bytes, size_t len, struct buf *out);

#endif
