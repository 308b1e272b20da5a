/*
 * Jobs of the durable queue (catalog/queue.h has their rows), for whoever works them. A job is
 * leased: several processes work one queue without doing anything twice; a dead worker's jobs are
 * taken over when their lease has ended; a worker that was only slow gets -ESTALE from every step
 * below, and must stop. jobs/jobs.h has workers that keep the leases.
 *
 * Clocks   A lease ends by the database's clock. Its worker counts from before it asked, on a clock
 *          of its own (lease_end_msecs), so that it stops before another may begin.
 * Threads  Any; a struct job belongs to one thread at a time, but for lease_end_msecs.
 * Errors   0, -ESTALE (no longer ours, taken over or cancelled by rm), or -errno of the database.
 */
#pragma once

#include "catalog/queue.h"

struct job {
	int64_t id;
	enum catalog_job_kind kind;
	int64_t workspace_id, recording_id;
	struct sid recording_sid;
	unsigned attempts; /* this one included */
	bool was_sent;     /* job_mark_sent was called in this or an earlier attempt */
	char owner[CATALOG_OWNER_SIZE];
	_Atomic int64_t lease_end_msecs; /* of job_clock_msecs() */
};

/* Runs on while the machine sleeps and whatever is done to the wall clock. */
int64_t job_clock_msecs(void);

/* ---- claiming ---- */

/* Some kinds that are claimed together: what a pool of workers wants. */
struct job_want {
	unsigned kinds; /* mask of enum catalog_job_kind */
	unsigned limit; /* so many at most */
	/* For how many more jobs of a workspace there is a place; NULL: any number. Called inside a
	 * write: it must neither use the catalog nor wait for one who does. */
	unsigned (*room)(void *arg, int64_t workspace_id);
	void *arg;
	unsigned ret_count;    /* claimed */
	bool ret_is_held_back; /* more jobs of some workspace are due, and there was no room */
};
struct job_claimed {
	struct job job;
	struct catalog_recording recording; /* as it is now that the job is claimed */
};
/* Claims due jobs in one commit, oldest first, workspaces in turn: the one with the fewest running
 * jobs of a kind goes first. Jobs whose lease has ended are due. Do not claim a job long before it
 * can begin: another process could begin it. ret_claimed has a place for the sum of all limits;
 * jobs of one want keep their order. 0: at least one; -ENOENT: none. *ret_wait_msecs: after which
 * time the next job may be due; INT64_MAX: none is. */
int job_claim(struct catalog *catalog, struct job_want *wants, size_t want_count, const char *owner,
	      int64_t lease_msecs, struct job_claimed *ret_claimed, int64_t *ret_wait_msecs);

/* ---- steps of a claimed job ---- */

/* Extends leases and notes progress, all in one commit. */
struct job_renewal {
	int64_t id; /* this and the next three: as in struct job */
	unsigned attempts;
	char owner[CATALOG_OWNER_SIZE];
	int64_t ret_lease_end_msecs;
	int64_t done_bytes, total_bytes;
	int64_t ret_is_pause_asked; /* stop, and put the job back */
	int ret_err;                /* 0, -ESTALE */
};
/* The return is the commit's; each renewal has a result of its own. */
int job_renew(struct catalog *catalog, struct job_renewal *renewals, size_t count,
	      int64_t lease_msecs);
void job_renewal_init(struct job_renewal *renewal, const struct job *job, int64_t done_bytes,
		      int64_t total_bytes);

/* Notes durably that a DELETE may be sent from now on. The only step that also fails (-ESTALE)
 * where the lease has ended, or where Twilio's copy is to be kept by now. */
int job_mark_sent(struct catalog *catalog, struct job *job);
/* Back to the queue; this attempt does not count. */
int job_put_back(struct catalog *catalog, const struct job *job);
/* Due again after retry_after_msecs. Negative: failed for good, shown with its reason, retried only
 * when asked for. */
int job_fail(struct catalog *catalog, const struct job *job, const char *reason,
	     int64_t retry_after_msecs);
/* Done: runs step, which writes what the job has achieved, and removes the job, in one transaction.
 * step may be called several times, see db_write. */
typedef int job_step_fn(struct db_conn *conn, const struct job *job, void *arg);
int job_done_by(struct catalog *catalog, const struct job *job, job_step_fn *step, void *arg);
/* Done, of every kind but MIGRATE: catalog_queue_done. note: for the audit; NULL: none. */
int job_done(struct catalog *catalog, const struct job *job, const char *note);
