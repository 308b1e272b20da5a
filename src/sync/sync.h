/*
 * Learning what an account has: calls and recordings by listing, changes by listing again, exact sizes by asking for heads of files.
 *
 * Poll     A window of each list: from the oldest call or recording that was not finished when last seen (two days back at most), or from
 *          where the last complete one ended, an hour of overlap in any case, by Twilio's clock. Unbounded at its end.
 * Full     Everything, also the first time: no total is known, so the range of time is split as full pages come, several windows side by
 *          side. Once a day. A recording that no window showed is asked for by its SID, and its derived key is looked up in S3, before it is
 *          believed gone.
 *          Removals are compared with the bucket's tombstones, in both directions: what was removed elsewhere is hidden here, what was removed here
 *          and has no tombstone gets one. The first one after a bucket came into use is a full one.
 *          The first one of all waits for the bucket's tombstones, where there is an enabled bucket: without them it lists nothing.
 * Safety   Every page is one transaction, applying it twice changes nothing, and nothing is remembered as complete before all of it is: killing
 *          it anywhere, or running it twice at once, costs time and no recording. Nothing is ever deleted, here or there.
 * Threads  All functions may be called from any thread; callbacks come from workers' threads, one at a time.
 * Errors   0, or the negative errno of *ret_error. What was learned before a failure stands.
 */
#ifndef TONICFS_SYNC_SYNC_H
#define TONICFS_SYNC_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/sync.h"
#include "net/http.h"
#include "util/cancel.h"
#include "util/remote.h"

struct sync_env {
	struct catalog *catalog;
	struct http *http;
	const struct cancel
		*cancel; /* may be NULL; set, it ends it within a second or so: -ECANCELED */
};

enum sync_depth {
	SYNC_AUTO, /* full where there was none for a day */
	SYNC_POLL, /* incremental; full where there was none yet */
	SYNC_FULL,
};

struct sync_options {
	enum sync_depth depth;
	unsigned threads;          /* windows side by side; 0: 4 */
	unsigned page_pause_msecs; /* after each page: a sweep in the background is in no hurry */
};

/* For people: what recordings that are gone at Twilio, and not in the bucket, probably mean. */
#define SYNC_GONE_ADVICE \
	"Probably another catalog of this account moves recordings to another bucket or prefix: " \
	"set the same with 'tonicfs storage set' here, then run 'tonicfs sync --full' and " \
	"'tonicfs verify --repair'. Else somebody deleted them at Twilio."

struct sync_stats {
	bool is_full;
	int64_t calls_seen, recordings_seen; /* rows, overlaps counted twice */
	unsigned pages, windows_done, windows_failed, windows_total;
	struct catalog_apply_stats applied;
	int64_t calls_fetched; /* that a recording named and no list showed */
	int64_t recordings_gone, recordings_found_in_s3;
	int64_t calls_cut;         /* a number, direction or status of theirs was too long */
	int64_t removed_elsewhere; /* hidden: the bucket says that another machine has removed them */
	int64_t undecided; /* could be neither confirmed nor denied now: asked again by the next
			      full one */
};

/* At most ten times a second. */
typedef void sync_progress_fn(void *arg, const struct sync_stats *stats);

/* One synchronisation of one workspace. options NULL: defaults. 0: complete. An error with
 * ret_stats->pages > 0: in part. progress may be NULL. ret_error may hold REMOTE_OK with an error
 * that is the catalog's (-ENOSPC …) or -ENOENT (no such workspace). */
int sync_workspace(const struct sync_env *env, int64_t workspace_id,
		   const struct sync_options *options, sync_progress_fn *progress, void *arg,
		   struct sync_stats *ret_stats, struct remote_error *ret_error);

/* Learns exact sizes of listed recordings, folders that somebody looks at first, a few at a time,
 * slower where Twilio says 429. Keeps in memory what failed, to try it again later. */
struct sync_sizer;
int sync_sizer_new(const struct sync_env *env, struct sync_sizer **ret_sizer);
void sync_sizer_free(struct sync_sizer *sizer);
/* One batch. *ret_learned: sizes learned; *ret_left: whether there was more to do at once. Pauses
 * that Twilio asks for are made here. */
int sync_sizer_step(struct sync_sizer *sizer, int64_t *ret_learned, bool *ret_left);
/* All there are now. 0; else why some of them could not be learned. */
int sync_sizes(const struct sync_env *env, int64_t *ret_learned);

/* The background work of a mounted process: polls each workspace at its interval, sweeps daily,
 * learns sizes, asks for what callbacks have named. With several processes on one catalog one of
 * them polls a workspace at a time. Logs by itself. */
struct sync_service;
int sync_service_start(struct catalog *catalog, struct http *http,
		       struct sync_service **ret_service);
void sync_service_stop(struct sync_service *service); /* ends and waits; NULL is fine */

#endif
