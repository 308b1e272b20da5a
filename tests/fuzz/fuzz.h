/*
 * What the fuzzers share. A target is one file, fuzz_NAME.c, with its seeds, and the inputs that
 * once crashed it, in corpus/NAME. It must end for every input, and what it is told must hold.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* As assert, whatever NDEBUG says. */
#define MUST(condition) \
	do { \
		if (!(condition)) \
			__builtin_trap(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy with a NUL behind it, of exactly that size, so that a step too far is seen. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}
