/* Renewing the leases of all claimed jobs, and what a lost one means for its run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/jobs-private.h"
#include "util/array.h"
#include "util/cleanup.h"

bool job_run_is_ours(const struct job_run *run)
{
	return !cancel_is_set(&run->cancel) && job_clock_msecs() < run->job.lease_end_msecs;
}

static void note(struct job_run *run, const struct job_renewal *renewal, int err, int64_t now_msecs)
{
	if (err == 0)
		err = renewal->ret_err;
	if (err == 0) {
		run->renewed_msecs = now_msecs;
		run->job.lease_end_msecs = renewal->ret_lease_end_msecs;
		if (renewal->ret_is_pause_asked)
			cancel_set(&run->cancel);
	} else if (err == -ESTALE || job_clock_msecs() + RENEW_MSECS >= run->job.lease_end_msecs) {
		/* Gone, or not to be saved in time. */
		run->is_lost = true;
		cancel_set(&run->cancel);
	}
}

struct round {
	struct job_renewal *renewals;
	size_t count;
};

/* Also the runs whose turn would come soon: one commit renews all. */
static int collect(struct round *round, const struct job_pool *pool, int64_t now_msecs)
{
	list_for_each_entry(const struct job_run, run, &pool->runs, link) {
		struct job_renewal *renewal;

		if (run->is_lost || run->renewed_msecs + RENEW_MSECS / 2 > now_msecs)
			continue;
		renewal = array_add(&round->renewals, &round->count);
		if (!renewal)
			return -ENOMEM;
		job_renewal_init(renewal, &run->job, run->done_bytes, run->total_bytes);
	}
	return 0;
}

static int64_t next_due(const struct jobs *jobs)
{
	int64_t next_msecs = INT64_MAX;

	list_for_each_entry(struct job_pool, pool, &jobs->pools, link) {
		list_for_each_entry(struct job_run, run, &pool->runs, link)
			if (!run->is_lost && run->renewed_msecs + RENEW_MSECS < next_msecs)
				next_msecs = run->renewed_msecs + RENEW_MSECS;
	}
	return next_msecs;
}

/* Runs have ended meanwhile, none was added: those that are left are in the same order. */
static void note_all(struct jobs *jobs, const struct round *round, int err, int64_t now_msecs)
{
	size_t i = 0;

	list_for_each_entry(struct job_pool, pool, &jobs->pools, link) {
		list_for_each_entry(struct job_run, run, &pool->runs, link) {
			size_t at = i;

			while (at < round->count && round->renewals[at].id != run->job.id)
				at++;
			/* A lost run may be in the list beside another one of the same job. */
			if (at == round->count || run->is_lost)
				continue;
			note(run, &round->renewals[at], err, now_msecs);
			i = at + 1;
		}
	}
}

int64_t jobs_renew(struct jobs *jobs, int64_t now_msecs)
{
	struct round round = { 0 };
	int64_t due_msecs;
	int err = 0;

	pthread_mutex_lock(&jobs->mutex);
	due_msecs = next_due(jobs);
	if (due_msecs < jobs->renewed_msecs + RENEW_RETRY_MSECS)
		due_msecs = jobs->renewed_msecs + RENEW_RETRY_MSECS;
	if (due_msecs <= now_msecs)
		list_for_each_entry(struct job_pool, pool, &jobs->pools, link)
			if (err == 0)
				err = collect(&round, pool, now_msecs);
	pthread_mutex_unlock(&jobs->mutex);
	if (due_msecs > now_msecs)
		return due_msecs;
	jobs->renewed_msecs = now_msecs;
	if (err == 0)
		err = job_renew(jobs->catalog, round.renewals, round.count, LEASE_MSECS);
	pthread_mutex_lock(&jobs->mutex);
	note_all(jobs, &round, err, now_msecs);
	due_msecs = next_due(jobs);
	pthread_mutex_unlock(&jobs->mutex);
	free(round.renewals);
	return due_msecs;
}
