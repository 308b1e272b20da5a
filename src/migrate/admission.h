/*
 * Which transfer may begin: there must be memory for it, a place at its account at Twilio, and a
 * bucket that takes what it brings. Any thread.
 *
 * What keeps one workspace from blocking another: of the memory a workspace leaves a part's worth
 * to others, of the workers it has at most as many as are set (there are a few more), and what
 * waits for its sides is overtaken by other workspaces' jobs (catalog/pool.h).
 */
#ifndef TONICFS_MIGRATE_ADMISSION_H
#define TONICFS_MIGRATE_ADMISSION_H

#include "catalog/pool.h"
#include "catalog/storage.h"
#include "migrate/budget.h"
#include "migrate/side.h"

/* A workspace's, for as long as the process works. */
struct lane {
	int64_t workspace_id;
	struct side twilio;
	_Atomic(struct side *) bucket; /* of its latest transfer; NULL: none yet */
	size_t reserved_bytes;         /* admission's mutex */
	unsigned running;              /* the same */
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

/* For the pool: see struct job_pool_settings. */
unsigned admission_room(struct admission *admission, int64_t workspace_id);
enum job_admission admission_take(struct admission *admission, struct job_run *run);
void admission_give_back(struct admission *admission, struct job_run *run);

/* Made when it is first asked for, and never NULL for a run that was admitted; else: no memory. */
struct lane *admission_lane(struct admission *admission, int64_t workspace_id);
/* The side of its bucket, once that is known. NULL: no memory. */
struct side *admission_bucket(struct admission *admission, struct lane *lane,
			      const struct catalog_storage *storage);
/* The download is over: its place is free for another. False: it had none any more. */
bool admission_leave_twilio(struct lane *lane, struct job_run *run);
/* A place at the bucket. False: cancelled. */
bool admission_enter_bucket(struct side *bucket, struct job_run *run);
/* The bucket is asked nothing more; what only the catalog is told keeps nobody from it. */
void admission_leave_bucket(struct job_run *run);
/* More or less memory for a run. *overdrawn as budget_more has it. False: cancelled. */
bool admission_resize(struct admission *admission, struct lane *lane, struct job_run *run,
		      size_t bytes, bool *overdrawn);

#endif
