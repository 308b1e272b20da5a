#include "util/histogram.h"

#include <inttypes.h>

#include "util/buf.h"

const int64_t histogram_bounds_msecs[HISTOGRAM_BUCKETS] = {
	1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10000, 60000, INT64_MAX
};

void histogram_add(struct histogram *h, int64_t msecs)
{
	unsigned i = 0;

	if (msecs < 0)
		msecs = 0;
	while (msecs > histogram_bounds_msecs[i])
		i++;
	h->counts[i]++;
	h->count++;
	if (__builtin_add_overflow(h->sum_msecs, msecs, &h->sum_msecs))
		h->sum_msecs = INT64_MAX;
}

void histogram_write(const struct histogram *h, const char *name, const char *labels,
		     struct buf *out)
{
	const char *comma = *labels ? "," : "", *open = *labels ? "{" : "", *shut = *labels ? "}" : "";
	uint64_t sum = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		int64_t bound = histogram_bounds_msecs[i];

		sum += h->counts[i];
		if (bound == INT64_MAX)
			buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels,
				 comma, sum);
		else
			buf_addf(out, "%s_bucket{%s%sle=\"%" PRId64 ".%03" PRId64 "\"} %" PRIu64 "\n",
				 name, labels, comma, bound / 1000, bound % 1000, sum);
	}
	buf_addf(out, "%s_sum%s%s%s %" PRId64 ".%03" PRId64 "\n", name, open, labels, shut,
		 h->sum_msecs / 1000, h->sum_msecs % 1000);
	buf_addf(out, "%s_count%s%s%s %" PRIu64 "\n", name, open, labels, shut, h->count);
}
