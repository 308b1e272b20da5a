/* The listed recordings of a folder one after the other, for reading ahead. */
#pragma once

#include "catalog/recording.h"

/* By name (a listing's order), or by inode: reads all of the folder's index, so ask for many at a
 * time. */
enum catalog_order { CATALOG_ORDER_NAME, CATALOG_ORDER_INODE };
#define CATALOG_ORDER_COUNT 2
/* is_archived: it cannot be read without a restore. A non-zero value ends it and is returned. */
typedef int catalog_after_fn(void *arg, const struct catalog_recording *recording,
			     bool is_archived);
/* The listed recordings that follow this one in its folder. */
int catalog_recordings_after(struct catalog *catalog, int64_t recording_id,
			     enum catalog_order order, size_t limit, catalog_after_fn *fn,
			     void *arg);
/* No listed recording of its folder is before it. */
int catalog_recording_is_first(struct catalog *catalog, int64_t recording_id,
			       enum catalog_order order, bool *ret_is_first);
