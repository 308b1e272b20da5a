/*
 * JSON (RFC 8259) read in place, value by value: no tree, no copies. Pages of lists are megabytes
 * of which a tenth is needed; building a tree would cost more than all other work on them.
 *
 * The text is changed: strings lose their escapes and get a NUL. It must be followed by a NUL.
 * Accepts more than the standard where that is free: control characters in strings, malformed
 * numbers that are not read, half surrogate pairs (U+FFFD).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum scan_type {
	SCAN_BAD, /* not JSON */
	SCAN_NULL,
	SCAN_TRUE,
	SCAN_FALSE,
	SCAN_NUMBER,
	SCAN_STRING,
	SCAN_ARRAY,
	SCAN_OBJECT,
};

struct scan {
	char *at, *end;
};

/* A string without its escapes (a \u0000 ends it, too), or the first digit or sign of a number;
 * "" for all others. */
struct scan_value {
	enum scan_type type;
	const char *text;
};

void scan_init(struct scan *scan, char *text, size_t len);
/* Reads the next value; of an array or object only the opening bracket: continue with
 * scan_element, scan_member or scan_skip. */
struct scan_value scan_value(struct scan *scan);
/* Inside an array or object: 1: another element or member follows (its value is next); 0: the
 * end; -EINVAL. Start with *is_first true. */
int scan_element(struct scan *scan, bool *is_first);
int scan_member(struct scan *scan, bool *is_first, const char **ret_name);
/* Skips the rest of a value after scan_value. 0 or -EINVAL. */
int scan_skip(struct scan *scan, enum scan_type type);
/* Only white space is left. */
bool scan_is_over(struct scan *scan);
