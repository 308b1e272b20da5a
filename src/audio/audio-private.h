/*
 * Shared by the files of this room.
 *
 * An open recording has blocks (its bytes in memory, from either origin), reads that wait for
 * bytes, and streams that bring them. The states of a stream:
 *
 *   STARTING  a starter thread asks the catalog where the bytes are and sends the request
 *   RUNNING   an attempt (one HTTP request) brings bytes; it is paused when it is far enough ahead
 *             of its readers
 *   BACKOFF   an attempt failed; the next one begins when the pause is over
 *
 * A stream outlives its attempts and always continues at the byte it has reached, wherever that
 * byte is by then. It fails when its retries are used up or when no read waits for it any more.
 * While its origin is busy it retries with growing pauses until the deadline of the reads that
 * wait. One lock guards all of it: the HTTP engine's callbacks come one at a time anyway.
 *
 * Lock order: audio->lock, then the locks of the catalog, net and the pools. The lock is never held
 * during a caller's callback, a catalog write or a blocking request.
 */
#pragma once

#include <pthread.h>

#include "audio/ahead.h"
#include "audio/audio.h"
#include "audio/block.h"
#include "audio/heads.h"
#include "audio/origin.h"
#include "audio/reasons.h"
#include "audio/span.h"
#include "audio/stats.h"
#include "audio/stream.h"
#include "audio/turn.h"
#include "catalog/recording.h"
#include "util/cancel.h"
#include "util/list.h"
#include "util/pool.h"

static inline int64_t audio_min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct audio {
	struct catalog *catalog;
	struct http *http;
	struct audio_settings settings;
	struct cancel cancel; /* ends blocking requests */

	pthread_mutex_t lock; /* guards the following fields, and all that they point to */
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
	struct audio_stats stats; /* those that are not counted elsewhere */
	struct list recordings;   /* open, fetched ahead, or kept for their heads */
	struct list questions;    /* for sizes; size.c */
	struct list workspaces;
	struct list attempt_list; /* requests whose on_done is still to come */
	unsigned attempts;        /* of attempt_list */
	unsigned streams;
	unsigned reading; /* streams that a read waits for */
	uint64_t last_read_id;

	struct audio_reasons reasons; /* has a lock of its own */

	struct pool starters;   /* never wait for the network */
	struct pool probers;    /* wait for the network */
	struct pool key_askers; /* wait for the network and for programs; one per workspace */
};

/* An open recording, shared by its handles. References: the handles have one together (while there
 * are none, the read-ahead or the cache of heads has it), each stream has one, and each answer
 * while it is delivered, which pins its blocks. */
struct audio_recording {
	struct list link; /* audio->recordings */
	struct audio *audio;
	int64_t id, folder_id, size_bytes;
	struct audio_workspace *workspace;
	struct sid sid;
	unsigned refs;
	unsigned files; /* handles; 0: fetched ahead, or kept for its head */
	struct audio_blocks blocks;
	struct list reads; /* that wait */
	struct list streams;
	struct audio_hint hint;
	bool was_served_by_s3;
	bool is_in_s3;                          /* by the catalog, when it was opened */
	unsigned reading;                       /* streams that a read waits for */
	size_t turns_bytes;                     /* held by its reads; turn.c */
	int64_t read_bytes;                     /* the end of the furthest read */
	int64_t run_start_bytes, run_end_bytes; /* read in a row; span.c */

	struct audio_fetched fetched; /* ahead.c */
	bool was_fetched;             /* ahead of the open */
	bool is_noted;                /* a read of it was counted */
	bool is_by_lister;            /* its reader has listed the folder */

	struct list head_link; /* heads.c */
	bool is_head;
};

/* The origin that its bytes are likely to come from. */
static inline enum audio_from audio_origin_of(const struct audio_recording *recording)
{
	return recording->is_in_s3 ? AUDIO_FROM_S3 : AUDIO_FROM_TWILIO;
}

/* After a failed readahead the kernel reads again, page by page: those reads get the same error. */
struct audio_failure {
	int64_t begin_bytes, end_bytes, until_msecs;
	int err;
};
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
	uint64_t id;
	int64_t offset_bytes, end_bytes, since_msecs, deadline_msecs;
	audio_read_fn *callback;
	void *arg;

	/* The origin's answers before the read gave its turn to others. */
	int origin_err;           /* 0: nothing */
	unsigned busy_tried;      /* times that it was busy */
	int64_t not_before_msecs; /* it must not be asked before this time */

	/* The result. */
	int err;
	struct audio_recording *recording; /* a reference, if it has parts; else NULL */
	unsigned part_count;
	struct iovec parts[];
};

/* ---- read.c; lock held for all but audio_reads_deliver ---- */

/* The first of its bytes that is not in memory, or its end. */
int64_t audio_read_missing(const struct audio_waiting_read *read);
/* Finishes the reads whose bytes are all there. */
void audio_reads_check(struct audio_recording *recording, struct list *finished);
/* err: 0 or -errno. The read goes to *finished. */
void audio_read_finish(struct audio_waiting_read *read, int err, struct list *finished);
/* Lock not held. Calls back, and lets those reads begin that waited for these. */
void audio_reads_deliver(struct audio *audio, struct list *finished);
/* The timer's: ends the reads whose deadline has passed. Returns when to look again. */
int64_t audio_reads_tick(struct audio_recording *recording, int64_t now_msecs,
			 struct list *finished);

/* ---- audio.c; lock held ---- */

/* Makes the timer look at this time, at the latest. */
void audio_timer_wake(struct audio *audio, int64_t at_msecs);
/* size_bytes -1: any. NULL: none of its bytes are here. */
struct audio_recording *audio_recording_find(struct audio *audio, int64_t id, int64_t size_bytes);
/* row: id, workspace_id, folder_id, sid, state. */
int audio_recording_new(struct audio *audio, const struct catalog_recording *row,
			int64_t size_bytes, struct audio_recording **ret_recording);
/* Ends its streams. */
void audio_recording_end_streams(struct audio_recording *recording);
/* After its last handle, read-ahead or head is gone. */
void audio_recording_end(struct audio_recording *recording);
void audio_recording_unref(struct audio_recording *recording);

/* ---- why.c; the lock may be held ---- */

struct audio_subject {
	int64_t recording_id;
	struct sid sid;
	const char *workspace; /* NULL: not logged, because the origin's failure has been */
	int64_t offset_bytes;  /* as in struct audio_reason */
};
/* Logs why a recording cannot be read, and remembers it for user.tonicfs.why. */
void audio_note_failed(struct audio *audio, const struct audio_subject *of, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a request to an origin: "WHAT: err in words: *error (its code); advice". */
void audio_note_error(struct audio *audio, const struct audio_subject *of, enum audio_from from,
		      const char *what, int err, const struct remote_error *error);

/* ---- stats.c; lock held ---- */

void audio_stats_count(struct audio *audio, enum audio_from from, enum remote_kind kind);

/* ---- size.c ---- */

/* True if the size is known, and the recording's duration allows it. */
bool audio_size_is_possible(const struct catalog_recording *recording);
/* Lock held for these two. */
int64_t audio_sizes_tick(struct audio *audio, int64_t now_msecs, struct list *finished);
void audio_sizes_fail_all(struct audio *audio, struct list *finished);
/* Lock not held. */
void audio_sizes_deliver(struct list *finished);
