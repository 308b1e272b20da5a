/*
 * Streams bring a recording's bytes, in order, ahead of its readers but not too far. The states are
 * in audio-private.h. A stream's request is an attempt; when it has ended or failed, the next one
 * goes on at the stream's position.
 *
 * Threads: audio->lock is held for all of these.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/origin.h"
#include "net/retry.h"
#include "util/list.h"
#include "util/pool.h"
#include "util/remote.h"

struct audio;
struct audio_attempt;
struct audio_recording;
struct audio_waiting_read;

/* When no thread can be started, a stream tries again after this. */
#define AUDIO_NO_THREAD_MSECS 1000

/* Questions to ask over the network before the next request. */
enum {
	AUDIO_ASK_TIME = 1,  /* S3 called the clock wrong */
	AUDIO_ASK_CLASS = 2, /* S3 called it archived, and the catalog did not know */
	AUDIO_ASK_PLACE = 4, /* Twilio does not have it: another machine may have moved it */
	AUDIO_ASK_DENIAL = 8 /* S3 denied it: 403 is a missing key, too, unless one may list */
};

enum audio_stream_state { AUDIO_STREAM_STARTING, AUDIO_STREAM_RUNNING, AUDIO_STREAM_BACKOFF };

struct audio_stream {
	struct list link; /* recording->streams */
	struct audio_recording *recording;
	unsigned refs; /* the list has one, and the task */
	bool is_dead;  /* off the list */
	enum audio_stream_state state;
	struct pool_task task;
	struct audio_attempt *attempt; /* RUNNING */
	bool is_paused;
	unsigned reads; /* that wait for it */

	int64_t start_bytes, position_bytes; /* where it began; the next byte to come */
	int64_t end_bytes;                   /* of its request: S3's only, else the size */
	int64_t limit_bytes;                 /* goes no further while no read waits for it */
	int64_t window_bytes;                /* how far it may be ahead of its reader */
	int64_t reader_bytes;                /* the reader's position */
	int64_t used_msecs;                  /* when a reader last used its bytes */
	int64_t moved_msecs;                 /* when its last byte came */
	int64_t due_msecs;                   /* BACKOFF: when it starts again */
	bool has_moved;                      /* bytes came since the last failure */
	bool is_position_pinned;             /* while a read waits for it */

	/* Tries so far. */
	unsigned not_found;                            /* times that Twilio answered 404 */
	const struct audio_clients *waits_for_keys_of; /* BACKOFF until they are there */
	bool are_keys_renewed;     /* once: S3 refused the keys, and new ones were asked for */
	unsigned asks, asked;      /* AUDIO_ASK_…: for this request; S3's, each once */
	struct retry retry, busy;  /* after failures; while the origin is busy */
	struct remote_error error; /* of the last attempt */
	enum audio_from from;      /* the origin of the last attempt */
	bool has_older_bucket;     /* there is another bucket to ask */
};

/* ---- stream.c ---- */

/* A stream that brings the byte at the offset: a near one, or a new one. NULL: out of memory. */
struct audio_stream *audio_stream_for(struct audio_recording *recording, int64_t offset_bytes);
/* The near one, or NULL. */
struct audio_stream *audio_stream_near(struct audio_recording *recording, int64_t offset_bytes);
/* A new one in any case, started. NULL: out of memory. */
struct audio_stream *audio_stream_new(struct audio_recording *recording, int64_t offset_bytes,
				      int64_t end_bytes);
/* A read begins, and stops, to wait for it. */
void audio_stream_join(struct audio_stream *stream);
void audio_stream_leave(struct audio_stream *stream);
/* A reader has read, or waits for, the bytes before the end. */
void audio_streams_advance(struct audio_recording *recording, int64_t end_bytes);
/* Lets it go on to the end without a reader. */
void audio_stream_allow(struct audio_stream *stream, int64_t end_bytes);
void audio_stream_kill(struct audio_stream *stream);
void audio_stream_unref(struct audio_stream *stream);
/* Ends the least recently used idle stream if too many requests are idle. */
void audio_streams_drop_idle(struct audio *audio);
/* The timer's: starts what is due, ends what is unused. Returns when to look again. */
int64_t audio_streams_tick(struct audio_recording *recording, int64_t now_msecs);
/* n bytes have come for its position. False: they have to wait. */
bool audio_stream_wants(struct audio_stream *stream, size_t n);
/* It has to wait. True: it was ended instead, because other streams need connections. */
bool audio_stream_gives_way(struct audio_stream *stream);
void audio_stream_write(struct audio_stream *stream, const void *bytes, size_t n);

/* ---- stream-start.c ---- */

/* Sends its request, to the origin that the catalog names now. */
void audio_stream_start(struct audio_stream *stream);
/* AUDIO_ASK_…: what its last failure leaves open. */
unsigned audio_stream_questions(const struct audio_stream *stream);

/* ---- stream-end.c: after the end of its request ---- */

/* Forgets its failures. */
void audio_stream_try_anew(struct audio_stream *stream);
/* Its request has ended: starts again, backs off, fails its reads, or ends. */
void audio_stream_failed(struct audio_stream *stream, const struct remote_error *error,
			 struct list *finished);
/* Starts again at a later time. */
void audio_stream_back_off(struct audio_stream *stream, int64_t pause_msecs);
/* True if the origin was busy when it was asked last. */
bool audio_stream_was_busy(const struct audio_stream *stream);
/* For an origin that sends the whole recording each time: the first stream goes on alone. */
void audio_streams_merge(struct audio_recording *recording, struct list *finished);
/* Logs and remembers why a read fails. */
void audio_read_failed(const struct audio_waiting_read *read, enum audio_from from,
		       const struct remote_error *why, int err);

/* ---- attempt.c: one HTTP request of a stream ---- */

/* 0, or -errno: no callback will come. */
int audio_attempt_start(struct audio_stream *stream, struct audio_source *source);
/* Detaches it from its stream. The request is cancelled, unless so little of it is left that
 * keeping its connection is worth more. */
void audio_attempt_abandon(struct audio_attempt *attempt);
void audio_attempt_resume(struct audio_attempt *attempt);
void audio_attempts_cancel(struct audio *audio);
