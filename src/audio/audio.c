/* The engine: start and end, the timer, open recordings and files. */
#include <errno.h>
#include <stdlib.h>

#include "audio/audio-private.h"
#include "catalog/archive.h"
#include "catalog/settings.h"
#include "catalog/workspace.h"
#include "storage/why.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/times.h"
#include "util/wait.h"

#define SIZE_TIMEOUT_MSECS 10000
#define STARTERS 3
#define PROBERS 8
#define KEY_ASKERS 16

/* ---- the timer ---- */

void audio_timer_wake(struct audio *audio, int64_t at_msecs)
{
	if (at_msecs >= audio->timer_msecs)
		return;
	audio->timer_msecs = at_msecs;
	pthread_cond_signal(&audio->timer_cond);
}

static void *timer(void *arg)
{
	struct audio *audio = arg;

	pthread_mutex_lock(&audio->lock);
	while (!audio->is_stopping) {
		struct list reads = LIST_INIT(reads), sizes = LIST_INIT(sizes);
		int64_t now = time_mono_msecs(), next;

		audio->timer_msecs = INT64_MAX;
		next = audio_sizes_tick(audio, now, &sizes);
		list_for_each_entry(struct audio_recording, recording, &audio->recordings, link) {
			next = audio_min(next, audio_reads_tick(recording, now, &reads));
			next = audio_min(next, audio_streams_tick(recording, now));
		}
		next = audio_min(next, audio_ahead_tick(audio, now));
		next = audio_min(next, audio_turns_tick(audio, now, &reads));
		audio->timer_msecs = audio_min(next, audio->timer_msecs);
		if (!list_empty(&reads) || !list_empty(&sizes)) {
			pthread_mutex_unlock(&audio->lock);
			audio_reads_deliver(audio, &reads);
			audio_sizes_deliver(&sizes);
			pthread_mutex_lock(&audio->lock);
		} else {
			cond_wait_until(&audio->timer_cond, &audio->lock, audio->timer_msecs, NULL);
		}
	}
	pthread_mutex_unlock(&audio->lock);
	return NULL;
}

/* ---- the engine ---- */

static void engine_free(struct audio *audio)
{
	pool_release(&audio->starters);
	pool_release(&audio->probers);
	pool_release(&audio->key_askers);
	audio_ahead_release(&audio->ahead);
	audio_workspaces_release(audio);
	audio_reasons_release(&audio->reasons);
	pthread_cond_destroy(&audio->idle_cond);
	pthread_cond_destroy(&audio->timer_cond);
	pthread_mutex_destroy(&audio->lock);
	free(audio);
}

int audio_new(struct catalog *catalog, struct http *http, const struct audio_settings *settings,
	      struct audio **ret_audio)
{
	struct audio *audio = calloc(1, sizeof *audio);
	int err;

	if (!audio)
		return -ENOMEM;
	audio->catalog = catalog;
	audio->http = http;
	audio->settings = *settings;
	if (!audio->settings.budget_bytes)
		audio->settings.budget_bytes =
			(size_t)catalog_setting_number(catalog, SETTING_READ_BUDGET_BYTES);
	if (!audio->settings.read_timeout_msecs)
		audio->settings.read_timeout_msecs =
			(unsigned)catalog_setting_number(catalog, SETTING_READ_TIMEOUT_MSECS);
	if (!audio->settings.size_timeout_msecs)
		audio->settings.size_timeout_msecs = SIZE_TIMEOUT_MSECS;
	audio_store_init(&audio->store, audio->settings.budget_bytes);
	audio_turns_init(&audio->turns, audio->settings.budget_bytes / 2);
	audio_ahead_init(&audio->ahead);
	audio_heads_init(&audio->heads);
	audio_reasons_init(&audio->reasons);
	list_init(&audio->recordings);
	list_init(&audio->questions);
	list_init(&audio->workspaces);
	list_init(&audio->attempt_list);
	audio->timer_msecs = INT64_MAX;
	pthread_mutex_init(&audio->lock, NULL);
	cond_init(&audio->timer_cond);
	pthread_cond_init(&audio->idle_cond, NULL);

	pool_init(&audio->starters, "audio start", STARTERS);
	pool_init(&audio->probers, "audio probe", PROBERS);
	pool_init(&audio->key_askers, "audio keys", KEY_ASKERS);
	err = thread_start(&audio->timer, "audio timer", timer, audio);
	if (err)
		engine_free(audio);
	else
		*ret_audio = audio;
	return err;
}

void audio_interrupt(struct audio *audio)
{
	struct list reads = LIST_INIT(reads), sizes = LIST_INIT(sizes);

	pthread_mutex_lock(&audio->lock);
	cancel_set(&audio->cancel);
	audio_sizes_fail_all(audio, &sizes);
	list_for_each_entry(struct audio_recording, recording, &audio->recordings, link)
		list_for_each_entry_safe(struct audio_waiting_read, read, &recording->reads, link)
			audio_read_finish(read, -EINTR, &reads);
	pthread_mutex_unlock(&audio->lock);
	audio_reads_deliver(audio, &reads);
	audio_sizes_deliver(&sizes);
}

void audio_free(struct audio *audio)
{
	if (!audio)
		return;
	audio_interrupt(audio);
	pthread_mutex_lock(&audio->lock);
	audio->is_stopping = true;
	audio_ahead_stop(audio);
	audio_heads_release(audio);
	pthread_cond_signal(&audio->timer_cond);
	pthread_mutex_unlock(&audio->lock);
	pthread_join(audio->timer, NULL);
	pool_stop(&audio->starters);
	pool_stop(&audio->probers);
	pool_stop(&audio->key_askers);
	pthread_mutex_lock(&audio->lock);
	audio_attempts_cancel(audio);
	while (audio->attempts)
		pthread_cond_wait(&audio->idle_cond, &audio->lock);
	pthread_mutex_unlock(&audio->lock);
	engine_free(audio);
}

/* ---- open recordings ---- */

void audio_recording_unref(struct audio_recording *recording)
{
	if (--recording->refs)
		return;
	audio_blocks_release(&recording->blocks);
	free(recording);
}

int audio_recording_new(struct audio *audio, const struct catalog_recording *row,
			int64_t size_bytes, struct audio_recording **ret_recording)
{
	struct audio_recording *recording = calloc(1, sizeof *recording);
	int err;

	if (!recording)
		return -ENOMEM;
	recording->workspace = audio_workspace_get(audio, row->workspace_id);
	err = recording->workspace
		      ? audio_blocks_init(&recording->blocks, &audio->store, size_bytes)
		      : -ENOMEM;
	if (err) {
		free(recording);
		return err;
	}
	recording->audio = audio;
	recording->id = row->id;
	recording->folder_id = row->folder_id;
	recording->sid = row->sid;
	recording->size_bytes = size_bytes;
	recording->is_in_s3 = row->state == CATALOG_STATE_STORED || row->state == CATALOG_STATE_S3;
	recording->refs = 1;
	list_init(&recording->reads);
	list_init(&recording->streams);
	list_add(&audio->recordings, &recording->link);
	*ret_recording = recording;
	return 0;
}

struct audio_recording *audio_recording_find(struct audio *audio, int64_t id, int64_t size_bytes)
{
	list_for_each_entry(struct audio_recording, recording, &audio->recordings, link)
		if (recording->id == id && (size_bytes < 0 || recording->size_bytes == size_bytes))
			return recording;
	return NULL;
}

void audio_recording_end_streams(struct audio_recording *recording)
{
	list_for_each_entry_safe(struct audio_stream, s, &recording->streams, link)
		audio_stream_kill(s);
}

void audio_recording_end(struct audio_recording *recording)
{
	list_remove(&recording->link);
	audio_recording_end_streams(recording);
	audio_blocks_keep(&recording->blocks, 0); /* answers in delivery pin theirs */
	audio_recording_unref(recording);
}

static void open_file(struct audio *audio, const struct catalog_recording *row, int64_t size_bytes,
		      audio_open_fn *callback, void *arg)
{
	struct audio_file *file = calloc(1, sizeof *file);
	int err = file ? 0 : -ENOMEM;

	if (file) {
		pthread_mutex_lock(&audio->lock);
		file->recording = audio_recording_find(audio, row->id, size_bytes);
		if (!file->recording)
			err = audio_recording_new(audio, row, size_bytes, &file->recording);
		if (!err) {
			file->recording->files++;
			audio_ahead_open(file->recording);
			audio_heads_open(file->recording);
		}
		pthread_mutex_unlock(&audio->lock);
	}
	if (err)
		free(file);
	callback(arg, err, err ? NULL : file, err ? -1 : size_bytes);
}

struct opening {
	struct audio *audio;
	struct catalog_recording row;
	audio_open_fn *callback;
	void *arg;
};

static void on_size(void *arg, int err, int64_t size_bytes)
{
	struct opening *opening = arg;

	if (err)
		opening->callback(opening->arg, err, NULL, -1);
	else
		open_file(opening->audio, &opening->row, size_bytes, opening->callback,
			  opening->arg);
	free(opening);
}

/* Not remembered as a reason, because the catalog has it. */
static void log_archived(struct audio *audio, const struct catalog_recording *row)
{
	struct catalog_workspace workspace = { .name = "?" };
	cleanup_buf struct buf why = BUF_INIT;
	char sid[SID_SIZE];

	catalog_workspace_get(audio->catalog, row->workspace_id, &workspace);
	sid_format(&row->sid, "RE", sid);
	storage_why(audio->catalog, row, &why);
	log_warning("workspace %s: recording %s: %s", workspace.name, sid, buf_str(&why));
}

/* -EREMOTE: the recording must be restored first; no request is sent. While Twilio still has its
 * copy (CATALOG_STATE_STORED), that one is read. */
static int check_archive(struct audio *audio, const struct catalog_recording *row)
{
	struct catalog_archive archive;
	int err;

	if (row->state != CATALOG_STATE_S3)
		return 0;
	err = catalog_archive_get(audio->catalog, row->id, &archive);
	if (err || !archive.is_archived)
		return err == -ENOENT ? 0 : err;
	log_archived(audio, row);
	return -EREMOTE;
}

void audio_open(struct audio *audio, int64_t recording_id, audio_open_fn *callback, void *arg)
{
	struct catalog_recording row;
	struct opening *opening;
	int err = catalog_recording_get(audio->catalog, recording_id, &row);

	if (!err && row.state == CATALOG_STATE_MISSING)
		err = -EIO;
	else if (!err && !row.is_listed)
		err = -ENOENT;
	if (!err)
		err = check_archive(audio, &row);
	if (err) {
		callback(arg, err, NULL, -1);
		return;
	}
	if (audio_size_is_possible(&row)) {
		open_file(audio, &row, row.size_bytes, callback, arg);
		return;
	}
	opening = malloc(sizeof *opening);
	if (!opening) {
		callback(arg, -ENOMEM, NULL, -1);
		return;
	}
	*opening = (struct opening){ .audio = audio, .row = row, .callback = callback, .arg = arg };
	audio_size(audio, recording_id, on_size, opening);
}

void audio_file_listed(struct audio_file *file)
{
	struct audio *audio = file->recording->audio;

	pthread_mutex_lock(&audio->lock);
	file->recording->is_by_lister = true;
	pthread_mutex_unlock(&audio->lock);
}

void audio_close(struct audio_file *file)
{
	struct audio_recording *recording = file->recording;
	struct audio *audio = recording->audio;

	audio_flush(file);
	pthread_mutex_lock(&audio->lock);
	if (--recording->files == 0) {
		audio_ahead_close(recording);
		audio_span_close(recording);
		if (!audio_heads_keep(recording))
			audio_recording_end(recording);
	}
	pthread_mutex_unlock(&audio->lock);
	free(file);
}
