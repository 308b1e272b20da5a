/* One HTTP request of a stream: its answer is judged (answer.h) and its bytes are written to the
 * stream. An attempt lives until its on_done; a stream that needs it no more abandons it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audio/answer.h"
#include "audio/audio-private.h"
#include "util/cleanup.h"
#include "util/times.h"

/* An unwanted answer with no more than this left is read to its end, to keep the connection. */
#define DRAIN_BYTES (256 * 1024)

/* Fields without a note belong to the HTTP engine's thread. */
struct audio_attempt {
	struct list link; /* audio->attempt_list */
	struct audio *audio;
	struct audio_stream *stream;    /* audio->lock; NULL: abandoned */
	struct http_transfer *transfer; /* a reference; set before any callback runs */
	bool is_draining;               /* audio->lock */
	int64_t since_msecs;

	struct audio_answer answer;
	bool is_start_judged; /* of an answer that brings the whole recording */
	/* The last byte of an answer of unknown length is held back until the answer has ended:
	 * another byte behind it makes the answer wrong. */
	char last;
	bool has_last;
};

/* ---- the head ---- */

/* Lock held. Does the origin honour ranges, or send the whole recording each time? */
static void learn_ranges(struct audio_attempt *a, int status, struct list *finished)
{
	const struct audio_answer *answer = &a->answer;
	bool is_range = answer->start_bytes > 0 || answer->end_bytes < answer->size_bytes;
	bool *knows_none;

	if (!a->stream) {
		/* The whole recording is more than the little that was left to drain. */
		a->is_draining &= status == 206 || !is_range;
		return;
	}
	knows_none = &a->stream->recording->workspace->knows_no_ranges[answer->from];
	if (status == 206) {
		*knows_none = false;
		return;
	}
	a->answer.end_bytes = a->stream->end_bytes = answer->size_bytes;
	if (!is_range)
		return;
	*knows_none = true;
	if (answer->from == AUDIO_FROM_S3)
		audio_streams_merge(a->stream->recording, finished);
}

static int on_head(void *arg, struct http_transfer *transfer, const struct http_response *response)
{
	struct list finished = LIST_INIT(finished);
	struct audio_attempt *a = arg;
	bool is_wanted;

	audio_answer_take_head(&a->answer, response);
	if (!a->answer.is_head_good)
		return a->answer.is_error ? 0 : -1; /* an error's body follows */
	pthread_mutex_lock(&a->audio->lock);
	/* Readers may have bytes of this object from here on: another object becomes -ESTALE. */
	if (a->answer.from == AUDIO_FROM_S3 && a->stream)
		a->stream->recording->was_served_by_s3 = true;
	learn_ranges(a, response->status, &finished);
	is_wanted = a->stream || a->is_draining;
	histogram_add(&a->audio->stats.origins[a->answer.from].first_byte,
		      time_mono_msecs() - a->since_msecs);
	pthread_mutex_unlock(&a->audio->lock);
	audio_reads_deliver(a->audio, &finished);
	return is_wanted ? 0 : -1;
}

/* ---- bytes ---- */

static bool has_magic(const struct audio_answer *answer)
{
	return !answer->is_encrypted && answer->size_bytes >= AUDIO_MAGIC_BYTES;
}

/* Lock held. Bytes at the stream's position. */
static enum http_data feed(struct audio_attempt *a, const char *bytes, size_t n)
{
	struct audio_answer *answer = &a->answer;
	struct audio_stream *s = a->stream;
	int64_t left = answer->last_end_bytes - s->position_bytes - (int64_t)answer->start_len -
		       a->has_last;

	if ((int64_t)n > left) {
		remote_error_set(&answer->judged, REMOTE_INVALID, -EIO,
				 "more bytes than announced");
		return HTTP_DATA_ABORT;
	}
	if (s->position_bytes == 0 && has_magic(answer)) {
		size_t part = audio_answer_take_start(answer, bytes, n);

		bytes += part;
		n -= part;
		left -= (int64_t)part;
		if (answer->start_len < AUDIO_MAGIC_BYTES)
			return HTTP_DATA_OK;
		if (answer->judged.kind != REMOTE_OK)
			return HTTP_DATA_ABORT;
		audio_stream_write(s, answer->start, AUDIO_MAGIC_BYTES);
		answer->start_len = 0;
	}
	if (!answer->is_length_known && n && (int64_t)n == left) {
		a->last = bytes[n - 1];
		a->has_last = true;
		n--;
	}
	audio_stream_write(s, bytes, n);
	return HTTP_DATA_OK;
}

/* Bytes before those that were requested, of an answer with the whole recording. False: it is not a
 * recording. */
static bool skip_over(struct audio_attempt *a, const char *bytes, size_t n)
{
	struct audio_answer *answer = &a->answer;

	if (!n || a->is_start_judged || !has_magic(answer))
		return true;
	audio_answer_take_start(answer, bytes, n);
	if (answer->start_len < AUDIO_MAGIC_BYTES)
		return true;
	answer->start_len = 0;
	a->is_start_judged = true;
	return answer->judged.kind == REMOTE_OK;
}

static enum http_data on_data(void *arg, struct http_transfer *transfer, const void *bytes,
			      size_t n)
{
	struct list finished = LIST_INIT(finished);
	struct audio_attempt *a = arg;
	enum http_data result;
	size_t skip;

	if (a->answer.is_error)
		return audio_answer_take_error(&a->answer, bytes, n) ? HTTP_DATA_OK
								     : HTTP_DATA_ABORT;
	skip = a->answer.skip_bytes < (int64_t)n ? (size_t)a->answer.skip_bytes : n;
	if (!skip_over(a, bytes, skip))
		return HTTP_DATA_ABORT;
	pthread_mutex_lock(&a->audio->lock);
	if (a->stream && skip < n && !audio_stream_wants(a->stream, n - skip) &&
	    !audio_stream_gives_way(a->stream)) {
		a->stream->is_paused = true;
		result = HTTP_DATA_PAUSE;
	} else if (!a->stream) { /* abandoned; a stream that gives way abandons it, too */
		result = a->is_draining ? HTTP_DATA_OK : HTTP_DATA_ABORT;
	} else {
		a->audio->stats.origins[a->answer.from].bytes += n;
		a->answer.skip_bytes -= (int64_t)skip;
		result = feed(a, (const char *)bytes + skip, n - skip);
		audio_reads_check(a->stream->recording, &finished);
	}
	pthread_mutex_unlock(&a->audio->lock);
	audio_reads_deliver(a->audio, &finished);
	return result;
}

/* ---- the end ---- */

/* Lock held. Judges the end of the request for the stream. */
static void verdict(struct audio_attempt *a, const struct remote_error *error,
		    struct remote_error *ret_error)
{
	struct audio_stream *s = a->stream;

	if (a->answer.judged.kind != REMOTE_OK) {
		*ret_error = a->answer.judged;
		return;
	}
	/* Cancelled: by us, after enough of an error's body. */
	if (a->answer.is_error && (error->kind == REMOTE_OK || error->kind == REMOTE_CANCELLED)) {
		audio_answer_judge_error(&a->answer, ret_error);
		return;
	}
	*ret_error = *error;
	if (error->kind != REMOTE_OK)
		return;
	if (a->has_last) {
		a->has_last = false;
		audio_stream_write(s, &a->last, 1);
	}
	if (s->position_bytes < a->answer.end_bytes) {
		remote_error_set(ret_error, REMOTE_TRANSIENT, -EIO, "the answer ended early");
		snprintf(ret_error->code, sizeof ret_error->code, "short");
	}
}

/* Does the origin answer at all? The breaker does not care what it answers. */
static void note_health(const struct audio_attempt *a, const struct remote_error *end)
{
	struct breaker *breaker = &a->stream->recording->workspace->breakers[a->answer.from];

	if (a->answer.is_head_good || (end->status > 0 && end->status < 500))
		breaker_worked(breaker);
	else if (end->kind == REMOTE_TRANSIENT)
		breaker_failed(breaker, audio_errno(end), time_mono_msecs());
}

/* Lock held. */
static void end_stream(struct audio_attempt *a, const struct remote_error *error,
		       struct list *finished)
{
	struct audio_stream *s = a->stream;
	struct audio_recording *recording = s->recording;
	enum audio_from from = a->answer.from;
	struct remote_error end;

	s->attempt = NULL;
	s->is_paused = false;
	if (a->answer.is_head_good && from == AUDIO_FROM_TWILIO)
		recording->workspace->size_err = 0; /* it answers */
	verdict(a, error, &end);
	audio_stats_count(a->audio, from, end.kind);
	note_health(a, &end);
	audio_reads_check(recording, finished);
	audio_stream_failed(s, &end, finished);
	if (end.kind == REMOTE_OK)
		audio_ahead_arrived(recording);
}

static void on_done(void *arg, const struct remote_error *error)
{
	struct list finished = LIST_INIT(finished);
	struct audio_attempt *a = arg;
	struct audio *audio = a->audio;

	pthread_mutex_lock(&audio->lock);
	if (a->stream)
		end_stream(a, error, &finished);
	else
		audio_stats_count(audio, a->answer.from,
				  a->is_draining ? error->kind : REMOTE_CANCELLED);
	pthread_mutex_unlock(&audio->lock);
	audio_reads_deliver(audio, &finished);
	/* Last, because audio_free waits for the count to become 0, and then frees *audio. */
	pthread_mutex_lock(&audio->lock);
	list_remove(&a->link);
	if (--audio->attempts == 0)
		pthread_cond_broadcast(&audio->idle_cond);
	pthread_mutex_unlock(&audio->lock);
	http_transfer_unref(a->transfer);
	buf_release(&a->answer.body);
	free(a);
}

/* ---- from the stream ---- */

int audio_attempt_start(struct audio_stream *stream, struct audio_source *source)
{
	struct audio *audio = stream->recording->audio;
	struct audio_attempt *a = calloc(1, sizeof *a);
	int err;

	if (!a)
		return -ENOMEM;
	a->audio = audio;
	a->stream = stream;
	a->since_msecs = time_mono_msecs();
	a->answer = (struct audio_answer){ .from = source->from,
					   .is_encrypted = source->is_encrypted,
					   .start_bytes = stream->position_bytes,
					   .end_bytes = stream->end_bytes,
					   .size_bytes = stream->recording->size_bytes,
					   .judged = REMOTE_ERROR_INIT };
	memcpy(a->answer.etag, source->etag, sizeof a->answer.etag);
	source->request.on_head = on_head;
	source->request.on_data = on_data;
	source->request.on_done = on_done;
	source->request.arg = a;
	err = http_submit(audio->http, &source->request, &a->transfer);
	if (err) {
		free(a);
		return err;
	}
	audio->attempts++;
	list_add(&audio->attempt_list, &a->link);
	stream->attempt = a;
	return 0;
}

void audio_attempt_abandon(struct audio_attempt *attempt)
{
	struct audio_stream *s = attempt->stream;

	s->attempt = NULL;
	attempt->stream = NULL;
	attempt->is_draining =
		attempt->answer.end_bytes - s->position_bytes <= DRAIN_BYTES &&
		(s->is_paused || time_mono_msecs() - s->moved_msecs < TURN_STUCK_MSECS);
	if (!attempt->is_draining)
		http_transfer_cancel(attempt->transfer);
	else if (s->is_paused)
		http_transfer_resume(attempt->transfer);
	s->is_paused = false;
}

void audio_attempt_resume(struct audio_attempt *attempt)
{
	http_transfer_resume(attempt->transfer);
}

void audio_attempts_cancel(struct audio *audio)
{
	list_for_each_entry(struct audio_attempt, attempt, &audio->attempt_list, link)
		http_transfer_cancel(attempt->transfer);
}
