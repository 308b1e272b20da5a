/* How long things took, counted in buckets, as Prometheus wants it. Not thread-safe. */
#ifndef TONICFS_UTIL_HISTOGRAM_H
#define TONICFS_UTIL_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 14
/* The upper bounds, included, in milliseconds; the last bucket has none (INT64_MAX). */
extern const int64_t histogram_bounds_msecs[HISTOGRAM_BUCKETS];

struct histogram {                          /* zeroed: empty */
	uint64_t counts[HISTOGRAM_BUCKETS]; /* each its own, not cumulative */
	uint64_t count;
	int64_t sum_msecs;
};

void histogram_add(struct histogram *histogram, int64_t msecs);

struct buf;
/* Appends NAME_bucket, NAME_sum and NAME_count in seconds, in Prometheus' text format. labels: "" or
 * `a="b",c="d"`. */
void histogram_write(const struct histogram *histogram, const char *name, const char *labels,
		     struct buf *out);

/* Takes what one line of such a text says; of the buckets each line is to come after the smaller
 * ones'. False: it is none of this histogram's. */
bool histogram_parse_line(struct histogram *histogram, const char *name, const char *labels,
			  const char *line);
/* The upper bound of the bucket in which the smallest values, so many thousandths of all, end: as
 * exact as the buckets are. 0: there are no values. */
int64_t histogram_bound(const struct histogram *histogram, unsigned permille);

#endif
