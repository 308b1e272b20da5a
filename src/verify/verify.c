/* The steps of a run (list, check doubts and strays, read back) and the results that its threads
 * share. */
#include "verify/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "account/account.h"
#include "catalog/campaign.h"
#include "storage/object.h"
#include "storage/storage.h"
#include "util/array.h"
#include "util/pool.h"
#include "util/times.h"
#include "verify/verify-private.h"

#define THREADS 8
#define PROGRESS_MSECS 100
/* After so many failures in a row, further requests would fail, too. */
#define MAX_FAILURES_RUNNING 3

const char *verify_kind_name(enum verify_kind kind)
{
	static const char *const names[VERIFY_KIND_COUNT] = {
		[VERIFY_MISSING] = "missing",       [VERIFY_NOT_IN_S3] = "not_in_s3",
		[VERIFY_WRONG_SIZE] = "wrong_size", [VERIFY_WRONG_HASH] = "wrong_hash",
		[VERIFY_NEW_ETAG] = "new_etag",     [VERIFY_FOUND] = "found",
		[VERIFY_UNVOUCHED] = "unvouched",   [VERIFY_UNREFERENCED] = "unreferenced",
		[VERIFY_REMOVED] = "removed",       [VERIFY_UPLOAD] = "upload",
		[VERIFY_UNDECIDED] = "undecided",
	};

	return names[kind];
}

/* ---- results of the threads ---- */

/* The lock is held. */
static void progress(struct verify *v, bool is_urgent)
{
	int64_t now = time_mono_msecs();

	if (!v->observer->progress || (!is_urgent && now - v->progress_msecs < PROGRESS_MSECS))
		return;
	v->progress_msecs = now;
	v->observer->progress(v->observer->arg, &v->stats);
}

void verify_count(struct verify *v, int64_t *number, int64_t more)
{
	pthread_mutex_lock(&v->lock);
	*number += more;
	pthread_mutex_unlock(&v->lock);
}

void verify_progress(struct verify *v)
{
	pthread_mutex_lock(&v->lock);
	progress(v, false);
	pthread_mutex_unlock(&v->lock);
}

void verify_report(struct verify *v, const struct verify_finding *finding)
{
	pthread_mutex_lock(&v->lock);
	v->stats.found[finding->kind]++;
	v->stats.repaired[finding->kind] += finding->is_repaired;
	if (v->observer->finding)
		v->observer->finding(v->observer->arg, finding);
	progress(v, false);
	pthread_mutex_unlock(&v->lock);
}

void verify_report_key(struct verify *v, enum verify_kind kind, const struct sid *sid,
		       const char *key, int64_t size_bytes, const char *note)
{
	const struct verify_finding finding = {
		.kind = kind,
		.recording_sid = sid ? *sid : (struct sid){ { 0 } },
		.key = key,
		.note = note,
		.expected_bytes = -1,
		.found_bytes = size_bytes,
	};

	verify_report(v, &finding);
}

/* The lock is held. */
static void fail(struct verify *v, int err, const struct remote_error *error)
{
	if (v->err && !(v->err == -ECANCELED && err != -ECANCELED))
		return;
	v->err = err;
	if (error)
		v->error = *error;
	else
		remote_error_clear(&v->error);
}

int verify_fail(struct verify *v, int err, const struct remote_error *error)
{
	if (!err)
		return 0;
	pthread_mutex_lock(&v->lock);
	fail(v, err, error);
	v->is_stopped |= !error || error->kind == REMOTE_OK;
	pthread_mutex_unlock(&v->lock);
	return err;
}

bool verify_answered(struct verify *v, const struct sid *sid, const char *key, int err,
		     const struct remote_error *error)
{
	pthread_mutex_lock(&v->lock);
	v->failures_running = err ? v->failures_running + 1 : 0;
	if (err) {
		fail(v, err, error);
		v->is_stopped |= error->kind == REMOTE_CANCELLED ||
				 v->failures_running >= MAX_FAILURES_RUNNING;
	}
	pthread_mutex_unlock(&v->lock);
	if (err)
		verify_report_key(v, VERIFY_UNDECIDED, sid, key, -1, error->message);
	return !err;
}

bool verify_ask_twilio(struct verify *v, const struct sid *sid, const char *key,
		       enum account_presence *ret_presence)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	int err = account_recording_presence(v->twilio, sid, ret_presence, &error);

	return verify_answered(v, sid, key, err, &error);
}

bool verify_is_over(struct verify *v)
{
	bool is_over;

	pthread_mutex_lock(&v->lock);
	if (cancel_is_set(v->env->cancel)) {
		fail(v, -ECANCELED, NULL);
		v->is_stopped = true;
	}
	is_over = v->is_stopped;
	pthread_mutex_unlock(&v->lock);
	return is_over;
}

void verify_good(struct verify *v, const struct catalog_recording *recording)
{
	bool is_new;
	int err;

	pthread_mutex_lock(&v->lock);
	is_new = !marks_has(&v->good, recording->id);
	v->stats.good += is_new;
	v->stats.unvouched += is_new && recording->is_unvouched;
	err = marks_set(&v->good, recording->id);
	pthread_mutex_unlock(&v->lock);
	verify_fail(v, err, NULL);
}

bool verify_is_removed(struct verify *v, const struct sid *sid, const char *key, bool *ret_is_known)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	int err = storage_tombstone_look(v->s3, v->storage.prefix, sid, &error);

	*ret_is_known = verify_answered(v, sid, key, err < 0 ? err : 0, &error);
	return err == 1;
}

int verify_doubt_add(struct verify *v, int64_t recording_id)
{
	int err;

	if (marks_has(&v->doubted, recording_id))
		return 0;
	err = marks_set(&v->doubted, recording_id);
	return err ? err : array_push(&v->doubts, &v->doubt_count, &recording_id);
}

bool verify_was_told(struct verify *v, int err)
{
	if (err != -ESTALE)
		verify_fail(v, err, NULL);
	return err == 0;
}

/* ---- the run ---- */

static int scope_workspace(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_id)
{
	struct catalog_recording recording;
	struct catalog_campaign folder;
	int err;

	switch (scope.kind) {
	case CATALOG_SCOPE_WORKSPACE:
		*ret_id = scope.id;
		return 0;
	case CATALOG_SCOPE_FOLDER:
		err = catalog_campaign_get(catalog, scope.id, &folder);
		*ret_id = err ? 0 : folder.workspace_id;
		return err;
	case CATALOG_SCOPE_RECORDING:
		err = catalog_recording_get(catalog, scope.id, &recording);
		*ret_id = err ? 0 : recording.workspace_id;
		return err;
	default:
		return -EINVAL;
	}
}

static int open_clients(struct verify *v)
{
	char account[SID_SIZE];
	int64_t workspace_id;
	int err = scope_workspace(v->env->catalog, v->scope, &workspace_id);

	if (err == 0)
		err = account_client_new(v->env->catalog, v->env->http, workspace_id, 0,
					 v->env->cancel, &v->twilio, &v->workspace);
	if (err == -ENOKEY)
		err = -ENOENT;
	if (err)
		return err;
	err = storage_client_new(v->env->catalog, v->env->http, workspace_id, v->env->cancel,
				 &v->s3, &v->storage);
	sid_format(&v->workspace.account_sid, "AC", account);
	snprintf(v->root, sizeof v->root, "%srecordings/", v->storage.prefix);
	snprintf(v->folder, sizeof v->folder, "%srecordings/%s/", v->storage.prefix, account);
	return err == -ENOENT ? -ENODEV : err;
}

static void run(struct verify *v)
{
	/* After an incomplete list, a recording that was not listed is unknown, not doubtful. */
	if (verify_list(v))
		return;
	parallel_for(v->doubt_count, v->options.threads, verify_doubt, v);
	parallel_for(v->stray_count, v->options.threads, verify_stray, v);
	if (v->options.read && !verify_is_over(v))
		verify_read_all(v);
}

static void release(struct verify *v)
{
	twilio_client_free(v->twilio);
	s3_client_free(v->s3);
	free(v->doubts);
	free(v->strays);
	marks_release(&v->doubted);
	marks_release(&v->good);
	pthread_mutex_destroy(&v->lock);
}

int verify_scope(const struct verify_env *env, struct catalog_scope scope,
		 const struct verify_options *options, const struct verify_observer *observer,
		 struct verify_stats *ret_stats, struct remote_error *ret_error)
{
	struct verify v = { .env = env, .options = *options, .observer = observer, .scope = scope };
	int err;

	if (!v.options.threads)
		v.options.threads = THREADS;
	remote_error_clear(&v.error);
	pthread_mutex_init(&v.lock, NULL);
	err = open_clients(&v);
	if (err == 0) {
		run(&v);
		err = v.err;
	}
	pthread_mutex_lock(&v.lock);
	progress(&v, true);
	pthread_mutex_unlock(&v.lock);
	*ret_stats = v.stats;
	*ret_error = v.error;
	release(&v);
	return err;
}
