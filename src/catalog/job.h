/*
 * The durable queue. A job is a row with a lease: several processes work one queue without doing anything twice; a dead worker's jobs are taken over
 * when its lease ends; a worker that was only slow gets -ESTALE from whatever it tries to change then, and must stop.
 */
#ifndef TONICFS_CATALOG_JOB_H
#define TONICFS_CATALOG_JOB_H

#include "catalog/object.h"

enum catalog_job_kind {
	CATALOG_JOB_MIGRATE = 1,
	CATALOG_JOB_CLEANUP_TWILIO = 2, /* the delete that a finished migration owes */
	CATALOG_JOB_DELETE_TWILIO = 4,  /* policy: rm with delete_twilio */
	CATALOG_JOB_DELETE_S3 = 8,      /* policy: rm with delete_s3 */
	CATALOG_JOB_TOMBSTONE = 16,     /* removed, bytes stay in S3: say so in the bucket */
};

#define CATALOG_OWNER_SIZE 33
#define CATALOG_REASON_SIZE 200

struct catalog_job {
	int64_t id;
	enum catalog_job_kind kind;
	int64_t workspace_id;
	struct catalog_recording recording; /* as it was when claimed */
	unsigned attempts;                  /* this one included */
	bool was_sent; /* catalog_job_mark_sent was called in this or an earlier attempt */
	char owner[CATALOG_OWNER_SIZE];
	int64_t lease_until_msecs;
	bool is_wanted_back; /* set by catalog_job_renew: to be paused; stop, and put it back */
};

/* A process-wide unique owner name, with a number for each worker. */
void catalog_owner_new(char ret_owner[CATALOG_OWNER_SIZE]);

/* ---- asking for migrations ---- */
struct catalog_counts { /* of listed recordings */
	int64_t none, queued, running, paused, done, failed;
	int64_t bytes;                  /* of all of these; estimated as below */
	int64_t todo_bytes, done_bytes; /* of those queued and running, of those done; where a size
					   is not known, by the duration */
	int64_t cleanup_queued;         /* Twilio deletes that wait */
};
int catalog_counts_get(struct catalog *catalog, struct catalog_scope scope,
		       struct catalog_counts *ret_counts);
/* For those who look often: the sums of several scopes, of which none is inside another, from
 * counters alone; cleanup_queued is left out (0). *ret_moved_bytes: what of todo_bytes has been
 * moved, as far as workers have said. */
int catalog_progress_get(struct catalog *catalog, const struct catalog_scope *scopes, size_t count,
			 struct catalog_counts *ret_counts, int64_t *ret_moved_bytes);

/* What is asked of a scope; *ret_count: how many recordings (retry: and deletes) it concerned. Jobs
 * keep their place until they are done, whoever asked. */
typedef int catalog_migrate_fn(struct catalog *catalog, struct catalog_scope scope,
			       int64_t *ret_count);
/* Queues every listed recording of the scope that is at Twilio and neither queued nor paused;
 * failed ones again. -ENOENT: the workspace (of a recording, folder or workspace scope) has no
 * storage, -ENODEV: it is disabled. */
catalog_migrate_fn catalog_migrate_queue;
/* Takes back what is queued or paused (running ones go on). */
catalog_migrate_fn catalog_migrate_cancel;
/* What is queued stays so and is given to no worker until it is resumed. A worker that has begun
 * one is told when it renews its lease (is_wanted_back), and puts it back: to be begun anew. What
 * is queued later is not paused, and the deletes that finished migrations owe go on. */
catalog_migrate_fn catalog_migrate_pause;
catalog_migrate_fn catalog_migrate_resume;
/* Failed migrations are queued again, their attempts forgotten; those that wait after a failure,
 * and deletes that failed or wait, are due now. */
catalog_migrate_fn catalog_migrate_retry;
/* Are jobs of the scope given out? -ENOENT, -ENODEV as above. */
int catalog_migrate_check(struct catalog *catalog, struct catalog_scope scope);
/* Of one recording, for the attribute: state, percent while running, reason when failed. */
int catalog_migrate_status(struct catalog *catalog, int64_t recording_id,
			   enum catalog_migration *ret_migration, int *ret_percent,
			   char ret_reason[CATALOG_REASON_SIZE]);

/* ---- workers ---- */
/* The next job due of the kinds (a mask), oldest first: 0 and *ret_job, or -ENOENT and *ret_next_msecs: when the next one may be due (wall clock; INT64_MAX: none).
 * A MIGRATE job is only given out while its workspace's storage is enabled, and sets UPLOADING. Jobs whose lease ended count as due; a MIGRATE among them starts anew. */
int catalog_job_claim(struct catalog *catalog, unsigned kinds, const char *owner,
		      int64_t lease_msecs, struct catalog_job *ret_job, int64_t *ret_next_msecs);
/* The same for several in one commit, workspaces in turn: the one with the fewest running jobs of a kind first. 0: at least one; -ENOENT: none.
 * Not to be claimed before they can be begun soon: another process could. */
struct catalog_claim {
	unsigned kinds;
	const char *owner;
	int64_t lease_msecs;
	/* For how many more of a workspace's jobs there is a place; NULL: any number. Called inside a write: it must not use the catalog, nor wait for one who does. */
	unsigned (*room)(void *arg, int64_t workspace_id);
	void *arg;
};
struct catalog_claimed {
	unsigned count;
	int64_t next_msecs; /* as above; told where there were fewer than asked for */
	bool is_held_back;  /* of some workspace more are due, and there was no room */
};
int catalog_job_claim_some(struct catalog *catalog, const struct catalog_claim *claim,
			   unsigned most, struct catalog_job *ret_jobs,
			   struct catalog_claimed *ret_claimed);
/* Extends the lease and notes progress. -ESTALE: no longer ours (taken over, cancelled by rm): stop, change nothing. */
int catalog_job_renew(struct catalog *catalog, struct catalog_job *job, int64_t lease_msecs,
		      int64_t done_bytes, int64_t total_bytes);
/* The same for several in one commit, each with a result of its own; the return is the write's. */
struct catalog_renewal {
	struct catalog_job *job;
	int64_t done_bytes, total_bytes;
	int64_t pause_asked; /* set by it, like err */
	int err;             /* 0, -ESTALE */
};
int catalog_job_renew_all(struct catalog *catalog, struct catalog_renewal *renewals, size_t count,
			  int64_t lease_msecs);
/* Durable note, before a DELETE is sent, that it may have been. -ESTALE as above. */
int catalog_job_mark_sent(struct catalog *catalog, struct catalog_job *job);
/* Back to the queue without counting as an attempt (shutdown). */
int catalog_job_put_back(struct catalog *catalog, struct catalog_job *job);
/* retry_after_msecs < 0: failed for good (visible with its reason, retried only when asked); else due again then. A MIGRATE's recording is TWILIO again. */
int catalog_job_fail(struct catalog *catalog, struct catalog_job *job, const char *reason,
		     int64_t retry_after_msecs);
/* MIGRATE: the object was verified. STORED, and (unless keep_at_twilio) a CLEANUP_TWILIO job, in one step; sets the size where it was unknown. */
int catalog_migrate_stored(struct catalog *catalog, struct catalog_job *job,
			   const struct catalog_object *object, int channels_stored);
/* CLEANUP_TWILIO: Twilio's copy is gone. STORED -> S3. note: as of catalog_job_done. */
int catalog_cleanup_done(struct catalog *catalog, struct catalog_job *job, const char *note);
/* DELETE_*, TOMBSTONE: done. note: for the audit, e.g. "a version stays"; NULL none. */
int catalog_job_done(struct catalog *catalog, struct catalog_job *job, const char *note);

/* ---- status ---- */
struct catalog_status {
	int64_t by_state
		[CATALOG_STATE_COUNT]; /* index: enum catalog_state; listed ones, but for MISSING and DELETED: all */
	int64_t bytes_by_state[CATALOG_STATE_COUNT];
	int64_t calls;
	struct catalog_counts counts;
	int64_t deletes_queued, deletes_failed; /* policy's */
	int64_t tombstones_queued;              /* notes in the bucket of what was removed */
	int64_t sizes_unknown;
};
int catalog_status_get(struct catalog *catalog, struct catalog_scope scope,
		       struct catalog_status *ret_status);
/* Jobs that failed, or wait after a failure, with their reasons. */
struct catalog_problem {
	enum catalog_job_kind kind;
	struct sid recording_sid;
	char reason[CATALOG_REASON_SIZE];
	unsigned attempts;
	int64_t next_msecs; /* INT64_MAX: not by itself */
};
typedef int catalog_problem_fn(void *arg, const struct catalog_problem *problem);
int catalog_problem_each(struct catalog *catalog, struct catalog_scope scope,
			 catalog_problem_fn *fn, void *arg);
/* The same by kind and reason, the most frequent of a kind first: few, however many jobs there are.
 */
#define CATALOG_PROBLEM_EXAMPLES 3
struct catalog_problem_group {
	enum catalog_job_kind kind;
	char reason[CATALOG_REASON_SIZE];
	int64_t count;
	unsigned attempts;  /* the most */
	int64_t next_msecs; /* the next one's; INT64_MAX: not by itself */
	struct sid examples[CATALOG_PROBLEM_EXAMPLES];
	size_t example_count;
};
typedef int catalog_problem_group_fn(void *arg, const struct catalog_problem_group *group);
int catalog_problem_groups(struct catalog *catalog, struct catalog_scope scope,
			   catalog_problem_group_fn *fn, void *arg);

#endif
