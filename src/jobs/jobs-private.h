/* Between the files of the room. */
#pragma once

#include <pthread.h>

#include "jobs/jobs.h"
#include "util/fault.h"

#define LEASE_MSECS fault_hurry(30000)
#define RENEW_MSECS fault_hurry(3000) /* also how often progress is noted */
#define RENEW_RETRY_MSECS fault_hurry(500)
#define READY_LIMIT 112 /* JOB_POOL_AHEAD of whatever workspace, the rest one of each */

/* The claimer is the thread of struct jobs: it alone adds runs, renews leases and frees pools. */
struct job_pool {
	struct jobs *jobs;
	struct job_pool_settings settings;
	struct pool threads;
	struct list link;                   /* the rest is guarded by jobs->mutex */
	struct list runs;                   /* claimed and not ended, in no order */
	struct job_run *ready[READY_LIMIT]; /* of these, those that have not begun, oldest first */
	unsigned ready_count;
	unsigned running;        /* workers that have a run */
	unsigned ahead;          /* so many may be claimed in one commit */
	int64_t claimed_msecs;   /* when a look for jobs found some */
	int64_t looked_msecs;    /* the last look */
	bool was_asked_for;      /* the last look was for this pool, too, and there are no more */
	bool is_held_back;       /* the last look found some that there was no room for */
	atomic_bool is_stopping; /* set with the mutex held */
	bool is_stopped;
};

struct jobs {
	struct catalog *catalog;
	char owner[CATALOG_OWNER_SIZE];
	pthread_t thread;
	pthread_mutex_t mutex; /* guards the rest, but for what the claimer alone uses */
	pthread_cond_t cond;   /* there are news for the claimer */
	pthread_cond_t stopped_cond;
	struct list pools;
	uint64_t news;
	bool is_in_catalog; /* the claimer waits there, and is to be woken there */
	bool is_stopping;
	/* The claimer's own: */
	uint64_t generation;
	int64_t look_at_msecs;   /* when jobs may be due */
	int64_t looked_msecs;    /* when it looked last */
	uint64_t looked_news;    /* and what was new then */
	int64_t pause_msecs;     /* until then nothing is claimed: after an error */
	int64_t renewed_msecs;   /* when it renewed last, well or not */
	bool is_catalog_failing; /* logged once */
};

/* ---- jobs.c; the mutex is held ---- */

void jobs_wake(struct jobs *jobs);

/* ---- pool.c; the mutex is held, but for run_end and pool_put_back ---- */

/* How many to claim now; 0: none. */
unsigned pool_wanted(const struct job_pool *pool, int64_t now_msecs);
/* The room callback of a claim; takes the mutex. */
unsigned pool_room(void *arg, int64_t workspace_id);
/* After a look: how much it has found. Before pool_add. */
void pool_looked(struct job_pool *pool, const struct job_want *want, int64_t now_msecs);
void pool_add(struct job_pool *pool, struct job_run *run, int64_t now_msecs);
/* Starts what may begin. -errno: no thread could be started, and a run is to be put back. */
int pool_begin(struct job_pool *pool);
/* Takes a run out that cannot begin soon, or must not any more. NULL: there is none. */
struct job_run *pool_take_stuck(struct job_pool *pool, int64_t now_msecs);
/* The claimer has nothing to do with it any more. */
bool pool_is_over(const struct job_pool *pool);
/* Tells the catalog how the job ended, and frees the run. */
void run_end(struct job_run *run, struct job_result *result);
void run_put_back(struct job_run *run);

/* ---- renew.c; without the mutex ---- */

/* Renews what is due. The time at which the next renewal is due; INT64_MAX: never. */
int64_t jobs_renew(struct jobs *jobs, int64_t now_msecs);

/* ---- result.c ---- */

/* Puts the job back, or fails it for good or for a while, as the result says. */
void job_run_finish(struct catalog *catalog, const struct job_pool_settings *settings,
		    struct job_run *run, struct job_result *result);

/* ---- job.c, inside a write ---- */

/* A worker, alive or dead, lets go of a job that is not done: due again then; paused, where that
 * was asked for meanwhile; deleted, where it is a delete that is not owed any more. */
int job_let_go(struct db_conn *conn, const struct job *job, int64_t due_msecs);
int job_delete(struct db_conn *conn, const struct job *job);
