/* Arrays that grow at their end. The capacity follows from the count (a power of two), so that a
 * pointer and a count, both zero at first, are all an array needs. Its items may move with each
 * call; it is freed by free(). */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* `items` with room for `count + more` of them; NULL: no memory, and nothing has changed. */
void *array_grow(void *items, size_t count, size_t more, size_t item_size);

/*
 * Appends `more` zeroed items to the array *items of *count, and points to the first of them.
 * NULL: no memory, and nothing has changed.
 *
 *	struct entry *entry = array_add(&list->entries, &list->count);
 */
#define array_add_many(items, count, more) \
	({ \
		size_t array_old = *(count), array_more = (more); \
		void *array_items = array_grow(*(items), array_old, array_more, sizeof **(items)); \
		if (array_items) { \
			*(items) = array_items; \
			memset(*(items) + array_old, 0, array_more * sizeof **(items)); \
			*(count) += array_more; \
		} \
		array_items ? *(items) + array_old : NULL; \
	})
#define array_add(items, count) array_add_many(items, count, 1)

/* Appends a copy of *item, which is not in the array itself. 0 or -ENOMEM. */
#define array_push(items, count, item) \
	({ \
		__typeof__(*(items)) array_slot = array_add(items, count); \
		if (array_slot) \
			*array_slot = *(item); \
		array_slot ? 0 : -ENOMEM; \
	})
