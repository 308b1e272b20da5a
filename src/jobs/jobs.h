/*
 * Workers on the durable queue, for the rooms that carry its jobs out. A process has one struct
 * jobs: its thread looks for jobs of all kinds, renews leases and puts back what cannot begin. A
 * pool works some kinds; its worker threads exist only while it has jobs. The meaning of a job
 * is its room's own.
 *
 *   claimed    leased, and waits in its pool to be admitted, in the order of the claim. A few jobs
 *              are claimed in one commit: as many as have lately begun within a second, and
 *              JOB_POOL_AHEAD at most.
 *   overtaken  A job whose workspace has to wait (JOB_WAITS) is overtaken by jobs of other
 *              workspaces only; of those then one each is claimed besides. A job that waits for
 *              what all share (JOB_WAITS_FIRST) is overtaken for two seconds, then by none.
 *   put back   what waits too long, what is paused meanwhile, what has not ended when the pool
 *              stops, and what no thread can be started for. That is no attempt.
 *
 * After kill -9 the leases end, and other processes claim the jobs. All functions from any thread.
 */
#pragma once

#include "jobs/job.h"
#include "util/cancel.h"
#include "util/list.h"
#include "util/pool.h"
#include "util/remote.h"

#define JOB_POOL_AHEAD 64

struct jobs;
struct job_pool;

int jobs_new(struct catalog *catalog, struct jobs **ret_jobs);
/* All pools have been stopped. NULL is fine. */
void jobs_free(struct jobs *jobs);
struct catalog *jobs_catalog(const struct jobs *jobs);

/* A claimed job. A room may embed it as the first member of a struct of its own, see run_size. */
struct job_run {
	struct job job;
	struct cancel cancel; /* the lease is lost, the job is paused, or the pool stops: change
				 nothing any more, come back soon */
	_Atomic int64_t done_bytes, total_bytes; /* set by the worker, shown as progress */
	/* The pool's own: */
	struct job_pool *pool;
	struct list link;
	struct pool_task task;
	bool is_lost;
	int64_t claimed_msecs, renewed_msecs;
};

enum job_admission {
	JOB_ADMITTED,
	JOB_WAITS,       /* for something of its workspace: others may overtake it */
	JOB_WAITS_FIRST, /* for what all share */
};

enum job_outcome {
	JOB_OUTCOME_DONE,     /* the catalog has been told */
	JOB_OUTCOME_STALE,    /* the catalog answered -ESTALE: another worker's by now */
	JOB_OUTCOME_RETRY,    /* later: after the backoff, or when the service said */
	JOB_OUTCOME_FAILED,   /* not again by itself */
	JOB_OUTCOME_PUT_BACK, /* was no attempt */
};
struct job_result {
	enum job_outcome outcome;
	char reason[CATALOG_REASON_SIZE]; /* RETRY, FAILED: for people; no secrets, no numbers */
	int64_t retry_after_msecs;        /* RETRY: at least; -1: the service said nothing */
	unsigned max_attempts;            /* RETRY becomes FAILED after so many; 0: never */
};

struct job_pool_settings {
	const char *name; /* for the log and threads, at most 15 bytes; a literal */
	unsigned kinds;   /* mask of enum catalog_job_kind */
	unsigned workers; /* threads at most */
	/* Backoff before a retry: doubled each time, with jitter. */
	unsigned pause_first_msecs, pause_limit_msecs;
	size_t run_size; /* of the room's struct that begins with struct job_run; 0: there is none */
	/* Once for each claimed job. The recording is as it was then. Must not wait. May be
	 * NULL. */
	void (*claimed)(void *arg, struct job_run *run, const struct catalog_recording *recording);
	/* For how many more jobs of a workspace there will be a place soon, jobs that wait in the
	 * pool included; 0: for none, waiting ones are put back. Must not use the catalog. NULL:
	 * any number. */
	unsigned (*room)(void *arg, int64_t workspace_id);
	/* May the job run now? Must not wait. NULL: always. Asked again when a job has ended, after
	 * job_pool_look_again(), and every tenth of a second. */
	enum job_admission (*admit)(void *arg, struct job_run *run);
	/* On a worker thread. *ret_result is PUT_BACK at first. */
	void (*work)(void *arg, struct job_run *run, struct job_result *ret_result);
	/* Last, for every claimed job, admitted or not: gives back what admit took. May be NULL. */
	void (*release)(void *arg, struct job_run *run);
	void *arg;
};

int job_pool_start(struct jobs *jobs, const struct job_pool_settings *settings,
		   struct job_pool **ret_pool);
/* Claims nothing more. Running jobs have grace_msecs to end; then they are cancelled, and put back
 * where they do not end. NULL is fine. */
void job_pool_stop(struct job_pool *pool, unsigned grace_msecs);
/* Tells the pool that admit may answer differently now. */
void job_pool_look_again(struct job_pool *pool);

/* The lease still runs: no other worker can have begun the job. Ask right before a step that would
 * disturb another worker: this one may have been stopped for any time, and learns of it here before
 * the pool notices. Costs no look at the catalog. */
bool job_run_is_ours(const struct job_run *run);

void job_result_set(struct job_result *result, enum job_outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* By a service's answer: busy, unreachable or uncertain is retried without end, an invalid answer
 * or a 404 a few times, a rejection never. who: "Twilio", "S3". */
#define JOB_DOUBTFUL_ATTEMPTS 5
void job_result_set_remote(struct job_result *result, const char *who,
			   const struct remote_error *error);
/* The same for a job that is never given up: a refusal is retried, too, because credentials can be
 * repaired. Returns the errno of *error. */
int job_result_set_again(struct job_result *result, const char *who,
			 const struct remote_error *error);
/* By an error of this process. -ESTALE: STALE, else RETRY. Returns err. */
int job_result_set_local(struct job_result *result, const char *what, int err);
