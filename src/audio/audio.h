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
	size_t budget_bytes;         /* 0: 256 MiB; kept as turn.h says, however many read */
	unsigned read_timeout_msecs; /* 0: 60,000 */
	unsigned size_timeout_msecs; /* 0: 10,000 */
};
int audio_new(struct catalog *catalog, struct http *http, const struct audio_settings *settings,
	      struct audio **ret_audio);
/* Everything that waits ends with -EINTR now; for the way out. */
void audio_interrupt(struct audio *audio);
void audio_free(struct audio *audio); /* every file must be closed; waits for callbacks */

/* Learns the exact size where the catalog does not know it (and writes it there). callback(arg, 0,
 * size) or (arg, -errno, -1). After a failure, the same origin (workspace) fails at once with the
 * same errno for size questions until it has answered again, or 5 s have passed. */
typedef void audio_size_fn(void *arg, int error, int64_t size_bytes);
void audio_size(struct audio *audio, int64_t recording_id, audio_size_fn *callback, void *arg);

/* Opens: checks state in the catalog (MISSING: -EIO), learns the size where it is unknown, starts
 * no request by itself unless prefetch says so. The file is handed to the callback with error 0. */
typedef void audio_open_fn(void *arg, int error, struct audio_file *file, int64_t size_bytes);
void audio_open(struct audio *audio, int64_t recording_id, audio_open_fn *callback, void *arg);
/* Its reader has listed the folder before: where it is the folder's first file the others are likely to
 * follow. Before the first read. */
void audio_file_listed(struct audio_file *file);
/* The bytes as they lie in memory, in order, and valid during the callback only (reply from them).
 * Short only at the end of the file; no parts: nothing is there, or an error. */
typedef void audio_read_fn(void *arg, int error, const struct iovec *parts, unsigned count);
/* An id for cancelling, never 0. */
uint64_t audio_read(struct audio_file *file, int64_t offset_bytes, size_t size_bytes,
		    audio_read_fn *callback, void *arg);
/* The reader is gone (FLUSH): waiting reads of this handle end with -EINTR, transfers that no other
 * handle wants are cancelled. */
void audio_flush(struct audio_file *file);
void audio_cancel(struct audio_file *file, uint64_t read_id);
void audio_close(struct audio_file *file);

#endif
