/*
 * Which recordings of a folder come next, in each order that programs read in: rsync, tar and
 * shells go by name, cp by inode. Which of the orders it is shows when a reader opens a recording
 * that follows in one of them. The catalog is asked in batches, by a starter thread.
 *
 * Threads  audio->lock is held for all of these, and for the callbacks.
 * Limits   Readers that take every n-th file each look like another order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/order.h"
#include "util/pool.h"

#define AUDIO_SEQUENCE_FILES 512 /* known in advance */
#define AUDIO_SEQUENCE_PASSED 32

struct audio;

struct audio_next {
	int64_t id, workspace_id, size_bytes; /* size -1: it cannot be read, and is passed over */
	struct sid sid;
	bool is_at_twilio;
};

struct audio_sequence { /* in one order */
	struct audio_next next[AUDIO_SEQUENCE_FILES];
	size_t count, begun; /* of next; the first ones that have been dealt with */
	bool is_at_end;      /* no recordings follow them */
};

struct audio_sequences { /* of one folder */
	struct audio *audio;
	void (*on_guess)(struct audio_sequences *sequences);
	void (*on_answer)(struct audio_sequences *sequences); /* more is known */
	struct pool_task task;
	bool is_asking;
	int64_t asked_ids[CATALOG_ORDER_COUNT]; /* behind these; 0: not asked in this order */
	unsigned generation; /* of the questions; answers to older ones are dropped */
	struct audio_sequence orders[CATALOG_ORDER_COUNT];
	struct audio_sequence *current; /* the one that readers follow; NULL: not known yet */
	bool is_guessed;                /* current, from its first recording alone */
	bool was_listed;                /* the reader has listed the folder */
	int64_t passed[AUDIO_SEQUENCE_PASSED]; /* skipped by one of several readers */
	unsigned passed_count;                 /* ever */
};

void audio_sequences_init(struct audio_sequences *sequences, struct audio *audio,
			  void (*on_guess)(struct audio_sequences *sequences),
			  void (*on_answer)(struct audio_sequences *sequences));
/* Forgets all, and asks what follows this recording. If the reader has listed the folder and this
 * is the first recording in an order, that order is guessed (on_guess). */
void audio_sequences_start(struct audio_sequences *sequences, int64_t recording_id,
			   bool was_listed);
/* A reader has come to this recording, which may be `near` files from where it was expected:
 * several readers side by side take turns. */
enum audio_advance {
	AUDIO_ADVANCE_NONE, /* it does not follow */
	AUDIO_ADVANCE_SAME,
	AUDIO_ADVANCE_OTHER, /* in another order than the one that was guessed */
};
enum audio_advance audio_sequences_advance(struct audio_sequences *sequences, int64_t recording_id,
					   size_t near);
/* Another reader has skipped it: it may still be read. */
bool audio_sequences_was_passed(const struct audio_sequences *sequences, int64_t recording_id);
/* Asks for more when less than half is known behind this recording. */
void audio_sequences_refill(struct audio_sequences *sequences, int64_t recording_id);
/* The next recording to fetch; NULL: none known. audio_sequences_skip goes to the one behind it. */
const struct audio_next *audio_sequences_next(const struct audio_sequences *sequences);
void audio_sequences_skip(struct audio_sequences *sequences);
