/* Fetches single calls and recordings by their SIDs and writes them to the catalog. */
#include <errno.h>

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
