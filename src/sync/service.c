/* The threads of sync in a process that works in the background: one polls (and lists new
 * workspaces), one sweeps, slowly, one learns sizes, one asks for the recordings that callbacks
 * have named (callbacks.c), one follows restores of archived objects. Due times stand in the
 * catalog, where any process may change them: each thread looks there when the catalog has
 * changed, and now and then for work that is due by the clock. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/lease.h"
#include "storage/restore.h"
#include "sync/sync-private.h"
#include "util/array.h"
#include "util/log.h"
#include "util/pool.h"
#include "util/times.h"
#include "util/wait.h"

#define LEASE_MSECS 600000
#define LEASE_RENEW_MSECS 60000
#define SWEEP_PAUSE_MSECS 500
/* After a failure: at least so long, then twice as long, … */
#define AGAIN_MSECS 60000
#define AGAIN_LIMIT_MSECS 3600000

/* A workspace, as one thread remembers it. */
struct watch {
	int64_t workspace_id, again_msecs;
	unsigned times;
};

enum duty { DUTY_POLL, DUTY_SWEEP, DUTY_SIZES, DUTY_CALLBACKS, DUTY_RESTORES, DUTY_COUNT };

struct duty_form {
	const char *name; /* of the thread */
	void *(*run)(void *worker);
	int (*step)(struct sync_service *service, bool *ret_left); /* of take_steps */
	/* How long the thread rests between two looks: at least, so that a catalog that changes all
	 * the time is not looked at each time, and at most, for what becomes due by the clock. */
	unsigned rest_min_msecs, rest_max_msecs;
};
static const struct duty_form duty_forms[DUTY_COUNT];

struct worker {
	struct sync_service *service;
	enum duty duty;
	pthread_t thread;
	bool is_started;
	uint64_t generation; /* of the catalog, when it was looked at last */
	/* Of a poller or sweeper. */
	char owner[CATALOG_OWNER_SIZE];
	struct watch *watches;
	size_t watch_count;
};

struct sync_service {
	struct sync_env env;
	struct cancel cancel;
	struct sync_sizer *sizer;
	struct worker workers[DUTY_COUNT];
};

static struct watch *watch_find(struct worker *worker, int64_t workspace_id)
{
	struct watch *watch;

	for (size_t i = 0; i < worker->watch_count; i++)
		if (worker->watches[i].workspace_id == workspace_id)
			return &worker->watches[i];
	watch = array_add(&worker->watches, &worker->watch_count);
	if (watch)
		watch->workspace_id = workspace_id;
	return watch;
}

/* ---- one workspace ---- */

static bool is_due(enum duty duty, const struct catalog_workspace *workspace,
		   const struct catalog_sync_state *state)
{
	int64_t now = time_now_secs();

	if (!workspace->poll_secs)
		return false;
	/* The first listing of all is the poller's, and at full speed. */
	if (duty == DUTY_SWEEP)
		return state->listed_until_secs > 0 && sync_plan_full_is_due(state, now);
	/* A poll from the future was a clock's mistake. */
	return state->listed_until_secs <= 0 ||
	       now - state->last_poll_secs >= workspace->poll_secs ||
	       state->last_poll_secs > now + SYNC_OVERLAP_SECS;
}

struct lease {
	struct worker *worker;
	char name[64];
	int64_t renewed_msecs;
};

static int lease_take(struct lease *lease)
{
	lease->renewed_msecs = time_mono_msecs();
	return job_lease_take(lease->worker->service->env.catalog, lease->name,
			      lease->worker->owner, LEASE_MSECS);
}

static void on_progress(void *arg, const struct sync_stats *stats)
{
	struct lease *lease = arg;

	/* Losing it does no harm: two may list at once. */
	if (time_mono_msecs() - lease->renewed_msecs >= LEASE_RENEW_MSECS)
		lease_take(lease);
}

static void log_end(const struct catalog_workspace *workspace, int err,
		    const struct sync_stats *stats, const struct remote_error *error,
		    const struct watch *watch)
{
	const char *reason = error->kind != REMOTE_OK ? error->message : strerror(-err);
	int64_t gone = stats->recordings_gone + stats->applied.recordings_unlisted;

	if (gone)
		log_warning("sync: workspace %s: %" PRId64
			    " recordings deleted at Twilio, not by this catalog,"
			    " and not in its bucket. " SYNC_GONE_ADVICE,
			    workspace->name, gone);
	if (stats->calls_cut)
		log_info("sync: workspace %s: %" PRId64
			 " calls have a number, direction or status of more than"
			 " 256 bytes, of which the first are kept",
			 workspace->name, stats->calls_cut);
	if (err == -ECANCELED)
		return;
	/* The same failure is not told every few minutes. */
	if (err < 0 && watch->times == 0)
		log_warning("sync: workspace %s: %s%s", workspace->name, reason,
			    stats->pages ? " (in part)" : "");
	else if (err < 0)
		log_debug("sync: workspace %s: again: %s", workspace->name, reason);
	else if (watch->times || stats->applied.recordings_new || stats->recordings_gone)
		log_info("sync: workspace %s: %" PRId64 " new recordings, %" PRId64
			 " gone at Twilio",
			 workspace->name, stats->applied.recordings_new, stats->recordings_gone);
}

static void serve(struct worker *worker, const struct catalog_workspace *workspace)
{
	const struct sync_env *env = &worker->service->env;
	static const struct sync_options poll = { .depth = SYNC_POLL },
					 sweep = { SYNC_FULL, 1, SWEEP_PAUSE_MSECS };
	bool is_sweep = worker->duty == DUTY_SWEEP;
	struct lease lease = { .worker = worker };
	struct watch *watch = watch_find(worker, workspace->id);
	struct catalog_sync_state state;
	struct remote_error error;
	struct sync_stats stats;
	int64_t pause;
	int err;

	if (!watch || time_mono_msecs() < watch->again_msecs)
		return;
	if (catalog_sync_state_get(env->catalog, workspace->id, &state) < 0 ||
	    !is_due(worker->duty, workspace, &state))
		return;
	snprintf(lease.name, sizeof lease.name, "%s:%" PRId64, is_sweep ? "sweep" : "poll",
		 workspace->id);
	if (lease_take(&lease) < 0)
		return;
	/* Again, now that nobody else can: another process may have done it a moment ago. */
	if (catalog_sync_state_get(env->catalog, workspace->id, &state) == 0 &&
	    is_due(worker->duty, workspace, &state)) {
		err = sync_workspace(env, workspace->id, is_sweep ? &sweep : &poll, on_progress,
				     &lease, &stats, &error);
		log_end(workspace, err, &stats, &error, watch);
		pause = sync_plan_backoff(AGAIN_MSECS, watch->times, AGAIN_LIMIT_MSECS);
		watch->again_msecs = err < 0 ? time_mono_msecs() + pause : 0;
		watch->times = err < 0 ? watch->times + 1 : 0;
	}
	job_lease_give_back(env->catalog, lease.name, worker->owner);
}

/* ---- threads ---- */

/* False: the service ends. */
static bool rest(struct worker *worker)
{
	const struct sync_env *env = &worker->service->env;
	const struct duty_form *form = &duty_forms[worker->duty];

	if (!sleep_msecs(form->rest_min_msecs, env->cancel))
		return false;
	if (form->rest_max_msecs > form->rest_min_msecs)
		catalog_wait(env->catalog, &worker->generation,
			     form->rest_max_msecs - form->rest_min_msecs);
	return !cancel_is_set(env->cancel);
}

struct workspaces {
	struct catalog_workspace *items;
	size_t count;
};

static int on_workspace(void *arg, const struct catalog_workspace *workspace)
{
	struct workspaces *list = arg;

	return array_push(&list->items, &list->count, workspace);
}

static void *list(void *arg)
{
	struct worker *worker = arg;
	const struct sync_env *env = &worker->service->env;

	do {
		struct workspaces list = { NULL, 0 };

		/* Copied, because its callbacks must not change the catalog. */
		if (catalog_workspace_each(env->catalog, false, on_workspace, &list) == 0)
			for (size_t i = 0; i < list.count && !cancel_is_set(env->cancel); i++)
				serve(worker, &list.items[i]);
		free(list.items);
	} while (rest(worker));
	return NULL;
}

/* At each look, repeats the duty's step while it has work left. */
static void *take_steps(void *arg)
{
	struct worker *worker = arg;
	struct sync_service *service = worker->service;
	const struct duty_form *form = &duty_forms[worker->duty];
	int last_err = 0;

	do {
		bool left = true;
		int err = 0;

		while (left && err == 0 && !cancel_is_set(&service->cancel))
			err = form->step(service, &left);
		if (err < 0 && err != -ECANCELED && err != last_err)
			log_warning("%s: %s", form->name, strerror(-err));
		last_err = err;
	} while (rest(worker));
	return NULL;
}

static int learn_sizes(struct sync_service *service, bool *ret_left)
{
	int64_t learned;

	return sync_sizer_step(service->sizer, &learned, ret_left);
}

static int follow_restores(struct sync_service *service, bool *ret_left)
{
	struct storage_restore_stats stats = { 0 };

	return storage_restore_step(service->env.catalog, service->env.http, 0, &service->cancel,
				    &stats, ret_left);
}

static void *ask_for_callbacks(void *arg)
{
	struct worker *worker = arg;

	sync_callbacks_run(&worker->service->env);
	return NULL;
}

/* ---- life ---- */

static const struct duty_form duty_forms[DUTY_COUNT] = {
	[DUTY_POLL] = { "sync poll", list, NULL, 5000, 5000 }, /* due by the clock alone */
	[DUTY_SWEEP] = { "sync sweep", list, NULL, 5000, 60000 },
	[DUTY_SIZES] = { "sync sizes", take_steps, learn_sizes, 2000, 15000 },
	[DUTY_CALLBACKS] = { "sync callbacks", ask_for_callbacks, NULL, 0, 0 }, /* waits itself */
	[DUTY_RESTORES] = { "sync restores", take_steps, follow_restores, 2000, 15000 },
};

int sync_service_start(struct catalog *catalog, struct http *http,
		       struct sync_service **ret_service)
{
	struct sync_service *service = calloc(1, sizeof *service);
	int err;

	if (!service)
		return -ENOMEM;
	service->env =
		(struct sync_env){ .catalog = catalog, .http = http, .cancel = &service->cancel };
	err = sync_sizer_new(&service->env, &service->sizer);
	for (unsigned i = 0; i < DUTY_COUNT && err == 0; i++) {
		struct worker *worker = &service->workers[i];

		worker->service = service;
		worker->duty = (enum duty)i;
		job_owner_new(worker->owner);
		err = thread_start(&worker->thread, duty_forms[i].name, duty_forms[i].run, worker);
		worker->is_started = err == 0;
	}
	if (err)
		sync_service_stop(service);
	else
		*ret_service = service;
	return err;
}

void sync_service_stop(struct sync_service *service)
{
	if (!service)
		return;
	cancel_set(&service->cancel);
	catalog_wake(service->env.catalog);
	for (unsigned i = 0; i < DUTY_COUNT && service->workers[i].is_started; i++) {
		pthread_join(service->workers[i].thread, NULL);
		free(service->workers[i].watches);
	}
	sync_sizer_free(service->sizer);
	free(service);
}
