/* After the end of a stream's request: another try, at the same or the other origin, or an error
 * for the reads that wait. */
#include <errno.h>
#include <limits.h>

#include "audio/audio-private.h"
#include "util/times.h"

#define TRIES 4
#define RETRY_BASE_MSECS 300
#define BUSY_LIMIT_MSECS 5000 /* the longest pause while the origin is busy */
#define NOT_FOUND_TRIES 4

/* may_try_again() sets the deadlines, from the reads that wait then. */
void audio_stream_try_anew(struct audio_stream *s)
{
	retry_init(&s->retry, TRIES, 0);
	s->retry.base_msecs = RETRY_BASE_MSECS;
	retry_init(&s->busy, UINT_MAX, 0);
	s->busy.base_msecs = RETRY_BASE_MSECS;
	s->busy.limit_msecs = BUSY_LIMIT_MSECS;
}

bool audio_stream_was_busy(const struct audio_stream *s)
{
	return s->error.kind == REMOTE_BUSY && !s->has_moved;
}

void audio_read_failed(const struct audio_waiting_read *read, enum audio_from from,
		       const struct remote_error *why, int err)
{
	struct audio_recording *recording = read->file->recording;
	const struct audio_clients *clients = recording->workspace->clients;
	const struct audio_subject of = {
		.recording_id = recording->id,
		.sid = recording->sid,
		.workspace = clients ? clients->workspace : "?",
		.offset_bytes = audio_read_missing(read),
	};

	audio_note_error(recording->audio, &of, from,
			 from == AUDIO_FROM_S3 ? "read from S3 failed" : "read from Twilio failed",
			 err, why);
}

/* Fails the reads that wait for the stream, and ends it. */
static void fail_reads(struct audio_stream *s, int err, struct list *finished)
{
	bool is_logged = false;

	list_for_each_entry_safe(struct audio_waiting_read, read, &s->recording->reads, link) {
		if (read->stream != s)
			continue;
		if (!is_logged)
			audio_read_failed(read, s->from, &s->error, err);
		is_logged = true;
		audio_read_finish(read, err, finished);
	}
	audio_stream_kill(s);
}

void audio_stream_back_off(struct audio_stream *s, int64_t pause_msecs)
{
	s->state = AUDIO_STREAM_BACKOFF;
	s->due_msecs = time_mono_msecs() + pause_msecs;
	audio_timer_wake(s->recording->audio, s->due_msecs);
}

/* Ends the stream; its reads go to other streams, or to new ones. */
static void replace(struct audio_stream *s, struct list *finished)
{
	struct audio_recording *recording = s->recording;

	s->refs++;
	audio_stream_kill(s);
	list_for_each_entry_safe(struct audio_waiting_read, read, &recording->reads, link) {
		if (read->stream != s)
			continue;
		read->stream = audio_stream_for(recording, audio_read_missing(read));
		if (read->stream)
			audio_stream_join(read->stream);
		else
			audio_read_finish(read, -ENOMEM, finished);
	}
	audio_stream_unref(s);
}

void audio_streams_merge(struct audio_recording *recording, struct list *finished)
{
	struct audio_stream *first = NULL;

	list_for_each_entry(struct audio_stream, s, &recording->streams, link)
		if (!first || s->position_bytes < first->position_bytes)
			first = s;
	if (first)
		first->end_bytes = recording->size_bytes;
	list_for_each_entry_safe(struct audio_stream, s, &recording->streams, link)
		if (s != first)
			replace(s, finished);
}

/* Not there, denied, or another object under the key: an older bucket may have it. */
static bool may_be_elsewhere(const struct remote_error *error)
{
	return error->kind == REMOTE_NOT_FOUND || error->error == -EACCES ||
	       error->error == -ESTALE;
}

/* Keys may expire early or be replaced: asks for new ones. False: there are no others. */
static bool renew_keys(struct audio_stream *s)
{
	struct audio_clients *clients = s->recording->workspace->clients;

	s->are_keys_renewed = true;
	if (!clients || !clients->s3 || !s3_client_distrust_keys(clients->s3))
		return false;
	audio_keys_wait(clients, s);
	return true;
}

static int64_t last_deadline(const struct audio_stream *s)
{
	int64_t last = 0;

	list_for_each_entry(const struct audio_waiting_read, read, &s->recording->reads, link)
		if (read->stream == s && read->deadline_msecs > last)
			last = read->deadline_msecs;
	return last;
}

/* Retries until the latest deadline of the reads that wait; reads with an earlier deadline end at
 * theirs. A pause that would go beyond it is shortened, unless Retry-After asked for it. */
static bool may_wait_while_busy(struct audio_stream *s, unsigned *ret_pause_msecs)
{
	int64_t left = last_deadline(s) - time_mono_msecs(), wanted = s->error.retry_after_msecs;
	unsigned pause;

	s->busy.deadline_msecs = INT64_MAX;
	if (left < 2 * RETRY_BASE_MSECS || wanted >= left ||
	    !retry_next(&s->busy, &s->error, true, &pause))
		return false;
	if (pause >= left)
		pause = (unsigned)(wanted > left / 2 ? wanted : left / 2);
	*ret_pause_msecs = pause;
	return true;
}

/* False: the tries are used up. */
static bool may_try_again(struct audio_stream *s, unsigned *ret_pause_msecs)
{
	struct remote_error error = s->error;

	if (error.kind == REMOTE_BUSY)
		return may_wait_while_busy(s, ret_pause_msecs);
	/* A wrong answer may come from a proxy, and the next one may be right. */
	if (error.kind == REMOTE_INVALID)
		error.kind = REMOTE_TRANSIENT;
	s->retry.deadline_msecs = last_deadline(s);
	return retry_next(&s->retry, &error, true, ret_pause_msecs);
}

void audio_stream_failed(struct audio_stream *s, const struct remote_error *error,
			 struct list *finished)
{
	struct audio_recording *recording = s->recording;
	bool is_from_s3 = s->from == AUDIO_FROM_S3;
	unsigned pause, asks;

	s->error = *error;
	if (error->kind == REMOTE_OK) {
		replace(s, finished); /* if some of its bytes were evicted */
		return;
	}
	if (!s->reads) {
		if (error->error == -EBUSY)
			audio_ahead_refused(recording);
		audio_stream_kill(s);
		return;
	}
	if (s->has_moved) {
		s->has_moved = false;
		s->not_found = 0;
		audio_stream_try_anew(s);
	}
	if (is_from_s3 && s->has_older_bucket && may_be_elsewhere(error)) {
		s->has_older_bucket = false;
		recording->hint.is_in_older_bucket = true;
		audio_stream_start(s);
		return;
	}
	if (is_from_s3 && s3_keys_are_refused(error) && !s->are_keys_renewed && renew_keys(s))
		return;
	asks = audio_stream_questions(s) & ~s->asked;
	if (is_from_s3 && asks) {
		s->asked |= asks;
		audio_stream_start(s);
		return;
	}
	if (error->kind == REMOTE_NOT_FOUND && error->error != -EIO) {
		/* It may have been moved: the catalog is asked again. Twilio also answers 404 for a
		 * while before a recording is ready. */
		if (is_from_s3 && !recording->hint.is_missing_in_s3) {
			recording->hint.is_missing_in_s3 = true;
			audio_stream_start(s);
		} else if (!is_from_s3 && ++s->not_found < NOT_FOUND_TRIES) {
			recording->hint.is_missing_in_s3 = false;
			audio_stream_back_off(s, s->not_found == 1 ? 0 : 1000 * (s->not_found - 1));
		} else {
			fail_reads(s, -EIO, finished);
		}
		return;
	}
	if (error->twilio_code == 16113 && !recording->hint.is_mono) {
		recording->hint.is_mono = true;
		audio_stream_start(s);
		return;
	}
	if (error->error == -ESTALE && is_from_s3 && !recording->was_served_by_s3) {
		/* No byte was read of the object that was migrated. */
		fail_reads(s, -EIO, finished);
		return;
	}
	if (may_try_again(s, &pause))
		audio_stream_back_off(s, pause);
	else
		fail_reads(s, audio_errno(error), finished);
}
