/* A histogram of durations in the buckets of a Prometheus metric. Not thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 14
/* The upper bounds in milliseconds, inclusive; the last bucket has none (INT64_MAX). */
extern const int64_t histogram_bounds_msecs[HISTOGRAM_BUCKETS];

struct histogram {                          /* zeroed memory is an empty one */
	uint64_t counts[HISTOGRAM_BUCKETS]; /* per bucket, not cumulative */
	uint64_t count;
	int64_t sum_msecs;
};

void histogram_add(struct histogram *histogram, int64_t msecs);

struct buf;
/* Appends NAME_bucket, NAME_sum and NAME_count, in seconds, in the text format of Prometheus.
 * labels: "" or `a="b",c="d"`. */
void histogram_write(const struct histogram *histogram, const char *name, const char *labels,
		     struct buf *out);

/* Reads a line of such a text; buckets have to ascend. False: it is not this histogram's. */
bool histogram_parse_line(struct histogram *histogram, const char *name, const char *labels,
			  const char *line);
/* The upper bound of the quantile's bucket; 950 is the 95th percentile. 0: there are no values. */
int64_t histogram_bound(const struct histogram *histogram, unsigned permille);
