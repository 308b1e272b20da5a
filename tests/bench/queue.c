/*
 * What the queue itself costs: a catalog of recordings (made by fill) is queued, every job is claimed by the pool as a
 * migration claims it, and ends as stored at once, with the delete at Twilio queued as it is ordinarily. No network.
 * usage: queue CATALOG WORKERS     prints the CPU time of this process, user and system, in milliseconds per recording
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "catalog/key.h"
#include "catalog/status.h"
#include "catalog/storage.h"
#include "jobs/jobs.h"
#include "migrate/migrate.h"
#include "util/buf.h"

static struct catalog *catalog;

static void check(int err, const char *what)
{
	if (err == 0)
		return;
	fprintf(stderr, "queue: %s: %s\n", what, strerror(-err));
	exit(1);
}

static double cpu_msecs(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

struct bench_run {
	struct job_run run;
	int64_t size_bytes;
};

static void claimed(void *arg, struct job_run *run, const struct catalog_recording *recording)
{
	((struct bench_run *)run)->size_bytes = recording->size_bytes;
}

static void work(void *arg, struct job_run *run, struct job_result *ret_result)
{
	struct catalog_object object = { .size_bytes = ((struct bench_run *)run)->size_bytes };
	int err;

	snprintf(object.bucket, sizeof object.bucket, "bench");
	snprintf(object.key, sizeof object.key, "recordings/%" PRId64, run->job.recording_id);
	snprintf(object.etag, sizeof object.etag, "%032" PRIx64, run->job.recording_id);
	snprintf(object.sha256, sizeof object.sha256, "%064" PRIx64, run->job.recording_id);
	err = migrate_job_stored(catalog, &run->job, &object, 2);
	job_result_set(ret_result, err ? JOB_OUTCOME_FAILED : JOB_OUTCOME_DONE, "the catalog: %s",
		       strerror(-err));
}

int main(int argc, char **argv)
{
	struct catalog_scope all = { CATALOG_SCOPE_ALL, 0 };
	struct job_pool_settings settings = {
		.name = "bench",
		.workers = argc == 3 ? (unsigned)atoi(argv[2]) : 0,
		.kinds = CATALOG_JOB_MIGRATE,
		.pause_first_msecs = 1000,
		.pause_limit_msecs = 1000,
		.run_size = sizeof(struct bench_run),
		.claimed = claimed,
		.work = work,
	};
	struct catalog_storage storage = {
		.bucket = "bench",
		.region = "us-east-1",
		.access_key = "none",
		.enabled = true,
	};
	char message[CATALOG_MESSAGE_SIZE] = "";
	cleanup_buf struct buf key_path = BUF_INIT;
	cleanup_key struct db_key key;
	struct catalog_counts counts;
	struct job_pool *pool;
	struct jobs *jobs;
	int64_t queued;
	double before;

	if (!settings.workers) {
		fprintf(stderr, "usage: queue CATALOG WORKERS\n");
		return 2;
	}
	buf_addf(&key_path, "%s.key", argv[1]);
	check(catalog_key_file_load(buf_str(&key_path), &key, message), message);
	check(catalog_open(argv[1], &key, &catalog, message), message);
	check(catalog_storage_set(catalog, 1, &storage, "no secret"), "give it a bucket");

	before = cpu_msecs();
	check(catalog_migrate_queue(catalog, all, &queued), "queue");
	check(jobs_new(catalog, &jobs), "start");
	check(job_pool_start(jobs, &settings, &pool), "start");
	do {
		usleep(100000);
		check(catalog_counts_get(catalog, all, &counts), "count");
	} while (counts.queued + counts.running);
	job_pool_stop(pool, 1000);
	jobs_free(jobs);
	if (counts.done != queued || !queued) {
		fprintf(stderr, "queue: %" PRId64 " of %" PRId64 " done\n", counts.done, queued);
		return 1;
	}
	printf("%.4f\n", (cpu_msecs() - before) / (double)queued);
	catalog_close(catalog);
	return 0;
}
