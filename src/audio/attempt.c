/*
 * One HTTP request of a stream: judged before a byte of it is believed.
 *
 * Fields without a note belong to the HTTP engine's thread. An attempt lives until its on_done; a
 * stream that needs it no longer only lets go of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audio/audio-private.h"
#include "util/cleanup.h"
#include "util/times.h"

/* What is left of an answer that nobody wants any more is still read where it is no more than this:
 * a connection is worth it. */
#define DRAIN_BYTES (256 * 1024)
#define ERROR_BODY_BYTES 8192
#define MAGIC_BYTES 12

struct audio_attempt {
	struct list link; /* audio->attempt_list */
	struct audio *audio;
	struct audio_stream *stream;    /* audio->lock; NULL: abandoned */
	struct http_transfer *transfer; /* ours; set before any callback runs */
	bool is_draining;               /* audio->lock */

	enum audio_from from;
	bool is_encrypted;
	char etag[S3_ETAG_SIZE];
	int64_t start_bytes, end_bytes, size_bytes; /* end: of what was asked for */
	int64_t answer_end_bytes; /* behind the last byte that it says it brings */

	int64_t since_msecs;
	bool is_head_good;
	bool is_length_known;
	bool is_start_seen;
	int64_t skip_bytes; /* of an answer that begins at 0 although we asked for later */
	int64_t came_bytes;
	char held[MAGIC_BYTES];
	size_t held_bytes; /* the file's first bytes until there are enough to know it by */
	char last; /* of an answer of unknown length: the last byte, until there was none behind it
		    */
	bool has_last;

	struct remote_error judged; /* our own verdict, if it is not REMOTE_OK */
	bool is_error;              /* an error's head: its body follows */
	int status;
	struct http_header headers[4];
	char values[4][160];
	struct buf body;
};

/* ---- judging ---- */

/* The head of an error, kept until its body has come. */
static void keep_head(struct audio_attempt *a, const struct http_response *response)
{
	static const char *const names[] = { "Content-Type", "Retry-After", "Date", "Server" };

	a->is_error = true;
	a->status = response->status;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = http_response_header(response, names[i]);

		snprintf(a->values[i], sizeof a->values[i], "%s", value ? value : "");
		a->headers[i] = (struct http_header){ names[i], a->values[i] };
	}
}

static void judge_error(const struct audio_attempt *a, struct remote_error *ret_error)
{
	struct http_header headers[ARRAY_SIZE(a->headers)];
	struct http_response response = { .status = a->status,
					  .content_length = -1,
					  .headers = headers };

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		if (a->values[i][0])
			headers[response.header_count++] = a->headers[i];
	if (a->from == AUDIO_FROM_S3)
		s3_judge(&response, buf_str(&a->body), a->body.len, ret_error);
	else
		twilio_judge_media(&response, a->is_encrypted, buf_str(&a->body), a->body.len,
				   ret_error);
	/* Other statuses, such as 3xx, bring no bytes of the recording either. A 416 is a wrong answer: the
	 * range that was asked for is within the size. */
	if (ret_error->kind == REMOTE_OK || a->status == 416)
		remote_error_set(ret_error, REMOTE_INVALID, -EIO, "HTTP %d in answer to a read",
				 a->status);
}

static void judge_length(struct audio_attempt *a, const struct http_response *response)
{
	int64_t first, last, total;

	a->is_length_known = response->content_length >= 0;
	if (response->status == 206) {
		if (http_response_content_range(response, &first, &last, &total) < 0 ||
		    first != a->start_bytes || last >= a->end_bytes) {
			remote_error_set(&a->judged, REMOTE_INVALID, -EIO,
					 "another range than asked for");
			return;
		}
		if ((total >= 0 && total != a->size_bytes) || last >= a->size_bytes) {
			remote_error_set(&a->judged, REMOTE_INVALID, -EIO,
					 "another size than known");
			return;
		}
		a->answer_end_bytes = last + 1;
		if (a->is_length_known && response->content_length != last + 1 - first)
			remote_error_set(&a->judged, REMOTE_INVALID, -EIO,
					 "more or fewer bytes than its range");
		return;
	}
	/* The whole, though a part was asked for: some servers know no ranges. */
	a->skip_bytes = a->start_bytes;
	a->answer_end_bytes = a->size_bytes;
	if (a->is_length_known && response->content_length != a->size_bytes)
		remote_error_set(&a->judged, REMOTE_INVALID, -EIO, "another size than known");
}

/* Content types of proxies' pages and of S3's errors; no recording is stored under one. */
static bool is_page(const struct http_response *response)
{
	const char *type = http_response_header(response, "Content-Type");

	return type &&
	       (strcasestr(type, "html") || strcasestr(type, "xml") || strcasestr(type, "json"));
}

static void judge_head(struct audio_attempt *a, const struct http_response *response)
{
	struct s3_object object;

	if (a->from == AUDIO_FROM_TWILIO) {
		twilio_judge_media(response, a->is_encrypted, NULL, 0, &a->judged);
	} else {
		s3_judge(response, NULL, 0, &a->judged);
		s3_object_from_response(response, &object);
		/* For servers that do not know If-Match. */
		if (a->judged.kind == REMOTE_OK && a->etag[0] && object.etag[0] &&
		    strcmp(a->etag, object.etag))
			remote_error_set(&a->judged, REMOTE_REJECTED, -ESTALE, "another object");
		if (a->judged.kind == REMOTE_OK && is_page(response))
			remote_error_set(&a->judged, REMOTE_INVALID, -EIO,
					 "a page instead of a recording");
	}
	if (a->judged.kind == REMOTE_OK)
		judge_length(a, response);
}

/* Lock held. Whether the origin gives what is asked for, or always all of it. */
static void learn_ranges(struct audio_attempt *a, int status, struct list *finished)
{
	bool is_range = a->start_bytes > 0 || a->end_bytes < a->size_bytes, *knows_none;

	if (!a->stream) {
		/* What little was left of it is not what comes. */
		a->is_draining &= status == 206 || !is_range;
		return;
	}
	knows_none = &a->stream->recording->workspace->knows_no_ranges[a->from];
	if (status == 206) {
		*knows_none = false;
		return;
	}
	a->end_bytes = a->stream->end_bytes = a->size_bytes;
	if (!is_range)
		return;
	*knows_none = true;
	if (a->from == AUDIO_FROM_S3)
		audio_streams_merge(a->stream->recording, finished);
}

static int on_head(void *arg, struct http_transfer *transfer, const struct http_response *response)
{
	struct list finished = LIST_INIT(finished);
	struct audio_attempt *a = arg;
	bool is_wanted;

	(void)transfer;
	if (response->status != 200 && response->status != 206) {
		keep_head(a, response);
		return 0;
	}
	judge_head(a, response);
	a->is_head_good = a->judged.kind == REMOTE_OK;
	if (!a->is_head_good)
		return -1;
	pthread_mutex_lock(&a->audio->lock);
	/* From here on somebody may have bytes of it: another object is -ESTALE. */
	if (a->from == AUDIO_FROM_S3 && a->stream)
		a->stream->recording->was_served_by_s3 = true;
	learn_ranges(a, response->status, &finished);
	is_wanted = a->stream || a->is_draining;
	histogram_add(&audio_stats_of(a->audio, a->from)->first_byte,
		      time_mono_msecs() - a->since_msecs);
	pthread_mutex_unlock(&a->audio->lock);
	audio_reads_deliver(a->audio, &finished);
	return is_wanted ? 0 : -1;
}

/* The start of a WAV file. False: it is none. */
static bool is_wave(const char *bytes)
{
	return memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WAVE", 4) == 0;
}

static void judge_magic(struct audio_attempt *a)
{
	if (!is_wave(a->held))
		remote_error_set(&a->judged, REMOTE_INVALID, -EIO, "an answer that is no WAV file");
}

/* ---- bytes ---- */

static enum http_data take_error(struct audio_attempt *a, const void *bytes, size_t n)
{
	size_t room = ERROR_BODY_BYTES - a->body.len;

	buf_add(&a->body, bytes, n < room ? n : room);
	return n < room ? HTTP_DATA_OK : HTTP_DATA_ABORT;
}

/* Lock held. Bytes at the stream's position. */
static enum http_data feed(struct audio_attempt *a, const char *bytes, size_t n)
{
	struct audio_stream *s = a->stream;
	int64_t left =
		a->answer_end_bytes - s->position_bytes - (int64_t)a->held_bytes - a->has_last;

	if ((int64_t)n > left) {
		remote_error_set(&a->judged, REMOTE_INVALID, -EIO,
				 "more bytes than it says it has");
		return HTTP_DATA_ABORT;
	}
	if (s->position_bytes == 0 && !a->is_encrypted && a->size_bytes >= MAGIC_BYTES) {
		size_t part = MAGIC_BYTES - a->held_bytes;

		if (part > n)
			part = n;
		memcpy(a->held + a->held_bytes, bytes, part);
		a->held_bytes += part;
		bytes += part;
		n -= part;
		left -= (int64_t)part;
		if (a->held_bytes < MAGIC_BYTES)
			return HTTP_DATA_OK;
		judge_magic(a);
		if (a->judged.kind != REMOTE_OK)
			return HTTP_DATA_ABORT;
		audio_stream_write(s, a->held, MAGIC_BYTES);
		a->held_bytes = 0;
	}
	/* Without a length it is only known to be right when nothing follows. */
	if (!a->is_length_known && n && (int64_t)n == left) {
		a->last = bytes[n - 1];
		a->has_last = true;
		n--;
	}
	audio_stream_write(s, bytes, n);
	return HTTP_DATA_OK;
}

/* Of an answer with all of it, what is before the bytes that were asked for: there its start passes by.
 * False: it is no recording. */
static bool skip_over(struct audio_attempt *a, const char *bytes, size_t n)
{
	size_t part = MAGIC_BYTES - a->held_bytes;

	if (!n || a->is_start_seen || a->is_encrypted || a->size_bytes < MAGIC_BYTES)
		return true;
	if (part > n)
		part = n;
	memcpy(a->held + a->held_bytes, bytes, part);
	a->held_bytes += part;
	if (a->held_bytes < MAGIC_BYTES)
		return true;
	judge_magic(a);
	a->held_bytes = 0;
	a->is_start_seen = true;
	return a->judged.kind == REMOTE_OK;
}

static enum http_data on_data(void *arg, struct http_transfer *transfer, const void *bytes,
			      size_t n)
{
	struct list finished = LIST_INIT(finished);
	struct audio_attempt *a = arg;
	enum http_data answer;
	size_t skip;

	(void)transfer;
	if (a->is_error)
		return take_error(a, bytes, n);
	skip = a->skip_bytes < (int64_t)n ? (size_t)a->skip_bytes : n;
	if (!skip_over(a, bytes, skip))
		return HTTP_DATA_ABORT;
	pthread_mutex_lock(&a->audio->lock);
	if (!a->stream) {
		answer = a->is_draining ? HTTP_DATA_OK : HTTP_DATA_ABORT;
	} else if (skip < n && !audio_stream_wants(a->stream, n - skip)) {
		if (audio_stream_gives_way(a->stream)) {
			answer = a->is_draining ? HTTP_DATA_OK : HTTP_DATA_ABORT;
		} else {
			a->stream->is_paused = true;
			answer = HTTP_DATA_PAUSE;
		}
	} else {
		audio_stats_of(a->audio, a->from)->bytes += n;
		a->skip_bytes -= (int64_t)skip;
		answer = feed(a, (const char *)bytes + skip, n - skip);
		audio_reads_check(a->stream->recording, &finished);
	}
	pthread_mutex_unlock(&a->audio->lock);
	audio_reads_deliver(a->audio, &finished);
	return answer;
}

/* What the request's end means to the stream. */
static void verdict(struct audio_attempt *a, const struct remote_error *error,
		    struct remote_error *ret_error)
{
	struct audio_stream *s = a->stream;

	if (a->judged.kind != REMOTE_OK) {
		*ret_error = a->judged;
		return;
	}
	if (a->is_error && (error->kind == REMOTE_OK || error->kind == REMOTE_CANCELLED)) {
		judge_error(a, ret_error);
		return;
	}
	*ret_error = *error;
	if (error->kind != REMOTE_OK)
		return;
	if (a->has_last) {
		a->has_last = false;
		audio_stream_write(s, &a->last, 1);
	}
	if (s->position_bytes < a->end_bytes) {
		remote_error_set(ret_error, REMOTE_TRANSIENT, -EIO, "the answer ended early");
		snprintf(ret_error->code, sizeof ret_error->code, "short");
	}
}

/* Whether the origin answers at all; what it answers is the stream's matter. */
static void note_health(const struct audio_attempt *a, const struct remote_error *end)
{
	struct breaker *breaker = &a->stream->recording->workspace->breakers[a->from];

	if (a->is_head_good || (end->status > 0 && end->status < 500))
		breaker_worked(breaker);
	else if (end->kind == REMOTE_TRANSIENT)
		breaker_failed(breaker, audio_errno(end), time_mono_msecs());
}

static void on_done(void *arg, const struct remote_error *error)
{
	struct list finished = LIST_INIT(finished);
	struct audio_attempt *a = arg;
	struct audio *audio = a->audio;
	struct remote_error end;

	pthread_mutex_lock(&audio->lock);
	if (a->stream) {
		struct audio_stream *s = a->stream;
		struct audio_recording *recording = s->recording;

		s->attempt = NULL;
		s->is_paused = false;
		if (a->is_head_good && a->from == AUDIO_FROM_TWILIO)
			recording->workspace->size_error = 0; /* it answers */
		verdict(a, error, &end);
		audio_stats_count(audio, a->from, end.kind);
		note_health(a, &end);
		audio_reads_check(recording, &finished);
		audio_stream_failed(s, &end, a->from, &finished);
		if (end.kind == REMOTE_OK)
			audio_ahead_came(recording);
	} else {
		audio_stats_count(audio, a->from, a->is_draining ? error->kind : REMOTE_CANCELLED);
	}
	pthread_mutex_unlock(&audio->lock);
	audio_reads_deliver(audio, &finished);
	/* Then, for from here on the room may be gone. */
	pthread_mutex_lock(&audio->lock);
	list_remove(&a->link);
	if (--audio->attempts == 0)
		pthread_cond_broadcast(&audio->idle_cond);
	pthread_mutex_unlock(&audio->lock);
	http_transfer_unref(a->transfer);
	buf_release(&a->body);
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
	a->from = source->from;
	a->is_encrypted = source->is_encrypted;
	memcpy(a->etag, source->etag, sizeof a->etag);
	a->start_bytes = stream->position_bytes;
	a->end_bytes = stream->end_bytes;
	a->size_bytes = stream->recording->size_bytes;
	a->judged = (struct remote_error)REMOTE_ERROR_INIT;
	a->since_msecs = time_mono_msecs();
	source->request.on_head = on_head;
	source->request.on_data = on_data;
	source->request.on_done = on_done;
	source->request.arg = a;
	/* Callbacks that touch the stream wait for the lock, so the reference is taken in time. */
	err = http_submit(audio->http, &source->request, &a->transfer);
	if (err) {
		free(a);
		return err;
	}
	http_transfer_ref(a->transfer);
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
		attempt->end_bytes - s->position_bytes <= DRAIN_BYTES &&
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
	list_for_each(pos, &audio->attempt_list)
		http_transfer_cancel(list_entry(pos, struct audio_attempt, link)->transfer);
}
