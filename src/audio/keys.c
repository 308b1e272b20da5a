/* A bucket's keys that come from a service or a program, which may take half a minute. The threads
 * that sign for all workspaces do not wait for that: one thread of a pool does, and the streams of
 * this workspace. */

#include "audio/audio-private.h"
#include "aws/credentials.h"

static struct audio_stream *find_waiting(const struct audio_clients *clients)
{
	list_for_each_entry(struct audio_recording, recording, &clients->audio->recordings, link)
		list_for_each_entry(struct audio_stream, s, &recording->streams, link)
			if (s->waits_for_keys_of == clients)
				return s;
	return NULL;
}

/* Lock held. Starts the waiting streams, or fails them with *error, which may end other streams,
 * too: so the list is searched anew each time. */
static void wake(const struct audio_clients *clients, const struct remote_error *error,
		 struct list *finished)
{
	struct audio_stream *s;

	while ((s = find_waiting(clients))) {
		s->waits_for_keys_of = NULL;
		if (error->kind == REMOTE_OK)
			audio_stream_start(s);
		else
			audio_stream_failed(s, error, finished);
	}
}

static void run(struct pool_task *task)
{
	struct audio_clients *clients = list_entry(task, struct audio_clients, keys_task);
	cleanup_credentials struct aws_credentials keys = { .access_key = NULL };
	struct remote_error error = REMOTE_ERROR_INIT;
	struct audio *audio = clients->audio;
	struct list finished = LIST_INIT(finished);

	s3_client_credentials(clients->s3, &keys, &error);
	pthread_mutex_lock(&audio->lock);
	clients->is_asking_keys = false;
	wake(clients, &error, &finished);
	pthread_mutex_unlock(&audio->lock);
	audio_clients_unref(clients);
	audio_reads_deliver(audio, &finished);
}

void audio_keys_renew(struct audio_clients *clients)
{
	if (clients->is_asking_keys)
		return;
	clients->keys_task.run = run;
	clients->is_asking_keys = pool_push(&clients->audio->key_askers, &clients->keys_task) == 0;
	if (clients->is_asking_keys)
		audio_clients_ref(clients);
}

void audio_keys_wait(struct audio_clients *clients, struct audio_stream *s)
{
	audio_keys_renew(clients);
	if (!clients->is_asking_keys) { /* no thread can be started now */
		audio_stream_back_off(s, AUDIO_NO_THREAD_MSECS);
		return;
	}
	s->state = AUDIO_STREAM_BACKOFF;
	s->due_msecs = INT64_MAX;
	s->waits_for_keys_of = clients;
}
