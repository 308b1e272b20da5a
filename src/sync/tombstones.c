/* Removed recordings have tombstones in the bucket, so that neither a rebuilt catalog nor another
 * machine brings them back. A complete list of tombstones is compared with the catalog in both
 * directions. */
#include <stdio.h>
#include <string.h>

#include "catalog/removal.h"
#include "storage/object.h"
#include "sync/sync-private.h"
#include "util/fault.h"

/* A poll finds few new recordings, and sends a request for each. Above this limit, all tombstones
 * are listed instead. */
#define ASK_LIMIT 100

static int on_tombstone(void *arg, const struct s3_list_entry *entry)
{
	struct sync_tombstones *tombstones = arg;
	const char *name = strrchr(entry->key, '/');
	struct sid sid;

	if (sid_parse(name ? name + 1 : entry->key, "RE", &sid) < 0)
		return 0;
	return sync_sids_add(&tombstones->sids, &sid);
}

/* Adds to the error's message what could not be learned. */
static void explain(struct remote_error *error, int err, bool is_first)
{
	char reason[sizeof error->message];

	snprintf(reason, sizeof reason, "%s", error->message[0] ? error->message : strerror(-err));
	snprintf(error->message, sizeof error->message, "%s: %.90s",
		 is_first ? "nothing is listed before the bucket tells what was removed"
			  : "the bucket does not tell what was removed elsewhere",
		 reason);
}

static bool bucket_has(void *arg, const struct sid *sid)
{
	return sync_sids_has(arg, sid);
}

/* Hides recordings that have a tombstone. If the list is complete, queues tombstones for removed
 * recordings that have none, for example because they were removed before the bucket was in use. */
static void compare(struct sync_run *run)
{
	struct sync_tombstones *tombstones = &run->tombstones;
	struct sync_session *session = run->session;
	struct catalog *catalog = session->env->catalog;
	int64_t hidden, queued;
	int err = catalog_removals_learn(catalog, session->workspace.id, tombstones->sids.values,
					 tombstones->sids.count, &hidden);

	fault_point("removals-learned");
	if (err == 0 && !tombstones->is_partial && session->storage.enabled)
		err = catalog_removals_tell(catalog, session->workspace.id, bucket_has,
					    &tombstones->sids, &queued);
	pthread_mutex_lock(&run->lock);
	run->stats.removed_elsewhere += hidden;
	sync_run_fail_locked(run, err, NULL);
	pthread_mutex_unlock(&run->lock);
}

/* The lock is held. */
static void load(struct sync_run *run, bool is_first)
{
	static const struct sid zero;
	struct sync_tombstones *tombstones = &run->tombstones;
	struct sync_session *session = run->session;
	struct remote_error error = REMOTE_ERROR_INIT;
	char prefix[CATALOG_KEY_TEXT_SIZE];
	char *end;
	int err;

	catalog_tombstone_key(session->storage.prefix, &zero, prefix);
	end = strrchr(prefix, '/');
	if (end)
		end[1] = '\0';
	err = s3_list(session->s3, S3_OBJECTS, prefix, on_tombstone, tombstones, &error);
	/* A partial list is better than none. */
	sync_sids_sort(&tombstones->sids);
	tombstones->is_loaded = true;
	tombstones->is_partial = err < 0;
	if (err < 0) {
		explain(&error, err, is_first);
		sync_run_fail(run, err, &error);
	}
	compare(run);
}

bool sync_tombstones_load(struct sync_run *run, bool is_first)
{
	bool is_known;

	/* A bucket that has not been in use has no tombstones of this catalog. */
	if (!run->session->s3 || (is_first && !run->session->storage.enabled))
		return true;
	pthread_mutex_lock(&run->tombstones.lock);
	if (!run->tombstones.is_loaded)
		load(run, is_first);
	is_known = !run->tombstones.is_partial;
	pthread_mutex_unlock(&run->tombstones.lock);
	return is_known;
}

bool sync_tombstones_rule_out(struct sync_run *run, const struct sid *sid)
{
	bool is_out;

	pthread_mutex_lock(&run->tombstones.lock);
	is_out = run->tombstones.is_loaded && !sync_sids_has(&run->tombstones.sids, sid);
	pthread_mutex_unlock(&run->tombstones.lock);
	return is_out;
}

bool sync_tombstone_is_there(struct sync_run *run, const struct sid *sid)
{
	struct sync_tombstones *tombstones = &run->tombstones;
	struct remote_error error = REMOTE_ERROR_INIT;
	bool is_known = true, is_there = false;
	int err;

	if (!run->session->s3)
		return false;
	pthread_mutex_lock(&tombstones->lock);
	if (!tombstones->is_loaded && !tombstones->is_unavailable &&
	    tombstones->asked++ >= ASK_LIMIT)
		load(run, false);
	if (tombstones->is_loaded)
		is_there = sync_sids_has(&tombstones->sids, sid);
	else
		is_known = tombstones->is_unavailable;
	pthread_mutex_unlock(&tombstones->lock);
	if (is_known)
		return is_there;

	err = storage_tombstone_look(run->session->s3, run->session->storage.prefix, sid, &error);
	if (err < 0) {
		/* An unreachable bucket must not hide new recordings. */
		pthread_mutex_lock(&tombstones->lock);
		tombstones->is_unavailable = true;
		pthread_mutex_unlock(&tombstones->lock);
		pthread_mutex_lock(&run->lock);
		run->stats.undecided++;
		pthread_mutex_unlock(&run->lock);
	}
	return err == 1;
}
