/* Fetches single calls and recordings by their SIDs and writes them to the catalog; finds out what
 * became of a recording that Twilio does not list any more. */
#include <errno.h>

#include "catalog/belief.h"
#include "storage/object.h"
#include "sync/sync-private.h"

/* ---- calls ---- */

struct fetched_call {
	struct sync_session *session;
	const struct sid *sid; /* written under this SID */
	struct sid parent;
	bool is_parent; /* the parent is being fetched */
	int err;
};

static int on_call(void *arg, const struct twilio_call *calls, size_t count)
{
	struct fetched_call *fetched = arg;
	struct catalog_call_input input;

	if (!fetched->is_parent && !sid_is_zero(&calls->parent_call_sid)) {
		fetched->parent = calls->parent_call_sid;
		return 0;
	}
	sync_convert_call(calls, &input);
	input.sid = *fetched->sid;
	fetched->err = catalog_calls_apply(fetched->session->env->catalog,
					   fetched->session->workspace.id, &input, 1, NULL);
	return 0;
}

int sync_fetch_call(struct sync_session *session, const struct sid *sid,
		    struct remote_error *ret_error)
{
	struct fetched_call fetched = { .session = session, .sid = sid };
	int err = twilio_fetch_call(session->twilio, sid, on_call, &fetched, ret_error);

	if (err == 0 && !sid_is_zero(&fetched.parent)) {
		/* A recording of a child leg gets its parent's call. The documentation says that
		 * this cannot happen. */
		fetched.is_parent = true;
		err = twilio_fetch_call(session->twilio, &fetched.parent, on_call, &fetched,
					ret_error);
	}
	return err == 0 ? fetched.err : err;
}

/* ---- recordings ---- */

struct fetched_recording {
	struct sync_session *session;
	struct sync_fetched *found;
	bool is_known;
	int err;
};

/* A recording that is new to the catalog may have been removed by another machine. */
static bool is_removed_elsewhere(struct fetched_recording *fetched,
				 const struct twilio_recording *recording)
{
	struct sync_session *session = fetched->session;
	struct remote_error error = REMOTE_ERROR_INIT;

	if (fetched->is_known || !session->s3 || !session->storage.enabled)
		return false;
	/* As in a listing: if S3 fails, it counts as not removed. */
	return storage_tombstone_look(session->s3, session->storage.prefix, &recording->sid,
				      &error) == 1;
}

static int on_recording(void *arg, const struct twilio_recording *recordings, size_t count)
{
	struct fetched_recording *fetched = arg;
	struct catalog_recording_input input;

	sync_convert_recording(recordings, &input);
	fetched->found->is_completed = input.is_completed;
	fetched->found->is_deleted = input.is_deleted;
	fetched->found->call_sid = input.call_sid;
	/* Deleted recordings are left to listings, which look in S3 first. */
	if (input.is_deleted)
		return 0;
	input.is_removed = is_removed_elsewhere(fetched, recordings);
	fetched->err = catalog_recordings_apply(fetched->session->env->catalog,
						fetched->session->workspace.id, &input, 1, NULL);
	return 0;
}

int sync_fetch_recording(struct sync_session *session, const struct sid *sid,
			 struct sync_fetched *ret_found, struct remote_error *ret_error)
{
	struct fetched_recording fetched = { .session = session, .found = ret_found };
	struct catalog_recording known;
	int err = catalog_recording_find(session->env->catalog, sid, &known);

	*ret_found = (struct sync_fetched){ .is_completed = false };
	remote_error_clear(ret_error);
	if (err < 0 && err != -ENOENT)
		return err;
	fetched.is_known = err == 0;
	err = twilio_fetch_recording(session->twilio, sid, on_recording, &fetched, ret_error);
	return err == 0 ? fetched.err : err;
}

/* ---- recordings that may be gone ---- */

enum sync_fate sync_check_recording(struct sync_session *session, const struct sid *sid,
				    bool is_deleted, int *ret_err, struct remote_error *ret_error)
{
	const struct catalog_recording_input gone = { .sid = *sid,
						      .is_deleted = true,
						      .duration_secs = -1 };
	struct catalog *catalog = session->env->catalog;
	struct catalog_recording recording;
	struct catalog_object object;
	struct sync_fetched found;
	int err = -ENOENT;

	remote_error_clear(ret_error);
	*ret_err = catalog_recording_find(catalog, sid, &recording);
	if (*ret_err == -ENOENT) {
		*ret_err = 0;
		return SYNC_FATE_STAYS;
	}
	if (*ret_err < 0)
		return SYNC_FATE_UNDECIDED;
	/* Being migrated, in S3, or removed here. */
	if (recording.state != CATALOG_STATE_TWILIO && recording.state != CATALOG_STATE_MISSING)
		return SYNC_FATE_STAYS;

	if (!is_deleted) {
		/* If it exists although the list did not show it, this writes what has changed. */
		*ret_err = sync_fetch_recording(session, sid, &found, ret_error);
		if (*ret_err < 0 && ret_error->kind != REMOTE_NOT_FOUND)
			return SYNC_FATE_UNDECIDED;
		if (*ret_err == 0 && !found.is_deleted)
			return SYNC_FATE_STAYS;
		remote_error_clear(ret_error);
	}

	if (session->s3)
		err = storage_object_look(session->s3, &session->storage,
					  &session->workspace.account_sid, &recording, &object,
					  ret_error);
	if (err == 0) {
		err = catalog_recording_found_in_s3(catalog, recording.id, &object);
		*ret_err = err == -ESTALE ? 0 : err;
		return err == 0         ? SYNC_FATE_FOUND_IN_S3
		       : err == -ESTALE ? SYNC_FATE_STAYS
					: SYNC_FATE_UNDECIDED;
	}
	*ret_err = err;
	if (err != -ENOENT)
		return SYNC_FATE_UNDECIDED;
	remote_error_clear(ret_error);
	if (recording.state == CATALOG_STATE_MISSING) {
		*ret_err = 0;
		return SYNC_FATE_STAYS;
	}
	*ret_err = catalog_recordings_apply(catalog, session->workspace.id, &gone, 1, NULL);
	return *ret_err < 0 ? SYNC_FATE_UNDECIDED : SYNC_FATE_GONE;
}
