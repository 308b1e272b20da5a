/* Arrays that grow at their end. */
#include "util/array.h"

#include <stdlib.h>

#define CAPACITY_MIN 4

/* 0: it overflows. */
static size_t capacity(size_t count)
{
	size_t size = CAPACITY_MIN;

	while (size && size < count)
		size *= 2;
	return size;
}

void *array_grow(void *items, size_t count, size_t more, size_t item_size)
{
	size_t wanted, bytes;

	if (__builtin_add_overflow(count, more, &wanted))
		return NULL;
	wanted = capacity(wanted);
	if (items && count && wanted == capacity(count))
		return items;
	if (!wanted || __builtin_mul_overflow(wanted, item_size, &bytes))
		return NULL;
	return realloc(items, bytes);
}
