/* Histograms, and their text in the format of Prometheus. */
#include "util/histogram.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"

const int64_t histogram_bounds_msecs[HISTOGRAM_BUCKETS] = { 1,    2,     5,     10,       25,
							    50,   100,   250,   500,      1000,
							    2500, 10000, 60000, INT64_MAX };

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
	const char *comma = *labels ? "," : "", *open = *labels ? "{" : "",
		   *shut = *labels ? "}" : "";
	uint64_t sum = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		int64_t bound = histogram_bounds_msecs[i];

		sum += h->counts[i];
		if (bound == INT64_MAX)
			buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels,
				 comma, sum);
		else
			buf_addf(out,
				 "%s_bucket{%s%sle=\"%" PRId64 ".%03" PRId64 "\"} %" PRIu64 "\n",
				 name, labels, comma, bound / 1000, bound % 1000, sum);
	}
	buf_addf(out, "%s_sum%s%s%s %" PRId64 ".%03" PRId64 "\n", name, open, labels, shut,
		 h->sum_msecs / 1000, h->sum_msecs % 1000);
	buf_addf(out, "%s_count%s%s%s %" PRIu64 "\n", name, open, labels, shut, h->count);
}

/* The text after `prefix`; NULL: it does not start with it. */
static const char *behind(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text && strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* "NAME_PART{LABELS" and the text after it. */
static const char *behind_name(const char *line, const char *name, const char *part,
			       const char *labels)
{
	const char *at = behind(behind(line, name), part);

	return *labels ? behind(behind(at, "{"), labels) : at;
}

/* "0.025" in milliseconds; "+Inf": INT64_MAX. */
static int64_t parse_msecs(const char *text)
{
	char *end;
	long long secs = strtoll(text, &end, 10);

	if (*text == '+')
		return INT64_MAX;
	return secs * 1000 + (*end == '.' ? strtoll(end + 1, NULL, 10) : 0);
}

bool histogram_parse_line(struct histogram *h, const char *name, const char *labels,
			  const char *line)
{
	const char *open = *labels ? "," : "{", *shut = *labels ? "} " : " ", *at;
	uint64_t below = 0;

	if ((at = behind(behind_name(line, name, "_count", labels), shut))) {
		h->count = strtoull(at, NULL, 10);
		return true;
	}
	if ((at = behind(behind_name(line, name, "_sum", labels), shut))) {
		h->sum_msecs = parse_msecs(at);
		return true;
	}
	at = behind(behind(behind_name(line, name, "_bucket", labels), open), "le=\"");
	for (unsigned i = 0; at && i < HISTOGRAM_BUCKETS; i++) {
		const char *value = strstr(at, "} ");
		uint64_t sum = value ? strtoull(value + 2, NULL, 10) : 0;

		if (histogram_bounds_msecs[i] == parse_msecs(at))
			h->counts[i] = sum > below ? sum - below : 0;
		below += h->counts[i];
	}
	return at != NULL;
}

int64_t histogram_bound(const struct histogram *h, unsigned permille)
{
	uint64_t wanted = (h->count * permille + 999) / 1000, sum = 0;

	for (unsigned i = 0; h->count && i < HISTOGRAM_BUCKETS; i++) {
		sum += h->counts[i];
		if (sum >= wanted)
			return histogram_bounds_msecs[i];
	}
	return h->count ? INT64_MAX : 0;
}
