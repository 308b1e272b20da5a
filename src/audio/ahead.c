/* Read-ahead across files: how many recordings are fetched, kept and dropped. */
#include "audio/ahead.h"

#include <stdlib.h>

#include "audio/audio-private.h"
#include "audio/sequence.h"
#include "util/times.h"

#define FOLDERS 16
/* How far from its place a recording may be: before and after readers follow the order. */
#define NEAR_TO_BEGIN 4
#define NEAR_TO_GO_ON 32
#define FIRST_FILES 4
#define LISTED_FILES 32 /* the first depth for a reader that has listed the folder */
/* More are held than are in flight: one slow recording or reader does not stop the rest. */
#define HELD_FILES 64
#define IN_FLIGHT_FROM_S3 32
#define IN_FLIGHT_FROM_TWILIO 16 /* its limit of concurrent requests is per account, and unknown */
#define FILE_BYTES ((int64_t)8 << 20) /* of a large file its beginning */
#define UNWANTED_MSECS 15000

struct audio_folder {
	struct list link; /* audio_ahead.folders */
	struct audio *audio;
	int64_t id;
	struct audio_sequences sequences;
	unsigned whole; /* recordings read to their end, without a partial read in between */
	unsigned depth; /* files to hold; 0: no read-ahead */
	unsigned files; /* held now */
	struct list fetched;
};

void audio_ahead_init(struct audio_ahead *ahead)
{
	*ahead = (struct audio_ahead){ .folder_count = 0 };
	list_init(&ahead->folders);
}

/* ---- what is held ---- */

static void let_go(struct audio_recording *recording)
{
	struct audio_fetched *f = &recording->fetched;
	struct audio_folder *folder = f->folder;

	list_remove(&f->link);
	folder->files--;
	folder->audio->ahead.held_bytes -= f->held_bytes;
	f->folder = NULL;
}

static void drop(struct audio_recording *recording)
{
	recording->audio->ahead.wasted_bytes += audio_blocks_bytes(&recording->blocks);
	let_go(recording);
	audio_recording_end(recording);
}

static void drop_all(struct audio_folder *folder)
{
	list_for_each_entry_safe(struct audio_recording, recording, &folder->fetched, fetched.link)
		drop(recording);
}

static void folder_stop(struct audio_folder *folder)
{
	folder->depth = 0;
	folder->whole = 0;
	drop_all(folder);
}

/* ---- folders ---- */

static void folder_free(struct audio_folder *folder)
{
	list_remove(&folder->link);
	folder->audio->ahead.folder_count--;
	free(folder);
}

static void folders_trim(struct audio_ahead *ahead)
{
	list_for_each_entry_safe(struct audio_folder, folder, &ahead->folders, link) {
		if (ahead->folder_count < FOLDERS)
			return;
		if (folder->sequences.is_asking)
			continue;
		drop_all(folder);
		folder_free(folder);
	}
}

static struct audio_folder *folder_find(struct audio_ahead *ahead, int64_t id)
{
	list_for_each_entry(struct audio_folder, folder, &ahead->folders, link)
		if (folder->id == id)
			return folder;
	return NULL;
}

/* ---- fetching ---- */

static bool fetch(struct audio_folder *folder, const struct audio_next *next, size_t bytes)
{
	struct audio *audio = folder->audio;
	struct catalog_recording row = { .id = next->id,
					 .workspace_id = next->workspace_id,
					 .folder_id = folder->id,
					 .state = next->is_at_twilio ? CATALOG_STATE_TWILIO
								     : CATALOG_STATE_S3,
					 .sid = next->sid };
	struct audio_recording *recording;
	struct audio_stream *stream;

	if (audio_recording_new(audio, &row, next->size_bytes, &recording))
		return false;
	stream = audio_stream_new(recording, 0, (int64_t)bytes);
	if (!stream) {
		audio_recording_end(recording);
		return false;
	}
	audio_stream_allow(stream, (int64_t)bytes);
	recording->fetched = (struct audio_fetched){ .folder = folder,
						     .held_bytes = bytes,
						     .since_msecs = time_mono_msecs() };
	list_add(&folder->fetched, &recording->fetched.link);
	folder->files++;
	audio->ahead.held_bytes += bytes;
	audio->ahead.fetched++;
	audio_timer_wake(audio, recording->fetched.since_msecs + UNWANTED_MSECS);
	return true;
}

/* Is it open, or fetched? A recording that is kept for its head is dropped, to be fetched whole. */
static bool is_here(struct audio *audio, int64_t id)
{
	struct audio_recording *recording = audio_recording_find(audio, id, -1);

	if (!recording || !recording->is_head)
		return recording != NULL;
	audio_heads_drop(recording);
	return false;
}

static bool has_free_request(const struct audio_folder *folder, bool is_in_s3)
{
	unsigned in_flight = 0;

	list_for_each_entry(const struct audio_recording, recording, &folder->fetched, fetched.link)
		in_flight += recording->is_in_s3 == is_in_s3 && !list_empty(&recording->streams);
	return in_flight < (is_in_s3 ? IN_FLIGHT_FROM_S3 : IN_FLIGHT_FROM_TWILIO);
}

static void fill(struct audio_folder *folder)
{
	struct audio *audio = folder->audio;
	size_t limit = audio->settings.budget_bytes / 2;
	const struct audio_next *next;

	while (folder->files < folder->depth && (next = audio_sequences_next(&folder->sequences))) {
		size_t bytes = (size_t)audio_min(next->size_bytes, FILE_BYTES);

		if (next->size_bytes > 0 && !is_here(audio, next->id) &&
		    (audio->ahead.held_bytes + bytes > limit ||
		     !has_free_request(folder, !next->is_at_twilio) || !fetch(folder, next, bytes)))
			return;
		audio_sequences_skip(&folder->sequences);
	}
}

static void on_answer(struct audio_sequences *sequences)
{
	fill(list_entry(sequences, struct audio_folder, sequences));
}

/* A program that lists a folder and reads its first file goes on with the second. */
static void on_guess(struct audio_sequences *sequences)
{
	list_entry(sequences, struct audio_folder, sequences)->depth = LISTED_FILES;
}

/* ---- what readers do ---- */

static struct audio_folder *folder_get(struct audio *audio, int64_t id)
{
	struct audio_ahead *ahead = &audio->ahead;
	struct audio_folder *folder = folder_find(ahead, id);

	if (!folder) {
		folders_trim(ahead);
		folder = calloc(1, sizeof *folder);
		if (!folder)
			return NULL;
		folder->audio = audio;
		folder->id = id;
		list_init(&folder->fetched);
		audio_sequences_init(&folder->sequences, audio, on_guess, on_answer);
		ahead->folder_count++;
	} else {
		list_remove(&folder->link);
	}
	list_add(&ahead->folders, &folder->link);
	return folder;
}

void audio_ahead_read(struct audio_recording *recording)
{
	struct audio *audio = recording->audio;
	enum audio_advance advance;
	struct audio_folder *folder;

	if (cancel_is_set(&audio->cancel) || audio->is_stopping || recording->is_noted)
		return;
	recording->is_noted = true;
	folder = folder_get(audio, recording->folder_id);
	if (!folder)
		return;
	advance = audio_sequences_advance(&folder->sequences, recording->id,
					  folder->depth ? NEAR_TO_GO_ON : NEAR_TO_BEGIN);
	if (advance == AUDIO_ADVANCE_NONE) {
		if (!audio_sequences_was_passed(&folder->sequences, recording->id) &&
		    !folder->sequences.is_asking) {
			folder_stop(folder);
			audio_sequences_start(&folder->sequences, recording->id,
					      recording->is_by_lister);
		}
		return;
	}
	if (advance == AUDIO_ADVANCE_OTHER)
		drop_all(folder);
	if (folder->depth)
		folder->depth *= 2;
	else if (folder->whole)
		folder->depth = FIRST_FILES;
	if (folder->depth > HELD_FILES)
		folder->depth = HELD_FILES;
	fill(folder);
	audio_sequences_refill(&folder->sequences, recording->id);
}

void audio_ahead_open(struct audio_recording *recording)
{
	if (!recording->fetched.folder)
		return;
	let_go(recording);
	recording->was_fetched = true;
	recording->audio->ahead.hits++;
}

void audio_ahead_close(struct audio_recording *recording)
{
	struct audio_folder *folder = folder_find(&recording->audio->ahead, recording->folder_id);

	if (!folder)
		return;
	if (!recording->is_noted) {
		/* Opened and not read: its bytes are not wanted, or in the kernel's page cache. */
		if (recording->was_fetched)
			folder_stop(folder);
	} else if (recording->read_bytes >= recording->size_bytes) {
		folder->whole++;
	} else {
		folder_stop(folder);
	}
}

void audio_ahead_arrived(struct audio_recording *recording)
{
	struct audio_folder *folder = folder_find(&recording->audio->ahead, recording->folder_id);

	if (folder)
		fill(folder);
}

void audio_ahead_refused(struct audio_recording *recording)
{
	if (recording->fetched.folder)
		recording->fetched.folder->depth /= 2;
}

int64_t audio_ahead_tick(struct audio *audio, int64_t now_msecs)
{
	int64_t next = INT64_MAX;

	list_for_each_entry(struct audio_folder, folder, &audio->ahead.folders, link) {
		/* The oldest first. */
		list_for_each_entry_safe(struct audio_recording, recording, &folder->fetched,
					 fetched.link) {
			int64_t due = recording->fetched.since_msecs + UNWANTED_MSECS;

			if (due > now_msecs) {
				next = audio_min(next, due);
				break;
			}
			drop(recording);
			folder->depth /= 2;
		}
	}
	return next;
}

void audio_ahead_stop(struct audio *audio)
{
	list_for_each_entry(struct audio_folder, folder, &audio->ahead.folders, link)
		folder_stop(folder);
}

void audio_ahead_release(struct audio_ahead *ahead)
{
	list_for_each_entry_safe(struct audio_folder, folder, &ahead->folders, link)
		folder_free(folder);
}
