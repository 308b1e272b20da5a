/*
 * Reads recordings from Twilio or from S3, whichever has the bytes. Streams read ahead inside one
 * memory budget. Nothing is written to disk.
 *
 * Threads    Any. Callbacks run on the HTTP engine's thread, or at once in the caller's; they must
 *            not block. Each call that takes a callback calls it exactly once.
 * Deadlines  A read times out after 60 s in all (setting "read_timeout_msecs"), a connect after
 *            10 s, an answer after 30 s without a byte. Until then a busy origin is asked again,
 *            with pauses.
 * Promise    Callers get the recording's bytes and nothing else:
 *            - status, content type and length are checked first, and the RIFF magic when the
 *              answer begins at offset 0; a wrong answer is retried;
 *            - a recording that is migrated while it is read continues from S3 at the same byte:
 *              when Twilio answers 404, the catalog is asked again;
 *            - requests to S3 carry If-Match with the ETag of the migration; a replaced object is
 *              -EIO at open and -ESTALE on an open file.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "catalog/catalog.h"
#include "net/http.h"

struct audio;      /* one per process */
struct audio_file; /* one per open handle; handles of one recording share buffers and requests */

struct audio_settings {
	size_t budget_bytes; /* of memory for recordings; 0: as set in the catalog; see turn.h */
	unsigned read_timeout_msecs; /* 0: as set in the catalog */
	unsigned size_timeout_msecs; /* 0: 10,000 */
};
int audio_new(struct catalog *catalog, struct http *http, const struct audio_settings *settings,
	      struct audio **ret_audio);
/* Ends all waiting calls with -EINTR, and all later ones; for the shutdown. */
void audio_interrupt(struct audio *audio);
/* All files must be closed. Waits for callbacks. */
void audio_free(struct audio *audio);

/* Learns the exact size, and writes it to the catalog, if the catalog does not know it. err: 0, or
 * -errno with size -1. After a failure of the origin, size questions of the workspace fail with the
 * same errno for 5 s, or until the origin has answered a read. */
typedef void audio_size_fn(void *arg, int err, int64_t size_bytes);
void audio_size(struct audio *audio, int64_t recording_id, audio_size_fn *callback, void *arg);

/* Checks the state in the catalog (-EIO: missing; -EREMOTE: archived), and learns the size if it is
 * unknown. Sends no request for bytes. The callback gets err 0 and the file, which it must
 * close. */
typedef void audio_open_fn(void *arg, int err, struct audio_file *file, int64_t size_bytes);
void audio_open(struct audio *audio, int64_t recording_id, audio_open_fn *callback, void *arg);
/* The reader has listed the folder: if this is the folder's first file, the others are likely to
 * follow. Call it before the first read. */
void audio_file_listed(struct audio_file *file);
/* The bytes as they lie in memory, in order; valid only during the callback. Fewer than asked for
 * only at the end of the file. No parts: end of file, or an error. */
typedef void audio_read_fn(void *arg, int err, const struct iovec *parts, unsigned count);
/* Returns an id for audio_cancel, never 0. */
uint64_t audio_read(struct audio_file *file, int64_t offset_bytes, size_t size_bytes,
		    audio_read_fn *callback, void *arg);
/* The reader is gone (FLUSH): waiting reads of this handle end with -EINTR, and transfers that no
 * other handle needs are cancelled. */
void audio_flush(struct audio_file *file);
/* Ends one waiting read with -EINTR; the callback may have been called already. */
void audio_cancel(struct audio_file *file, uint64_t read_id);
void audio_close(struct audio_file *file);
