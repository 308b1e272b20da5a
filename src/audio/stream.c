/* Streams: their windows ahead of readers, their readers, and which of them are ended when idle. */
#include <stdlib.h>

#include "audio/audio-private.h"
#include "util/times.h"

/* A byte this close behind a stream's position comes sooner by waiting than by a new request. */
#define NEAR_BYTES (1024 * 1024)
/* How far ahead of its reader a stream goes: little at first, because the reader may only want the
 * head; more as it goes on. */
#define WINDOW_MIN_BYTES (256 * 1024)
#define WINDOW_MAX_BYTES (4 * 1024 * 1024)
/* A larger first window from the start of a file: pausing an answer early keeps TCP slow. */
#define WINDOW_BEGIN_BYTES (1024 * 1024)
#define IDLE_MSECS 30000 /* unused for so long, a stream is ended: it occupies a connection */
/* The limit of open requests that no read waits for. Beyond it, requests end where they would
 * pause; those that move end by themselves. The HTTP engine has as many connections beyond those
 * that reads wait for. */
#define IDLE_ATTEMPTS_LIMIT 32
#define STREAMS_PER_RECORDING 12

static int64_t window_limit(const struct audio *audio)
{
	int64_t share = (int64_t)audio->settings.budget_bytes;

	if (audio->streams)
		share /= 2 * (int64_t)audio->streams;
	return share < WINDOW_MIN_BYTES ? WINDOW_MIN_BYTES : audio_min(share, WINDOW_MAX_BYTES);
}

void audio_stream_unref(struct audio_stream *stream)
{
	struct audio_recording *recording = stream->recording;

	if (--stream->refs)
		return;
	free(stream);
	audio_recording_unref(recording);
}

/* ---- windows and pins ---- */

/* Pins the block that is being filled while a read waits. Out of memory: the block may be evicted,
 * and its bytes are fetched again. */
static void pin_position(struct audio_stream *s)
{
	s->is_position_pinned = audio_blocks_pin(&s->recording->blocks, s->position_bytes,
						 s->position_bytes + 1) == 0;
}

static void unpin_position(struct audio_stream *s)
{
	if (s->is_position_pinned)
		audio_blocks_unpin(&s->recording->blocks, s->position_bytes, s->position_bytes + 1);
	s->is_position_pinned = false;
}

static void count_reading(struct audio_stream *s, unsigned n)
{
	s->recording->audio->reading += n;
	s->recording->reading += n;
	s->recording->workspace->reading[audio_origin_of(s->recording)] += n;
}

static void resume(struct audio_stream *s)
{
	if (!s->is_paused || !s->attempt)
		return;
	s->is_paused = false;
	audio_attempt_resume(s->attempt);
}

void audio_stream_join(struct audio_stream *s)
{
	if (s->reads++)
		return;
	pin_position(s);
	count_reading(s, 1);
	resume(s);
}

void audio_stream_leave(struct audio_stream *s)
{
	if (s->is_dead || --s->reads)
		return;
	unpin_position(s);
	count_reading(s, -1U);
}

static bool has_many_idle(const struct audio *audio)
{
	return audio->attempts > audio->reading + IDLE_ATTEMPTS_LIMIT;
}

/* The less recently used of two streams. Only paused streams without reads count: one that moves
 * ends by itself. oldest may be NULL. */
static struct audio_stream *older_spare(struct audio_stream *oldest, struct audio_stream *s)
{
	if (!s->is_paused || s->reads)
		return oldest;
	return !oldest || s->used_msecs < oldest->used_msecs ? s : oldest;
}

void audio_streams_drop_idle(struct audio *audio)
{
	struct audio_stream *oldest = NULL;

	if (!has_many_idle(audio))
		return;
	list_for_each_entry(struct audio_recording, recording, &audio->recordings, link)
		list_for_each_entry(struct audio_stream, s, &recording->streams, link)
			oldest = older_spare(oldest, s);
	if (oldest)
		audio_stream_kill(oldest);
}

struct audio_stream *audio_stream_new(struct audio_recording *recording, int64_t offset_bytes,
				      int64_t end_bytes)
{
	struct audio_stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->recording = recording;
	recording->refs++;
	recording->audio->streams++;
	s->refs = 1;
	list_init(&s->task.link);
	list_add(&recording->streams, &s->link);
	s->position_bytes = s->start_bytes = audio_blocks_start(&recording->blocks, offset_bytes);
	s->end_bytes = end_bytes;
	s->window_bytes = WINDOW_MIN_BYTES;
	if (s->start_bytes == 0)
		s->limit_bytes = audio_min(WINDOW_BEGIN_BYTES, window_limit(recording->audio));
	s->used_msecs = s->moved_msecs = time_mono_msecs();
	s->error = (struct remote_error)REMOTE_ERROR_INIT;
	audio_stream_try_anew(s);
	audio_stream_start(s);
	return s;
}

void audio_stream_kill(struct audio_stream *s)
{
	if (s->is_dead)
		return;
	if (s->reads) {
		s->reads = 1;
		audio_stream_leave(s);
	}
	s->is_dead = true;
	s->recording->audio->streams--;
	list_remove(&s->link);
	if (s->attempt)
		audio_attempt_abandon(s->attempt);
	audio_stream_unref(s);
}

/* ---- readers ---- */

static void drop_spare(struct audio_recording *recording)
{
	struct audio_stream *oldest = NULL;
	unsigned count = 0;

	list_for_each_entry(struct audio_stream, s, &recording->streams, link) {
		count++;
		oldest = older_spare(oldest, s);
	}
	if (count >= STREAMS_PER_RECORDING + recording->files && oldest)
		audio_stream_kill(oldest);
}

struct audio_stream *audio_stream_near(struct audio_recording *recording, int64_t offset_bytes)
{
	/* A new request would bring the whole recording again, from its start. */
	bool is_whole_only = audio_span_is_whole_only(recording);
	struct audio_stream *best = NULL;

	list_for_each_entry(struct audio_stream, s, &recording->streams, link) {
		if (s->position_bytes <= offset_bytes && offset_bytes < s->end_bytes &&
		    (offset_bytes - s->position_bytes <= NEAR_BYTES || is_whole_only) &&
		    (!best || s->position_bytes > best->position_bytes))
			best = s;
	}
	return best;
}

struct audio_stream *audio_stream_for(struct audio_recording *recording, int64_t offset_bytes)
{
	struct audio_stream *near = audio_stream_near(recording, offset_bytes);

	if (near)
		return near;
	drop_spare(recording);
	offset_bytes = audio_blocks_start(&recording->blocks, offset_bytes);
	return audio_stream_new(recording, offset_bytes, audio_span_end(recording, offset_bytes));
}

void audio_streams_advance(struct audio_recording *recording, int64_t end_bytes)
{
	int64_t limit = window_limit(recording->audio);

	list_for_each_entry(struct audio_stream, s, &recording->streams, link) {
		if (end_bytes <= s->start_bytes ||
		    end_bytes > s->position_bytes + NEAR_BYTES + WINDOW_MAX_BYTES)
			continue;
		s->used_msecs = time_mono_msecs();
		if (end_bytes > s->reader_bytes) {
			if (s->reader_bytes)
				s->window_bytes *= 2;
			s->reader_bytes = end_bytes;
		}
		s->window_bytes = audio_min(s->window_bytes, limit);
		if (s->limit_bytes < end_bytes + s->window_bytes)
			s->limit_bytes = end_bytes + s->window_bytes;
		/* Before the reader has caught up, but not for every read. */
		if (s->reads || s->position_bytes + s->window_bytes / 2 <= s->limit_bytes)
			resume(s);
	}
}

void audio_stream_allow(struct audio_stream *s, int64_t end_bytes)
{
	if (s->limit_bytes >= end_bytes)
		return;
	s->limit_bytes = end_bytes;
	resume(s);
}

bool audio_stream_wants(struct audio_stream *s, size_t n)
{
	if (s->reads)
		return true;
	return s->position_bytes < s->limit_bytes &&
	       audio_blocks_has_room(&s->recording->blocks, s->position_bytes, n);
}

bool audio_stream_gives_way(struct audio_stream *s)
{
	if (s->reads || !has_many_idle(s->recording->audio))
		return false;
	audio_stream_kill(s);
	return true;
}

void audio_stream_write(struct audio_stream *s, const void *bytes, size_t n)
{
	if (!n)
		return;
	/* Out of memory: the bytes are dropped, and reads that need them start another stream. */
	audio_blocks_write(&s->recording->blocks, s->position_bytes, bytes, n);
	unpin_position(s);
	s->position_bytes += (int64_t)n;
	if (s->reads)
		pin_position(s);
	s->has_moved = true;
	s->moved_msecs = time_mono_msecs();
}

/* ---- the timer ---- */

int64_t audio_streams_tick(struct audio_recording *recording, int64_t now_msecs)
{
	int64_t next = INT64_MAX;

	list_for_each_entry_safe(struct audio_stream, s, &recording->streams, link) {
		int64_t due = INT64_MAX;

		if (s->state == AUDIO_STREAM_BACKOFF) {
			if (s->due_msecs <= now_msecs)
				audio_stream_start(s);
			else
				due = s->due_msecs;
		} else if (!s->reads) {
			due = s->used_msecs + IDLE_MSECS;
			if (due <= now_msecs) {
				audio_stream_kill(s);
				continue;
			}
		}
		next = audio_min(next, due);
	}
	return next;
}
