/*
 * The latest reasons why recordings could not be read, in memory, one for each recording. An old
 * reason gives way to a new one when there are too many.
 *
 * Threads  Any. The lock is a leaf: nothing else is locked while it is held.
 */
#ifndef TONICFS_AUDIO_REASONS_H
#define TONICFS_AUDIO_REASONS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/sid.h"

#define AUDIO_REASONS_LIMIT 64
#define AUDIO_REASON_SIZE 512

#define AUDIO_REASON_NO_OFFSET (-1) /* the size was asked for, or the recording was to be opened */

struct audio_reason {
	struct sid sid;
	int64_t offset_bytes; /* of the byte that did not come */
	int64_t at_secs;
	char text[AUDIO_REASON_SIZE]; /* "read from S3 failed: …"; names nobody */
};

struct audio_reasons {
	pthread_mutex_t lock; /* guards the rest */
	atomic_uint count;
	int64_t ids[AUDIO_REASONS_LIMIT];      /* 0: free */
	uint64_t numbers[AUDIO_REASONS_LIMIT]; /* the oldest has the lowest; 0: free */
	struct audio_reason list[AUDIO_REASONS_LIMIT];
	uint64_t noted;
	unsigned last; /* the slot that was noted last, if any was */
};

void audio_reasons_init(struct audio_reasons *reasons);
void audio_reasons_release(struct audio_reasons *reasons);

/* Replaces the recording's own, or the oldest where there are too many. */
void audio_reasons_note(struct audio_reasons *reasons, int64_t recording_id,
			const struct audio_reason *reason);
/* False: there is no reason. */
bool audio_reasons_get(struct audio_reasons *reasons, int64_t recording_id,
		       struct audio_reason *ret_reason);
/* The last that was noted, also when it has been cleared. False: none ever was. */
bool audio_reasons_last(struct audio_reasons *reasons, struct audio_reason *ret_reason);

void audio_reasons_forget(struct audio_reasons *reasons, int64_t recording_id, int64_t begin_bytes,
			  int64_t end_bytes);
/* These bytes have come now: clears the reason why one of them did not, or one without an offset.
 * Costs nothing while there are no reasons. */
static inline void audio_reasons_clear(struct audio_reasons *reasons, int64_t recording_id,
				       int64_t begin_bytes, int64_t end_bytes)
{
	if (atomic_load_explicit(&reasons->count, memory_order_relaxed))
		audio_reasons_forget(reasons, recording_id, begin_bytes, end_bytes);
}

#endif
