/* Starts a stream's request, on a thread of a pool: finds the origin, and first asks whatever the
 * last failure left open (the time, the storage class, the place, whether the key exists). */
#include <errno.h>
#include <string.h>

#include "audio/audio-private.h"
#include "storage/object.h"
#include "storage/restore.h"
#include "util/times.h"

unsigned audio_stream_questions(const struct audio_stream *s)
{
	const struct remote_error *last = &s->error;

	if (strcmp(last->code, "RequestTimeTooSkewed") == 0)
		return AUDIO_ASK_TIME;
	if (strcmp(last->code, "InvalidObjectState") == 0)
		return AUDIO_ASK_CLASS;
	if (s->from == AUDIO_FROM_TWILIO)
		return last->kind == REMOTE_NOT_FOUND ? AUDIO_ASK_PLACE : 0;
	return last->error == -EACCES && last->status == 403 ? AUDIO_ASK_DENIAL : 0;
}

/* Any request makes the client learn the time, from the answer's Date. */
static void ask_time(struct audio_source *source)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct s3_object object;

	s3_head_object(source->s3, source->key, &object, &error);
}

/* Before the origin is chosen: both update the catalog. Failures leave it as it was. */
static void ask_for_catalog(struct audio *audio, int64_t recording_id, unsigned asks)
{
	struct remote_error error = REMOTE_ERROR_INIT;

	if (asks & AUDIO_ASK_CLASS)
		storage_object_refresh(audio->catalog, audio->http, recording_id, &audio->cancel,
				       &error);
	if (asks & AUDIO_ASK_PLACE)
		storage_object_find(audio->catalog, audio->http, recording_id, &audio->cancel,
				    &error);
}

/* Lock held. Fails at once while the origin's breaker is open. */
static int check_breaker(struct audio_stream *s, struct remote_error *ret_error)
{
	int err = breaker_check(&s->recording->workspace->breakers[s->from], time_mono_msecs());

	if (err)
		remote_error_set(ret_error, REMOTE_REJECTED, err,
				 "the origin has not answered for a while");
	return err;
}

/* Lock held. err and *error: of *source. */
static void begin(struct audio_stream *s, struct audio_source *source, int err,
		  struct remote_error *error, struct list *finished)
{
	struct audio_recording *recording = s->recording;
	struct audio *audio = recording->audio;

	s->from = source->from;
	if (source->from == AUDIO_FROM_TWILIO)
		s->end_bytes = recording->size_bytes;
	s->has_older_bucket = err == 0 && source->has_older_bucket;
	if (!s->is_dead && err == 0)
		err = check_breaker(s, error);
	if (err == 0 && source->from == AUDIO_FROM_S3 && s3_client_keys_are_due(source->s3))
		audio_keys_renew(source->clients);
	if (s->is_dead)
		return;
	if (err == -EAGAIN) {
		audio_keys_wait(source->clients, s);
		return;
	}
	audio_streams_drop_idle(audio);
	if (err == 0) {
		source->request.urgent = s->reads > 0;
		err = audio_attempt_start(s, source);
		if (err)
			remote_error_set(error, REMOTE_REJECTED, err, "the request cannot be sent");
	}
	if (err == 0)
		s->state = AUDIO_STREAM_RUNNING;
	else
		audio_stream_failed(s, error, finished);
}

static void run(struct pool_task *task)
{
	struct audio_stream *s = list_entry(task, struct audio_stream, task);
	struct audio_recording *recording = s->recording;
	struct audio *audio = recording->audio;
	struct list finished = LIST_INIT(finished);
	struct remote_error error = REMOTE_ERROR_INIT;
	struct audio_source source = { .from = AUDIO_FROM_TWILIO };
	struct audio_range range;
	struct audio_hint hint;
	unsigned asks;
	int err;

	pthread_mutex_lock(&audio->lock);
	hint = recording->hint;
	range = (struct audio_range){ s->position_bytes, s->end_bytes, recording->size_bytes };
	asks = s->asks;
	if (asks & AUDIO_ASK_DENIAL)
		error = s->error;
	err = s->is_dead ? -ECANCELED : 0;
	pthread_mutex_unlock(&audio->lock);

	if (!err) {
		ask_for_catalog(audio, recording->id, asks);
		err = audio_source_init(audio, recording->id, &hint, &range, &source, &error);
	}
	if (!err && source.from == AUDIO_FROM_S3) {
		if (asks & AUDIO_ASK_TIME)
			ask_time(&source);
		if (asks & AUDIO_ASK_DENIAL)
			err = s3_explain_denied(source.s3, source.key, &error);
	}

	pthread_mutex_lock(&audio->lock);
	begin(s, &source, err, &error, &finished);
	audio_stream_unref(s);
	pthread_mutex_unlock(&audio->lock);
	audio_source_release(&source);
	audio_reads_deliver(audio, &finished);
}

void audio_stream_start(struct audio_stream *s)
{
	struct audio *audio = s->recording->audio;
	int err;

	s->asks = audio_stream_questions(s);
	/* A denial is explained after audio_stream_failed() has tried what costs less. */
	if (!(s->asked & AUDIO_ASK_DENIAL))
		s->asks &= ~(unsigned)AUDIO_ASK_DENIAL;
	s->state = AUDIO_STREAM_STARTING;
	s->task.run = run;
	err = pool_push(s->asks ? &audio->probers : &audio->starters, &s->task);
	if (!err)
		s->refs++;
	else if (err != -ESHUTDOWN) /* no thread can be started now */
		audio_stream_back_off(s, AUDIO_NO_THREAD_MSECS);
}
