/* Starting and stopping the pools of transfers and cleanups; recording a stored migration. */
#include <errno.h>
#include <stdlib.h>

#include "catalog/settings.h"
#include "migrate/migrate-private.h"
#include "util/times.h"

#define WORKERS_MOST 256
/* So many more than one workspace may have: another workspace finds a free one at once. */
#define WORKERS_SPARE(workers) ((workers) / 8 + 1)
#define CLEANUP_WORKERS 4 /* enough for the rate of deletes, over a slow line, too */

/* The caller's number, else the catalog's setting. */
static int64_t choose(struct catalog *catalog, int64_t given, enum catalog_setting_id id,
		      int64_t least, int64_t most)
{
	int64_t value = given ? given : catalog_setting_number(catalog, id);

	return value < least ? least : value > most ? most : value;
}

/* ---- for the pool ---- */

static unsigned room(void *arg, int64_t workspace_id)
{
	struct migrate *migrate = arg;

	return admission_room(&migrate->admission, workspace_id);
}

static void claimed(void *arg, struct job_run *run, const struct catalog_recording *recording)
{
	struct transfer_claim *claim = (struct transfer_claim *)run;

	claim->recording = *recording;
}

static enum job_admission admit(void *arg, struct job_run *run)
{
	struct migrate *migrate = arg;

	return admission_take(&migrate->admission, (struct transfer_claim *)run);
}

static void release(void *arg, struct job_run *run)
{
	struct migrate *migrate = arg;

	admission_give_back(&migrate->admission, (struct transfer_claim *)run);
}

/* ---- the end of a migration ---- */

struct stored_arg {
	const struct catalog_object *object;
	int channels_stored;
};

static int write_stored(struct db_conn *conn, const struct job *job, void *arg)
{
	const struct stored_arg *a = arg;

	return catalog_queue_stored(conn, job->recording_id, a->object, a->channels_stored);
}

int migrate_job_stored(struct catalog *catalog, const struct job *job,
		       const struct catalog_object *object, int channels_stored)
{
	struct stored_arg a = { object, channels_stored };

	if (job->kind != CATALOG_JOB_MIGRATE)
		return -EINVAL;
	return job_done_by(catalog, job, write_stored, &a);
}

/* ---- start and stop ---- */

int migrate_start(struct jobs *jobs, struct http *http, const struct migrate_settings *settings,
		  struct migrate **ret_migrate)
{
	struct migrate *migrate = calloc(1, sizeof *migrate);
	struct catalog *catalog = jobs_catalog(jobs);
	unsigned workers = (unsigned)choose(catalog, settings ? settings->workers : 0,
					    SETTING_MIGRATE_WORKERS, 1, WORKERS_MOST);
	struct job_pool_settings transfers = {
		.name = "migrate",
		.kinds = CATALOG_JOB_MIGRATE,
		.workers = workers + WORKERS_SPARE(workers),
		.pause_first_msecs = 1000,
		.pause_limit_msecs = 10 * 60 * 1000,
		.run_size = sizeof(struct transfer_claim),
		.claimed = claimed,
		.room = room,
		.admit = admit,
		.work = transfer_work,
		.release = release,
		.arg = migrate,
	};
	struct job_pool_settings cleanups = {
		.name = "cleanup",
		.kinds = CATALOG_JOB_CLEANUP_TWILIO,
		.workers = CLEANUP_WORKERS,
		.pause_first_msecs = 5 * 1000,
		.pause_limit_msecs = 60 * 60 * 1000,
		.work = cleanup_work,
		.arg = migrate,
	};
	int64_t given_bytes = settings && settings->budget_bytes < INT64_MAX
				      ? (int64_t)settings->budget_bytes
				      : 0;
	int err;

	if (!migrate)
		return -ENOMEM;
	migrate->catalog = catalog;
	migrate->http = http;
	admission_init(&migrate->admission, catalog,
		       (size_t)choose(catalog, given_bytes, SETTING_MIGRATE_BUDGET_BYTES,
				      PART_BYTES, INT64_MAX / 2),
		       workers);
	/* Kept for reuse: at most half, for not all that is reserved is in use at once. */
	buffers_init(&migrate->buffers, migrate->admission.budget.total_bytes / 2);
	err = job_pool_start(jobs, &transfers, &migrate->transfers);
	if (err == 0)
		err = job_pool_start(jobs, &cleanups, &migrate->cleanups);
	if (err) {
		migrate_stop(migrate, 0);
		return err;
	}
	*ret_migrate = migrate;
	return 0;
}

void migrate_stop(struct migrate *migrate, unsigned grace_msecs)
{
	int64_t end = time_mono_msecs() + grace_msecs, left;

	if (!migrate)
		return;
	job_pool_stop(migrate->transfers, grace_msecs);
	left = end - time_mono_msecs();
	job_pool_stop(migrate->cleanups, left > 0 ? (unsigned)left : 0);
	buffers_release(&migrate->buffers);
	admission_release(&migrate->admission);
	free(migrate);
}
