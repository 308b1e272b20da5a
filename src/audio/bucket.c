/* Clients of older buckets. When a workspace gets another bucket, objects stay in the old one.
 * Their owner may have copied them, so the current bucket is asked first, and then the older one,
 * with the same credentials at the same server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/audio-private.h"
#include "storage/storage.h"

struct older_bucket {
	struct list link; /* clients->older_buckets */
	char name[CATALOG_BUCKET_SIZE];
	struct s3_client *s3;
};

static void older_bucket_free(struct older_bucket *bucket)
{
	s3_client_free(bucket->s3);
	free(bucket);
}

void audio_older_buckets_release(struct audio_clients *clients)
{
	list_for_each_entry_safe(struct older_bucket, bucket, &clients->older_buckets, link) {
		list_remove(&bucket->link);
		older_bucket_free(bucket);
	}
}

/* Lock held. */
static struct s3_client *find(struct audio_clients *clients, const char *name)
{
	list_for_each_entry(struct older_bucket, bucket, &clients->older_buckets, link)
		if (strcmp(bucket->name, name) == 0)
			return bucket->s3;
	return NULL;
}

int audio_older_bucket(struct audio *audio, struct audio_clients *clients, int64_t workspace_id,
		       const char *name, struct s3_client **ret_s3)
{
	struct older_bucket *bucket;
	int err;

	pthread_mutex_lock(&audio->lock);
	*ret_s3 = find(clients, name);
	pthread_mutex_unlock(&audio->lock);
	if (*ret_s3)
		return 0;
	bucket = calloc(1, sizeof *bucket);
	if (!bucket)
		return -ENOMEM;
	snprintf(bucket->name, sizeof bucket->name, "%s", name);
	err = storage_client_new_of(audio->catalog, audio->http, workspace_id, name, &audio->cancel,
				    &bucket->s3, NULL);
	if (err) {
		free(bucket);
		return err;
	}
	pthread_mutex_lock(&audio->lock);
	*ret_s3 = find(clients, name); /* another thread may have added it meanwhile */
	if (!*ret_s3) {
		*ret_s3 = bucket->s3;
		list_add(&clients->older_buckets, &bucket->link);
		bucket = NULL;
	}
	pthread_mutex_unlock(&audio->lock);
	if (bucket)
		older_bucket_free(bucket);
	return 0;
}
