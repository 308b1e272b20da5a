/*
 * Which transfer may begin. It needs memory, a place at its account at Twilio, and a bucket that
 * takes what it brings. Any thread.
 *
 * One workspace does not block another: of the memory, a workspace leaves a part's worth to
 * others; of the workers, it has at most as many as are set (there are a few more); and a
 * transfer that waits for a side is overtaken by transfers of other workspaces (jobs/jobs.h).
 */
#pragma once

#include "catalog/storage.h"
#include "jobs/jobs.h"
#include "migrate/budget.h"
#include "migrate/side.h"

/* A claimed MIGRATE job, and what it holds. */
struct transfer_claim {
	struct job_run run;
	struct catalog_recording recording; /* as it was when claimed */
	bool is_admitted;                   /* has a worker, and memory */
	bool is_at_twilio;                  /* has a place there */
	struct side *bucket;                /* where it has a place; NULL: nowhere */
	size_t reserved_bytes;
};

/* A workspace's side at Twilio, and its bucket; kept as long as the process works. */
struct lane {
	int64_t workspace_id;
	struct side twilio;
	_Atomic(struct side *) bucket; /* of its latest transfer; NULL: none yet */
	size_t reserved_bytes;         /* guarded by admission's mutex */
	unsigned running;              /* likewise */
	struct lane *next;
};

struct admission {
	pthread_mutex_t mutex;
	struct budget budget;
	struct side_limits twilio_limits, bucket_limits;
	unsigned workers;
	struct lane *lanes;     /* mutex; only added to */
	struct bucket *buckets; /* mutex; only added to */
};

void admission_init(struct admission *admission, struct catalog *catalog, size_t budget_bytes,
		    unsigned workers);
void admission_release(struct admission *admission);

/* For the pool, see struct job_pool_settings. */
unsigned admission_room(struct admission *admission, int64_t workspace_id);
enum job_admission admission_take(struct admission *admission, struct transfer_claim *claim);
void admission_give_back(struct admission *admission, struct transfer_claim *claim);

/* Made when it is first asked for; exists for a claim that was admitted. NULL: no memory. */
struct lane *admission_lane(struct admission *admission, int64_t workspace_id);
/* The side of the lane's bucket, once that is known. NULL: no memory. */
struct side *admission_bucket(struct admission *admission, struct lane *lane,
			      const struct catalog_storage *storage);
/* The download is over: another transfer may have the place. False: it had none any more. */
bool admission_leave_twilio(struct lane *lane, struct transfer_claim *claim);
/* Waits for a place at the bucket. False: cancelled. */
bool admission_enter_bucket(struct side *bucket, struct transfer_claim *claim);
/* No more requests to the bucket: another transfer may have the place. */
void admission_leave_bucket(struct transfer_claim *claim);
/* More or less memory for a claim. *overdrawn: see budget_more. False: cancelled. */
bool admission_resize(struct admission *admission, struct lane *lane, struct transfer_claim *claim,
		      size_t bytes, bool *overdrawn);
