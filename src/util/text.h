/* Text from outside: from a remote service, another user or the command line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the UTF-8 sequence at s, and its character. 0: not UTF-8 (overlong, a surrogate,
 * above U+10FFFF, cut off by the NUL). A NUL is a character of one byte. */
size_t text_utf8(const char *s, uint32_t *ret_char);
/* False for C0, DEL and C1 controls, and for format characters that reorder or hide text. */
bool text_is_printable(uint32_t c);
/* In place: '?' for each unprintable character and non-UTF-8 byte. Returns the new length. */
size_t text_clean(char *text);

/* 0 to 15, or -1. */
int text_hex_digit(char c);
/* Undoes percent-encoding in place; '+' is a space. Writes a NUL after the result, at text[n] at
 * the latest. The new length, or -EINVAL. */
ptrdiff_t text_url_decode(char *text, size_t n);
