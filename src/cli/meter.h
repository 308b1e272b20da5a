/*
 * The progress of a migration: samples of the catalog's counters in, a line of text out. Has no
 * clock and no terminal of its own. Any thread, one at a time.
 *
 * Done     counted from the first sample on
 * Left     queued and running now
 * Total    done and left: it grows with recordings that are queued meanwhile, and shrinks with
 *          those that are cancelled
 */
#pragma once

#include "catalog/status.h"
#include "util/buf.h"

#define METER_SAMPLES 16

struct meter {
	int64_t begun_msecs, now_msecs;   /* of the caller's clock, which never goes back */
	struct catalog_counts begin, now; /* the first sample and the latest */
	int64_t moved_bytes;              /* of recordings in flight */
	struct {
		int64_t msecs, bytes;
	} samples[METER_SAMPLES]; /* a ring, at least a second apart: the rate is theirs */
	size_t sample_count;
	int64_t next_line_msecs;
};

void meter_begin(struct meter *meter, const struct catalog_counts *counts, int64_t now_msecs);
void meter_update(struct meter *meter, const struct catalog_counts *counts, int64_t moved_bytes,
		  int64_t now_msecs);

struct meter_reading {
	int64_t done, total, failed,
		running; /* recordings; failed ones count in the total, not as done */
	int64_t done_bytes, total_bytes;
	int64_t bytes_per_sec; /* over the latest samples */
	int64_t secs_left;     /* -1: unknown */
	int64_t secs;          /* since the first sample */
	int percent;           /* 100 only when nothing is left */
};
void meter_read(const struct meter *meter, struct meter_reading *ret_reading);

/* Appends a line of at most `columns` columns, with a bar where there is room for it. */
void meter_bar(const struct meter *meter, size_t columns, struct buf *out);
/* Appends the same in words, for a log. */
void meter_line(const struct meter *meter, struct buf *out);
/* Is the next line due on an output that is no terminal? Every ten seconds, after a minute every
 * minute. True once for each line. */
bool meter_line_is_due(struct meter *meter);
