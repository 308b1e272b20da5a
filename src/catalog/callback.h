/*
 * The durable part of Twilio's status callbacks: the SIDs of recordings to ask Twilio for, written
 * before the callback is answered; and the auth token that a callback's signature is checked with.
 *
 * A SID stands there once, however often it is named. It is taken by a lease like a job: whoever
 * was killed with it leaves it to another, and one that is named again while it is being asked for
 * is asked for again. A lost row costs only time: the next listing finds the recording, too.
 */
#pragma once

#include "catalog/queue.h"
#include "catalog/workspace.h"

/* Kept for callbacks only, where the workspace signs in with an API key, whose secret proves
 * nothing. "": none. -ENOENT: no such workspace. */
int catalog_callback_token_set(struct catalog *catalog, int64_t workspace_id, const char *token);
/* The workspace of an account, and the token that its callbacks are signed with: without an API key
 * the one that it signs in with. Free *ret_token with secret_free(). -ENOENT: no workspace has the
 * account; -ENOKEY: there is no auth token, *ret_workspace is filled. */
int catalog_callback_account(struct catalog *catalog, const struct sid *account_sid,
			     struct catalog_workspace *ret_workspace, char **ret_token);

/* The recording is to be asked for now. Nothing is written of one that is a file, has been moved,
 * or was removed: Twilio could say nothing new of it. */
int catalog_callback_add(struct catalog *catalog, int64_t workspace_id,
			 const struct sid *recording_sid);

#define CATALOG_CALLBACK_BATCH 16
struct catalog_callback {
	struct sid recording_sid;
	unsigned attempts; /* this one included */
};
struct catalog_callback_batch {
	int64_t workspace_id; /* of all of them */
	char owner[CATALOG_OWNER_SIZE];
	struct catalog_callback items[CATALOG_CALLBACK_BATCH];
	size_t count;
};
/* SIDs that are due, of the workspace that has waited longest. 0, or -ENOENT and *ret_next_msecs:
 * when the next one may be due (wall clock; INT64_MAX: there is none). A look that finds nothing
 * writes nothing. */
int catalog_callback_claim(struct catalog *catalog, const char *owner, int64_t lease_msecs,
			   struct catalog_callback_batch *ret_batch, int64_t *ret_next_msecs);
/* Twilio has been asked. Nothing happens where the lease has ended, or it was named again. */
int catalog_callback_done(struct catalog *catalog, const char *owner,
			  const struct sid *recording_sid);
/* Not yet: to be asked for again after a pause. */
int catalog_callback_later(struct catalog *catalog, const char *owner,
			   const struct sid *recording_sid, int64_t pause_msecs);
