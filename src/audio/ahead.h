/*
 * Read-ahead across files: when the recordings of a folder are read one after the other, in the
 * order of their names (rsync, tar, a loop in a shell) or of their inodes (cp), the next ones are
 * fetched before they are opened. sequence.h finds out the order.
 *
 * Start     A recording counts as read when its last byte has been read. After one such recording,
 *           the first read of the one that follows it starts read-ahead, and each further one
 *           doubles the depth, up to HELD_FILES and half of the memory budget. If the reader has
 *           listed the folder, the first read of its first recording starts read-ahead at once: the
 *           connections are new then, and each takes several round trips to become fast.
 * End       Reads of heads only, opens without a read (the kernel has the file in its page cache),
 *           and reads in another order end it; what was fetched and not opened is dropped.
 * Limits    At most IN_FLIGHT_FROM_… recordings are in flight. Objects that need a restore are skipped
 *           without a request.
 * Fetched   A recording that is fetched ahead is an open one without a handle: an open finds its
 *           blocks, and its stream in flight.
 * Threads   audio->lock is held for all of these.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/list.h"

struct audio;
struct audio_recording;
struct audio_folder;

struct audio_ahead {
	struct list folders; /* the least recently used first */
	unsigned folder_count;
	size_t held_bytes; /* of fetched recordings, including bytes that are still to come */
	uint64_t fetched, hits, wasted_bytes;
};

/* Of a recording that was fetched ahead, until it is opened. */
struct audio_fetched {
	struct list link;
	struct audio_folder *folder; /* NULL: not fetched ahead, or opened */
	size_t held_bytes;
	int64_t since_msecs;
};

void audio_ahead_init(struct audio_ahead *ahead);
/* Drops all fetched recordings, and fetches no more. */
void audio_ahead_stop(struct audio *audio);
/* Frees the folders, after the starters have been stopped. */
void audio_ahead_release(struct audio_ahead *ahead);

/* A handle reads from it. */
void audio_ahead_read(struct audio_recording *recording);
/* It is opened. */
void audio_ahead_open(struct audio_recording *recording);
/* Its last handle has been closed. */
void audio_ahead_close(struct audio_recording *recording);
/* Its request has ended: the connection is free for the next. */
void audio_ahead_arrived(struct audio_recording *recording);
/* Its origin is busy, and refused it. */
void audio_ahead_refused(struct audio_recording *recording);
/* Drops recordings that were not opened in time. Returns when to look again. */
int64_t audio_ahead_tick(struct audio *audio, int64_t now_msecs);
