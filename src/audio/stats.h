/* What reading has cost and brought, since the room began. */
#ifndef TONICFS_AUDIO_STATS_H
#define TONICFS_AUDIO_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "audio/reasons.h"
#include "util/histogram.h"

enum audio_outcome { /* of a request for media */
		     AUDIO_OUTCOME_WORKED,
		     AUDIO_OUTCOME_REFUSED, /* the origin said no: credentials, no such recording */
		     AUDIO_OUTCOME_BUSY,    /* 429, 503 */
		     AUDIO_OUTCOME_BROKEN,  /* no connection, or it broke; 5xx */
		     AUDIO_OUTCOME_INVALID, /* an answer that is not the recording */
		     AUDIO_OUTCOME_DROPPED, /* by us: nobody wanted the rest */
		     AUDIO_OUTCOME_COUNT,
};

struct audio_origin_stats {
	uint64_t requests[AUDIO_OUTCOME_COUNT], bytes;
	struct histogram first_byte; /* from the request to the head of a good answer */
};

struct audio_stats {
	struct audio_origin_stats twilio, s3;
	uint64_t reads, reads_failed, reads_from_memory;
	struct histogram read; /* from the kernel's question to our answer */
	uint64_t ahead_files, ahead_hits, ahead_wasted_bytes;
	uint64_t memory_bytes, memory_budget_bytes, files_open; /* now */
	uint64_t memory_peak_bytes;
	uint64_t reads_waiting;           /* now, for their turn */
	struct audio_reason last_failure; /* without its offset; at_secs 0: there was none */
};

struct audio;
/* Any thread. */
void audio_stats_get(struct audio *audio, struct audio_stats *ret_stats);

struct buf;
/* In Prometheus' text format, names beginning with tonicfs_; the last failure is a comment. */
void audio_stats_write(const struct audio_stats *stats, struct buf *out);
/* What such a text says; lines that are not known count for nothing, and what it does not say is 0.
 * -EINVAL: none of it is known. */
int audio_stats_parse(const char *text, struct audio_stats *ret_stats);
const char *audio_outcome_name(enum audio_outcome outcome);

#endif
