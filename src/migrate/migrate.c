/* The room's workers. */
#include <errno.h>
#include <stdlib.h>

#include "catalog/settings.h"
#include "migrate/migrate-private.h"
#include "util/times.h"

#define WORKERS_MOST 256
/* So many more than one workspace may have: another finds one at once. */
#define WORKERS_SPARE(workers) ((workers) / 8 + 1)
#define CLEANUP_WORKERS 4 /* enough for the rate at which deletes go out, over a slow line too */

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

static enum job_admission admit(void *arg, struct job_run *run)
{
	struct migrate *migrate = arg;

	return admission_take(&migrate->admission, run);
}

static void release(void *arg, struct job_run *run)
{
	struct migrate *migrate = arg;

	admission_give_back(&migrate->admission, run);
}

/* ---- start and stop ---- */

int migrate_start(struct catalog *catalog, struct http *http,
		  const struct migrate_settings *settings, struct migrate **ret_migrate)
{
	struct migrate *migrate = calloc(1, sizeof *migrate);
	unsigned workers = (unsigned)choose(catalog, settings ? settings->workers : 0,
					    SETTING_MIGRATE_WORKERS, 1, WORKERS_MOST);
	struct job_pool_settings transfers = {
		.name = "migrate",
		.kinds = CATALOG_JOB_MIGRATE,
		.workers = workers + WORKERS_SPARE(workers),
		.pause_first_msecs = 1000,
		.pause_limit_msecs = 10 * 60 * 1000,
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
	/* Half: what is reserved is not all in use at once, and should not be for what is kept. */
	buffers_init(&migrate->buffers, migrate->admission.budget.total_bytes / 2);
	err = job_pool_start(catalog, &transfers, &migrate->transfers);
	if (err == 0)
		err = job_pool_start(catalog, &cleanups, &migrate->cleanups);
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
