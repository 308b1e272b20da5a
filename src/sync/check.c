/* Checks a recording that Twilio does not list any more: asks for it by its SID, then in S3. */
#include <errno.h>

#include "catalog/belief.h"
#include "storage/object.h"
#include "sync/sync-private.h"

struct asked {
	struct sync_session *session;
	bool is_deleted;
	int err;
};

static int on_recording(void *arg, const struct twilio_recording *recordings, size_t count)
{
	struct asked *asked = arg;
	struct catalog_recording_input input;

	sync_convert_recording(recordings, &input);
	asked->is_deleted = input.is_deleted;
	/* It exists, although the list did not show it: write what may have changed. */
	if (!input.is_deleted)
		asked->err =
			catalog_recordings_apply(asked->session->env->catalog,
						 asked->session->workspace.id, &input, 1, NULL);
	return 0;
}

/* 0: *ret_object; -ENOENT: no object; otherwise the request failed. */
static int look_in_s3(struct sync_session *session, const struct catalog_recording *recording,
		      struct catalog_object *ret_object, struct remote_error *ret_error)
{
	return session->s3 ? storage_object_look(session->s3, &session->storage,
						 &session->workspace.account_sid, recording,
						 ret_object, ret_error)
			   : -ENOENT;
}

static int tell_gone(struct sync_session *session, const struct sid *sid)
{
	const struct catalog_recording_input input = { .sid = *sid,
						       .is_deleted = true,
						       .duration_secs = -1 };

	return catalog_recordings_apply(session->env->catalog, session->workspace.id, &input, 1,
					NULL);
}

enum sync_fate sync_check_recording(struct sync_session *session, const struct sid *sid,
				    bool is_deleted, int *ret_err, struct remote_error *ret_error)
{
	struct catalog *catalog = session->env->catalog;
	struct catalog_recording recording;
	struct asked asked = { .session = session };
	struct catalog_object object;
	int err;

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
		err = twilio_fetch_recording(session->twilio, sid, on_recording, &asked, ret_error);
		*ret_err = err < 0 ? err : asked.err;
		if (*ret_err < 0 && ret_error->kind != REMOTE_NOT_FOUND)
			return SYNC_FATE_UNDECIDED;
		if (err == 0 && !asked.is_deleted)
			return SYNC_FATE_STAYS;
		remote_error_clear(ret_error);
	}

	err = look_in_s3(session, &recording, &object, ret_error);
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
	*ret_err = tell_gone(session, sid);
	return *ret_err < 0 ? SYNC_FATE_UNDECIDED : SYNC_FATE_GONE;
}
