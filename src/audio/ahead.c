/* Which recordings will be wanted next, and fetching them. */
#include "audio/ahead.h"

#include <stdlib.h>
#include <string.h>

#include "audio/audio-private.h"
#include "catalog/order.h"
#include "util/times.h"

#define FOLDERS 16
#define NEXT_FILES 512 /* are known in advance */
/* How far from its turn one may be and still be in order, for several readers side by side take
 * turns: to begin with, and when it is known that they come in order. */
#define NEAR_TO_BEGIN 4
#define NEAR_TO_GO_ON 32
#define FIRST_FILES 4
#define LISTED_FILES 32 /* to begin with, for who has listed the folder and begins with its first */
/* More are held than are on their way at a time: while a reader waits for one that is slow to come, or
 * is slow itself, the others go on. */
#define HELD_FILES 64
#define COMING_FROM_S3 32
#define COMING_FROM_TWILIO 16 /* its limit of concurrent requests is per account, and not known */
#define FILE_BYTES ((size_t)8 << 20) /* of a large file its beginning */
#define UNWANTED_MSECS 15000
#define PASSED 32

struct audio_next {
	int64_t id, workspace_id, size_bytes;
	struct sid sid;
	bool is_at_twilio;
};

/* What follows in one of the orders that a folder is read in: rsync, tar and a shell take the names',
 * cp takes the inodes'. */
struct audio_line {
	struct audio_next next[NEXT_FILES];
	size_t count, begun; /* of next; the first ones that have been dealt with */
	bool is_at_end;      /* nothing follows them */
};

struct audio_folder {
	struct list link; /* audio_ahead.folders */
	struct audio *audio;
	int64_t id;
	struct pool_task task; /* asks which files follow */
	bool is_asking;
	int64_t asked_ids[CATALOG_ORDER_COUNT]; /* behind these; 0: of this order nothing is asked */
	unsigned generation; /* an answer to an older question is not wanted any more */
	unsigned whole;      /* recordings read to their end, without another in between */
	unsigned depth;      /* files; 0: no read-ahead */
	unsigned files;      /* that are held */
	struct list fetched;
	struct audio_line lines[CATALOG_ORDER_COUNT];
	struct audio_line *line; /* the one that readers keep to; NULL: not known yet */
	bool is_guessed;         /* the line, from its first recording alone */
	bool was_listed;         /* by who reads now */
	int64_t passed[PASSED];  /* by another reader: they may still be read */
	unsigned passed_count;   /* ever */
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
	list_for_each_safe(pos, &folder->fetched)
		drop(list_entry(pos, struct audio_recording, fetched.link));
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
	list_for_each_safe(pos, &ahead->folders) {
		struct audio_folder *folder = list_entry(pos, struct audio_folder, link);

		if (ahead->folder_count < FOLDERS)
			return;
		if (folder->is_asking)
			continue;
		drop_all(folder);
		folder_free(folder);
	}
}

static struct audio_folder *folder_find(struct audio_ahead *ahead, int64_t id)
{
	list_for_each(pos, &ahead->folders) {
		struct audio_folder *folder = list_entry(pos, struct audio_folder, link);

		if (folder->id == id)
			return folder;
	}
	return NULL;
}

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
		list_init(&folder->task.link);
		ahead->folder_count++;
	} else {
		list_remove(&folder->link);
	}
	list_add(&ahead->folders, &folder->link);
	return folder;
}

/* ---- which files follow ---- */

struct answer {
	struct audio_next next[NEXT_FILES];
	size_t count;
};

/* What cannot be read has no size here, and is passed over. */
static int add_next(void *arg, const struct catalog_recording *recording, bool is_archived)
{
	bool is_readable = recording->state != CATALOG_STATE_MISSING && !is_archived &&
			   audio_size_is_possible(recording);
	struct answer *answer = arg;

	answer->next[answer->count++] = (struct audio_next){
		.id = recording->id,
		.workspace_id = recording->workspace_id,
		.size_bytes = is_readable ? recording->size_bytes : -1,
		.sid = recording->sid,
		.is_at_twilio = recording->state == CATALOG_STATE_TWILIO ||
				recording->state == CATALOG_STATE_UPLOADING,
	};
	return 0;
}

static void fill(struct audio_folder *folder);

/* Who lists a folder and begins with its first file goes on with the second. Which of the orders it
 * is shows then. */
static void guess(struct audio_folder *folder, struct audio_line *line)
{
	if (folder->line)
		return;
	folder->line = line;
	folder->is_guessed = true;
	folder->depth = LISTED_FILES;
}

static int ask_line(struct audio_folder *folder, enum catalog_order order, struct answer *answer)
{
	struct audio *audio = folder->audio;
	struct audio_line *line = &folder->lines[order];
	unsigned generation;
	bool is_start, is_first = false;
	size_t room;
	int64_t id;
	int err;

	pthread_mutex_lock(&audio->lock);
	generation = folder->generation;
	is_start = folder->was_listed && !folder->line && !line->count;
	id = folder->asked_ids[order];
	folder->asked_ids[order] = 0;
	room = NEXT_FILES - line->count;
	pthread_mutex_unlock(&audio->lock);
	if (!id || !room)
		return 0;
	answer->count = 0;
	err = catalog_recordings_after(audio->catalog, id, order, room, add_next, answer);
	if (err == 0 && is_start)
		err = catalog_recording_is_first(audio->catalog, id, order, &is_first);
	if (err)
		return err;
	pthread_mutex_lock(&audio->lock);
	if (generation == folder->generation) {
		memcpy(line->next + line->count, answer->next,
		       answer->count * sizeof *answer->next);
		line->count += answer->count;
		line->is_at_end = answer->count < room;
		if (is_first)
			guess(folder, line);
	}
	pthread_mutex_unlock(&audio->lock);
	return 0;
}

static void ask(struct pool_task *task)
{
	struct audio_folder *folder = list_entry(task, struct audio_folder, task);
	struct audio *audio = folder->audio;
	struct answer *answer = calloc(1, sizeof *answer);

	/* Where the catalog does not answer there is no read-ahead; readers will hear of it. */
	for (int order = 0; answer && order < CATALOG_ORDER_COUNT; order++)
		if (ask_line(folder, (enum catalog_order)order, answer))
			break;
	pthread_mutex_lock(&audio->lock);
	folder->is_asking = false;
	fill(folder);
	pthread_mutex_unlock(&audio->lock);
	free(answer);
}

static void ask_after(struct audio_folder *folder, const struct audio_line *line, int64_t id)
{
	folder->asked_ids[line - folder->lines] = id;
	if (folder->is_asking)
		return;
	folder->task.run = ask;
	folder->is_asking = pool_push(&folder->audio->starters, &folder->task) == 0;
}

static void start_over(struct audio_folder *folder, const struct audio_recording *recording)
{
	folder_stop(folder);
	folder->line = NULL;
	folder->is_guessed = false;
	folder->was_listed = recording->is_by_lister;
	folder->passed_count = 0;
	folder->generation++;
	for (int i = 0; i < CATALOG_ORDER_COUNT; i++) {
		struct audio_line *line = &folder->lines[i];

		line->count = line->begun = 0;
		line->is_at_end = false;
		ask_after(folder, line, recording->id);
	}
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

/* Somebody has it open, or it has been fetched. */
static bool is_here(struct audio *audio, int64_t id)
{
	struct audio_recording *recording = audio_recording_find(audio, id);

	if (!recording || !recording->is_head)
		return recording != NULL;
	audio_heads_drop(recording);
	return false;
}

static bool may_one_more_come(const struct audio_folder *folder, bool is_in_s3)
{
	unsigned coming = 0;

	list_for_each(pos, &folder->fetched) {
		const struct audio_recording *recording =
			list_entry(pos, struct audio_recording, fetched.link);

		coming += recording->is_in_s3 == is_in_s3 && !list_empty(&recording->streams);
	}
	return coming < (is_in_s3 ? COMING_FROM_S3 : COMING_FROM_TWILIO);
}

static void fill(struct audio_folder *folder)
{
	struct audio *audio = folder->audio;
	size_t limit = audio->settings.budget_bytes / 2;
	struct audio_line *line = folder->line;

	while (line && line->begun < line->count && folder->files < folder->depth) {
		const struct audio_next *next = &line->next[line->begun];
		size_t bytes = next->size_bytes < (int64_t)FILE_BYTES ? (size_t)next->size_bytes
								      : FILE_BYTES;

		if (next->size_bytes > 0 && !is_here(audio, next->id)) {
			if (audio->ahead.held_bytes + bytes > limit ||
			    !may_one_more_come(folder, !next->is_at_twilio) ||
			    !fetch(folder, next, bytes))
				return;
		}
		line->begun++;
	}
}

/* ---- what readers do ---- */

static bool advance_line(struct audio_folder *folder, struct audio_line *line, int64_t id)
{
	size_t near = folder->depth ? NEAR_TO_GO_ON : NEAR_TO_BEGIN;

	for (size_t i = 0; i < line->count && i < near; i++) {
		if (line->next[i].id != id)
			continue;
		for (size_t k = 0; k < i; k++)
			folder->passed[folder->passed_count++ % PASSED] = line->next[k].id;
		i++;
		memmove(line->next, line->next + i, (line->count - i) * sizeof *line->next);
		line->count -= i;
		line->begun = line->begun > i ? line->begun - i : 0;
		return true;
	}
	return false;
}

static bool advance_to(struct audio_folder *folder, int64_t id)
{
	if (folder->line && advance_line(folder, folder->line, id)) {
		folder->is_guessed = false;
		return true;
	}
	if (folder->line && !folder->is_guessed)
		return false;
	for (int i = 0; i < CATALOG_ORDER_COUNT; i++) {
		struct audio_line *line = &folder->lines[i];

		if (line == folder->line || !advance_line(folder, line, id))
			continue;
		if (folder->line)
			drop_all(folder); /* of the order that it was not */
		folder->line = line;
		folder->is_guessed = false;
		return true;
	}
	return false;
}

static bool is_passed(const struct audio_folder *folder, int64_t id)
{
	for (unsigned i = 0; i < PASSED && i < folder->passed_count; i++)
		if (folder->passed[i] == id)
			return true;
	return false;
}

void audio_ahead_listed(struct audio_recording *recording)
{
	recording->is_by_lister = true;
}

void audio_ahead_read(struct audio_recording *recording)
{
	struct audio *audio = recording->audio;
	struct audio_folder *folder;
	struct audio_line *line;

	if (cancel_is_set(&audio->cancel) || audio->is_stopping)
		return;
	if (recording->is_noted)
		return;
	recording->is_noted = true;
	folder = folder_get(audio, recording->folder_id);
	if (!folder)
		return;
	if (!advance_to(folder, recording->id)) {
		if (!is_passed(folder, recording->id) && !folder->is_asking)
			start_over(folder, recording);
		return;
	}
	if (folder->depth)
		folder->depth *= 2;
	else if (folder->whole)
		folder->depth = FIRST_FILES;
	if (folder->depth > HELD_FILES)
		folder->depth = HELD_FILES;
	fill(folder);
	line = folder->line;
	if (line->count < NEXT_FILES / 2 && !line->is_at_end && !folder->is_asking)
		ask_after(folder, line,
			  line->count ? line->next[line->count - 1].id : recording->id);
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
		/* Opened and not read: nobody wants its bytes, or the kernel has them. */
		if (recording->was_fetched)
			folder_stop(folder);
	} else if (recording->read_bytes >= recording->size_bytes) {
		folder->whole++;
	} else {
		folder_stop(folder);
	}
}

void audio_ahead_came(struct audio_recording *recording)
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

	list_for_each(pos, &audio->ahead.folders) {
		struct audio_folder *folder = list_entry(pos, struct audio_folder, link);

		/* In order of their age. */
		list_for_each_safe(item, &folder->fetched) {
			struct audio_recording *recording =
				list_entry(item, struct audio_recording, fetched.link);
			int64_t due = recording->fetched.since_msecs + UNWANTED_MSECS;

			if (due > now_msecs) {
				if (due < next)
					next = due;
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
	list_for_each(pos, &audio->ahead.folders)
		folder_stop(list_entry(pos, struct audio_folder, link));
}

void audio_ahead_release(struct audio_ahead *ahead)
{
	list_for_each_safe(pos, &ahead->folders)
		folder_free(list_entry(pos, struct audio_folder, link));
}
