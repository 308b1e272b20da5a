/* Numbers of recordings, jobs and deletes. Those of recordings come from counters, never from a
 * scan. */
#pragma once

#include "catalog/queue.h"

struct catalog_counts { /* of listed recordings */
	int64_t none, queued, running, paused, done, failed;
	int64_t bytes;          /* of all of these; where a size is not known, by the duration */
	int64_t todo_bytes;     /* of those queued and running, estimated likewise */
	int64_t done_bytes;     /* of those done */
	int64_t cleanup_queued; /* deletes at Twilio that wait */
};
int catalog_counts_get(struct catalog *catalog, struct catalog_scope scope,
		       struct catalog_counts *ret_counts);
/* For polling: the sums of several scopes, of which none is inside another, from counters alone.
 * cleanup_queued is left out (0). *ret_moved_bytes: what of todo_bytes has been moved, as far as
 * workers have reported. */
int catalog_progress_get(struct catalog *catalog, const struct catalog_scope *scopes, size_t count,
			 struct catalog_counts *ret_counts, int64_t *ret_moved_bytes);
/* Of one recording, for the attribute: state, percent while running, reason when failed. */
int catalog_migrate_status(struct catalog *catalog, int64_t recording_id,
			   enum catalog_migration *ret_migration, int *ret_percent,
			   char ret_reason[CATALOG_REASON_SIZE]);

struct catalog_status {
	/* By enum catalog_state: listed recordings; of MISSING and DELETED all. */
	int64_t by_state[CATALOG_STATE_COUNT];
	int64_t bytes_by_state[CATALOG_STATE_COUNT];
	int64_t calls;
	struct catalog_counts counts;
	int64_t deletes_queued, deletes_failed; /* policy's */
	int64_t tombstones_queued;              /* notes of removed recordings in the bucket */
	int64_t sizes_unknown;
};
int catalog_status_get(struct catalog *catalog, struct catalog_scope scope,
		       struct catalog_status *ret_status);
