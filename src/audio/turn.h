/*
 * Whose turn it is: reads that have to wait for bytes get memory and a connection in the order in
 * which they came, so that thousands at once are served one after the other instead of none.
 *
 *   memory       A read with a turn holds its blocks, and one more, until it has been answered. All
 *                of them hold at most half of the budget, those of one recording at most half of
 *                that; but one alone may always have its turn.
 *   connections  At most TURN_STREAMS streams of a workspace's origin bring what somebody waits
 *                for, at most half as many of one recording. A read whose bytes another stream
 *                brings needs none.
 *   stuck        While others wait, reads for which nothing has come in TURN_STUCK_MSECS hold at
 *                most half of the turns: the last to come of them go back to the end of the line,
 *                and their requests end; a slow origin still answers the others. Deadlines stay,
 *                and so does the pause after a busy origin's answer.
 *
 * So the memory that is accounted stays within the budget, but for answers from memory that are on
 * their way to the kernel (one for each thread that asks), or where the budget is smaller than two
 * reads.
 *
 * Threads: the room's lock is held for all of these.
 */
#ifndef TONICFS_AUDIO_TURN_H
#define TONICFS_AUDIO_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/list.h"

#define TURN_STREAMS 64
#define TURN_STUCK_MSECS 2000

struct audio;
struct audio_recording;
struct audio_waiting_read;

struct audio_turns {
	struct list waiting, taken; /* audio_turn.link; in order of arrival, of their turns */
	unsigned waiting_count, taken_count;
	size_t limit_bytes, held_bytes;
};

struct audio_turn { /* of a read */
	struct list link;
	bool is_waiting, is_taken; /* neither: it needs none */
	size_t held_bytes;
	int64_t since_msecs;
};

void audio_turns_init(struct audio_turns *turns, size_t limit_bytes);
/* Its bytes are not all here: it gets in line. */
void audio_turn_wait(struct audio_waiting_read *read);
/* It has ended. */
void audio_turn_end(struct audio_waiting_read *read);
/* Lets those begin for which there is room. */
void audio_turns_begin(struct audio *audio, struct list *finished);
/* The timer's: stuck ones give way. Returns when to look again. */
int64_t audio_turns_tick(struct audio *audio, int64_t now_msecs, struct list *finished);
/* Where a recording's bytes most likely come from, for counting; enum audio_from. */
int audio_turn_origin(const struct audio_recording *recording);

#endif
