/* Reads: answered from memory at once, or waiting for a stream until a deadline. */
#include <errno.h>
#include <stdlib.h>

#include "audio/audio-private.h"
#include "util/times.h"

#define FAILURE_MSECS 2000 /* for so long the kernel's repeated reads get the same error */

/* ---- recent failures ---- */

static void remember(struct audio_file *file, const struct audio_waiting_read *read)
{
	file->failures[file->next_failure++ % AUDIO_FAILURES] = (struct audio_failure){
		.begin_bytes = read->offset_bytes,
		.end_bytes = read->end_bytes,
		.until_msecs = time_mono_msecs() + FAILURE_MSECS,
		.err = read->err,
	};
}

static int remembered(const struct audio_file *file, int64_t begin, int64_t end)
{
	int64_t now = time_mono_msecs();

	for (unsigned i = 0; i < AUDIO_FAILURES; i++) {
		const struct audio_failure *failure = &file->failures[i];

		if (failure->err && now < failure->until_msecs && begin < failure->end_bytes &&
		    end > failure->begin_bytes)
			return failure->err;
	}
	return 0;
}

/* ---- finishing ---- */

int64_t audio_read_missing(const struct audio_waiting_read *read)
{
	return audio_blocks_missing(&read->file->recording->blocks, read->offset_bytes,
				    read->end_bytes);
}

/* Keeps the bytes until they are delivered, even if the file is closed meanwhile. */
static void hold(struct audio_waiting_read *read)
{
	struct audio_recording *recording = read->recording = read->file->recording;
	size_t length = (size_t)(read->end_bytes - read->offset_bytes);

	recording->refs++;
	audio_blocks_pin(&recording->blocks, read->offset_bytes, read->end_bytes);
	read->part_count =
		audio_blocks_read(&recording->blocks, read->offset_bytes, length, read->parts);
}

/* Lock held. */
static void let_go(struct audio_waiting_read *read)
{
	if (!read->recording)
		return;
	audio_blocks_unpin(&read->recording->blocks, read->offset_bytes, read->end_bytes);
	audio_recording_unref(read->recording);
}

void audio_read_finish(struct audio_waiting_read *read, int err, struct list *finished)
{
	struct audio_recording *recording = read->file->recording;
	struct audio_stats *stats = &recording->audio->stats;

	list_remove(&read->link);
	stats->reads++;
	stats->reads_failed += err != 0;
	stats->reads_from_memory += !err && !read->has_waited;
	histogram_add(&stats->read, time_mono_msecs() - read->since_msecs);
	read->err = err;
	if (!err) {
		audio_reasons_clear(&recording->audio->reasons, recording->id, read->offset_bytes,
				    read->end_bytes);
		hold(read);
	}
	audio_turn_end(read);
	if (err && err != -EINTR)
		remember(read->file, read);
	list_add(finished, &read->link);
}

void audio_reads_check(struct audio_recording *recording, struct list *finished)
{
	list_for_each_entry_safe(struct audio_waiting_read, read, &recording->reads, link)
		if (audio_read_missing(read) == read->end_bytes)
			audio_read_finish(read, 0, finished);
}

void audio_reads_deliver(struct audio *audio, struct list *finished)
{
	while (!list_empty(finished)) {
		list_for_each_entry(struct audio_waiting_read, read, finished, link)
			read->callback(read->arg, read->err, read->parts, read->part_count);
		pthread_mutex_lock(&audio->lock);
		list_for_each_entry_safe(struct audio_waiting_read, read, finished, link) {
			list_remove(&read->link);
			let_go(read);
			free(read);
		}
		audio_turns_begin(audio, finished);
		pthread_mutex_unlock(&audio->lock);
	}
}

/* ---- starting ---- */

/* Lock held. */
static void wait_for_bytes(struct audio_waiting_read *read, struct list *finished)
{
	struct audio *audio = read->file->recording->audio;

	read->has_waited = true;
	read->deadline_msecs = time_mono_msecs() + audio->settings.read_timeout_msecs;
	audio_timer_wake(audio, read->deadline_msecs);
	audio_turn_wait(read);
	audio_turns_begin(audio, finished);
}

uint64_t audio_read(struct audio_file *file, int64_t offset_bytes, size_t size_bytes,
		    audio_read_fn *callback, void *arg)
{
	struct audio_recording *recording = file->recording;
	struct audio *audio = recording->audio;
	struct list finished = LIST_INIT(finished);
	struct audio_waiting_read *read;
	int64_t size = recording->size_bytes, end = size;
	unsigned parts_max;
	bool is_here;
	uint64_t id;
	int err = 0;

	if (offset_bytes < 0) {
		callback(arg, -EINVAL, NULL, 0);
		return UINT64_MAX;
	}
	offset_bytes = audio_min(offset_bytes, size);
	if (size_bytes < (uint64_t)(size - offset_bytes))
		end = offset_bytes + (int64_t)size_bytes;
	parts_max = audio_parts_max((size_t)(end - offset_bytes));
	read = calloc(1, sizeof *read + parts_max * sizeof *read->parts);
	if (!read) {
		callback(arg, -ENOMEM, NULL, 0);
		return UINT64_MAX;
	}
	read->file = file;
	read->offset_bytes = offset_bytes;
	read->end_bytes = end;
	read->callback = callback;
	read->arg = arg;
	read->since_msecs = time_mono_msecs();

	pthread_mutex_lock(&audio->lock);
	if (end > recording->read_bytes)
		recording->read_bytes = end;
	audio_span_note(recording, offset_bytes, end);
	audio_ahead_read(recording);
	id = read->id = ++audio->last_read_id;
	list_add(&recording->reads, &read->link);
	is_here = audio_read_missing(read) == end;
	if (!is_here)
		err = cancel_is_set(&audio->cancel) ? -EINTR : remembered(file, offset_bytes, end);
	if (is_here || err)
		audio_read_finish(read, err, &finished);
	else
		wait_for_bytes(read, &finished);
	audio_streams_advance(recording, end);
	audio_span_advance(recording);
	pthread_mutex_unlock(&audio->lock);
	audio_reads_deliver(audio, &finished);
	return id;
}

/* ---- giving up ---- */

/* Lock held. Ends a stream that no read waits for, unless another handle may use its bytes. */
static void drop_unwanted(struct audio_stream *stream)
{
	if (!stream->is_dead && !stream->reads && stream->recording->files <= 1)
		audio_stream_kill(stream);
}

/* read_id 0: all waiting reads of the handle. */
void audio_cancel(struct audio_file *file, uint64_t read_id)
{
	struct audio_recording *recording = file->recording;
	struct audio *audio = recording->audio;
	struct list finished = LIST_INIT(finished);

	pthread_mutex_lock(&audio->lock);
	list_for_each_entry_safe(struct audio_waiting_read, read, &recording->reads, link) {
		struct audio_stream *stream = read->stream;

		if (read->file != file || (read_id && read->id != read_id))
			continue;
		audio_read_finish(read, -EINTR, &finished);
		if (stream)
			drop_unwanted(stream);
	}
	pthread_mutex_unlock(&audio->lock);
	/* NOLINTNEXTLINE(clang-analyzer-core.StackAddressEscape): the list is empty afterwards */
	audio_reads_deliver(audio, &finished);
}

void audio_flush(struct audio_file *file)
{
	audio_cancel(file, 0);
}

int64_t audio_reads_tick(struct audio_recording *recording, int64_t now_msecs,
			 struct list *finished)
{
	const struct audio_stream *logged = NULL;
	bool is_logged = false;
	int64_t next = INT64_MAX;

	list_for_each_entry_safe(struct audio_waiting_read, read, &recording->reads, link) {
		struct audio_stream *stream = read->stream;
		struct remote_error why = REMOTE_ERROR_INIT;
		int err = -ETIMEDOUT;

		if (read->deadline_msecs > now_msecs) {
			next = audio_min(next, read->deadline_msecs);
			continue;
		}
		/* The origin's last answer says more than a timeout does. */
		if (stream &&
		    (stream->state == AUDIO_STREAM_BACKOFF || audio_stream_was_busy(stream))) {
			why = stream->error;
			err = audio_errno(&why);
		} else if (read->origin_err) {
			err = read->origin_err;
		}
		if (!is_logged || stream != logged)
			audio_read_failed(read, stream ? stream->from : audio_origin_of(recording),
					  &why, err);
		is_logged = true;
		logged = stream;
		audio_read_finish(read, err, finished);
		if (stream && !stream->reads)
			audio_stream_kill(stream);
	}
	return next;
}
