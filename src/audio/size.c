/* Asks Twilio for the exact size of recordings whose size the catalog does not know yet. One
 * request answers all who ask for the same recording. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audio/audio-private.h"
#include "catalog/size.h"
#include "catalog/workspace.h"
#include "storage/object.h"
#include "twilio/twilio.h"
#include "util/log.h"
#include "util/times.h"

#define FAILURE_MSECS 5000 /* so long, questions to an origin that did not answer fail at once */
#define MET_BY_OTHERS \
	"Twilio answered so for another recording, and is asked again in a few seconds"

#define SUBJECT(recording, name) { (recording)->id, (recording)->sid, name, AUDIO_REASON_NO_OFFSET }

struct waiter {
	struct list link; /* question->waiters, or a list of finished ones */
	audio_size_fn *callback;
	void *arg;
	int64_t deadline_msecs;
	int err;
	int64_t size_bytes;
};

struct question {
	struct list link; /* audio->questions */
	struct audio *audio;
	struct pool_task task;
	struct catalog_recording recording; /* as it was when it was asked */
	struct list waiters;
};

static void waiter_finish(struct waiter *waiter, int err, int64_t size, struct list *finished)
{
	list_remove(&waiter->link);
	waiter->err = err;
	waiter->size_bytes = err ? -1 : size;
	list_add(finished, &waiter->link);
}

void audio_sizes_deliver(struct list *finished)
{
	list_for_each_entry_safe(struct waiter, waiter, finished, link) {
		list_remove(&waiter->link);
		waiter->callback(waiter->arg, waiter->err, waiter->size_bytes);
		free(waiter);
	}
}

/* Lock held. The error that questions to the origin fail with for now; 0: it may be asked. */
static int origin_err(struct audio *audio, int64_t workspace_id)
{
	struct audio_workspace *workspace = audio_workspace_get(audio, workspace_id);

	return workspace && time_mono_msecs() < workspace->size_err_until_msecs
		       ? workspace->size_err
		       : 0;
}

static void set_origin_err(struct audio *audio, int64_t workspace_id, int err)
{
	struct audio_workspace *workspace = audio_workspace_get(audio, workspace_id);

	if (!workspace)
		return;
	workspace->size_err = err;
	workspace->size_err_until_msecs = time_mono_msecs() + FAILURE_MSECS;
}

/* Would other recordings of the origin meet the same failure? */
static bool is_of_origin(const struct remote_error *error)
{
	return error->kind == REMOTE_TRANSIENT || error->kind == REMOTE_BUSY ||
	       error->kind == REMOTE_UNCERTAIN || error->error == -EACCES;
}

static void note_failure(struct audio *audio, const struct audio_clients *clients,
			 const struct catalog_recording *recording, int err,
			 const struct remote_error *e)
{
	const struct audio_subject of = SUBJECT(recording, clients ? clients->workspace : "?");

	audio_note_error(audio, &of, AUDIO_FROM_TWILIO, "size not learned", err, e);
}

/* No answer about it: it timed out, or the origin failed for another. An earlier reason is kept. */
static void note_unanswered(struct audio *audio, const struct catalog_recording *recording, int err,
			    const char *why)
{
	const struct audio_subject of = SUBJECT(recording, NULL);
	struct audio_reason before;

	if (!audio_reasons_get(&audio->reasons, recording->id, &before))
		audio_note_failed(audio, &of, "size not learned: %s: %s", strerror(-err), why);
}

bool audio_size_is_possible(const struct catalog_recording *recording)
{
	return recording->size_bytes >= 0 &&
	       recording->size_bytes <= catalog_recording_limit_bytes(recording);
}

static void note_impossible(struct audio *audio, const struct catalog_recording *recording,
			    int64_t size_bytes)
{
	struct catalog_workspace workspace = { .name = "?" };
	const struct audio_subject of = SUBJECT(recording, workspace.name);

	catalog_workspace_get(audio->catalog, recording->workspace_id, &workspace);
	audio_note_failed(audio, &of,
			  "cannot be opened: its object in S3 has %" PRId64
			  " bytes, and its duration allows %" PRId64,
			  size_bytes, catalog_recording_limit_bytes(recording));
}

/* 0: *ret_size is the size by the catalog; -EAGAIN: Twilio must be asked; -EIO: the recording is at
 * no origin, or its size is impossible. */
static int size_from_catalog(struct audio *audio, int64_t recording_id,
			     struct catalog_recording *ret_recording, int64_t *ret_size)
{
	int err = catalog_recording_get(audio->catalog, recording_id, ret_recording);
	struct catalog_object object;

	if (err)
		return err;
	*ret_size = ret_recording->size_bytes;
	if (audio_size_is_possible(ret_recording))
		return 0;
	switch (ret_recording->state) {
	case CATALOG_STATE_TWILIO:
	case CATALOG_STATE_UPLOADING:
		return -EAGAIN;
	case CATALOG_STATE_STORED:
	case CATALOG_STATE_S3:
		err = catalog_recording_object(audio->catalog, recording_id, &object);
		*ret_size = err ? -1 : object.size_bytes;
		if (err || object.size_bytes <= catalog_recording_limit_bytes(ret_recording))
			return err;
		note_impossible(audio, ret_recording, object.size_bytes);
		break;
	case CATALOG_STATE_MISSING:
	case CATALOG_STATE_DELETED:
		break;
	}
	return -EIO;
}

/* By this process, or by another machine, to its key in the bucket. */
static bool was_moved(struct audio *audio, int64_t recording_id)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	int err = storage_object_find(audio->catalog, audio->http, recording_id, &audio->cancel,
				      &error);

	return err == 0 || err == -ENOENT;
}

/* Waits for the network. */
static int ask(struct audio *audio, const struct catalog_recording *recording, int64_t *ret_size)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct audio_clients *clients = NULL;
	struct twilio_media_info info;
	struct catalog_recording now;
	int err = audio_clients_get(audio, recording->workspace_id, &clients);

	if (!err && !clients->twilio)
		err = -EACCES;
	if (err) {
		remote_error_set(&error, REMOTE_REJECTED, err, "no usable settings");
		note_failure(audio, clients, recording, err, &error);
		audio_clients_unref(clients);
		return -EIO;
	}
	err = twilio_probe_media(clients->twilio, &recording->sid, recording->is_encrypted,
				 recording->channels_requested,
				 catalog_recording_limit_bytes(recording), &info, &error);
	if (err == 0) {
		struct catalog_size size = {
			.recording_id = recording->id,
			.size_bytes = info.size_bytes,
			.channels_requested = info.channels_requested,
			.channels_stored = info.channels_stored,
		};

		*ret_size = info.size_bytes;
		err = catalog_sizes_set(audio->catalog, &size, 1);
		if (err)
			log_warning("catalog: a recording's size was learned and not kept: %s",
				    strerror(-err));
		err = 0;
	} else if (error.kind == REMOTE_NOT_FOUND && was_moved(audio, recording->id) &&
		   size_from_catalog(audio, recording->id, &now, ret_size) == 0) {
		err = 0; /* learned meanwhile */
	} else if (error.kind == REMOTE_CANCELLED) {
		err = -EINTR;
	} else {
		err = audio_errno(&error);
		note_failure(audio, clients, recording, err, &error);
	}
	pthread_mutex_lock(&audio->lock);
	set_origin_err(audio, recording->workspace_id, err && is_of_origin(&error) ? err : 0);
	pthread_mutex_unlock(&audio->lock);
	audio_clients_unref(clients);
	return err;
}

static void run(struct pool_task *task)
{
	struct question *question = list_entry(task, struct question, task);
	struct audio *audio = question->audio;
	struct list finished = LIST_INIT(finished);
	struct catalog_recording recording = question->recording;
	int64_t size = -1;
	bool is_wanted;
	int err;

	pthread_mutex_lock(&audio->lock);
	is_wanted = !list_empty(&question->waiters);
	err = cancel_is_set(&audio->cancel) ? -EINTR : origin_err(audio, recording.workspace_id);
	pthread_mutex_unlock(&audio->lock);
	if (is_wanted && !err) {
		err = size_from_catalog(audio, recording.id, &recording, &size);
		if (err == -EAGAIN)
			err = ask(audio, &recording, &size);
		if (!err)
			audio_reasons_clear(&audio->reasons, question->recording.id, 0, 0);
	} else if (is_wanted && err != -EINTR) {
		note_unanswered(audio, &recording, err, MET_BY_OTHERS);
	}
	pthread_mutex_lock(&audio->lock);
	list_for_each_entry_safe(struct waiter, waiter, &question->waiters, link)
		waiter_finish(waiter, err, size, &finished);
	list_remove(&question->link);
	pthread_mutex_unlock(&audio->lock);
	free(question);
	audio_sizes_deliver(&finished);
}

/* Lock held. */
static struct question *question_for(struct audio *audio, const struct catalog_recording *recording)
{
	struct question *question;

	list_for_each_entry(struct question, asked, &audio->questions, link)
		if (asked->recording.id == recording->id)
			return asked;
	question = calloc(1, sizeof *question);
	if (!question)
		return NULL;
	question->audio = audio;
	question->recording = *recording;
	list_init(&question->waiters);
	question->task.run = run;
	if (pool_push(&audio->probers, &question->task)) {
		free(question);
		return NULL;
	}
	list_add(&audio->questions, &question->link);
	return question;
}

void audio_size(struct audio *audio, int64_t recording_id, audio_size_fn *callback, void *arg)
{
	struct catalog_recording recording;
	struct question *question;
	struct waiter *waiter;
	int64_t size = -1;
	int err = size_from_catalog(audio, recording_id, &recording, &size);

	if (err != -EAGAIN) {
		callback(arg, err == -ENOENT ? -EIO : err, err ? -1 : size);
		return;
	}
	waiter = calloc(1, sizeof *waiter);
	if (!waiter) {
		callback(arg, -ENOMEM, -1);
		return;
	}
	waiter->callback = callback;
	waiter->arg = arg;
	waiter->deadline_msecs = time_mono_msecs() + audio->settings.size_timeout_msecs;
	pthread_mutex_lock(&audio->lock);
	err = origin_err(audio, recording.workspace_id);
	question = err ? NULL : question_for(audio, &recording);
	if (question) {
		list_add(&question->waiters, &waiter->link);
		audio_timer_wake(audio, waiter->deadline_msecs);
	}
	pthread_mutex_unlock(&audio->lock);
	if (!question) {
		if (err)
			note_unanswered(audio, &recording, err, MET_BY_OTHERS);
		free(waiter);
		callback(arg, err ? err : -ENOMEM, -1);
	}
}

int64_t audio_sizes_tick(struct audio *audio, int64_t now_msecs, struct list *finished)
{
	int64_t next = INT64_MAX;

	list_for_each_entry(struct question, question, &audio->questions, link) {
		const struct catalog_recording *recording = &question->recording;

		list_for_each_entry_safe(struct waiter, waiter, &question->waiters, link) {
			if (waiter->deadline_msecs <= now_msecs) {
				set_origin_err(audio, recording->workspace_id, -ETIMEDOUT);
				note_unanswered(audio, recording, -ETIMEDOUT, "no answer in time");
				waiter_finish(waiter, -ETIMEDOUT, -1, finished);
			} else {
				next = audio_min(next, waiter->deadline_msecs);
			}
		}
	}
	return next;
}

void audio_sizes_fail_all(struct audio *audio, struct list *finished)
{
	list_for_each_entry(struct question, question, &audio->questions, link)
		list_for_each_entry_safe(struct waiter, waiter, &question->waiters, link)
			waiter_finish(waiter, -EINTR, -1, finished);
}
