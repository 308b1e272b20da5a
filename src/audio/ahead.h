/*
 * Read-ahead across files: when the recordings of a folder are read one after the other, in the
 * order of their names (rsync, tar, a loop in a shell) or of their inodes (cp), the next ones are
 * fetched before they are asked for.
 *
 * When      A recording counts as read when its last byte has been asked for. After one such, the
 *           first read of a recording that follows it in the folder begins the read-ahead, and each
 *           further one doubles its depth, up to a number of files and half of the room's
 *           memory; no more are on their way at a time than their origin is asked for side by side.
 *           Files that somebody reads the heads of only, files that the kernel has in its page
 *           cache (they are opened, but never read here), and reads in another order end it, and
 *           what had been fetched in vain is dropped. Who has listed the folder and
 *           reads the first recording of one of the orders is believed at once: the connections are
 *           new then, and each takes several round trips to come to its pace.
 *           Objects that need a restore are passed over, without a request.
 * What      A recording that is fetched ahead is an open one without a handle: whoever opens it
 *           finds its blocks, and its stream on its way.
 * Threads   The room's lock is held for all of these. Which files follow is asked of the catalog by
 *           a starter thread.
 * Limits    Readers that take every n-th file each, in a folder of their own order, look like
 *           another order to it.
 */
#ifndef TONICFS_AUDIO_AHEAD_H
#define TONICFS_AUDIO_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/list.h"

struct audio;
struct audio_recording;
struct audio_folder;

struct audio_ahead {
	struct list folders; /* the one used last at the end */
	unsigned folder_count;
	size_t held_bytes; /* what is, or will be, in memory of recordings that nobody has opened */
	uint64_t fetched, hits, wasted_bytes;
};

/* In a recording that was fetched ahead, until somebody opens it. */
struct audio_fetched {
	struct list link;
	struct audio_folder *folder; /* NULL: was not, or is opened */
	size_t held_bytes;
	int64_t since_msecs;
};

void audio_ahead_init(struct audio_ahead *ahead);
/* Drops all that is held; after this nothing more is fetched. */
void audio_ahead_stop(struct audio *audio);
/* After the starters have been stopped. */
void audio_ahead_release(struct audio_ahead *ahead);

/* Who has it open has listed its folder. */
void audio_ahead_listed(struct audio_recording *recording);
/* A byte of it has been asked for, by a handle. */
void audio_ahead_read(struct audio_recording *recording);
/* Somebody opens it, wherever it came from. */
void audio_ahead_open(struct audio_recording *recording);
/* Its last handle has been closed. */
void audio_ahead_close(struct audio_recording *recording);
/* What was asked for has come: its connection is free for the next. */
void audio_ahead_came(struct audio_recording *recording);
/* Its origin is busy, and did not give it. */
void audio_ahead_refused(struct audio_recording *recording);
/* Drops what nobody came for. Returns when to look again. */
int64_t audio_ahead_tick(struct audio *audio, int64_t now_msecs);

#endif
