/*
 * Streams: what brings a recording's bytes, from wherever they are, in order, ahead of its readers
 * but not too far.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audio/audio-private.h"
#include "storage/object.h"
#include "storage/restore.h"
#include "util/times.h"

/* A byte so close behind what a stream has reached comes sooner by waiting than by a new request.
 */
#define NEAR_BYTES (1024 * 1024)
/* How far ahead of its reader a stream goes: little at first, for who looks at the head only; more
 * for who reads on. */
#define WINDOW_MIN_BYTES (256 * 1024)
#define WINDOW_MAX_BYTES (4 * 1024 * 1024)
/* Who begins at the start is let run further: a window so small that an answer has to wait keeps
 * TCP from finding its pace. */
#define WINDOW_BEGIN_BYTES (1024 * 1024)
/* A stream that nobody has used for so long is ended: it keeps a connection from others. */
#define IDLE_MSECS 30000
/* So many requests that nobody waits for may stand open; more of them end where they would pause, for
 * those that move end by themselves, and a reader may be back in a moment. The engine has as many
 * connections beyond those that readers wait for. */
#define IDLE_ATTEMPTS_LIMIT 32
#define STREAMS_PER_RECORDING 12

static int64_t min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t window_limit(const struct audio *audio)
{
	int64_t share = (int64_t)audio->settings.budget_bytes;

	if (audio->streams)
		share /= 2 * audio->streams;
	if (share > WINDOW_MAX_BYTES)
		return WINDOW_MAX_BYTES;
	return share < WINDOW_MIN_BYTES ? WINDOW_MIN_BYTES : share;
}

void audio_stream_unref(struct audio_stream *stream)
{
	struct audio_recording *recording = stream->recording;

	if (--stream->refs)
		return;
	free(stream);
	audio_recording_unref(recording);
}

/* ---- starting ---- */

/* The block that is being filled for somebody stays, whatever else has to go. Without memory to note
 * that it may go, and its bytes are asked for again. */
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
	s->recording->workspace->reading[audio_turn_origin(s->recording)] += n;
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

/* Of two that nobody waits for the one that has not been used for longer; NULL: none yet. One that
 * moves is none of them: it ends by itself. */
static struct audio_stream *older_spare(struct audio_stream *oldest, struct audio_stream *s)
{
	if (!s->is_paused || s->reads)
		return oldest;
	return !oldest || s->used_msecs < oldest->used_msecs ? s : oldest;
}

static void drop_idle(struct audio *audio)
{
	struct audio_stream *oldest = NULL;

	if (!has_many_idle(audio))
		return;
	list_for_each(pos, &audio->recordings) {
		struct audio_recording *recording = list_entry(pos, struct audio_recording, link);

		list_for_each(item, &recording->streams)
			oldest = older_spare(oldest, list_entry(item, struct audio_stream, link));
	}
	if (oldest)
		audio_stream_kill(oldest);
}

/* S3 says that our clock is wrong: a request of the client's own lets it learn the time. */
static void set_clock(struct audio_source *source)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct s3_object object;

	/* The answer's date is what counts. */
	s3_head_object(source->s3, source->key, &object, &error);
}

/* Lock held. Where the origin has not answered for some time, nobody waits for it again. */
static int check_breaker(struct audio_stream *s, struct remote_error *ret_error)
{
	int err = breaker_check(&s->recording->workspace->breakers[s->from], time_mono_msecs());

	if (err)
		remote_error_set(ret_error, REMOTE_REJECTED, err,
				 "it has not answered for a while");
	return err;
}

/* S3 says that it is archived, which the catalog did not know: the class and a restore are asked
 * for, so that the next open fails at once. */
static void learn_archive(struct audio *audio, int64_t recording_id)
{
	struct remote_error error = REMOTE_ERROR_INIT;

	storage_object_refresh(audio->catalog, audio->http, recording_id, &audio->cancel, &error);
}

/* Twilio does not have it: another machine may have moved it. What cannot be asked for is no news. */
static void learn_moved(struct audio *audio, int64_t recording_id)
{
	struct remote_error error = REMOTE_ERROR_INIT;

	storage_object_find(audio->catalog, audio->http, recording_id, &audio->cancel, &error);
}

static bool is_not_at_twilio(const struct audio_stream *s)
{
	return s->error.kind == REMOTE_NOT_FOUND && s->from == AUDIO_FROM_TWILIO;
}

/* S3 answers 403 for a missing key, too, where the user may not list the whole bucket. */
static bool is_denied(const struct audio_stream *s)
{
	return s->error.error == -EACCES && s->error.status == 403 && s->from == AUDIO_FROM_S3;
}

static void run(struct pool_task *task)
{
	struct audio_stream *s = list_entry(task, struct audio_stream, task);
	struct audio_recording *recording = s->recording;
	struct audio *audio = recording->audio;
	struct list finished = LIST_INIT(finished);
	struct remote_error error = REMOTE_ERROR_INIT;
	struct audio_source source;
	struct audio_hint hint;
	struct audio_range range;
	bool clock, archived, moved, denied;
	int err;

	pthread_mutex_lock(&audio->lock);
	hint = recording->hint;
	range = (struct audio_range){ s->position_bytes, s->end_bytes, recording->size_bytes };
	clock = strcmp(s->error.code, "RequestTimeTooSkewed") == 0;
	archived = strcmp(s->error.code, "InvalidObjectState") == 0;
	moved = is_not_at_twilio(s);
	denied = s->is_denial_explained && is_denied(s);
	if (denied)
		error = s->error;
	err = s->is_dead ? -ECANCELED : 0;
	pthread_mutex_unlock(&audio->lock);
	if (!err && archived) /* before the origin is chosen: Twilio may have its copy yet */
		learn_archive(audio, recording->id);
	if (!err && moved)
		learn_moved(audio, recording->id);
	if (err)
		source = (struct audio_source){ .from = AUDIO_FROM_TWILIO };
	else
		err = audio_source_init(audio, recording->id, &hint, &range, &source, &error);
	if (err == 0 && clock && source.from == AUDIO_FROM_S3)
		set_clock(&source);
	if (err == 0 && denied && source.from == AUDIO_FROM_S3)
		err = s3_explain_denied(source.s3, source.key, &error);

	pthread_mutex_lock(&audio->lock);
	s->from = source.from;
	if (source.from == AUDIO_FROM_TWILIO)
		s->end_bytes = recording->size_bytes;
	s->has_older_bucket = err == 0 && source.has_older_bucket;
	if (!s->is_dead && err == 0)
		err = check_breaker(s, &error);
	if (err == 0 && source.from == AUDIO_FROM_S3 && s3_client_keys_are_due(source.s3))
		audio_keys_renew(source.clients);
	if (!s->is_dead && err == -EAGAIN) {
		audio_keys_wait(source.clients, s);
	} else if (!s->is_dead) {
		drop_idle(audio);
		if (err == 0) {
			source.request.urgent = s->reads > 0;
			err = audio_attempt_start(s, &source);
			if (err)
				remote_error_set(&error, REMOTE_REJECTED, err,
						 "the request cannot be sent");
		}
		if (err == 0)
			s->state = AUDIO_STREAM_RUNNING;
		else
			audio_stream_failed(s, &error, source.from, &finished);
	}
	audio_stream_unref(s);
	pthread_mutex_unlock(&audio->lock);
	audio_source_release(&source);
	audio_reads_deliver(audio, &finished);
}

/* It has to ask for the time, the class or the place before its request, and waits for the network.
 */
static bool asks_first(const struct audio_stream *s)
{
	return strcmp(s->error.code, "RequestTimeTooSkewed") == 0 ||
	       strcmp(s->error.code, "InvalidObjectState") == 0 || is_not_at_twilio(s) ||
	       (s->is_denial_explained && is_denied(s));
}

void audio_stream_start(struct audio_stream *s)
{
	struct audio *audio = s->recording->audio;
	int err;

	s->state = AUDIO_STREAM_STARTING;
	s->task.run = run;
	err = pool_push(asks_first(s) ? &audio->probers : &audio->starters, &s->task);
	if (!err) {
		s->refs++;
	} else if (err != -ESHUTDOWN) { /* no thread can be started now */
		s->state = AUDIO_STREAM_BACKOFF;
		s->due_msecs = time_mono_msecs() + AUDIO_NO_THREAD_MSECS;
		audio_timer_wake(audio, s->due_msecs);
	}
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
		s->limit_bytes = min(WINDOW_BEGIN_BYTES, window_limit(recording->audio));
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

	list_for_each(pos, &recording->streams) {
		count++;
		oldest = older_spare(oldest, list_entry(pos, struct audio_stream, link));
	}
	if (count >= STREAMS_PER_RECORDING + recording->files && oldest)
		audio_stream_kill(oldest);
}

struct audio_stream *audio_stream_near(struct audio_recording *recording, int64_t offset_bytes)
{
	/* Another request would begin at the start. */
	bool is_whole_only = audio_span_is_whole_only(recording);
	struct audio_stream *best = NULL;

	list_for_each(pos, &recording->streams) {
		struct audio_stream *s = list_entry(pos, struct audio_stream, link);

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

	list_for_each(pos, &recording->streams) {
		struct audio_stream *s = list_entry(pos, struct audio_stream, link);

		if (end_bytes <= s->start_bytes ||
		    end_bytes > s->position_bytes + NEAR_BYTES + WINDOW_MAX_BYTES)
			continue;
		s->used_msecs = time_mono_msecs();
		if (end_bytes > s->reader_bytes) {
			if (s->reader_bytes)
				s->window_bytes *= 2;
			s->reader_bytes = end_bytes;
		}
		if (s->window_bytes > limit)
			s->window_bytes = limit;
		if (s->limit_bytes < end_bytes + s->window_bytes)
			s->limit_bytes = end_bytes + s->window_bytes;
		/* Not for every read, but before the reader has caught up. */
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
	/* Where there is no memory the bytes are lost to this stream; whoever needs them begins
	 * another. */
	audio_blocks_write(&s->recording->blocks, s->position_bytes, bytes, n);
	unpin_position(s);
	s->position_bytes += (int64_t)n;
	if (s->reads)
		pin_position(s);
	s->has_moved = true;
	s->moved_msecs = time_mono_msecs();
}

/* ---- time ---- */

int64_t audio_streams_tick(struct audio_recording *recording, int64_t now_msecs)
{
	int64_t next = INT64_MAX;

	list_for_each_safe(pos, &recording->streams) {
		struct audio_stream *s = list_entry(pos, struct audio_stream, link);
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
		if (due < next)
			next = due;
	}
	return next;
}
