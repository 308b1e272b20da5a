/* Recordings by what decides on their price; for `tonicfs cost`. Reads every recording of the
 * workspace: seconds for a million. */
#pragma once

#include "catalog/catalog.h"

struct catalog_cost_row {
	int64_t folder_id;
	bool at_twilio, in_s3;
	char storage_class[32]; /* "" where not in_s3 */
	int64_t age_days;       /* since it was stored; 0 where not in_s3 */
	int64_t recordings;
	int64_t minutes;         /* started ones, of each recording */
	int64_t unknown_minutes; /* recordings whose duration is not known; not among the minutes */
	int64_t size_bytes;      /* where the size is not known, by the duration */
};
typedef int catalog_cost_fn(void *arg, const struct catalog_cost_row *row);
/* small_bytes: smaller ones come in rows of their own. */
int catalog_cost_each(struct catalog *catalog, int64_t workspace_id, int64_t small_bytes,
		      catalog_cost_fn *fn, void *arg);
