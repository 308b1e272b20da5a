/* Admission of reads, by memory and connections. */
#include "audio/turn.h"

#include <errno.h>

#include "audio/audio-private.h"
#include "util/times.h"

#define NONE INT64_MAX

void audio_turns_init(struct audio_turns *turns, size_t limit_bytes)
{
	*turns = (struct audio_turns){ .limit_bytes = limit_bytes };
	list_init(&turns->waiting);
	list_init(&turns->taken);
}

static struct audio_waiting_read *read_of(struct list *link)
{
	return list_entry(link, struct audio_waiting_read, turn.link);
}

/* Its blocks, and one before them that its stream may still be in. */
static size_t need_of(const struct audio_waiting_read *read)
{
	return audio_store_cost(read->offset_bytes, read->end_bytes) + AUDIO_BLOCK_BYTES;
}

/* ---- limits ---- */

static bool is_memory_there(const struct audio_turns *turns, size_t need)
{
	return !turns->held_bytes || turns->held_bytes + need <= turns->limit_bytes;
}

/* Memory and connections of its recording. */
static bool is_share_left(const struct audio_turns *turns, const struct audio_waiting_read *read)
{
	struct audio_recording *recording = read->file->recording;

	if (recording->turns_bytes &&
	    recording->turns_bytes + need_of(read) > turns->limit_bytes / 2)
		return false;
	if (audio_stream_near(recording, audio_read_missing(read)))
		return true;
	return recording->reading < TURN_STREAMS / 2 &&
	       recording->workspace->reading[audio_origin_of(recording)] < TURN_STREAMS;
}

/* ---- from the queue to a turn, and back ---- */

void audio_turn_wait(struct audio_waiting_read *read)
{
	struct audio_turns *turns = &read->file->recording->audio->turns;

	read->turn.is_waiting = true;
	list_add(&turns->waiting, &read->turn.link);
	turns->waiting_count++;
}

static void leave_queue(struct audio_turns *turns, struct audio_waiting_read *read)
{
	list_remove(&read->turn.link);
	read->turn.is_waiting = false;
	turns->waiting_count--;
}

/* False: out of memory. */
static bool take(struct audio_turns *turns, struct audio_waiting_read *read)
{
	struct audio_recording *recording = read->file->recording;

	if (audio_blocks_pin(&recording->blocks, read->offset_bytes, read->end_bytes))
		return false;
	leave_queue(turns, read);
	read->turn.is_taken = true;
	read->turn.since_msecs = time_mono_msecs();
	read->turn.held_bytes = need_of(read);
	turns->held_bytes += read->turn.held_bytes;
	recording->turns_bytes += read->turn.held_bytes;
	list_add(&turns->taken, &read->turn.link);
	turns->taken_count++;
	return true;
}

static void give_back(struct audio_turns *turns, struct audio_waiting_read *read)
{
	struct audio_recording *recording = read->file->recording;

	audio_blocks_unpin(&recording->blocks, read->offset_bytes, read->end_bytes);
	list_remove(&read->turn.link);
	turns->taken_count--;
	turns->held_bytes -= read->turn.held_bytes;
	recording->turns_bytes -= read->turn.held_bytes;
	read->turn.is_taken = false;
	if (read->stream)
		audio_stream_leave(read->stream);
	read->stream = NULL;
}

void audio_turn_end(struct audio_waiting_read *read)
{
	struct audio_turns *turns = &read->file->recording->audio->turns;

	if (read->turn.is_waiting)
		leave_queue(turns, read);
	else if (read->turn.is_taken)
		give_back(turns, read);
}

static void join(struct audio_waiting_read *read)
{
	struct audio_stream *stream =
		audio_stream_for(read->file->recording, audio_read_missing(read));

	if (!stream)
		return;
	read->stream = stream;
	audio_stream_join(stream);
	/* Giving way does not reset the pauses: the origin is not asked more often. */
	if (stream->busy.tried < read->busy_tried)
		stream->busy.tried = read->busy_tried;
}

void audio_turns_begin(struct audio *audio, struct list *finished)
{
	struct audio_turns *turns = &audio->turns;
	int64_t now = turns->waiting_count ? time_mono_msecs() : 0;

	list_for_each_entry_safe(struct audio_waiting_read, read, &turns->waiting, turn.link) {
		if (read->not_before_msecs > now)
			continue;
		/* No overtaking: a large read would wait for ever behind small ones. */
		if (!is_memory_there(turns, need_of(read)))
			break;
		if (!is_share_left(turns, read))
			continue;
		if (take(turns, read))
			join(read);
		if (!read->stream)
			audio_read_finish(read, -ENOMEM, finished);
	}
	if (turns->waiting_count)
		audio_timer_wake(audio, time_mono_msecs() + TURN_STUCK_MSECS);
}

/* ---- stuck ---- */

static bool is_stuck(const struct audio_waiting_read *read, int64_t now)
{
	int64_t since = read->turn.since_msecs;

	if (read->stream && read->stream->moved_msecs > since)
		since = read->stream->moved_msecs;
	return now - since >= TURN_STUCK_MSECS;
}

/* Back to the queue; the connection is free for others. */
static void give_way(struct audio_turns *turns, struct audio_waiting_read *read)
{
	struct audio_stream *stream = read->stream;

	if (stream && stream->error.kind != REMOTE_OK)
		read->origin_err = audio_errno(&stream->error);
	if (stream && audio_stream_was_busy(stream)) {
		read->busy_tried = stream->busy.tried;
		read->not_before_msecs = stream->waits_for_keys_of ? 0 : stream->due_msecs;
	}
	give_back(turns, read);
	audio_turn_wait(read);
	if (stream && !stream->reads)
		audio_stream_kill(stream);
}

int64_t audio_turns_tick(struct audio *audio, int64_t now, struct list *finished)
{
	struct audio_turns *turns = &audio->turns;
	unsigned stuck = 0, may_stay = turns->taken_count / 2;

	if (!turns->waiting_count)
		return NONE;
	list_for_each_entry(struct audio_waiting_read, read, &turns->taken, turn.link)
		stuck += is_stuck(read, now);
	for (struct list *pos = turns->taken.prev, *next; pos != &turns->taken; pos = next) {
		next = pos->prev;
		if (stuck <= may_stay)
			break;
		if (!is_stuck(read_of(pos), now))
			continue;
		give_way(turns, read_of(pos));
		stuck--;
	}
	audio_turns_begin(audio, finished);
	return turns->waiting_count ? now + TURN_STUCK_MSECS / 2 : NONE;
}
