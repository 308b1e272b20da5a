/* Opens the clients of a workspace: Twilio's, and its bucket's where it has one. */
#include <errno.h>
#include <stdlib.h>

#include "account/account.h"
#include "storage/storage.h"
#include "sync/sync-private.h"

int sync_session_open(const struct sync_env *env, int64_t workspace_id,
		      unsigned total_timeout_msecs, struct sync_session **ret_session)
{
	struct sync_session *session = calloc(1, sizeof *session);
	int err;

	if (!session)
		return -ENOMEM;
	session->env = env;
	err = account_client_new(env->catalog, env->http, workspace_id, total_timeout_msecs,
				 env->cancel, &session->twilio, &session->workspace);
	if (err == -ENOKEY || (err == 0 && session->workspace.removed))
		err = -ENOENT;
	if (err == 0 && session->workspace.has_storage)
		err = storage_client_new(env->catalog, env->http, workspace_id, env->cancel,
					 &session->s3, &session->storage);
	if (err)
		sync_session_close(session);
	else
		*ret_session = session;
	return err;
}

void sync_session_close(struct sync_session *session)
{
	if (!session)
		return;
	twilio_client_free(session->twilio);
	s3_client_free(session->s3);
	free(session);
}
