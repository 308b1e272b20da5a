/* Changes that mounts announce to the kernel, in order. Kept for an hour. */
#pragma once

#include "catalog/catalog.h"

enum catalog_change_kind {
	CATALOG_CHANGE_ENTRY_GONE, /* name left parent (removed, or moved to another folder) */
	CATALOG_CHANGE_ATTRIBUTES, /* size learned or corrected */
	CATALOG_CHANGE_CONTENT,    /* cached bytes of the file may be wrong */
};
struct catalog_change {
	int64_t seq;
	enum catalog_change_kind kind;
	uint64_t inode, parent;
	char name[CATALOG_NAME_SIZE];     /* with numbers */
	char sid_name[CATALOG_NAME_SIZE]; /* without */
};
/* A non-zero value ends it and is returned. */
typedef int catalog_change_fn(void *arg, const struct catalog_change *change);
int catalog_change_last(struct catalog *catalog, int64_t *ret_seq);
int catalog_change_each(struct catalog *catalog, int64_t after_seq, catalog_change_fn *fn,
			void *arg);
