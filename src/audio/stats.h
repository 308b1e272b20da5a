/* Counters of reading since the start: requests, bytes, reads, memory. */
#pragma once

#include <stdint.h>

#include "audio/reasons.h"
#include "util/histogram.h"

enum audio_from { AUDIO_FROM_TWILIO, AUDIO_FROM_S3, AUDIO_FROM_COUNT };

/* Of a request for bytes. */
enum audio_outcome {
	AUDIO_OUTCOME_WORKED,
	AUDIO_OUTCOME_REFUSED, /* by the origin: credentials, no such recording */
	AUDIO_OUTCOME_BUSY,    /* 429, 503 */
	AUDIO_OUTCOME_BROKEN,  /* no connection, or it broke; 5xx */
	AUDIO_OUTCOME_INVALID, /* an answer that is not the recording */
	AUDIO_OUTCOME_DROPPED, /* cancelled: the rest was not needed */
	AUDIO_OUTCOME_COUNT,
};

struct audio_origin_stats {
	uint64_t requests[AUDIO_OUTCOME_COUNT], bytes;
	struct histogram first_byte; /* from the request to the head of a good answer */
};

struct audio_stats {
	struct audio_origin_stats origins[AUDIO_FROM_COUNT];
	uint64_t reads, reads_failed, reads_from_memory;
	struct histogram read; /* from the kernel's request to the answer */
	uint64_t ahead_files, ahead_hits, ahead_wasted_bytes;
	uint64_t memory_bytes, memory_budget_bytes, files_open; /* now */
	uint64_t memory_peak_bytes;
	uint64_t reads_waiting;           /* now, for their turn (turn.h) */
	struct audio_reason last_failure; /* without its offset; at_secs 0: there was none */
};

struct audio;
/* Any thread. */
void audio_stats_get(struct audio *audio, struct audio_stats *ret_stats);

struct buf;
/* In Prometheus' text format, names beginning with tonicfs_; the last failure is a comment. */
void audio_stats_write(const struct audio_stats *stats, struct buf *out);
/* Parses such a text: unknown lines are ignored, missing counters 0. -EINVAL: no known line. */
int audio_stats_parse(const char *text, struct audio_stats *ret_stats);
const char *audio_outcome_name(enum audio_outcome outcome);
