/* Checks one doubtful recording: looks it up again, because the list may be old, then requests the
 * object and the recording at Twilio before it reports anything. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "catalog/queue.h"
#include "catalog/removal.h"
#include "catalog/sync.h"
#include "storage/object.h"
#include "verify/verify-private.h"

static void report(struct verify *v, enum verify_kind kind, const struct catalog_belief *belief,
		   const char *key, int64_t found_bytes, bool is_repaired, const char *note)
{
	const struct verify_finding finding = {
		.kind = kind,
		.recording_sid = belief->recording.sid,
		.key = key,
		.note = note,
		.expected_bytes = belief->has_object ? belief->object.size_bytes
						     : belief->recording.size_bytes,
		.found_bytes = found_bytes,
		.is_repaired = is_repaired,
	};

	verify_report(v, &finding);
}

/* ---- recordings in S3, by the catalog ---- */

static int tell_lost(struct verify *v, const struct catalog_recording *recording,
		     enum account_presence presence)
{
	int err = 0;

	/* First note that it is gone at Twilio: otherwise it would count as being there and leave
	 * the tree. */
	if (presence == ACCOUNT_RECORDING_GONE && recording->state == CATALOG_STATE_STORED)
		err = catalog_recording_gone(v->env->catalog, recording->id);
	return err ? err : catalog_recording_lost_in_s3(v->env->catalog, recording->id);
}

/* Whether another machine removed it. True also when the request failed. Reports either. */
static bool is_removed_elsewhere(struct verify *v, const struct catalog_belief *belief,
				 const char *key, int64_t found_bytes)
{
	const struct catalog_recording *recording = &belief->recording;
	bool is_known, is_told = false;
	int64_t hidden;

	if (!verify_is_removed(v, &recording->sid, key, &is_known))
		return !is_known;
	if (v->options.repair)
		is_told = verify_was_told(v, catalog_removals_learn(v->env->catalog,
								    recording->workspace_id,
								    &recording->sid, 1, &hidden));
	report(v, VERIFY_REMOVED, belief, key, found_bytes, is_told, "another machine removed it");
	return true;
}

static void lost(struct verify *v, const struct catalog_belief *belief)
{
	enum account_presence presence;
	bool is_told = false;

	if (is_removed_elsewhere(v, belief, belief->object.key, -1) ||
	    !verify_ask_twilio(v, &belief->recording.sid, belief->object.key, &presence))
		return;
	if (v->options.repair)
		is_told = verify_was_told(v, tell_lost(v, &belief->recording, presence));
	report(v, presence == ACCOUNT_RECORDING_GONE ? VERIFY_MISSING : VERIFY_NOT_IN_S3, belief,
	       belief->object.key, -1, is_told, "");
}

void verify_doubt_wrong(struct verify *v, const struct catalog_belief *belief,
			enum verify_kind kind, int64_t found_bytes)
{
	const struct catalog_recording *recording = &belief->recording;
	enum account_presence presence = ACCOUNT_RECORDING_GONE;
	bool is_told = false;

	/* Twilio can have a copy only while its delete is pending or switched off. */
	if (recording->state == CATALOG_STATE_STORED &&
	    !verify_ask_twilio(v, &recording->sid, belief->object.key, &presence))
		return;
	if (presence == ACCOUNT_RECORDING_THERE && v->options.repair)
		is_told = verify_was_told(v, catalog_recording_lost_in_s3(v->env->catalog,
									  recording->id));
	report(v, kind, belief, belief->object.key, found_bytes, is_told,
	       presence == ACCOUNT_RECORDING_THERE ? "Twilio still has the recording" : "");
}

/* The size is right but the ETag differs: a copy or another encryption changes the ETag of the same
 * bytes. The bytes decide. */
static void compare_bytes(struct verify *v, const struct catalog_belief *belief,
			  const struct s3_object *object)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct catalog_object renewed;
	bool is_told = false;
	char sha256[65];
	int err;

	if (!belief->object.sha256[0]) {
		verify_doubt_wrong(v, belief, VERIFY_WRONG_HASH, object->size_bytes);
		return;
	}
	err = verify_read(v, belief->object.key, object->size_bytes, object->etag, sha256, &error);
	if (!verify_answered(v, &belief->recording.sid, belief->object.key, err, &error))
		return;
	if (strcasecmp(sha256, belief->object.sha256) != 0) {
		verify_doubt_wrong(v, belief, VERIFY_WRONG_HASH, object->size_bytes);
		return;
	}
	if (v->options.repair) {
		storage_object_describe(&v->storage, belief->object.key, object, &renewed);
		memcpy(renewed.sha256, sha256, sizeof sha256);
		is_told = verify_was_told(v, catalog_object_renew(v->env->catalog,
								  belief->recording.id, &renewed));
	}
	report(v, VERIFY_NEW_ETAG, belief, belief->object.key, object->size_bytes, is_told, "");
}

static void check_object(struct verify *v, const struct catalog_belief *belief)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct s3_object object;
	bool is_lost;
	int err;

	if (!belief->has_object || strcmp(belief->object.bucket, v->storage.bucket) != 0) {
		report(v, VERIFY_UNDECIDED, belief, belief->object.key, -1, false,
		       "it was migrated to another bucket than the workspace's");
		return;
	}
	err = s3_head_object(v->s3, belief->object.key, &object, &error);
	is_lost = err && error.kind == REMOTE_NOT_FOUND;
	if (!verify_answered(v, &belief->recording.sid, belief->object.key, is_lost ? 0 : err,
			     &error))
		return;
	if (is_lost)
		lost(v, belief);
	else if (object.size_bytes != belief->object.size_bytes)
		verify_doubt_wrong(v, belief, VERIFY_WRONG_SIZE, object.size_bytes);
	else if (strcasecmp(object.etag, belief->object.etag) == 0)
		verify_good(v, &belief->recording);
	else
		compare_bytes(v, belief, &object);
}

/* ---- recordings at Twilio or missing, by the catalog ---- */

static int adopt(struct verify *v, const struct catalog_belief *belief, const char *key,
		 const struct s3_object *object, enum account_presence presence)
{
	const struct catalog_scope scope = { CATALOG_SCOPE_RECORDING, belief->recording.id };
	struct catalog_object found;
	int64_t queued = 0;
	int err;

	if (presence == ACCOUNT_RECORDING_GONE) {
		storage_object_describe(&v->storage, key, object, &found);
		return catalog_recording_found_in_s3(v->env->catalog, belief->recording.id, &found);
	}
	if (belief->recording.state != CATALOG_STATE_TWILIO)
		return -ESTALE; /* the next sync finds it at Twilio */
	err = catalog_migrate_queue(v->env->catalog, scope, &queued);
	/* The bucket is disabled, or nothing was queued. */
	if (err == -ENODEV ||
	    (err == 0 && !queued && belief->recording.migration != CATALOG_MIGRATION_QUEUED))
		return -ESTALE;
	return err;
}

/* The object must be the one that was lost, as far as its ETag and SHA-256 are known. */
static bool is_what_was_lost(const struct catalog_belief *belief, const struct s3_object *object)
{
	const struct catalog_object *was = &belief->object;

	if (!belief->has_object || strcasecmp(was->etag, object->etag) == 0)
		return true;
	return !was->sha256[0] || !object->meta_sha256[0] ||
	       strcasecmp(was->sha256, object->meta_sha256) == 0;
}

static void found(struct verify *v, const struct catalog_belief *belief, const char *key,
		  const struct s3_object *object)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	enum account_presence presence;
	enum verify_kind kind;
	const char *why = "";
	bool is_told = false;
	int err = verify_is_audio(v, &belief->recording, key, object, &why, &error);

	if (err == 0 && !is_what_was_lost(belief, object)) {
		why = "another object has the recording's key";
		err = -EBADMSG;
	}
	if (err == -EBADMSG) {
		kind = belief->recording.state == CATALOG_STATE_MISSING ? VERIFY_MISSING
									: VERIFY_UNREFERENCED;
		report(v, kind, belief, key, object->size_bytes, false, why);
		return;
	}
	if (!verify_answered(v, &belief->recording.sid, key, err, &error) ||
	    is_removed_elsewhere(v, belief, key, object->size_bytes) ||
	    !verify_ask_twilio(v, &belief->recording.sid, key, &presence))
		return;
	if (v->options.repair)
		is_told = verify_was_told(v, adopt(v, belief, key, object, presence));
	report(v, VERIFY_FOUND, belief, key, object->size_bytes, is_told,
	       presence == ACCOUNT_RECORDING_GONE ? ""
	       : is_told                          ? "Twilio has it too: a migration is queued"
						  : "Twilio has it too");
}

static void look_for_object(struct verify *v, const struct catalog_belief *belief)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	enum account_presence presence;
	char key[CATALOG_KEY_TEXT_SIZE];
	struct s3_object object;
	bool is_missing;
	int err;

	catalog_object_key(v->storage.prefix, &v->workspace.account_sid, &belief->recording, key);
	err = s3_head_object(v->s3, key, &object, &error);
	is_missing = err && error.kind == REMOTE_NOT_FOUND;
	if (!verify_answered(v, &belief->recording.sid, key, is_missing ? 0 : err, &error))
		return;
	if (!is_missing)
		found(v, belief, key, &object);
	/* A recording at Twilio is not expected to have an object. */
	else if (belief->recording.state != CATALOG_STATE_TWILIO &&
		 verify_ask_twilio(v, &belief->recording.sid, key, &presence))
		report(v, presence == ACCOUNT_RECORDING_GONE ? VERIFY_MISSING : VERIFY_NOT_IN_S3,
		       belief, key, -1, false,
		       presence == ACCOUNT_RECORDING_GONE ? ""
							  : "the next sync finds it at Twilio");
}

void verify_doubt(void *arg, size_t index)
{
	struct verify *v = arg;
	struct catalog_belief belief;
	int err;

	if (verify_is_over(v)) {
		verify_count(v, &v->stats.found[VERIFY_UNDECIDED], 1);
		return;
	}
	err = catalog_belief_get(v->env->catalog, v->doubts[index], &belief);
	if (verify_fail(v, err, NULL))
		return;
	switch (belief.recording.state) {
	case CATALOG_STATE_STORED:
	case CATALOG_STATE_S3:
		check_object(v, &belief);
		break;
	case CATALOG_STATE_TWILIO:
	case CATALOG_STATE_MISSING:
		look_for_object(v, &belief);
		break;
	case CATALOG_STATE_UPLOADING:
	case CATALOG_STATE_DELETED:
		break; /* in another worker's hands, or removed */
	}
}
