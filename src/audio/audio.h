/*
 * Where a recording's bytes come from: Twilio or S3, by its state. Streams with read-ahead inside
 * one memory budget; nothing on disk.
 *
 * Threads   Any. Callbacks run on the HTTP engine's thread, or at once in the caller's; they must
 *           not block. Exactly one callback per call that takes one.
 * Deadlines A read gives up after 60 s in all (setting "read_timeout_msecs"), connect 10 s, no byte
 *           for 30 s; until then a busy origin is asked again, with pauses.
 * Promise   Nothing but the recording's bytes is ever handed out: status, content type, length (and
 *           RIFF magic where offset 0 passes by) are checked first, and a wrong answer is asked for
 *           again. A recording that migrates while it is read goes on from S3 at the same byte: when
 *           Twilio says 404 the catalog is asked again. From S3: If-Match with the ETag of the
 *           migration; another object is -EIO at open, -ESTALE on an open file.
 */
#ifndef TONICFS_AUDIO_AUDIO_H
#define TONICFS_AUDIO_AUDIO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "catalog/catalog.h"
#include "net/http.h"

struct audio;      /* one per process */
struct audio_file; /* one per open handle; handles of one recording share buffers and requests */

struct audio_settings {
	size_t budget_bytes;         /* of memory for recordings; 0: 256 MiB; see turn.h */
	unsigned read_timeout_msecs; /* 0: 60,000 */
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

#endif
