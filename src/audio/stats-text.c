/* The counters in Prometheus' text format, written and parsed by the same tables. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audio/stats.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/times.h"

#define AT(field) offsetof(struct audio_stats, field)
#define COUNTER(field, help) { "tonicfs_" #field "_total", "counter", help, AT(field) }
#define GAUGE(field, help) { "tonicfs_" #field, "gauge", help, AT(field) }

static const struct scalar {
	const char *name, *type, *help;
	size_t offset;
} scalars[] = {
	COUNTER(reads, "reads that the kernel asked for"),
	COUNTER(reads_failed, "of these, answered with an error"),
	COUNTER(reads_from_memory, "of these, answered at once"),
	COUNTER(ahead_files, "recordings fetched ahead of their readers"),
	COUNTER(ahead_hits, "of these, opened"),
	COUNTER(ahead_wasted_bytes, "bytes fetched ahead and dropped unread"),
	GAUGE(memory_bytes, "held for open recordings and read-ahead"),
	GAUGE(memory_peak_bytes, "the maximum of tonicfs_memory_bytes"),
	GAUGE(reads_waiting, "reads that wait for memory or a connection"),
	GAUGE(memory_budget_bytes, "the limit of tonicfs_memory_bytes"),
	GAUGE(files_open, "handles of recordings"),
};

static const char *const labels[AUDIO_FROM_COUNT] = {
	[AUDIO_FROM_TWILIO] = "origin=\"twilio\"",
	[AUDIO_FROM_S3] = "origin=\"s3\"",
};

#define READ "tonicfs_read_seconds"
#define FIRST_BYTE "tonicfs_media_first_byte_seconds"
#define REQUESTS "tonicfs_media_requests_total"
#define BYTES "tonicfs_media_bytes_total"
#define LAST_FAILURE "# tonicfs_last_failure "

const char *audio_outcome_name(enum audio_outcome outcome)
{
	static const char *const names[AUDIO_OUTCOME_COUNT] = {
		[AUDIO_OUTCOME_WORKED] = "ok",       [AUDIO_OUTCOME_REFUSED] = "refused",
		[AUDIO_OUTCOME_BUSY] = "busy",       [AUDIO_OUTCOME_BROKEN] = "broken",
		[AUDIO_OUTCOME_INVALID] = "invalid", [AUDIO_OUTCOME_DROPPED] = "dropped",
	};

	return names[outcome];
}

/* ---- writing ---- */

static void begin(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* "# tonicfs_last_failure RE… 2026-12-01T10:15:00Z read from S3 failed: …" */
static void write_last_failure(const struct audio_reason *last, struct buf *out)
{
	char sid[SID_SIZE], at[TIME_ISO8601_SIZE];

	if (!last->at_secs)
		return;
	sid_format(&last->sid, "RE", sid);
	time_format_iso8601(last->at_secs, at);
	buf_addf(out, LAST_FAILURE "%s %s %s\n", sid, at, last->text);
}

void audio_stats_write(const struct audio_stats *stats, struct buf *out)
{
	begin(out, REQUESTS, "counter", "requests for recordings' bytes");
	for (int i = 0; i < AUDIO_FROM_COUNT; i++)
		for (int k = 0; k < AUDIO_OUTCOME_COUNT; k++)
			buf_addf(out, REQUESTS "{%s,result=\"%s\"} %" PRIu64 "\n", labels[i],
				 audio_outcome_name((enum audio_outcome)k),
				 stats->origins[i].requests[k]);
	begin(out, BYTES, "counter", "bytes of recordings received");
	for (int i = 0; i < AUDIO_FROM_COUNT; i++)
		buf_addf(out, BYTES "{%s} %" PRIu64 "\n", labels[i], stats->origins[i].bytes);
	begin(out, FIRST_BYTE, "histogram", "from the request to the head of a good answer");
	for (int i = 0; i < AUDIO_FROM_COUNT; i++)
		histogram_write(&stats->origins[i].first_byte, FIRST_BYTE, labels[i], out);
	begin(out, READ, "histogram", "from a read of the kernel to its answer");
	histogram_write(&stats->read, READ, "", out);
	for (size_t i = 0; i < ARRAY_SIZE(scalars); i++) {
		const struct scalar *s = &scalars[i];

		begin(out, s->name, s->type, s->help);
		buf_addf(out, "%s %" PRIu64 "\n", s->name,
			 *(const uint64_t *)((const char *)stats + s->offset));
	}
	write_last_failure(&stats->last_failure, out);
}

/* ---- reading ---- */

/* "NAME VALUE" */
static bool parse_value(const char *line, const char *name, uint64_t *ret_value)
{
	size_t len = strlen(name);

	if (strncmp(line, name, len) != 0 || line[len] != ' ')
		return false;
	*ret_value = strtoull(line + len + 1, NULL, 10);
	return true;
}

static bool parse_origin(const char *line, const char *label, struct audio_origin_stats *ret_stats)
{
	char name[128];

	snprintf(name, sizeof name, BYTES "{%s}", label);
	if (parse_value(line, name, &ret_stats->bytes) ||
	    histogram_parse_line(&ret_stats->first_byte, FIRST_BYTE, label, line))
		return true;
	for (int i = 0; i < AUDIO_OUTCOME_COUNT; i++) {
		snprintf(name, sizeof name, REQUESTS "{%s,result=\"%s\"}", label,
			 audio_outcome_name((enum audio_outcome)i));
		if (parse_value(line, name, &ret_stats->requests[i]))
			return true;
	}
	return false;
}

static bool parse_last_failure(const char *line, struct audio_reason *ret_last)
{
	char sid[SID_SIZE], at[TIME_ISO8601_SIZE];
	int begin = 0, len;

	if (strncmp(line, LAST_FAILURE, strlen(LAST_FAILURE)) != 0)
		return false;
	line += strlen(LAST_FAILURE);
	if (sscanf(line, "%34s %20s %n", sid, at, &begin) < 2 || !begin ||
	    sid_parse(sid, "RE", &ret_last->sid) || time_parse_iso8601(at, &ret_last->at_secs))
		return false;
	len = (int)strcspn(line + begin, "\n");
	snprintf(ret_last->text, sizeof ret_last->text, "%.*s", len, line + begin);
	return true;
}

static bool parse_line(const char *line, struct audio_stats *ret_stats)
{
	for (size_t i = 0; i < ARRAY_SIZE(scalars); i++)
		if (parse_value(line, scalars[i].name,
				(uint64_t *)((char *)ret_stats + scalars[i].offset)))
			return true;
	for (int i = 0; i < AUDIO_FROM_COUNT; i++)
		if (parse_origin(line, labels[i], &ret_stats->origins[i]))
			return true;
	return histogram_parse_line(&ret_stats->read, READ, "", line) ||
	       parse_last_failure(line, &ret_stats->last_failure);
}

int audio_stats_parse(const char *text, struct audio_stats *ret_stats)
{
	bool is_known = false;

	*ret_stats = (struct audio_stats){ 0 };
	while (*text) {
		const char *next = strchr(text, '\n');

		is_known |= parse_line(text, ret_stats);
		text = next ? next + 1 : text + strlen(text);
	}
	return is_known ? 0 : -EINVAL;
}
