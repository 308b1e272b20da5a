/* The sizes and the number of parallel requests of a recording. */
#include "audio/span.h"

#include "audio/audio-private.h"

#define SMALL_BYTES ((int64_t)8 << 20)
#define SEEK_BYTES ((int64_t)1 << 20)
#define SEEK_MAX_BYTES ((int64_t)4 << 20)
/* Reads begin and end inside blocks: a little more than they need saves another request. */
#define SEEK_SLACK_BYTES ((int64_t)128 << 10)
#define HEAD_BYTES ((int64_t)256 << 10)
#define SEGMENTS 8
/* Between two segments a connection waits for a round trip, all of them at about the same time. */
#define SEGMENT_MAX_BYTES ((int64_t)12 << 20)
#define SEGMENT_MIN_BYTES ((int64_t)1 << 20)
#define STREAMS_LIMIT 32 /* of all recordings; more only for reads that wait */
/* The first bytes are fetched in pieces: each opens a connection and warms it up. */
#define BEGIN_BYTES ((int64_t)8 << 20)
#define BEGIN_SEGMENT_BYTES ((int64_t)1 << 20)
/* Reading this much in a row from the start is more than a head; after a seek it is SEEK_BYTES. */
#define RUN_BYTES ((int64_t)384 << 10)
#define AHEAD_FACTOR 16
#define HEADS_IN_ROW 2                 /* one head alone does not predict the next recording */
#define SLACK_BYTES ((int64_t)1 << 20) /* the kernel sends several reads at a time, in any order */

static int64_t run_of(const struct audio_recording *recording)
{
	return recording->run_end_bytes - recording->run_start_bytes;
}

static bool is_heads_only(const struct audio *audio)
{
	return audio->heads_in_row >= HEADS_IN_ROW;
}

bool audio_span_is_whole_only(const struct audio_recording *recording)
{
	const bool *knows_none = recording->workspace->knows_no_ranges;

	/* It may have been moved to S3 since it was opened. */
	return knows_none[audio_origin_of(recording)] ||
	       (recording->was_served_by_s3 && knows_none[AUDIO_FROM_S3]);
}

int64_t audio_span_end(const struct audio_recording *recording, int64_t start_bytes)
{
	int64_t size = recording->size_bytes, span = SEEK_BYTES + SEEK_SLACK_BYTES;
	bool is_going_on = start_bytes >= recording->run_start_bytes &&
			   start_bytes <= recording->run_end_bytes + SLACK_BYTES;

	if (audio_span_is_whole_only(recording))
		return size;
	if (start_bytes == 0 && is_heads_only(recording->audio) && size > 2 * HEAD_BYTES)
		return HEAD_BYTES;
	if (size <= SMALL_BYTES && is_going_on && recording->run_start_bytes == 0)
		return size;
	if (start_bytes == 0)
		span = BEGIN_SEGMENT_BYTES;
	else if (is_going_on && run_of(recording) > SEEK_BYTES)
		span = audio_min(run_of(recording), SEEK_MAX_BYTES);
	return audio_min(size, start_bytes + span);
}

/* Ends streams that the reader has left, unless they are nearly done: that keeps the connection. */
static void drop_left(struct audio_recording *recording)
{
	list_for_each_entry_safe(struct audio_stream, s, &recording->streams, link)
		if (!s->reads && s->end_bytes - s->position_bytes > SEEK_BYTES)
			audio_stream_kill(s);
}

void audio_span_note(struct audio_recording *recording, int64_t offset_bytes, int64_t end_bytes)
{
	if (recording->run_end_bytes && offset_bytes + SLACK_BYTES >= recording->run_start_bytes &&
	    offset_bytes <= recording->run_end_bytes + SLACK_BYTES) {
		if (recording->run_start_bytes > offset_bytes)
			recording->run_start_bytes = offset_bytes;
		if (recording->run_end_bytes < end_bytes)
			recording->run_end_bytes = end_bytes;
		return;
	}
	/* Of several handles it is not known which one has jumped. */
	if (recording->files <= 1 && !audio_span_is_whole_only(recording))
		drop_left(recording);
	recording->run_start_bytes = offset_bytes;
	recording->run_end_bytes = end_bytes;
}

static struct audio_stream *stream_over(struct audio_recording *recording, int64_t offset_bytes)
{
	list_for_each_entry(struct audio_stream, s, &recording->streams, link)
		if (s->position_bytes <= offset_bytes && offset_bytes < s->end_bytes)
			return s;
	return NULL;
}

static unsigned count_streams(const struct audio_recording *recording)
{
	unsigned count = 0;

	list_for_each(pos, &recording->streams)
		count++;
	return count;
}

/* The share of memory of one of the large recordings that are being read through. */
static int64_t share_bytes(const struct audio_recording *recording)
{
	const struct audio *audio = recording->audio;
	unsigned count = 1;

	list_for_each_entry(const struct audio_recording, other, &audio->recordings, link)
		count += other != recording && other->files && other->size_bytes > SMALL_BYTES &&
			 run_of(other) >= RUN_BYTES;
	return (int64_t)(audio->settings.budget_bytes / 2 / count);
}

/* The fewest rounds of segments, all of the same size: connections with smaller ones would wait for
 * the others. 0: too little memory. */
static int64_t segment_bytes(const struct audio_recording *recording)
{
	int64_t most = audio_min(SEGMENT_MAX_BYTES, share_bytes(recording) / SEGMENTS);
	int64_t rest = recording->size_bytes - BEGIN_BYTES, rounds, segment;

	if (most < SEGMENT_MIN_BYTES)
		return 0;
	rounds = (rest + SEGMENTS * most - 1) / (SEGMENTS * most);
	segment = (rest / (SEGMENTS * rounds) / AUDIO_BLOCK_BYTES + 1) * AUDIO_BLOCK_BYTES;
	return segment < SEGMENT_MIN_BYTES ? SEGMENT_MIN_BYTES : segment;
}

/* How far ahead requests may run: not at all until a reader is seen to go on. */
static int64_t ahead_until(const struct audio_recording *recording, int64_t segment)
{
	int64_t run = run_of(recording), at = recording->run_end_bytes;

	if (recording->run_start_bytes == 0 && run < RUN_BYTES)
		return is_heads_only(recording->audio) ? at : BEGIN_BYTES;
	if (recording->run_start_bytes && run <= SEEK_BYTES)
		return at;
	return audio_min(recording->size_bytes,
			 at + audio_min(AHEAD_FACTOR * run, SEGMENTS * segment));
}

static int64_t segment_end(const struct audio_recording *recording, int64_t start_bytes,
			   int64_t segment)
{
	int64_t span = start_bytes < BEGIN_BYTES ? BEGIN_SEGMENT_BYTES : segment;

	return audio_min(recording->size_bytes, start_bytes + span);
}

void audio_span_advance(struct audio_recording *recording)
{
	int64_t at = recording->run_end_bytes, segment, until;

	if (recording->size_bytes <= SMALL_BYTES || !recording->is_in_s3 ||
	    audio_span_is_whole_only(recording))
		return;
	segment = segment_bytes(recording);
	if (!segment)
		return;
	until = ahead_until(recording, segment);
	while ((at = audio_blocks_missing(&recording->blocks, at, until)) < until) {
		struct audio_stream *s = stream_over(recording, at);

		if (!s) {
			if (count_streams(recording) >= SEGMENTS ||
			    recording->audio->streams >= STREAMS_LIMIT)
				return;
			s = audio_stream_new(recording, at, segment_end(recording, at, segment));
			if (!s)
				return;
		}
		audio_stream_allow(s, s->end_bytes);
		at = s->end_bytes;
	}
}

void audio_span_close(struct audio_recording *recording)
{
	unsigned *heads = &recording->audio->heads_in_row;

	if (recording->size_bytes > 2 * HEAD_BYTES && recording->read_bytes)
		*heads = recording->read_bytes <= HEAD_BYTES ? *heads + 1 : 0;
}
