/* A set of recordings: one bit for each, by its id in the catalog. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify/verify-private.h"

#define LEAST_BYTES 4096

int marks_set(struct marks *marks, int64_t id)
{
	size_t at = (size_t)id / 8;

	if (at >= marks->size) {
		size_t size = marks->size ? marks->size : LEAST_BYTES;
		uint8_t *bytes;

		while (size <= at)
			size *= 2;
		bytes = realloc(marks->bytes, size);
		if (!bytes)
			return -ENOMEM;
		memset(bytes + marks->size, 0, size - marks->size);
		marks->bytes = bytes;
		marks->size = size;
	}
	marks->bytes[at] |= (uint8_t)(1U << (id % 8));
	return 0;
}

bool marks_has(const struct marks *marks, int64_t id)
{
	size_t at = (size_t)id / 8;

	return at < marks->size && (marks->bytes[at] >> (id % 8) & 1);
}

void marks_release(struct marks *marks)
{
	free(marks->bytes);
	*marks = (struct marks){ NULL, 0 };
}
