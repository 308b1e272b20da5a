/*
 * A cache of the first blocks of recordings of which only the head was read: indexers and
 * thumbnailers read again, and the kernel may drop its pages. A cached recording is an open one
 * without handles and streams; its blocks are evicted like others.
 *
 * Threads: audio->lock is held for all of these.
 */
#pragma once

#include <stdbool.h>

#include "util/list.h"

struct audio;
struct audio_recording;

#define AUDIO_HEADS 64
#define AUDIO_HEAD_BLOCKS 2

struct audio_heads {
	struct list kept; /* the oldest first */
	unsigned count;
};

void audio_heads_init(struct audio_heads *heads);
/* At the last close. True: the cache keeps the recording. */
bool audio_heads_keep(struct audio_recording *recording);
/* It is opened: takes it out of the cache, if it is there. */
void audio_heads_open(struct audio_recording *recording);
/* Drops a cached recording. */
void audio_heads_drop(struct audio_recording *recording);
void audio_heads_release(struct audio *audio);
