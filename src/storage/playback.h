/*
 * Playing a recording from the bucket: a URL that whoever has it may use without any credentials
 * until it ends. It is made anew each time, on this machine, without a request; it is a secret and
 * belongs into no log.
 */
#ifndef TONICFS_STORAGE_PLAYBACK_H
#define TONICFS_STORAGE_PLAYBACK_H

#include "catalog/catalog.h"
#include "util/cancel.h"

struct buf;
struct http;

#define PLAYBACK_EXPIRES_LIMIT_SECS (7 * 86400) /* S3's own */

/* Appends the URL, which answers with the recording's content type and a file name without a
 * number. A browser plays what it answers; with is_download, or where Twilio encrypted it, it
 * stores a file. expires_secs 0: the setting's. 0; -ENODATA: it is only at Twilio, or nowhere; -EREMOTE:
 * archived, and needs to be restored first; -ENOENT: no such recording, or no storage settings;
 * -EXDEV: it is in another bucket than the workspace has now; -EINVAL: expires_secs is more than
 * the limit. Credentials that end sooner end the URL sooner. */
int storage_playback_url(struct catalog *catalog, struct http *http, int64_t recording_id,
			 unsigned expires_secs, bool is_download, const struct cancel *cancel,
			 struct buf *ret_url);

#endif
