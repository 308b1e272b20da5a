/*
 * Workers on the queue, for the rooms that carry its jobs out: threads that claim, a thread that
 * renews their leases, an end in good order. What a job means is the room's own.
 *
 * One worker at a time looks for the next job. It claims a few in one commit, as many as have been
 * begun within about a second of late and JOB_POOL_AHEAD at most; they wait here, leased, until
 * they are admitted, in the order of their claim. One whose workspace has to wait (JOB_WAITS) is
 * overtaken by other workspaces' only, of which then one each is claimed besides; one that needs
 * what all share (JOB_WAITS_FIRST) for two seconds, then by nobody. What waits for too long, or at
 * the end, is put back, and was no attempt.
 */
#ifndef TONICFS_CATALOG_POOL_H
#define TONICFS_CATALOG_POOL_H

#include "catalog/job.h"
#include "util/cancel.h"
#include "util/remote.h"

#define JOB_POOL_AHEAD 64

struct job_run {
	struct catalog_job job;
	struct cancel cancel; /* set by the pool: the lease is lost, or the pool is to end.
				       Change nothing any more, come back soon */
	_Atomic int64_t done_bytes, total_bytes; /* of the worker, shown as progress */
	size_t reserved_bytes;                   /* the room's own */
	unsigned held;                           /* the same */
	void *place;                             /* the same */
	struct job_run *next;                    /* the pool's own, like what follows */
	bool is_lost, is_begun;
	int64_t claimed_msecs, renewed_msecs;
};

enum job_admission {
	JOB_ADMITTED,
	JOB_WAITS,       /* for what its workspace has: others may overtake it */
	JOB_WAITS_FIRST, /* for what all share */
};

enum job_outcome {
	JOB_OUTCOME_DONE,     /* the catalog has been told */
	JOB_OUTCOME_STALE,    /* the catalog answered -ESTALE: somebody else's by now */
	JOB_OUTCOME_RETRY,    /* later: after the growing pause, or what the service said */
	JOB_OUTCOME_FAILED,   /* not again by itself */
	JOB_OUTCOME_PUT_BACK, /* was no attempt */
};
struct job_result {
	enum job_outcome outcome;
	char reason[CATALOG_REASON_SIZE]; /* RETRY, FAILED: for people; no secrets, no numbers */
	int64_t retry_after_msecs;        /* at least; -1: nothing said */
	unsigned max_attempts;            /* RETRY becomes FAILED after so many; 0: never */
};

struct job_pool_settings {
	const char *name; /* for the log; a literal */
	unsigned kinds;   /* mask of enum catalog_job_kind */
	unsigned workers;
	unsigned pause_first_msecs,
		pause_limit_msecs; /* before a retry: doubled each time, with jitter */
	/* For how many more of a workspace's jobs there will be a place soon, those that wait here
	 * included; 0: for none, what waits is put back. Must not use the catalog. NULL: any number. */
	unsigned (*room)(void *arg, int64_t workspace_id);
	/* May the job run now? Must not wait. NULL: always. Asked again when a job has ended, after
	 * job_pool_look_again(), and every tenth of a second. */
	enum job_admission (*admit)(void *arg, struct job_run *run);
	void (*work)(void *arg, struct job_run *run, struct job_result *ret_result);
	/* Last, for every job that was claimed, admitted or not: gives back what admit took. May be
	 * NULL. */
	void (*release)(void *arg, struct job_run *run);
	void *arg;
};

struct job_pool;
int job_pool_start(struct catalog *catalog, const struct job_pool_settings *settings,
		   struct job_pool **ret_pool);
/* Claims nothing more. Jobs that run have grace_msecs to end; then cancel is set and those
 * that did not end are put back. NULL is fine. */
void job_pool_stop(struct job_pool *pool, unsigned grace_msecs);
/* What admit answered may be another by now. Any thread. */
void job_pool_look_again(struct job_pool *pool);

/* The lease runs still: nobody else can have begun with the job. For a worker to ask right before
 * what would disturb another: it may have been stopped for any time, and learns of it here before
 * the pool notices. Costs no look at the catalog. */
bool job_run_is_ours(const struct job_run *run);

void job_result_set(struct job_result *result, enum job_outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* What a service's refusal means for a job: busy, unreachable or uncertain is tried again without
 * end, what cannot be believed or found a few times, a no is final. who: "Twilio", "S3". */
#define JOB_DOUBTFUL_ATTEMPTS 5
void job_result_set_remote(struct job_result *result, const char *who,
			   const struct remote_error *error);

#endif
