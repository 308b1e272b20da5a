/* Chooses the origin of a recording's bytes, keeps the workspaces' clients, makes the requests. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "audio/audio-private.h"
#include "catalog/archive.h"
#include "storage/storage.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/secret.h"
#include "util/times.h"

#define CHECK_MSECS 1000 /* changes of settings are noticed within this time */

int audio_errno(const struct remote_error *error)
{
	switch (error->error) {
	case -EACCES:
	case -EREMOTE:
	case -ETIMEDOUT:
	case -EBUSY:
	case -EHOSTUNREACH:
	case -ESTALE:
	case -EINTR:
	case -ENOMEM:
		return error->error;
	default:
		return -EIO;
	}
}

/* ---- clients ---- */

struct audio_clients *audio_clients_ref(struct audio_clients *clients)
{
	atomic_fetch_add(&clients->refs, 1);
	return clients;
}

void audio_clients_unref(struct audio_clients *clients)
{
	if (!clients || atomic_fetch_sub(&clients->refs, 1) != 1)
		return;
	twilio_client_free(clients->twilio);
	s3_client_free(clients->s3);
	audio_older_buckets_release(clients);
	free(clients);
}

static void clients_unrefp(struct audio_clients **clients)
{
	audio_clients_unref(*clients);
}
#define cleanup_clients cleanup_with(clients_unrefp)

struct settings {
	struct catalog_workspace workspace;
	struct catalog_storage storage;
	bool has_storage;
	char *token, *secret_key;
};

static void settings_release(struct settings *settings)
{
	secret_free(settings->token);
	secret_free(settings->secret_key);
}

static int settings_read(struct catalog *catalog, int64_t workspace_id,
			 struct settings *ret_settings)
{
	int err = catalog_workspace_get(catalog, workspace_id, &ret_settings->workspace);

	if (err == 0)
		err = catalog_workspace_secret(catalog, workspace_id, &ret_settings->token);
	if (err)
		return err;
	err = catalog_storage_get(catalog, workspace_id, &ret_settings->storage);
	if (err == 0)
		err = catalog_storage_secret(catalog, workspace_id, &ret_settings->secret_key);
	ret_settings->has_storage = err == 0;
	return err == -ENOENT ? 0 : err;
}

/* A hash of all settings that a client depends on. */
static int settings_fingerprint(const struct settings *settings,
				uint8_t ret_digest[CRYPTO_SHA256_SIZE])
{
	cleanup_buf_secret struct buf text = BUF_INIT;
	const struct catalog_workspace *w = &settings->workspace;
	const struct catalog_storage *s = &settings->storage;
	char account[CRYPTO_HEX_SIZE(sizeof w->account_sid)];

	if (buf_reserve(&text, 16384))
		return -ENOMEM;
	crypto_hex(&w->account_sid, sizeof w->account_sid, account);
	buf_addf(&text, "%s\n%s\n%s\n%s\n%d\n%s\n", w->name, account, w->api_key_sid, w->twilio_url,
		 w->twilio_plain_http, settings->token);
	if (settings->has_storage)
		buf_addf(&text, "%s\n%s\n%s\n%s\n%s\n%s\n%d%d\n%s\n%s", s->bucket, s->region,
			 s->endpoint, s->prefix, s->access_key, s->credentials, s->path_style,
			 s->plain_http, s->ca_file, settings->secret_key);
	if (buf_failed(&text))
		return -ENOMEM;
	return crypto_sha256(text.data, text.len, ret_digest);
}

static int clients_new(struct audio *audio, int64_t workspace_id, const struct settings *settings,
		       const uint8_t *fingerprint, struct audio_clients **ret_clients)
{
	cleanup_clients struct audio_clients *clients = calloc(1, sizeof *clients);
	const struct catalog_workspace *w = &settings->workspace;
	int err;

	if (!clients)
		return -ENOMEM;
	atomic_init(&clients->refs, 1);
	clients->audio = audio;
	memcpy(clients->fingerprint, fingerprint, sizeof clients->fingerprint);
	list_init(&clients->keys_task.link);
	list_init(&clients->older_buckets);
	snprintf(clients->workspace, sizeof clients->workspace, "%s", w->name);
	snprintf(clients->bucket, sizeof clients->bucket, "%s", settings->storage.bucket);
	err = account_client_new(audio->catalog, audio->http, workspace_id,
				 audio->settings.size_timeout_msecs, &audio->cancel,
				 &clients->twilio, NULL);
	if (err == -ENOKEY) /* the workspace was removed; its recordings in S3 may still be open */
		err = 0;
	if (err == 0 && settings->has_storage)
		err = storage_client_new(audio->catalog, audio->http, workspace_id, &audio->cancel,
					 &clients->s3, NULL);
	if (err)
		return err;
	*ret_clients = steal_pointer(&clients);
	return 0;
}

struct audio_workspace *audio_workspace_get(struct audio *audio, int64_t workspace_id)
{
	struct audio_workspace *workspace;

	list_for_each_entry(struct audio_workspace, known, &audio->workspaces, link)
		if (known->id == workspace_id)
			return known;
	workspace = calloc(1, sizeof *workspace);
	if (!workspace)
		return NULL;
	workspace->id = workspace_id;
	list_add(&audio->workspaces, &workspace->link);
	return workspace;
}

void audio_workspaces_release(struct audio *audio)
{
	list_for_each_entry_safe(struct audio_workspace, workspace, &audio->workspaces, link) {
		list_remove(&workspace->link);
		audio_clients_unref(workspace->clients);
		free(workspace);
	}
}

/* The cached clients, with a reference, or NULL. Not fresh: the settings must be compared first. */
static struct audio_clients *clients_cached(struct audio *audio, int64_t workspace_id,
					    bool *ret_is_fresh)
{
	struct audio_clients *clients = NULL;
	struct audio_workspace *workspace;

	*ret_is_fresh = false;
	pthread_mutex_lock(&audio->lock);
	workspace = audio_workspace_get(audio, workspace_id);
	if (workspace && workspace->clients) {
		clients = audio_clients_ref(workspace->clients);
		*ret_is_fresh = time_mono_msecs() - workspace->checked_msecs < CHECK_MSECS;
	}
	pthread_mutex_unlock(&audio->lock);
	return clients;
}

/* clients: may be NULL. */
static bool has_fingerprint(const struct audio_clients *clients, const uint8_t *fingerprint)
{
	return clients &&
	       memcmp(clients->fingerprint, fingerprint, sizeof clients->fingerprint) == 0;
}

static void clients_cache(struct audio *audio, int64_t workspace_id, struct audio_clients *clients)
{
	struct audio_clients *old = NULL;
	struct audio_workspace *workspace;

	pthread_mutex_lock(&audio->lock);
	workspace = audio_workspace_get(audio, workspace_id);
	if (workspace)
		workspace->checked_msecs = time_mono_msecs();
	/* If another thread has made the same meanwhile, what is known of the origins stays. */
	if (workspace && !has_fingerprint(workspace->clients, clients->fingerprint)) {
		old = workspace->clients;
		workspace->clients = audio_clients_ref(clients);
		/* Facts learned with the old settings may be wrong now. */
		workspace->size_err = 0;
		for (int i = 0; i < AUDIO_FROM_COUNT; i++) {
			workspace->knows_no_ranges[i] = false;
			breaker_worked(&workspace->breakers[i]);
		}
	}
	pthread_mutex_unlock(&audio->lock);
	audio_clients_unref(old);
}

int audio_clients_get(struct audio *audio, int64_t workspace_id, struct audio_clients **ret_clients)
{
	cleanup_with(settings_release) struct settings settings = { .token = NULL };
	cleanup_clients struct audio_clients *clients = NULL;
	uint8_t fingerprint[CRYPTO_SHA256_SIZE];
	bool is_fresh;
	int err;

	clients = clients_cached(audio, workspace_id, &is_fresh);
	if (is_fresh) {
		*ret_clients = steal_pointer(&clients);
		return 0;
	}
	err = settings_read(audio->catalog, workspace_id, &settings);
	if (err == 0)
		err = settings_fingerprint(&settings, fingerprint);
	if (err == 0 && !has_fingerprint(clients, fingerprint)) {
		audio_clients_unref(steal_pointer(&clients));
		err = clients_new(audio, workspace_id, &settings, fingerprint, &clients);
	}
	if (err)
		return err;
	clients_cache(audio, workspace_id, clients);
	*ret_clients = steal_pointer(&clients);
	return 0;
}

/* ---- requests ---- */

static int pick_origin(const struct catalog_recording *recording, bool has_object,
		       const struct audio_hint *hint, enum audio_from *ret_from)
{
	switch (recording->state) {
	case CATALOG_STATE_TWILIO:
	case CATALOG_STATE_UPLOADING:
		*ret_from = AUDIO_FROM_TWILIO;
		return 0;
	case CATALOG_STATE_STORED:
		*ret_from = hint->is_missing_in_s3 ? AUDIO_FROM_TWILIO : AUDIO_FROM_S3;
		return 0;
	case CATALOG_STATE_S3:
		*ret_from = AUDIO_FROM_S3;
		return hint->is_missing_in_s3 ? -EIO : 0;
	case CATALOG_STATE_DELETED:
		/* Removed while it is open: read on as long as the bytes exist. */
		*ret_from =
			has_object && !hint->is_missing_in_s3 ? AUDIO_FROM_S3 : AUDIO_FROM_TWILIO;
		return 0;
	case CATALOG_STATE_MISSING:
		break;
	}
	return -EIO;
}

/* Archived in S3, while Twilio still has its copy. */
static bool is_better_at_twilio(struct audio *audio, const struct catalog_recording *recording)
{
	struct catalog_archive archive;

	return recording->state == CATALOG_STATE_STORED &&
	       catalog_archive_get(audio->catalog, recording->id, &archive) == 0 &&
	       archive.is_archived;
}

static int source_from_s3(struct audio *audio, struct audio_source *source, int64_t workspace_id,
			  const struct catalog_object *object, const struct audio_hint *hint,
			  const struct audio_range *range, struct remote_error *ret_error)
{
	bool is_to_end = range->end_bytes >= range->size_bytes;
	bool is_elsewhere =
		object->bucket[0] && strcmp(object->bucket, source->clients->bucket) != 0;
	int err = 0;

	if (!source->clients->s3)
		return remote_error_set(ret_error, REMOTE_REJECTED, -EACCES,
					"the workspace has no storage settings");
	snprintf(source->etag, sizeof source->etag, "%s", object->etag);
	snprintf(source->key, sizeof source->key, "%s", object->key);
	source->s3 = source->clients->s3;
	if (is_elsewhere && hint->is_in_older_bucket)
		err = audio_older_bucket(audio, source->clients, workspace_id, object->bucket,
					 &source->s3);
	else
		source->has_older_bucket = is_elsewhere;
	if (err == 0)
		err = s3_request_get(source->s3, object->key, range->offset_bytes,
				     is_to_end ? -1 : range->end_bytes - range->offset_bytes,
				     object->etag[0] ? object->etag : NULL, &source->request,
				     &source->s3_memory);
	if (err && err != -EAGAIN)
		remote_error_set(ret_error, REMOTE_REJECTED, err, "the request cannot be made");
	return err;
}

static int source_from_twilio(struct audio_source *source,
			      const struct catalog_recording *recording,
			      const struct audio_hint *hint, int64_t offset,
			      struct remote_error *ret_error)
{
	/* Two channels, unless Twilio has said that there is one: else it may be a downmix. */
	int channels = hint->is_mono || recording->channels_requested == 1 ? 1 : 2;
	int err;

	if (!source->clients->twilio)
		return remote_error_set(ret_error, REMOTE_REJECTED, -EACCES,
					"the workspace has been removed");
	err = twilio_request_media(source->clients->twilio, &recording->sid, channels, offset, -1,
				   NULL, &source->request, &source->twilio_memory);
	if (err)
		remote_error_set(ret_error, REMOTE_REJECTED, err, "the request cannot be made");
	return err;
}

int audio_source_init(struct audio *audio, int64_t recording_id, const struct audio_hint *hint,
		      const struct audio_range *range, struct audio_source *ret_source,
		      struct remote_error *ret_error)
{
	struct catalog_recording recording;
	struct catalog_object object;
	int err = catalog_recording_get(audio->catalog, recording_id, &recording),
	    object_err = -ENOENT;

	*ret_source = (struct audio_source){ .from = AUDIO_FROM_TWILIO };
	if (err == 0)
		object_err = catalog_recording_object(audio->catalog, recording_id, &object);
	if (object_err && object_err != -ENOENT)
		err = object_err;
	if (err == 0)
		err = audio_clients_get(audio, recording.workspace_id, &ret_source->clients);
	if (err)
		return remote_error_set(ret_error, REMOTE_REJECTED, err,
					"the catalog cannot be read: %s", strerror(-err));
	ret_source->sid = recording.sid;
	ret_source->is_encrypted = recording.is_encrypted;
	err = pick_origin(&recording, object_err == 0, hint, &ret_source->from);
	if (err || (ret_source->from == AUDIO_FROM_S3 && object_err))
		return remote_error_set(ret_error, REMOTE_NOT_FOUND, -EIO,
					"the recording is at no origin (state %s)",
					catalog_state_name(recording.state));
	if (ret_source->from == AUDIO_FROM_S3 && is_better_at_twilio(audio, &recording))
		ret_source->from = AUDIO_FROM_TWILIO;
	if (recording.size_bytes >= 0 && recording.size_bytes != range->size_bytes)
		return remote_error_set(ret_error, REMOTE_REJECTED, -ESTALE,
					"another size than when it was opened");
	if (ret_source->from == AUDIO_FROM_S3)
		err = source_from_s3(audio, ret_source, recording.workspace_id, &object, hint,
				     range, ret_error);
	else
		err = source_from_twilio(ret_source, &recording, hint, range->offset_bytes,
					 ret_error);
	/* A request may be paused for as long as its reader pauses; reads have deadlines. */
	ret_source->request.total_timeout_msecs = UINT_MAX;
	return err;
}

void audio_source_release(struct audio_source *source)
{
	s3_request_memory_free(source->s3_memory);
	twilio_request_memory_free(source->twilio_memory);
	audio_clients_unref(source->clients);
}
