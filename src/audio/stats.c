#include "audio/stats.h"

#include <inttypes.h>

#include "audio/audio-private.h"

static enum audio_outcome outcome_of(enum remote_kind kind)
{
	switch (kind) {
	case REMOTE_OK:
		return AUDIO_OUTCOME_WORKED;
	case REMOTE_REJECTED:
	case REMOTE_NOT_FOUND:
		return AUDIO_OUTCOME_REFUSED;
	case REMOTE_BUSY:
		return AUDIO_OUTCOME_BUSY;
	case REMOTE_TRANSIENT:
	case REMOTE_UNCERTAIN:
		return AUDIO_OUTCOME_BROKEN;
	case REMOTE_INVALID:
		return AUDIO_OUTCOME_INVALID;
	case REMOTE_CANCELLED:
		break;
	}
	return AUDIO_OUTCOME_DROPPED;
}

struct audio_origin_stats *audio_stats_of(struct audio *audio, enum audio_from from)
{
	return from == AUDIO_FROM_S3 ? &audio->stats.s3 : &audio->stats.twilio;
}

void audio_stats_count(struct audio *audio, enum audio_from from, enum remote_kind kind)
{
	audio_stats_of(audio, from)->requests[outcome_of(kind)]++;
}

void audio_stats_get(struct audio *audio, struct audio_stats *ret_stats)
{
	pthread_mutex_lock(&audio->lock);
	*ret_stats = audio->stats;
	ret_stats->ahead_files = audio->ahead.fetched;
	ret_stats->ahead_hits = audio->ahead.hits;
	ret_stats->ahead_wasted_bytes = audio->ahead.wasted_bytes;
	ret_stats->memory_bytes = audio->store.used_bytes;
	ret_stats->files_open = 0;
	list_for_each (pos, &audio->recordings)
		ret_stats->files_open += list_entry(pos, struct audio_recording, link)->files;
	pthread_mutex_unlock(&audio->lock);
}

/* ---- as text ---- */

static void add(struct buf *out, const char *name, const char *type, const char *help,
		uint64_t value)
{
	buf_addf(out, "# HELP tonicfs_%s %s\n# TYPE tonicfs_%s %s\ntonicfs_%s %" PRIu64 "\n", name,
		 help, name, type, name, value);
}

static void add_requests(struct buf *out, const char *origin, const struct audio_origin_stats *o)
{
	static const char *const names[AUDIO_OUTCOME_COUNT] = {
		[AUDIO_OUTCOME_WORKED] = "ok",	      [AUDIO_OUTCOME_REFUSED] = "refused",
		[AUDIO_OUTCOME_BUSY] = "busy",	      [AUDIO_OUTCOME_BROKEN] = "broken",
		[AUDIO_OUTCOME_INVALID] = "invalid", [AUDIO_OUTCOME_DROPPED] = "dropped",
	};

	for (unsigned i = 0; i < AUDIO_OUTCOME_COUNT; i++)
		buf_addf(out,
			 "tonicfs_media_requests_total{origin=\"%s\",result=\"%s\"} %" PRIu64 "\n",
			 origin, names[i], o->requests[i]);
}

void audio_stats_write(const struct audio_stats *s, struct buf *out)
{
	buf_add_str(out, "# HELP tonicfs_media_requests_total requests for recordings' bytes\n"
			 "# TYPE tonicfs_media_requests_total counter\n");
	add_requests(out, "twilio", &s->twilio);
	add_requests(out, "s3", &s->s3);
	buf_addf(out,
		 "# HELP tonicfs_media_bytes_total bytes of recordings that came\n"
		 "# TYPE tonicfs_media_bytes_total counter\n"
		 "tonicfs_media_bytes_total{origin=\"twilio\"} %" PRIu64 "\n"
		 "tonicfs_media_bytes_total{origin=\"s3\"} %" PRIu64 "\n",
		 s->twilio.bytes, s->s3.bytes);
	buf_add_str(out, "# HELP tonicfs_media_first_byte_seconds until a good answer's head\n"
			 "# TYPE tonicfs_media_first_byte_seconds histogram\n");
	histogram_write(&s->twilio.first_byte, "tonicfs_media_first_byte_seconds",
			"origin=\"twilio\"", out);
	histogram_write(&s->s3.first_byte, "tonicfs_media_first_byte_seconds", "origin=\"s3\"",
			out);
	add(out, "reads_total", "counter", "reads that the kernel asked for", s->reads);
	add(out, "reads_failed_total", "counter", "of these, answered with an error",
	    s->reads_failed);
	add(out, "reads_from_memory_total", "counter", "of these, answered at once",
	    s->reads_from_memory);
	buf_add_str(out, "# HELP tonicfs_read_seconds from question to answer\n"
			 "# TYPE tonicfs_read_seconds histogram\n");
	histogram_write(&s->read, "tonicfs_read_seconds", "", out);
	add(out, "ahead_files_total", "counter", "recordings fetched ahead of their readers",
	    s->ahead_files);
	add(out, "ahead_hits_total", "counter", "of these, opened", s->ahead_hits);
	add(out, "ahead_wasted_bytes_total", "counter", "bytes fetched ahead that nobody came for",
	    s->ahead_wasted_bytes);
	add(out, "memory_bytes", "gauge", "held for open recordings and those ahead",
	    s->memory_bytes);
	add(out, "files_open", "gauge", "handles of recordings", s->files_open);
}
