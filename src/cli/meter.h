/*
 * How far a migration is: from the catalog's counters, looked at now and then, to a line that says
 * it. Knows no clock and no terminal of its own.
 *
 * What is done is counted from the first look on; what is to do is what is queued and running now,
 * so that recordings that join in, or are taken back, make the whole larger or smaller.
 */
#ifndef TONICFS_CLI_METER_H
#define TONICFS_CLI_METER_H

#include "catalog/status.h"
#include "util/buf.h"

#define METER_SAMPLES 16

struct meter {
	int64_t begun_msecs, now_msecs;   /* of the caller's clock, which never goes back */
	struct catalog_counts begin, now; /* the first look and the last */
	int64_t moved_bytes;              /* of recordings under way */
	struct {
		int64_t msecs, bytes;
	} samples[METER_SAMPLES]; /* a ring, a second apart at least: the rate is theirs */
	size_t sample_count;
	int64_t next_line_msecs;
};

void meter_begin(struct meter *meter, const struct catalog_counts *counts, int64_t now_msecs);
void meter_update(struct meter *meter, const struct catalog_counts *counts, int64_t moved_bytes,
		  int64_t now_msecs);

struct meter_reading {
	int64_t done, total, failed,
		running; /* recordings; failed ones are not done, but of the total */
	int64_t done_bytes, total_bytes;
	int64_t bytes_per_sec; /* of the last seconds */
	int64_t secs_left;     /* -1: cannot be said */
	int64_t secs;          /* since the first look */
	int percent;           /* 100 only when nothing is left */
};
void meter_read(const struct meter *meter, struct meter_reading *ret_reading);

/* One line, with a bar where there is room for it: never wider than columns. */
void meter_bar(const struct meter *meter, size_t columns, struct buf *out);
/* The same in words, for a log. */
void meter_line(const struct meter *meter, struct buf *out);
/* Is a line due for those who have no terminal? Every ten seconds, after a minute every minute.
 * True once for each. */
bool meter_line_is_due(struct meter *meter);

#endif
