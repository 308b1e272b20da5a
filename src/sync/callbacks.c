/* Fetches recordings that Twilio's callbacks have named; any process on the catalog may do it. A
 * callback may arrive before the recording or its call can be fetched, so requests are retried with
 * growing pauses, and then left to the next listing. */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "catalog/callback.h"
#include "jobs/lease.h"
#include "sync/sync-private.h"
#include "util/log.h"
#include "util/pool.h"
#include "util/times.h"
#include "util/wait.h"

/* Short, because fetching a recording twice does no harm. */
#define LEASE_MSECS 15000
#define OPERATION_TIMEOUT_MSECS 10000
#define THREADS 4
#define IDLE_MSECS 60000 /* at most between two looks: a new callback is a change in the catalog */
#define LOOK_MSECS 50    /* at least: a busy catalog changes all the time */
#define ERROR_PAUSE_MSECS 1000 /* after a look that failed, as on a full disk */
/* 1, 2, 4, … seconds: a little more than an hour in all. */
#define ATTEMPTS 12
#define FIRST_PAUSE_MSECS 1000

struct asking {
	struct sync_session *session;
	const struct catalog_callback_batch *batch;
	/* Twilio does not answer for this workspace: the rest of its batch fails at once, so that
	 * other workspaces do not wait. */
	atomic_bool is_down;
};

/* Fetches the recording, and its call if the recording is not a file yet. 0: done. */
static int ask(struct sync_session *session, const struct sid *sid, struct remote_error *ret_error)
{
	struct catalog_recording recording;
	struct sync_fetched found;
	int err = sync_fetch_recording(session, sid, &found, ret_error);

	if (err < 0 || found.is_deleted)
		return err;
	if (!found.is_completed) {
		remote_error_set(ret_error, REMOTE_BUSY, -EBUSY,
				 "Twilio: the recording is not completed yet");
		return -EBUSY;
	}
	err = catalog_recording_find(session->env->catalog, sid, &recording);
	if (err < 0)
		return err == -ENOENT ? 0 : err; /* removed by another machine */
	if (recording.is_listed || recording.state != CATALOG_STATE_TWILIO ||
	    sid_is_zero(&found.call_sid))
		return 0;
	/* Twilio may not know the call yet, and the recording would lose its folder and name: only
	 * a listing believes a 404. */
	return sync_fetch_call(session, &found.call_sid, ret_error);
}

static void settle(const struct asking *asking, const struct catalog_callback *item, int err,
		   const struct remote_error *error)
{
	struct sync_session *session = asking->session;
	struct catalog *catalog = session->env->catalog;
	const char *owner = asking->batch->owner, *why = error->message;
	char sid[SID_SIZE];
	int noted;

	sid_format(&item->recording_sid, "RE", sid);
	if (error->kind == REMOTE_OK)
		why = strerror(-err);
	if (err == 0) {
		noted = catalog_callback_done(catalog, owner, &item->recording_sid);
		log_debug("sync: workspace %s: %s came by callback", session->workspace.name, sid);
	} else if (err == -ECANCELED || cancel_is_set(session->env->cancel)) {
		noted = catalog_callback_later(catalog, owner, &item->recording_sid, 0);
	} else if (item->attempts >= ATTEMPTS) {
		noted = catalog_callback_done(catalog, owner, &item->recording_sid);
		log_warning(
			"sync: workspace %s: %s was named by a callback and is left to the next "
			"listing: %s",
			session->workspace.name, sid, why);
	} else {
		noted = catalog_callback_later(catalog, owner, &item->recording_sid,
					       (int64_t)FIRST_PAUSE_MSECS << (item->attempts - 1));
		log_debug("sync: workspace %s: %s is asked for again: %s", session->workspace.name,
			  sid, why);
	}
	/* On failure the lease expires by itself. */
	if (noted < 0)
		log_error("sync: workspace %s: %s: the catalog: %s", session->workspace.name, sid,
			  strerror(-noted));
}

static void ask_one(void *arg, size_t index)
{
	struct asking *asking = arg;
	const struct catalog_callback *item = &asking->batch->items[index];
	struct remote_error error = REMOTE_ERROR_INIT;
	int err = -ECANCELED;

	if (atomic_load(&asking->is_down)) {
		remote_error_set(&error, REMOTE_TRANSIENT, -EHOSTUNREACH, "Twilio does not answer");
		err = error.error;
	} else if (!cancel_is_set(asking->session->env->cancel)) {
		err = ask(asking->session, &item->recording_sid, &error);
	}
	if (err < 0 && error.kind == REMOTE_TRANSIENT)
		atomic_store(&asking->is_down, true);
	settle(asking, item, err, &error);
}

static void ask_all(const struct sync_env *env, const struct catalog_callback_batch *batch)
{
	struct asking asking = { .batch = batch };
	int err = sync_session_open(env, batch->workspace_id, OPERATION_TIMEOUT_MSECS,
				    &asking.session);

	/* -ENOENT: the workspace has just been removed. The lease expires by itself. */
	if (err < 0) {
		if (err != -ENOENT)
			log_error("sync: callbacks of a workspace: %s", strerror(-err));
		return;
	}
	parallel_for(batch->count, THREADS, ask_one, &asking);
	sync_session_close(asking.session);
}

static unsigned msecs_until(int64_t next_msecs)
{
	int64_t left = next_msecs - time_now_msecs();

	return left < 0 ? 0 : left < IDLE_MSECS ? (unsigned)left : IDLE_MSECS;
}

void sync_callbacks_run(const struct sync_env *env)
{
	char owner[CATALOG_OWNER_SIZE];
	uint64_t generation = 0;
	int last_err = 0;

	job_owner_new(owner);
	while (!cancel_is_set(env->cancel)) {
		struct catalog_callback_batch batch;
		int64_t next = INT64_MAX;
		int err = catalog_callback_claim(env->catalog, owner, LEASE_MSECS, &batch, &next);

		if (err == 0) {
			ask_all(env, &batch);
			continue;
		}
		if (err != -ENOENT && err != last_err)
			log_warning("sync: callbacks: %s", strerror(-err));
		last_err = err;
		if (err == -ENOENT)
			catalog_wait(env->catalog, &generation, msecs_until(next));
		sleep_msecs(err == -ENOENT ? LOOK_MSECS : ERROR_PAUSE_MSECS, env->cancel);
	}
}
