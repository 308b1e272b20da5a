/* One synchronisation of one workspace: plan, list, fetch, check, and store the new state. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/removal.h"
#include "sync/sync-private.h"
#include "util/array.h"
#include "util/pool.h"
#include "util/times.h"

#define PROGRESS_MSECS 100
#define THREADS 4
/* A row may become visible a little after its date_created. */
#define VISIBLE_SECS 60
#define UNKNOWN_CALLS_BATCH 200

/* ---- results of the threads ---- */

void sync_run_fail_locked(struct sync_run *run, int err, const struct remote_error *error)
{
	if (!err || (run->err && !(run->err == -ECANCELED && err != -ECANCELED)))
		return;
	run->err = err;
	if (error)
		run->error = *error;
	else
		remote_error_clear(&run->error);
}

void sync_run_fail(struct sync_run *run, int err, const struct remote_error *error)
{
	pthread_mutex_lock(&run->lock);
	sync_run_fail_locked(run, err, error);
	pthread_mutex_unlock(&run->lock);
}

void sync_run_progress(struct sync_run *run, bool is_urgent)
{
	int64_t now = time_mono_msecs();

	if (!run->progress || (!is_urgent && now - run->progress_msecs < PROGRESS_MSECS))
		return;
	run->progress_msecs = now;
	run->progress(run->progress_arg, &run->stats);
}

int sync_run_add_check(struct sync_run *run, const struct sid *sid, bool is_deleted)
{
	const struct sync_check check = { *sid, is_deleted };
	int err;

	pthread_mutex_lock(&run->lock);
	err = array_push(&run->checks, &run->check_count, &check);
	pthread_mutex_unlock(&run->lock);
	return err;
}

/* ---- calls that recordings name and that were not listed ---- */

struct unknown_calls {
	struct sync_run *run;
	struct sid sids[UNKNOWN_CALLS_BATCH];
	size_t count, settled; /* settled: under run->lock */
};

static int on_unknown_call(void *arg, const struct sid *sid)
{
	struct unknown_calls *unknown = arg;

	unknown->sids[unknown->count++] = *sid;
	return 0;
}

static void fetch_unknown_call(void *arg, size_t index)
{
	struct unknown_calls *unknown = arg;
	struct sync_run *run = unknown->run;
	const struct sid *sid = &unknown->sids[index];
	struct remote_error error = REMOTE_ERROR_INIT;
	int err;

	if (cancel_is_set(run->session->env->cancel)) {
		sync_run_fail(run, -ECANCELED, NULL);
		return;
	}
	err = sync_fetch_call(run->session, sid, &error);
	if (err < 0 && error.kind == REMOTE_NOT_FOUND)
		err = catalog_call_unavailable(run->session->env->catalog, sid);

	pthread_mutex_lock(&run->lock);
	if (err == 0) {
		unknown->settled++;
		run->stats.calls_fetched++;
		sync_run_progress(run, false);
	} else {
		run->stats.undecided++;
		sync_run_fail_locked(run, err, &error);
	}
	pthread_mutex_unlock(&run->lock);
}

static void fetch_unknown_calls(struct sync_run *run)
{
	struct unknown_calls *unknown = calloc(1, sizeof *unknown);

	if (!unknown) {
		sync_run_fail(run, -ENOMEM, NULL);
		return;
	}
	do {
		int err;

		*unknown = (struct unknown_calls){ .run = run };
		err = catalog_calls_unknown(run->session->env->catalog, run->session->workspace.id,
					    UNKNOWN_CALLS_BATCH, on_unknown_call, unknown);
		sync_run_fail(run, err, NULL);
		parallel_for(unknown->count, run->options.threads, fetch_unknown_call, unknown);
		/* After a failure the same calls would come first again. */
	} while (unknown->count == UNKNOWN_CALLS_BATCH && unknown->settled == unknown->count);
	free(unknown);
}

/* ---- recordings that may be gone ---- */

static void check_one(void *arg, size_t index)
{
	struct sync_run *run = arg;
	struct remote_error error;
	enum sync_fate fate;
	int err;

	if (cancel_is_set(run->session->env->cancel)) {
		sync_run_fail(run, -ECANCELED, NULL);
		return;
	}
	fate = sync_check_recording(run->session, &run->checks[index].sid,
				    run->checks[index].is_deleted, &err, &error);
	pthread_mutex_lock(&run->lock);
	run->stats.recordings_gone += fate == SYNC_FATE_GONE;
	run->stats.recordings_found_in_s3 += fate == SYNC_FATE_FOUND_IN_S3;
	run->stats.undecided += fate == SYNC_FATE_UNDECIDED;
	sync_run_fail_locked(run, err, &error);
	sync_run_progress(run, false);
	pthread_mutex_unlock(&run->lock);
}

static int on_believed_at_twilio(void *arg, const struct catalog_recording *recording)
{
	struct sync_run *run = arg;

	if (sync_sids_has(&run->seen, &recording->sid))
		return 0;
	return sync_run_add_check(run, &recording->sid, false);
}

static void check_all(struct sync_run *run)
{
	parallel_for(run->check_count, run->options.threads, check_one, run);
	run->check_count = 0;
}

/* ---- the run ---- */

static int make_plan(struct sync_run *run)
{
	struct catalog *catalog = run->session->env->catalog;
	int64_t workspace_id = run->session->workspace.id, oldest_call, oldest_recording;
	int err = catalog_sync_state_get(catalog, workspace_id, &run->state);

	if (err < 0)
		return err;
	run->began_secs = time_now_secs();
	run->began_mono_msecs = time_mono_msecs();
	run->stats.is_full = run->options.depth == SYNC_FULL || run->state.listed_until_secs <= 0 ||
			     (run->options.depth == SYNC_AUTO &&
			      sync_plan_full_is_due(&run->state, run->began_secs));
	if (run->stats.is_full)
		return 0;
	err = catalog_oldest_unfinished(catalog, workspace_id, &oldest_call, &oldest_recording);
	if (err < 0)
		return err;
	run->calls_since_secs = sync_plan_since(run->state.listed_until_secs, oldest_call);
	run->recordings_since_secs =
		sync_plan_since(run->state.listed_until_secs, oldest_recording);
	return 0;
}

/* Twilio's time when the run began; if unknown, an hour before ours. */
static int64_t began_at_twilio(const struct sync_run *run)
{
	int64_t now;

	if (!twilio_client_now(run->session->twilio, &now))
		return run->began_secs - SYNC_OVERLAP_SECS;
	return now - (time_mono_msecs() - run->began_mono_msecs) / 1000;
}

/* False also if a bucket came into use after the run began: it has not been asked. */
static bool has_learned_removals(struct sync_run *run)
{
	const struct catalog_storage *asked = &run->session->storage;
	struct catalog_storage now;

	if (catalog_storage_get(run->session->env->catalog, run->session->workspace.id, &now) < 0 ||
	    !now.enabled)
		return true;
	return run->session->s3 && run->tombstones.is_loaded && !run->tombstones.is_partial &&
	       strcmp(now.endpoint, asked->endpoint) == 0 &&
	       strcmp(now.bucket, asked->bucket) == 0 && strcmp(now.prefix, asked->prefix) == 0;
}

static int remember(struct sync_run *run)
{
	struct catalog *catalog = run->session->env->catalog;
	int64_t workspace_id = run->session->workspace.id;
	struct catalog_sync_state state;
	/* Read again: another process may have swept meanwhile. */
	int err = catalog_sync_state_get(catalog, workspace_id, &state);

	if (err < 0)
		return err;
	state.listed_until_secs = began_at_twilio(run) - VISIBLE_SECS;
	state.last_poll_secs = run->began_secs;
	/* last_sweep_secs 0: a bucket came into use; its tombstones must be learned first. */
	if (run->stats.is_full && (state.last_sweep_secs || has_learned_removals(run)))
		state.last_sweep_secs = run->began_secs;
	return catalog_sync_state_set(catalog, workspace_id, &state);
}

static void list_all(struct sync_run *run)
{
	bool is_first = run->state.listed_until_secs <= 0;

	/* A listed recording stays a file until a user removes it, so a new catalog needs the
	 * tombstones first. */
	if (run->stats.is_full && !sync_tombstones_load(run, is_first) && is_first)
		return;
	sync_list(run);
	/* The stored time is in the future: a clock was wrong, anything may have been missed. */
	if (!run->stats.is_full && run->recordings_complete &&
	    run->state.listed_until_secs > began_at_twilio(run) + SYNC_OVERLAP_SECS) {
		run->stats.is_full = true;
		run->calls_since_secs = run->recordings_since_secs = 0;
		list_all(run);
	}
}

static void run_all(struct sync_run *run)
{
	struct catalog *catalog = run->session->env->catalog;
	int err = make_plan(run);

	if (err < 0) {
		sync_run_fail(run, err, NULL);
		return;
	}
	list_all(run);
	/* If a page of calls failed, its calls are not fetched one by one. */
	if (run->calls_complete)
		fetch_unknown_calls(run);
	if (run->stats.removed_elsewhere)
		sync_run_fail(run, catalog_removals_settle(catalog, run->session->workspace.id),
			      NULL);
	check_all(run);
	if (run->stats.is_full && run->recordings_complete) {
		sync_sids_sort(&run->seen);
		/* The youngest may have appeared after their window was listed. */
		err = catalog_recordings_at_twilio(catalog, run->session->workspace.id, 0,
						   began_at_twilio(run) - VISIBLE_SECS,
						   on_believed_at_twilio, run);
		sync_run_fail(run, err, NULL);
		check_all(run);
	}
	if (run->stats.is_full && !cancel_is_set(run->session->env->cancel))
		sync_classes(run);
	/* The lists are complete; undecided recordings are checked again by the next full sync. */
	if (run->calls_complete && run->recordings_complete &&
	    !cancel_is_set(run->session->env->cancel))
		sync_run_fail(run, remember(run), NULL);
	pthread_mutex_lock(&run->lock);
	sync_run_progress(run, true);
	pthread_mutex_unlock(&run->lock);
}

int sync_workspace(const struct sync_env *env, int64_t workspace_id,
		   const struct sync_options *options, sync_progress_fn *progress, void *arg,
		   struct sync_stats *ret_stats, struct remote_error *ret_error)
{
	struct sync_run run = { .progress = progress, .progress_arg = arg };
	int err;

	remote_error_clear(ret_error);
	memset(ret_stats, 0, sizeof *ret_stats);
	if (options)
		run.options = *options;
	if (!run.options.threads)
		run.options.threads = THREADS;
	err = sync_session_open(env, workspace_id, 0, &run.session);
	if (err < 0)
		return err;
	pthread_mutex_init(&run.lock, NULL);
	pthread_mutex_init(&run.write_lock, NULL);
	pthread_mutex_init(&run.tombstones.lock, NULL);
	remote_error_clear(&run.error);

	run_all(&run);

	*ret_stats = run.stats;
	*ret_error = run.error;
	err = run.err;
	free(run.checks);
	sync_sids_release(&run.seen);
	sync_sids_release(&run.tombstones.sids);
	pthread_mutex_destroy(&run.tombstones.lock);
	pthread_mutex_destroy(&run.lock);
	pthread_mutex_destroy(&run.write_lock);
	sync_session_close(run.session);
	return err;
}
