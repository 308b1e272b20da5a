/* Playing a recording from the bucket: a signed URL, which needs no credentials until it expires.
 * Each call makes a new one, without a request. The URL is a secret: never log it. */
#pragma once

#include "catalog/catalog.h"
#include "util/cancel.h"

struct buf;
struct http;

#define PLAYBACK_EXPIRES_LIMIT_SECS (7 * 86400) /* S3's limit */

/* Appends the URL. Its answer has the recording's content type and a file name without a phone
 * number. A browser plays the answer; with is_download, or if Twilio encrypted the recording, the
 * browser saves it. expires_secs 0: the setting. The URL expires earlier if the credentials do.
 *   0
 *   -ENODATA  not in S3
 *   -EREMOTE  archived: must be restored first
 *   -ENOENT   no such recording, or no storage settings
 *   -EXDEV    in another bucket than the workspace's
 *   -EINVAL   expires_secs above the limit */
int storage_playback_url(struct catalog *catalog, struct http *http, int64_t recording_id,
			 unsigned expires_secs, bool is_download, const struct cancel *cancel,
			 struct buf *ret_url);
