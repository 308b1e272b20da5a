/*
 * Admission of reads: reads that have to wait for bytes get memory and a connection (a turn) in the
 * order of their arrival, so that thousands at once are served one after the other.
 *
 *   memory       A read with a turn holds its blocks, and one more, until it has been answered. All
 *                turns together hold at most half of the budget, those of one recording at most
 *                half of that; a single turn is always granted.
 *   connections  At most TURN_STREAMS streams per origin of a workspace bring bytes that reads wait
 *                for, at most half as many for one recording. A read whose bytes an existing stream
 *                brings needs no connection.
 *   stuck        While others wait, reads that got no bytes for TURN_STUCK_MSECS hold at most half
 *                of the turns: the most recent of them go back to the end of the queue, and their
 *                requests end. Deadlines stay, and so does the pause after a busy origin's answer.
 *
 * So the accounted memory stays within the budget, except for answers from memory that are being
 * delivered (one per thread that reads), or if the budget is smaller than two reads.
 *
 * Threads: audio->lock is held for all of these.
 */
#pragma once

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
	struct list waiting, taken; /* of audio_turn.link; in order of arrival, of turns */
	unsigned waiting_count, taken_count;
	size_t limit_bytes, held_bytes;
};

struct audio_turn { /* of a read */
	struct list link;
	bool is_waiting, is_taken; /* neither: it needs no turn */
	size_t held_bytes;
	int64_t since_msecs;
};

void audio_turns_init(struct audio_turns *turns, size_t limit_bytes);
/* Queues a read whose bytes are not all in memory. */
void audio_turn_wait(struct audio_waiting_read *read);
/* Takes a finished read out. */
void audio_turn_end(struct audio_waiting_read *read);
/* Grants turns while there is room. */
void audio_turns_begin(struct audio *audio, struct list *finished);
/* The timer's: stuck reads give way. Returns when to look again. */
int64_t audio_turns_tick(struct audio *audio, int64_t now_msecs, struct list *finished);
