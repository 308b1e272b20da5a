/*
 * The latest reasons why recordings could not be read, in memory, one per recording. When there are
 * too many, the oldest is dropped.
 *
 * Threads  Any. The lock is a leaf: no other lock is taken while it is held.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/sid.h"

#define AUDIO_REASONS_LIMIT 64
#define AUDIO_REASON_SIZE 512

#define AUDIO_REASON_NO_OFFSET (-1) /* not a read: the size was asked for, or an open failed */

struct audio_reason {
	struct sid sid;
	int64_t offset_bytes; /* of the first missing byte */
	int64_t at_secs;
	char text[AUDIO_REASON_SIZE]; /* "read from S3 failed: …"; has no numbers or names */
};

struct audio_reasons {
	pthread_mutex_t lock; /* guards the rest */
	atomic_uint count;
	int64_t ids[AUDIO_REASONS_LIMIT];      /* 0: free */
	uint64_t numbers[AUDIO_REASONS_LIMIT]; /* in order of arrival; 0: free */
	struct audio_reason list[AUDIO_REASONS_LIMIT];
	uint64_t noted;
	unsigned last; /* the slot of the latest reason, if noted > 0 */
};

void audio_reasons_init(struct audio_reasons *reasons);
void audio_reasons_release(struct audio_reasons *reasons);

/* Replaces the recording's reason, or the oldest one if there are too many. */
void audio_reasons_note(struct audio_reasons *reasons, int64_t recording_id,
			const struct audio_reason *reason);
/* False: there is no reason. */
bool audio_reasons_get(struct audio_reasons *reasons, int64_t recording_id,
		       struct audio_reason *ret_reason);
/* The latest, even if it has been cleared. False: there never was one. */
bool audio_reasons_last(struct audio_reasons *reasons, struct audio_reason *ret_reason);

/* These bytes have come: clears a reason that is about one of them, or without an offset. Takes no
 * lock while there are no reasons. */
void audio_reasons_clear(struct audio_reasons *reasons, int64_t recording_id, int64_t begin_bytes,
			 int64_t end_bytes);
