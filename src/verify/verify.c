/* One verification: list, ask for what is doubtful, read back; and what its threads tell it. */
#include "verify/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "catalog/campaign.h"
#include "storage/object.h"
#include "storage/storage.h"
#include "util/pool.h"
#include "util/times.h"
#include "verify/verify-private.h"

#define THREADS 8
#define PROGRESS_MSECS 100
/* So many services' failures one after the other: the rest would fail, too. */
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

/* ---- what threads tell the run ---- */

/* The lock is held. */
static void progress(struct verify *v, bool is_urgent)
{
	int64_t now = time_mono_msecs();

	if (!v->observer->progress || (!is_urgent && now - v->progress_msecs < PROGRESS_MSECS))
		return;
	v->progress_msecs = now;
	v->observer->progress(v->observer->arg, &v->stats);
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

/* The lock is held. */
static void fail(struct verify *v, int rc, const struct remote_error *error)
{
	if (v->rc && !(v->rc == -ECANCELED && rc != -ECANCELED))
		return;
	v->rc = rc;
	if (error)
		v->error = *error;
	else
		remote_error_clear(&v->error);
}

void verify_fail(struct verify *v, int rc, const struct remote_error *error)
{
	pthread_mutex_lock(&v->lock);
	fail(v, rc, error);
	/* A catalog that cannot be read or written is not asked on. */
	v->is_stopped |= !error;
	pthread_mutex_unlock(&v->lock);
}

void verify_undecided(struct verify *v, const struct sid *sid, const char *key, int rc,
		      const struct remote_error *error)
{
	const struct verify_finding finding = {
		.kind = VERIFY_UNDECIDED,
		.recording_sid = *sid,
		.key = key,
		.note = error->message,
		.expected_bytes = -1,
		.found_bytes = -1,
	};

	pthread_mutex_lock(&v->lock);
	fail(v, rc, error);
	if (error->kind == REMOTE_CANCELLED || ++v->failures_running >= MAX_FAILURES_RUNNING)
		v->is_stopped = true;
	pthread_mutex_unlock(&v->lock);
	verify_report(v, &finding);
}

void verify_answered(struct verify *v)
{
	pthread_mutex_lock(&v->lock);
	v->failures_running = 0;
	pthread_mutex_unlock(&v->lock);
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
	int rc;

	pthread_mutex_lock(&v->lock);
	is_new = !marks_has(&v->good, recording->id);
	v->stats.good += is_new;
	v->stats.unvouched += is_new && recording->is_unvouched;
	rc = marks_set(&v->good, recording->id);
	pthread_mutex_unlock(&v->lock);
	if (rc)
		verify_fail(v, rc, NULL);
}

bool verify_is_removed(struct verify *v, const struct sid *sid, const char *key, bool *ret_is_known)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	int rc = storage_tombstone_look(v->s3, v->storage.prefix, sid, &error);

	*ret_is_known = rc >= 0;
	if (rc < 0)
		verify_undecided(v, sid, key, rc, &error);
	return rc == 1;
}

int verify_doubt_add(struct verify *v, int64_t recording_id)
{
	int rc;

	if (marks_has(&v->doubted, recording_id))
		return 0;
	rc = marks_set(&v->doubted, recording_id);
	if (rc == 0 && v->doubt_count == v->doubt_capacity) {
		size_t capacity = v->doubt_capacity ? 2 * v->doubt_capacity : 256;
		int64_t *more = reallocarray(v->doubts, capacity, sizeof *more);

		if (!more)
			return -ENOMEM;
		v->doubts = more;
		v->doubt_capacity = capacity;
	}
	if (rc == 0)
		v->doubts[v->doubt_count++] = recording_id;
	return rc;
}

bool verify_was_told(struct verify *v, int rc)
{
	if (rc && rc != -ESTALE)
		verify_fail(v, rc, NULL);
	return rc == 0;
}

/* ---- the run ---- */

static int scope_workspace(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_id)
{
	struct catalog_recording recording;
	struct catalog_campaign folder;
	int rc;

	switch (scope.kind) {
	case CATALOG_SCOPE_WORKSPACE:
		*ret_id = scope.id;
		return 0;
	case CATALOG_SCOPE_FOLDER:
		rc = catalog_campaign_get(catalog, scope.id, &folder);
		*ret_id = rc ? 0 : folder.workspace_id;
		return rc;
	case CATALOG_SCOPE_RECORDING:
		rc = catalog_recording_get(catalog, scope.id, &recording);
		*ret_id = rc ? 0 : recording.workspace_id;
		return rc;
	case CATALOG_SCOPE_ALL:
		break;
	}
	return -EINVAL;
}

static int open_clients(struct verify *v)
{
	int64_t workspace_id;
	int rc = scope_workspace(v->env->catalog, v->scope, &workspace_id);

	if (rc == 0)
		rc = account_client_new(v->env->catalog, v->env->http, workspace_id, 0,
					v->env->cancel, &v->twilio, &v->workspace);
	if (rc == -ENOKEY)
		rc = -ENOENT;
	if (rc)
		return rc;
	rc = storage_client_new(v->env->catalog, v->env->http, workspace_id, v->env->cancel, &v->s3,
				&v->storage);
	return rc == -ENOENT ? -ENODEV : rc;
}

static void run(struct verify *v)
{
	/* What a list that broke off did not show is not doubtful: it is unknown. */
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
	int rc;

	if (!v.options.threads)
		v.options.threads = THREADS;
	remote_error_clear(&v.error);
	pthread_mutex_init(&v.lock, NULL);
	rc = open_clients(&v);
	if (rc == 0) {
		run(&v);
		rc = v.rc;
	}
	pthread_mutex_lock(&v.lock);
	progress(&v, true);
	pthread_mutex_unlock(&v.lock);
	*ret_stats = v.stats;
	*ret_error = v.error;
	release(&v);
	return rc;
}
