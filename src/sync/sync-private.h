/* What the files of this room share; the planning is exposed for tests. */
#ifndef TONICFS_SYNC_SYNC_PRIVATE_H
#define TONICFS_SYNC_SYNC_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/s3.h"
#include "catalog/storage.h"
#include "catalog/workspace.h"
#include "sync/sync.h"
#include "twilio/twilio.h"

#define SYNC_DAY_SECS 86400
#define SYNC_OVERLAP_SECS 3600
#define SYNC_THREADS 4

/* ---- plan.c: pure, no clock, no catalog ---- */

/* Where a poll's window begins. listed_until 0: 0 (everything). */
int64_t sync_plan_since(int64_t listed_until_secs, int64_t oldest_unfinished_secs);
/* A full one is due: never made, a day old, or from the future. */
bool sync_plan_full_is_due(const struct catalog_sync_state *state, int64_t now_secs);

#define SYNC_MAX_PARTS 32
/* Splits a window (0: not bounded) at midnights into at most `parts` smaller ones that cover it,
 * oldest first, overlapping by an hour; everything (0, 0) into months whatever parts is. Returns
 * how many; 0: it is too short to split. */
size_t sync_plan_split(const struct twilio_window *window, size_t parts, int64_t now_secs,
		       struct twilio_window ret_windows[SYNC_MAX_PARTS]);

/* ---- sids.c: a set of SIDs ---- */

struct sync_sids {
	struct sid *values;
	size_t count;
	bool is_sorted;
};
int sync_sids_add(struct sync_sids *sids, const struct sid *sid); /* 0 or -ENOMEM */
void sync_sids_sort(struct sync_sids *sids);                      /* once all are added */
bool sync_sids_has(const struct sync_sids *sids, const struct sid *sid);
void sync_sids_release(struct sync_sids *sids);

/* ---- session.c: a workspace's clients ---- */

struct sync_session {
	const struct sync_env *env;
	struct catalog_workspace workspace;
	struct catalog_storage storage; /* where s3 is not NULL */
	struct twilio_client *twilio;
	struct s3_client *s3; /* NULL: no storage set */
};
/* total_timeout_msecs: of each operation; 0: the default. -ENOENT: no such workspace, or removed.
 */
int sync_session_open(const struct sync_env *env, int64_t workspace_id,
		      unsigned total_timeout_msecs, struct sync_session **ret_session);
void sync_session_close(struct sync_session *session);

/* ---- convert.c: what Twilio says, as the catalog takes it ---- */

void sync_convert_recording(const struct twilio_recording *recording,
			    struct catalog_recording_input *ret_input);
void sync_convert_call(const struct twilio_call *call, struct catalog_call_input *ret_input);

/* ---- fetch.c: single resources, asked for and written ---- */

/* 0: it is in the catalog, under the SID given, with what its parent says where it is a child leg.
 * ret_error's kind is OK where the catalog failed. */
int sync_fetch_call(struct sync_session *session, const struct sid *sid,
		    struct remote_error *ret_error);
struct sync_fetched {
	bool is_completed, is_deleted;
	struct sid call_sid;
};
/* 0: what Twilio says is in the catalog, but where it calls the recording deleted: that is a
 * listing's to judge. */
int sync_fetch_recording(struct sync_session *session, const struct sid *sid,
			 struct sync_fetched *ret_found, struct remote_error *ret_error);

/* ---- callbacks.c ---- */

/* Asks for what callbacks have named (catalog/callback.h), until it is cancelled. */
void sync_callbacks_run(const struct sync_env *env);

/* ---- check.c: asking before believing ---- */

enum sync_fate { SYNC_FATE_STAYS, SYNC_FATE_GONE, SYNC_FATE_FOUND_IN_S3, SYNC_FATE_UNDECIDED };
/* What became of a recording that Twilio no longer lists, or calls deleted (then is_deleted: it is
 * not asked again); the catalog is told. The error's kind is OK where the catalog failed. */
enum sync_fate sync_check_recording(struct sync_session *session, const struct sid *sid,
				    bool is_deleted, int *ret_rc, struct remote_error *ret_error);

/* ---- tombstones.c: what was removed here or elsewhere while its bytes stay in S3 ---- */

struct sync_run;
struct sync_tombstones {
	pthread_mutex_t lock;       /* guards what follows */
	struct sync_sids sids;      /* sorted once is_loaded */
	unsigned asked;             /* one by one */
	bool is_loaded, is_partial; /* partial: S3 ended the list with an error */
	bool is_unavailable;        /* S3 did not answer: nothing is known of any */
};
void sync_tombstones_init(struct sync_tombstones *tombstones);
void sync_tombstones_release(struct sync_tombstones *tombstones);
/* Lists them all. A failure is the run's; is_first: before the catalog has listed anything, when
 * the failure is to be its end. False: they are not all known, though there is an enabled bucket. */
bool sync_tombstones_load(struct sync_run *run, bool is_first);
/* All were listed, and it is none of them. */
bool sync_tombstones_rule_out(struct sync_run *run, const struct sid *sid);
/* For a recording that the catalog does not know. Asks S3 where they were not listed, and lists
 * them when that was asked too often. What S3 does not tell now counts as not removed. */
bool sync_tombstone_is_there(struct sync_run *run, const struct sid *sid);

/* ---- run.c: one synchronisation ---- */

struct sync_check {
	struct sid sid;
	bool is_deleted;
};

struct sync_run {
	struct sync_session *session;
	struct sync_options options;
	sync_progress_fn *progress;
	void *progress_arg;
	struct sync_tombstones tombstones;

	/* Pages are written one after the other: sharing a commit would put each into a savepoint
	 * of its own, whose journal the database walks through again for every row. */
	pthread_mutex_t write_lock;

	pthread_mutex_t lock; /* guards what follows */
	struct sync_stats stats;
	struct sync_sids seen; /* recordings that a list showed (full only) */
	struct sync_check *checks;
	size_t check_count;
	int rc; /* the first failure */
	struct remote_error error;
	int64_t progress_msecs;
};
/* Notes a failure; the first one stays, but that a real one replaces a cancellation. */
void sync_run_fail(struct sync_run *run, int rc, const struct remote_error *error);
/* For those who hold the lock. */
void sync_run_progress(struct sync_run *run, bool is_urgent);
int sync_run_add_check(struct sync_run *run, const struct sid *sid, bool is_deleted);

/* classes.c: learns the storage class of every object. A failure is the run's. */
void sync_classes(struct sync_run *run);

/* list.c: lists both kinds from the given times on (0: everything). Failures are noted in the run;
 * *ret_calls_complete, *ret_recordings_complete say what got through. */
void sync_list(struct sync_run *run, int64_t calls_since_secs, int64_t recordings_since_secs,
	       bool *ret_calls_complete, bool *ret_recordings_complete);

#endif
