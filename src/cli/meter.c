/* Computes progress, rate and time left of a migration, and words them. */
#include "cli/meter.h"

#include <string.h>

#include "cli/amounts.h"

#define SAMPLE_MSECS 1000
#define LINE_MSECS 10000
#define LINE_LATER_MSECS 60000
#define BAR_MIN 10
#define BAR_MAX 40

static int64_t not_negative(int64_t value)
{
	return value < 0 ? 0 : value;
}

static int64_t done_bytes(const struct meter *meter)
{
	return not_negative(meter->now.done_bytes - meter->begin.done_bytes) + meter->moved_bytes;
}

void meter_begin(struct meter *meter, const struct catalog_counts *counts, int64_t now_msecs)
{
	memset(meter, 0, sizeof *meter);
	meter->begun_msecs = now_msecs;
	meter->begin = *counts;
	meter->next_line_msecs = now_msecs + LINE_MSECS;
	meter_update(meter, counts, 0, now_msecs);
}

void meter_update(struct meter *meter, const struct catalog_counts *counts, int64_t moved_bytes,
		  int64_t now_msecs)
{
	size_t last = (meter->sample_count + METER_SAMPLES - 1) % METER_SAMPLES;
	size_t next = meter->sample_count % METER_SAMPLES;

	meter->now = *counts;
	meter->moved_bytes = not_negative(moved_bytes);
	meter->now_msecs = now_msecs;
	if (meter->sample_count && now_msecs - meter->samples[last].msecs < SAMPLE_MSECS)
		return;
	meter->samples[next].msecs = now_msecs;
	meter->samples[next].bytes = done_bytes(meter);
	meter->sample_count++;
}

static int64_t rate(const struct meter *meter)
{
	size_t oldest =
		meter->sample_count < METER_SAMPLES ? 0 : meter->sample_count % METER_SAMPLES;
	int64_t msecs = meter->now_msecs - meter->samples[oldest].msecs;
	int64_t bytes = done_bytes(meter) - meter->samples[oldest].bytes;

	return msecs < SAMPLE_MSECS || bytes <= 0 ? 0
						  : (int64_t)((double)bytes * 1000 / (double)msecs);
}

void meter_read(const struct meter *meter, struct meter_reading *ret_reading)
{
	struct meter_reading *r = ret_reading;
	int64_t left = meter->now.queued + meter->now.running;
	int64_t left_bytes = not_negative(meter->now.todo_bytes - meter->moved_bytes);

	memset(r, 0, sizeof *r);
	r->done = not_negative(meter->now.done - meter->begin.done);
	r->failed = not_negative(meter->now.failed - meter->begin.failed);
	r->running = meter->now.running;
	r->total = r->done + r->failed + left;
	r->done_bytes = done_bytes(meter);
	r->total_bytes = r->done_bytes + left_bytes;
	r->bytes_per_sec = rate(meter);
	r->secs = (meter->now_msecs - meter->begun_msecs) / 1000;
	r->secs_left = !left ? 0 : r->bytes_per_sec ? left_bytes / r->bytes_per_sec : -1;
	if (!left)
		r->percent = 100;
	else if (r->total_bytes)
		r->percent = (int)((double)r->done_bytes / (double)r->total_bytes * 100);
	if (left && r->percent > 99)
		r->percent = 99;
}

/* "512 of 1,220, 1.1 GB of 2.7 GB, 35.2 MB/s, 0:46 left, 3 failed" */
static void add_words(const struct meter_reading *r, const char *separator, struct buf *out)
{
	buf_addf(out, "%s of %s", count_text(r->done), count_text(r->total));
	buf_addf(out, "%s%s of %s", separator, bytes_text(r->done_bytes),
		 bytes_text(r->total_bytes));
	buf_addf(out, "%s%s/s", separator, bytes_text(r->bytes_per_sec));
	if (r->secs_left >= 0)
		buf_addf(out, "%s%s left", separator, secs_text(r->secs_left));
	if (r->failed)
		buf_addf(out, "%s%s failed", separator, count_text(r->failed));
}

void meter_bar(const struct meter *meter, size_t columns, struct buf *out)
{
	cleanup_buf struct buf words = BUF_INIT;
	struct meter_reading r;
	size_t width, filled;

	meter_read(meter, &r);
	buf_addf(&words, "%3d%%  ", r.percent);
	add_words(&r, "  ", &words);
	width = columns > words.len + 4 ? columns - words.len - 4 : 0;
	if (width > BAR_MAX)
		width = BAR_MAX;
	if (width >= BAR_MIN) {
		filled = width * (size_t)r.percent / 100;
		buf_add_char(out, '[');
		for (size_t i = 0; i < width; i++)
			buf_add_char(out, i < filled ? '#' : '-');
		buf_add_str(out, "] ");
	}
	buf_add(out, buf_str(&words), words.len < columns ? words.len : columns);
}

void meter_line(const struct meter *meter, struct buf *out)
{
	struct meter_reading r;

	meter_read(meter, &r);
	buf_addf(out, "%d%%: ", r.percent);
	add_words(&r, ", ", out);
}

bool meter_line_is_due(struct meter *meter)
{
	int64_t passed = meter->now_msecs - meter->begun_msecs;

	if (meter->now_msecs < meter->next_line_msecs)
		return false;
	meter->next_line_msecs =
		meter->now_msecs + (passed < LINE_LATER_MSECS ? LINE_MSECS : LINE_LATER_MSECS);
	return true;
}
