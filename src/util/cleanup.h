/* Release at the end of a scope: `cleanup_free char *s = NULL;` frees s however the scope is left.
 * steal_pointer() and steal_fd() hand ownership on. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_freep(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fdp(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_filep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define cleanup_with(fn) __attribute__((cleanup(fn)))
#define cleanup_free cleanup_with(cleanup_freep)
#define cleanup_fd cleanup_with(cleanup_fdp)
#define cleanup_file cleanup_with(cleanup_filep)

#define steal_pointer(pp) \
	({ \
		__auto_type steal_value = *(pp); \
		*(pp) = NULL; \
		steal_value; \
	})

static inline int steal_fd(int *fd)
{
	int value = *fd;

	*fd = -1;
	return value;
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
