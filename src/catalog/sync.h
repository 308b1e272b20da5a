/*
 * Between sync and the catalog: rows from Twilio's lists go in, open questions come out.
 *
 * Pages may come in any order, and twice: the catalog ends up the same.
 */
#pragma once

#include "catalog/recording.h"

struct catalog_call_input {
	struct sid sid;
	const char *from, *to, *direction, *status; /* "" where null */
	int64_t start_secs, date_created_secs;      /* 0 where null; date_created replaces start */
	int64_t duration_secs;                      /* -1 where null */
	bool is_finished;
};
struct catalog_recording_input {
	struct sid sid;
	struct sid call_sid; /* zero: a conference without a call; the recording's own start and
				"anonymous" are used */
	bool is_completed, is_deleted, is_absent; /* of Twilio's status */
	bool is_removed; /* another machine removed it, as a tombstone says: noted, never a file */
	bool is_encrypted;
	bool is_unvouched; /* neither Twilio nor its call log knows it; noted for good */
	enum catalog_kind kind;
	int64_t duration_secs; /* -1: null */
	int64_t date_created_secs, start_time_secs;
	int channels; /* as the resource says; only a hint */
	/* NULL or "" where not encrypted: */
	const char *encryption_key_sid, *encryption_cek, *encryption_iv;
};
struct catalog_apply_stats {
	int64_t calls_new, calls_changed;
	int64_t recordings_new, recordings_changed, recordings_listed, recordings_unlisted;
};
void catalog_apply_stats_add(struct catalog_apply_stats *to,
			     const struct catalog_apply_stats *more);
/* A page of the call list, in one transaction; child legs must be left out. Sets each call's folder
 * by its tracking number, and lists recordings that came before their call. A call whose entry was
 * removed stays removed. Adds to *stats (may be NULL). */
int catalog_calls_apply(struct catalog *catalog, int64_t workspace_id,
			const struct catalog_call_input *calls, size_t count,
			struct catalog_apply_stats *stats);
/* A page of the recording list, likewise. DELETED recordings stay DELETED. is_deleted is believed,
 * because Twilio says it of itself: see catalog_recording_gone. With migrate_new and an enabled
 * bucket, newly listed ones are queued. */
int catalog_recordings_apply(struct catalog *catalog, int64_t workspace_id,
			     const struct catalog_recording_input *recordings, size_t count,
			     struct catalog_apply_stats *stats);

/* Calls that a recording names and no list has shown yet, at most limit. */
int catalog_calls_unknown(struct catalog *catalog, int64_t workspace_id, size_t limit,
			  catalog_sid_fn *fn, void *arg);
/* Twilio does not know the call: its recordings are listed with what they know themselves. */
int catalog_call_unavailable(struct catalog *catalog, const struct sid *call_sid);
/* Start of the oldest call, and date_created of the oldest recording, that was not finished when
 * last seen; 0: there is none. */
int catalog_oldest_unfinished(struct catalog *catalog, int64_t workspace_id, int64_t *ret_call_secs,
			      int64_t *ret_recording_secs);
/* Every recording that is believed to be at Twilio (TWILIO, and UPLOADING), created in
 * [since, until). */
int catalog_recordings_at_twilio(struct catalog *catalog, int64_t workspace_id, int64_t since_secs,
				 int64_t until_secs, catalog_recording_fn *fn, void *arg);
/* Asked by its SID, Twilio says that the recording is deleted or not there, and its derived key in
 * S3 has no object. TWILIO becomes MISSING and leaves the tree. STORED becomes S3. -ESTALE: the
 * state has changed (a transfer runs, or it was deleted): nothing changed. */
int catalog_recording_gone(struct catalog *catalog, int64_t id);

/* The state that polls of a workspace keep. All 0 at first. */
struct catalog_sync_state {
	int64_t last_poll_secs;    /* a complete incremental poll began */
	int64_t last_sweep_secs;   /* a complete full sweep began */
	int64_t listed_until_secs; /* everything created before is in the catalog */
};
int catalog_sync_state_get(struct catalog *catalog, int64_t workspace_id,
			   struct catalog_sync_state *ret_state);
int catalog_sync_state_set(struct catalog *catalog, int64_t workspace_id,
			   const struct catalog_sync_state *state);
