/*
 * Learns what an account has: calls and recordings by listing, changes by listing again, sizes by
 * requesting the heads of files.
 *
 * Poll     Lists one window of calls and one of recordings. It begins at the oldest call or
 *          recording that was unfinished when last seen (two days back at most), else where the
 *          last complete window ended, with an hour of overlap, by Twilio's clock. It has no end.
 * Full     Lists everything: the first time, and once a day. The total is not known in advance, so
 *          the time range is split as full pages arrive; several windows are listed in parallel.
 *          A recording that no window showed is requested by its SID and looked up in S3 by its
 *          derived key before it counts as gone. Removals are compared with the bucket's tombstones
 *          in both directions: recordings removed elsewhere are hidden here, and recordings removed
 *          here get a tombstone if they have none. The first sync after a bucket came into use is
 *          a full one. The very first sync of a workspace with an enabled bucket waits for the
 *          tombstones; without them it lists nothing.
 * Safety   Each page is one transaction, and applying it twice changes nothing. The end of a window
 *          is stored only when all of it is complete. So a kill, or two runs at once, cost time
 *          but no recording. Nothing is ever deleted, neither here nor at Twilio.
 * Threads  All functions may be called from any thread; callbacks come from worker threads, one at
 *          a time.
 * Errors   0, or the negative errno of *ret_error. Changes made before a failure stand.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "catalog/sync.h"
#include "net/http.h"
#include "util/cancel.h"
#include "util/remote.h"

struct sync_env {
	struct catalog *catalog;
	struct http *http;
	const struct cancel *cancel; /* may be NULL; when set, runs end in a second: -ECANCELED */
};

enum sync_depth {
	SYNC_AUTO, /* full if the last full one is a day old */
	SYNC_POLL, /* incremental; full if there was none yet */
	SYNC_FULL,
};

struct sync_options {
	enum sync_depth depth;
	unsigned threads;          /* windows in parallel; 0: 4 */
	unsigned page_pause_msecs; /* after each page: slows a background sweep */
};

/* Advice to the user when recordings are neither at Twilio nor in the bucket. */
#define SYNC_GONE_ADVICE \
	"Probably another catalog of this account moves recordings to another bucket or prefix: " \
	"set the same with 'tonicfs storage set' here, then run 'tonicfs sync --full' and " \
	"'tonicfs verify --repair'. Else somebody deleted them at Twilio."

struct sync_stats {
	bool is_full;
	int64_t calls_seen, recordings_seen; /* rows; overlaps count twice */
	unsigned pages, windows_done, windows_failed, windows_total;
	struct catalog_apply_stats applied;
	int64_t calls_fetched; /* named by a recording, not listed */
	int64_t recordings_gone, recordings_found_in_s3;
	int64_t calls_cut;         /* with a number, direction or status that was too long */
	int64_t removed_elsewhere; /* hidden because the bucket has a tombstone */
	int64_t undecided;         /* a request failed: retried by the next full sync */
};

/* Called at most ten times a second. */
typedef void sync_progress_fn(void *arg, const struct sync_stats *stats);

/* Synchronises one workspace. options NULL: defaults; progress may be NULL. 0: complete. An error
 * with ret_stats->pages > 0: partly done. An error of the catalog (-ENOSPC …) or -ENOENT (no such
 * workspace) leaves REMOTE_OK in *ret_error. */
int sync_workspace(const struct sync_env *env, int64_t workspace_id,
		   const struct sync_options *options, sync_progress_fn *progress, void *arg,
		   struct sync_stats *ret_stats, struct remote_error *ret_error);

/* Learns exact sizes of listed recordings, a few in parallel; folders that are in use come first.
 * Slows down when Twilio answers 429. Remembers failures in memory and retries them later. */
struct sync_sizer;
int sync_sizer_new(const struct sync_env *env, struct sync_sizer **ret_sizer);
void sync_sizer_free(struct sync_sizer *sizer);
/* Does one batch, including pauses that Twilio asks for. *ret_learned: sizes learned; *ret_left:
 * more can be done now. */
int sync_sizer_step(struct sync_sizer *sizer, int64_t *ret_learned, bool *ret_left);
/* Learns all sizes. 0, or the reason why some are still unknown. */
int sync_sizes(const struct sync_env *env, int64_t *ret_learned);

/* The background work of a mounted process: polls each workspace at its interval, sweeps daily,
 * learns sizes, fetches recordings that callbacks have named. Of several processes on one catalog,
 * one polls a workspace at a time. Logs by itself. */
struct sync_service;
int sync_service_start(struct catalog *catalog, struct http *http,
		       struct sync_service **ret_service);
void sync_service_stop(struct sync_service *service); /* ends it and waits; NULL is fine */
