/* Exact sizes of files: learned in the background, folders that somebody looks at first. */
#pragma once

#include "catalog/recording.h"

struct catalog_size {
	int64_t recording_id, size_bytes;
	int channels_requested, channels_stored;
};
int catalog_sizes_set(struct catalog *catalog, const struct catalog_size *sizes, size_t count);
/* Cheap; of this process, not stored. */
void catalog_folder_want_sizes(struct catalog *catalog, int64_t folder_id);
/* Listed recordings of unknown size, those of wanted folders first, at most limit. workspace_id 0:
 * any. */
int catalog_sizes_unknown(struct catalog *catalog, int64_t workspace_id, size_t limit,
			  catalog_recording_fn *fn, void *arg);
