/* Shared by the files of this room, and by its tests. */
#pragma once

#include <pthread.h>

#include "aws/s3.h"
#include "catalog/storage.h"
#include "catalog/workspace.h"
#include "sync/sync.h"
#include "twilio/twilio.h"

#define SYNC_DAY_SECS 86400
#define SYNC_OVERLAP_SECS 3600

/* ---- plan.c: pure, no clock, no catalog ---- */

/* The begin of a poll's window; 0 (everything) for listed_until_secs 0. */
int64_t sync_plan_since(int64_t listed_until_secs, int64_t oldest_unfinished_secs);
/* Whether a full sync is due: there was none, or it is a day old, or in the future. */
bool sync_plan_full_is_due(const struct catalog_sync_state *state, int64_t now_secs);

/* The pause after a number of failures: doubled with each one. */
int64_t sync_plan_backoff(int64_t first_msecs, unsigned failures, int64_t limit_msecs);

#define SYNC_MAX_PARTS 32
/* Splits a window (0: unbounded) at midnights into at most `parts` windows that cover it, oldest
 * first, with an hour of overlap. Everything (0, 0) is split into months, whatever `parts` is. The
 * number of windows; 0: too short to split. */
size_t sync_plan_split(const struct twilio_window *window, size_t parts, int64_t now_secs,
		       struct twilio_window ret_windows[SYNC_MAX_PARTS]);

/* sids.c: a set of SIDs */
struct sync_sids {
	struct sid *values;
	size_t count;
	bool is_sorted;
};
int sync_sids_add(struct sync_sids *sids, const struct sid *sid); /* 0 or -ENOMEM */
void sync_sids_sort(struct sync_sids *sids);                      /* after the last one is added */
bool sync_sids_has(const struct sync_sids *sids, const struct sid *sid);
void sync_sids_release(struct sync_sids *sids);

/* session.c: a workspace's clients */
struct sync_session {
	const struct sync_env *env;
	struct catalog_workspace workspace;
	struct catalog_storage storage; /* valid if s3 is not NULL */
	struct twilio_client *twilio;
	struct s3_client *s3; /* NULL: no storage settings */
};
/* total_timeout_msecs: of each operation; 0: the default. -ENOENT: no workspace, or a removed one. */
int sync_session_open(const struct sync_env *env, int64_t workspace_id,
		      unsigned total_timeout_msecs, struct sync_session **ret_session);
void sync_session_close(struct sync_session *session);

/* convert.c: from Twilio's structs to the catalog's */
void sync_convert_recording(const struct twilio_recording *recording,
			    struct catalog_recording_input *ret_input);
void sync_convert_call(const struct twilio_call *call, struct catalog_call_input *ret_input);

/* ---- fetch.c: fetches single resources and writes them to the catalog. An error of the catalog
 * leaves REMOTE_OK in *ret_error. ---- */

/* 0: the call is in the catalog under the given SID; a child leg has its parent's values. */
int sync_fetch_call(struct sync_session *session, const struct sid *sid,
		    struct remote_error *ret_error);
struct sync_fetched {
	bool is_completed, is_deleted;
	struct sid call_sid;
};
/* 0: the recording is in the catalog. A deleted recording is not written: listings judge those. */
int sync_fetch_recording(struct sync_session *session, const struct sid *sid,
			 struct sync_fetched *ret_found, struct remote_error *ret_error);

enum sync_fate { SYNC_FATE_STAYS, SYNC_FATE_GONE, SYNC_FATE_FOUND_IN_S3, SYNC_FATE_UNDECIDED };
/* Finds out what became of a recording that Twilio does not list any more or reports as deleted
 * (is_deleted: Twilio is not asked again), and updates the catalog. */
enum sync_fate sync_check_recording(struct sync_session *session, const struct sid *sid,
				    bool is_deleted, int *ret_err, struct remote_error *ret_error);

/* callbacks.c: fetches recordings that callbacks have named, until it is cancelled. */
void sync_callbacks_run(const struct sync_env *env);

/* ---- tombstones.c: recordings that were removed, here or elsewhere ---- */

struct sync_run;
struct sync_tombstones {
	pthread_mutex_t lock;       /* guards the rest */
	struct sync_sids sids;      /* sorted once is_loaded */
	unsigned asked;             /* number of single requests */
	bool is_loaded, is_partial; /* partial: the list ended with an error */
	bool is_unavailable;        /* S3 did not answer: no tombstone is known */
};
/* Lists all tombstones. A failure is noted in the run. is_first: nothing has been listed yet, and
 * a failure ends the run. False: the bucket is enabled, but not all tombstones are known. */
bool sync_tombstones_load(struct sync_run *run, bool is_first);
/* All tombstones were listed, and the recording has none. */
bool sync_tombstones_rule_out(struct sync_run *run, const struct sid *sid);
/* Whether a recording that is new to the catalog has a tombstone. Sends a request if tombstones
 * were not listed, and lists them after too many requests. If S3 fails, the recording counts as not
 * removed. */
bool sync_tombstone_is_there(struct sync_run *run, const struct sid *sid);

/* ---- run.c: one synchronisation ---- */

struct sync_run {
	struct sync_session *session;
	struct sync_options options;
	sync_progress_fn *progress;
	void *progress_arg;
	struct sync_tombstones tombstones;

	/* Serialises the writing of pages: in a shared commit each page would be a savepoint, whose
	 * journal SQLite scans again for every row. */
	pthread_mutex_t write_lock;

	pthread_mutex_t lock; /* guards what follows */
	struct sync_stats stats;
	struct sync_sids seen; /* listed recordings (full sync only) */
	struct sync_check {
		struct sid sid;
		bool is_deleted;
	} *checks; /* recordings to be checked */
	size_t check_count;
	int err; /* the first failure */
	struct remote_error error;
	int64_t progress_msecs;

	/* The plan */
	struct catalog_sync_state state;                 /* before the run */
	int64_t calls_since_secs, recordings_since_secs; /* listed from then on; 0: everything */
	int64_t began_secs, began_mono_msecs;            /* by our clocks */
	bool calls_complete, recordings_complete;        /* all was listed */
};
/* Remembers the first failure (err 0: none); a real one replaces a cancellation. error NULL: of the
 * catalog. */
void sync_run_fail(struct sync_run *run, int err, const struct remote_error *error);
/* The lock is held. */
void sync_run_fail_locked(struct sync_run *run, int err, const struct remote_error *error);
void sync_run_progress(struct sync_run *run, bool is_urgent);
int sync_run_add_check(struct sync_run *run, const struct sid *sid, bool is_deleted);

/* classes.c: learns the storage class of every object. A failure is noted in the run. */
void sync_classes(struct sync_run *run);

/* list.c: lists calls and recordings as planned. Failures are noted in the run. */
void sync_list(struct sync_run *run);
