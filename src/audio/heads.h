/*
 * The beginnings of recordings whose heads alone were read: indexers and thumbnailers come again,
 * and the kernel forgets pages when it likes. A recording that is kept is an open one without a
 * handle and without streams, whose first blocks stay as long as the memory is not needed.
 *
 * Threads: the room's lock is held for all of these.
 */
#ifndef TONICFS_AUDIO_HEADS_H
#define TONICFS_AUDIO_HEADS_H

#include <stdbool.h>

#include "util/list.h"

struct audio;
struct audio_recording;

#define AUDIO_HEADS 64
#define AUDIO_HEAD_BLOCKS 2

struct audio_heads {
	struct list kept; /* the one that came first, first */
	unsigned count;
};

void audio_heads_init(struct audio_heads *heads);
/* At the last close: true: it stays, as the cache's. */
bool audio_heads_keep(struct audio_recording *recording);
/* Somebody opens it, wherever it came from. */
void audio_heads_open(struct audio_recording *recording);
/* It is only kept: it goes. */
void audio_heads_drop(struct audio_recording *recording);
void audio_heads_release(struct audio *audio);

#endif
