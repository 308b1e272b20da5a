/*
 * Where a recording's bytes are asked for: the origin (Twilio or S3) by the recording's state, the
 * workspace's clients, the request.
 *
 * Threads: any. audio->lock guards what is marked so; a workspace is used under it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "audio/breaker.h"
#include "audio/stats.h"
#include "aws/s3.h"
#include "catalog/object.h"
#include "catalog/workspace.h"
#include "net/http.h"
#include "util/list.h"
#include "util/pool.h"

struct audio;
struct audio_stream;
struct twilio_client;
struct twilio_request_memory;

/* The clients of one workspace by its settings; never changed, replaced when these change. */
struct audio_clients {
	atomic_uint refs;
	uint8_t fingerprint[32]; /* of the settings */
	char workspace[CATALOG_NAME_SIZE];
	struct twilio_client *twilio; /* NULL: the workspace has been removed */
	struct s3_client *s3;         /* NULL: it has no storage settings */
	char bucket[CATALOG_BUCKET_SIZE];
	struct list older_buckets; /* bucket.c; audio->lock */
	struct audio *audio;
	struct pool_task keys_task; /* keys.c */
	bool is_asking_keys;        /* audio->lock */
};

struct audio_workspace {
	struct list link; /* audio->workspaces */
	int64_t id;
	struct audio_clients *clients;
	int64_t checked_msecs; /* when the settings were compared last */
	int size_err;          /* -errno of the last failed question for a size; 0: it answered */
	int64_t size_err_until_msecs;
	/* By enum audio_from. */
	struct breaker breakers[AUDIO_FROM_COUNT]; /* of requests for bytes */
	unsigned reading[AUDIO_FROM_COUNT];        /* streams that a read waits for; turn.c */
	bool knows_no_ranges[AUDIO_FROM_COUNT]; /* it answered a range with the whole recording */
};

/* Facts that a recording's streams have learned and the catalog may not know. */
struct audio_hint {
	bool is_in_older_bucket; /* the workspace's current bucket does not have it */
	bool is_missing_in_s3;   /* S3 answered 404 although the catalog says that it is there */
	bool is_mono;            /* Twilio answered 16113 */
};

struct audio_range {
	int64_t offset_bytes, end_bytes; /* end: of the request to S3 */
	int64_t size_bytes;              /* of the whole recording */
};

/* A request that can be sent. */
struct audio_source {
	enum audio_from from;
	struct sid sid;
	bool is_encrypted;
	char etag[S3_ETAG_SIZE];
	char key[CATALOG_KEY_TEXT_SIZE]; /* in S3 */
	struct audio_clients *clients;
	struct s3_client *s3;  /* the one of clients that is asked */
	bool has_older_bucket; /* it was put into another bucket, which was not asked yet */
	struct http_request request;
	struct s3_request_memory *s3_memory;
	struct twilio_request_memory *twilio_memory;
};

/* ---- origin.c ---- */

/* 0, or -errno and *ret_error says why. -EAGAIN: the bucket's keys are not there yet (keys.c). The
 * caller releases *ret_source in any case. Reads the catalog, never waits for the network. */
int audio_source_init(struct audio *audio, int64_t recording_id, const struct audio_hint *hint,
		      const struct audio_range *range, struct audio_source *ret_source,
		      struct remote_error *ret_error);
void audio_source_release(struct audio_source *source);
/* The caller has a reference. */
int audio_clients_get(struct audio *audio, int64_t workspace_id,
		      struct audio_clients **ret_clients);
struct audio_clients *audio_clients_ref(struct audio_clients *clients);
void audio_clients_unref(struct audio_clients *clients); /* NULL is fine */
/* Lock held. NULL: out of memory. */
struct audio_workspace *audio_workspace_get(struct audio *audio, int64_t workspace_id);
void audio_workspaces_release(struct audio *audio);
/* The errno that a user meets. */
int audio_errno(const struct remote_error *error);

/* ---- bucket.c ---- */

/* The client of a bucket that the workspace had before; lives as long as *clients. */
int audio_older_bucket(struct audio *audio, struct audio_clients *clients, int64_t workspace_id,
		       const char *name, struct s3_client **ret_s3);
void audio_older_buckets_release(struct audio_clients *clients);

/* ---- keys.c: credentials of a bucket from elsewhere, which may take a while; lock held ---- */

/* The stream starts again when the keys are there, or fails. */
void audio_keys_wait(struct audio_clients *clients, struct audio_stream *stream);
/* Renews keys that are still good, in the background. */
void audio_keys_renew(struct audio_clients *clients);
