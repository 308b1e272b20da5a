/*
 * JSON (RFC 8259) read in place, value by value: no tree, no copies. Pages of lists are megabytes
 * of which a tenth is wanted; a tree of them costs more than everything else that is done with
 * them.
 *
 * The text is changed: strings lose their escapes and get a NUL. It must have a NUL behind its last
 * byte, too. More tolerant than the standard where that costs nothing: control characters in
 * strings, odd numbers that nobody reads, half surrogate pairs (U+FFFD).
 */
#ifndef TONICFS_TWILIO_SCAN_H
#define TONICFS_TWILIO_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum scan_type {
	SCAN_BAD, /* no JSON */
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

/* A string without its escapes (a \u0000 ends it, too), or a number's first digit or sign; "" for
 * all others. */
struct scan_value {
	enum scan_type type;
	const char *text;
};

void scan_init(struct scan *scan, char *text, size_t len);
/* The next value. Of an array or object only the bracket is read: go on with scan_element or
 * scan_member, or scan_skip. */
struct scan_value scan_value(struct scan *scan);
/* Inside an array, object: 1 where another element, member follows (its value is next), 0 behind
 * the last, -EINVAL. Start with *is_first true. */
int scan_element(struct scan *scan, bool *is_first);
int scan_member(struct scan *scan, bool *is_first, const char **ret_name);
/* The rest of a value that scan_value has begun. 0 or -EINVAL. */
int scan_skip(struct scan *scan, enum scan_type type);
/* Nothing but white space is left. */
bool scan_is_over(struct scan *scan);

#endif
