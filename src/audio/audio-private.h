/*
 * What the files of this room share.
 *
 * A recording that is open has blocks (its bytes in memory, from all origins alike), reads that
 * wait for bytes, and streams that bring them:
 *
 *   stream     STARTING   a starter thread asks the catalog where the bytes are and sends the
 * request RUNNING    an attempt (one HTTP request) brings bytes; paused when it is far enough ahead
 * of its readers BACKOFF    an attempt failed, the next begins when the pause is over
 *
 * A stream outlives its attempts and always goes on at the byte it has reached, wherever that byte
 * is by then. It fails when its tries are used up, or when nobody waits for it any more; while its
 * origin is busy it asks again, with growing pauses, until the deadline of those who wait. One lock
 * guards all of it: callbacks of the HTTP engine come one at a time anyway.
 *
 * Lock order: audio->lock, then whatever catalog, net and the pools have. The lock is never held
 * over a callback of a caller's, a catalog write or a blocking request.
 */
#ifndef TONICFS_AUDIO_PRIVATE_H
#define TONICFS_AUDIO_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "audio/ahead.h"
#include "audio/audio.h"
#include "audio/block.h"
#include "audio/breaker.h"
#include "audio/heads.h"
#include "audio/reasons.h"
#include "audio/span.h"
#include "audio/stats.h"
#include "audio/turn.h"
#include "aws/s3.h"
#include "catalog/object.h"
#include "net/retry.h"
#include "twilio/twilio.h"
#include "util/buf.h"
#include "util/cancel.h"
#include "util/list.h"
#include "util/pool.h"

struct audio_recording;

/* ---- origin.c: which origin, which client, which request ---- */

enum audio_from { AUDIO_FROM_TWILIO, AUDIO_FROM_S3 };

/* The clients of one workspace, by its settings as they were; never changed, replaced when the
 * settings change. */
struct audio_clients {
	atomic_uint refs;
	uint8_t fingerprint[32];
	char workspace[CATALOG_NAME_SIZE];
	struct twilio_client *twilio;
	struct s3_client *s3; /* NULL: no storage set */
	char bucket[CATALOG_BUCKET_SIZE];
	struct list older_buckets; /* bucket.c; audio->lock */
	struct audio *audio;
	struct pool_task keys_task; /* keys.c */
	bool is_asking_keys;        /* audio->lock */
};
struct audio_clients *audio_clients_ref(struct audio_clients *clients);
void audio_clients_unref(struct audio_clients *clients); /* NULL is fine */

struct audio_workspace {
	struct list link; /* audio->workspaces */
	int64_t id;
	struct audio_clients *clients;
	int64_t checked_msecs;
	int size_error; /* the origin's last answer to a question for a size; 0: it answered */
	int64_t size_error_until_msecs;
	struct breaker breakers[2]; /* by enum audio_from; of media */
	unsigned reading[2];        /* streams that somebody waits for; turn.c */
	bool knows_no_ranges[2];    /* it answered a range with all of it */
};

/* What a stream knows that the catalog may not. */
struct audio_hint {
	bool is_in_older_bucket; /* the workspace's bucket of now does not give it */
	bool is_missing_in_s3;   /* S3 said 404 although the catalog says that it is there */
	bool is_mono;            /* Twilio said 16113 */
};

struct audio_range {
	int64_t offset_bytes, end_bytes; /* end: of what S3 is asked for */
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
	struct s3_client *s3;  /* of clients: the one that is asked */
	bool has_older_bucket; /* it was put into another bucket, which was not asked yet */
	struct http_request request;
	struct s3_request_memory *s3_memory;
	struct twilio_request_memory *twilio_memory;
};
/* 0, or *ret_error says why not; release *ret_source in any case. Reads the catalog, never waits
 * for the network. */
int audio_source_init(struct audio *audio, int64_t recording_id, const struct audio_hint *hint,
		      const struct audio_range *range, struct audio_source *ret_source,
		      struct remote_error *ret_error);
void audio_source_release(struct audio_source *source);
int audio_clients_get(struct audio *audio, int64_t workspace_id,
		      struct audio_clients **ret_clients);
/* The client of a bucket that the workspace had before; lives as long as *clients. */
int audio_older_bucket(struct audio *audio, struct audio_clients *clients, int64_t workspace_id,
		       const char *name, struct s3_client **ret_s3);
void audio_older_buckets_release(struct audio_clients *clients);
/* Lock held. NULL: no memory. */
struct audio_workspace *audio_workspace_get(struct audio *audio, int64_t workspace_id);
void audio_workspaces_release(struct audio *audio);
/* The errno that a user meets. */
int audio_errno(const struct remote_error *error);
const char *audio_from_name(enum audio_from from);

/* ---- keys.c: keys of a bucket that come from elsewhere, which may take a while ---- */

struct audio_stream;
/* Lock held for these. The stream begins again when the keys are there, or fails. */
void audio_keys_wait(struct audio_clients *clients, struct audio_stream *stream);
/* Nobody waits: those that are there are still good. */
void audio_keys_renew(struct audio_clients *clients);

/* ---- the shared state ---- */

struct audio {
	struct catalog *catalog;
	struct http *http;
	struct audio_settings settings;
	struct cancel cancel; /* ends blocking requests */

	pthread_mutex_t lock; /* guards all that follows, and what hangs on it */
	pthread_cond_t timer_cond;
	pthread_cond_t idle_cond; /* attempts == 0 */
	pthread_t timer;
	bool is_stopping;
	int64_t timer_msecs; /* when the timer looks next */
	struct audio_store store;
	struct audio_turns turns;
	struct audio_ahead ahead;
	struct audio_heads heads;
	unsigned heads_in_row;    /* span.c: recordings of which only the head was read */
	struct audio_stats stats; /* what is not counted elsewhere */
	struct list recordings;   /* open ones, those fetched ahead, those whose heads are kept */
	struct list questions;    /* for sizes */
	struct list workspaces;
	struct list attempt_list; /* requests whose on_done is still to come */
	unsigned attempts;
	unsigned streams, reading; /* reading: those that somebody waits for */
	uint64_t last_read_id;

	struct audio_reasons reasons; /* has a lock of its own */

	struct pool starters;   /* never wait for the network */
	struct pool probers;    /* do */
	struct pool key_askers; /* so do these, and for programs, one for each workspace */
};

/* An open recording, shared by its handles. Freed with its last reference: the handles together
 * have one (as long as there are none, the read-ahead or the cache of heads), each stream has one,
 * and each answer while it is given, which pins what it is made of. */
struct audio_recording {
	struct list link; /* audio->recordings */
	struct audio *audio;
	int64_t id, folder_id, size_bytes;
	struct audio_workspace *workspace;
	struct sid sid;
	unsigned refs, files; /* files 0: fetched ahead, or its head is kept */
	struct audio_blocks blocks;
	struct list reads; /* waiting */
	struct list streams;
	struct audio_hint hint;
	bool was_served_by_s3;
	bool is_in_s3; /* as the catalog said when it was opened */
	struct audio_fetched fetched;
	bool was_fetched, is_noted, is_by_lister; /* ahead.c */
	int64_t read_bytes;                       /* the end of the furthest read */
	int64_t run_start_bytes, run_end_bytes;   /* what was read in a row; span.c */
	struct list head_link;                    /* heads.c */
	bool is_head;
	unsigned reading;   /* streams that somebody waits for */
	size_t turns_bytes; /* that its reads hold; turn.c */
};

/* What the kernel's second try of a failed read is answered with. */
struct audio_failure {
	int64_t begin_bytes, end_bytes, until_msecs;
	int error;
};
/* A stream that finds no thread tries again after this. */
#define AUDIO_NO_THREAD_MSECS 1000
#define AUDIO_FAILURES 8

struct audio_file {
	struct audio_recording *recording;
	struct audio_failure failures[AUDIO_FAILURES];
	unsigned next_failure;
};

struct audio_waiting_read {
	struct list link; /* recording->reads, or a list of finished ones */
	struct audio_file *file;
	struct audio_stream *stream; /* NULL: it waits for its turn */
	struct audio_turn turn;
	bool has_waited;
	/* By the origin, before it gave its turn to others; 0: nothing. */
	int told_error;
	unsigned busy_tried;      /* times that it was busy */
	int64_t not_before_msecs; /* it asks for no more until then */
	uint64_t id;
	int64_t offset_bytes, end_bytes, since_msecs, deadline_msecs;
	audio_read_fn *callback;
	void *arg;
	int error;
	struct audio_recording *recording; /* whose answer it is; NULL: an error's, or none yet */
	unsigned part_count;
	struct iovec parts[];
};

enum audio_stream_state { AUDIO_STREAM_STARTING, AUDIO_STREAM_RUNNING, AUDIO_STREAM_BACKOFF };

struct audio_stream {
	struct list link; /* recording->streams */
	struct audio_recording *recording;
	unsigned refs; /* the list's, the task's */
	bool is_dead;  /* not on the list any more */
	enum audio_stream_state state;
	struct pool_task task;
	struct audio_attempt *attempt; /* RUNNING */
	bool is_paused;
	unsigned reads;                      /* that wait for it */
	int64_t start_bytes, position_bytes; /* where it began; the next byte to come */
	int64_t end_bytes;                   /* where its request ends; S3's only, else the size */
	int64_t limit_bytes;                 /* goes no further while nobody waits for it */
	int64_t window_bytes;                /* how far ahead of its reader */
	int64_t reader_bytes;                /* where its reader is */
	int64_t used_msecs;                  /* when a reader last had something of it */
	int64_t moved_msecs;                 /* when a byte of it last came */
	int64_t due_msecs;                   /* BACKOFF */
	bool has_moved;                      /* bytes came since the last failure */
	bool is_position_pinned;             /* while somebody waits for it */
	unsigned not_found;                  /* times that Twilio said so */
	const struct audio_clients *waits_for_keys_of; /* BACKOFF, until they are there */
	bool are_keys_renewed;     /* S3 refused them, and others were asked for */
	bool is_clock_set;         /* S3 called the clock wrong, and was asked for the time */
	bool is_denial_explained;  /* S3 denied it, and a list was asked whether it is there */
	bool is_archive_learned;   /* S3 called it archived, and the catalog was told */
	struct retry retry, busy;  /* after failures; while the origin is busy */
	struct remote_error error; /* of the last attempt */
	enum audio_from from;      /* where the last attempt asked */
	bool has_older_bucket;     /* and whether there is another bucket to ask */
};

/* ---- read.c: reads that wait; the lock is held for all of these but audio_reads_deliver ---- */

void audio_reads_check(struct audio_recording *recording, struct list *finished); /* bytes came */
void audio_read_finish(struct audio_waiting_read *read, int error, struct list *finished);
/* Lock not held. And lets those begin that waited for these. */
void audio_reads_deliver(struct audio *audio, struct list *finished);
/* The timer's: ends what has waited for too long. Returns when to look again. */
int64_t audio_reads_tick(struct audio_recording *recording, int64_t now_msecs,
			 struct list *finished);
void audio_timer_wake(struct audio *audio, int64_t at_msecs);
void audio_recording_unref(struct audio_recording *recording);

/* ---- audio.c; lock held ---- */

/* NULL: none of its bytes are here. */
struct audio_recording *audio_recording_find(struct audio *audio, int64_t id);
/* row: id, workspace_id, folder_id, sid, state. */
int audio_recording_new(struct audio *audio, const struct catalog_recording *row,
			int64_t size_bytes, struct audio_recording **ret_recording);
/* Ends its streams. */
void audio_recording_calm(struct audio_recording *recording);
/* Nobody has it open any more. */
void audio_recording_end(struct audio_recording *recording);

/* ---- stream.c ---- */

/* A stream that brings the byte at offset: a near one, or a new one. NULL: no memory. */
struct audio_stream *audio_stream_for(struct audio_recording *recording, int64_t offset_bytes);
/* The near one, or NULL. */
struct audio_stream *audio_stream_near(struct audio_recording *recording, int64_t offset_bytes);
/* A read waits for it; waits no more. */
void audio_stream_join(struct audio_stream *stream);
void audio_stream_leave(struct audio_stream *stream);
/* A new one, whatever others there are. */
struct audio_stream *audio_stream_new(struct audio_recording *recording, int64_t offset_bytes,
				      int64_t end_bytes);
/* Makes its request, by whatever the catalog says now. */
void audio_stream_start(struct audio_stream *stream);
/* A reader has come, or waits, up to here. */
void audio_streams_advance(struct audio_recording *recording, int64_t end_bytes);
/* It may go so far though nobody reads. */
void audio_stream_allow(struct audio_stream *stream, int64_t end_bytes);
void audio_stream_kill(struct audio_stream *stream);
/* The timer's: starts what is due, drops what nobody uses. Returns when to look again. */
int64_t audio_streams_tick(struct audio_recording *recording, int64_t now_msecs);
/* Bytes that came for the position: false where they are to wait. */
bool audio_stream_wants(struct audio_stream *stream, size_t n);
/* It has to wait, and others have no connection: it gives way to them. */
bool audio_stream_gives_way(struct audio_stream *stream);
void audio_stream_write(struct audio_stream *stream, const void *bytes, size_t n);
void audio_stream_unref(struct audio_stream *stream);

/* ---- stream-end.c: its request has ended, or it is not wanted ---- */

void audio_stream_try_anew(struct audio_stream *stream);
/* The origin was busy when it was asked last. */
bool audio_stream_is_told_busy(const struct audio_stream *stream);
/* Advice to append to a failure's text; "" where there is none. */
const char *audio_advice(enum audio_from from, const struct remote_error *error);
/* Says why a read of a recording fails. */
void audio_read_failed(const struct audio_waiting_read *read, enum audio_from from,
		       const struct remote_error *why, int error);
void audio_stream_failed(struct audio_stream *stream, const struct remote_error *error,
			 enum audio_from from, struct list *finished);
/* Whatever is asked for, all of it comes: the stream that is first goes on alone. */
void audio_streams_merge(struct audio_recording *recording, struct list *finished);

/* ---- why.c ---- */

struct audio_subject {
	int64_t recording_id;
	struct sid sid;
	const char *workspace;
	int64_t offset_bytes; /* as in struct audio_reason */
};
/* The boundary that logs why a recording cannot be read, and remembers it for those who ask. Without
 * a workspace's name it is not logged: the origin's failure has been. The lock may be held. */
void audio_note_failed(struct audio *audio, const struct audio_subject *of, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- attempt.c: one HTTP request of a stream ---- */

/* Lock held. 0, or -errno: no callback will come. */
int audio_attempt_start(struct audio_stream *stream, struct audio_source *source);
/* Lock held. The stream goes without it; the request is ended unless so little is left that its
 * connection is worth more. */
void audio_attempt_abandon(struct audio_attempt *attempt);
void audio_attempt_resume(struct audio_attempt *attempt);
void audio_attempts_cancel(struct audio *audio);

/* ---- stats.c; lock held ---- */

struct audio_origin_stats *audio_stats_of(struct audio *audio, enum audio_from from);
void audio_stats_count(struct audio *audio, enum audio_from from, enum remote_kind kind);

/* ---- size.c ---- */

/* It is known, and the recording's duration allows it. */
bool audio_size_is_possible(const struct catalog_recording *recording);
int64_t audio_sizes_tick(struct audio *audio, int64_t now_msecs, struct list *finished);
void audio_sizes_fail_all(struct audio *audio, struct list *finished); /* lock held */
void audio_sizes_deliver(struct list *finished);

#endif
