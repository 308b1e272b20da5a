/* Learns exact sizes by requesting the heads of files: batches, in parallel, folders in use first.
 * When Twilio answers 429, parallelism is halved and a pause is made. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/size.h"
#include "sync/sync-private.h"
#include "util/array.h"
#include "util/log.h"
#include "util/pool.h"
#include "util/times.h"
#include "util/wait.h"

#define BATCH 64
#define LOOK_AHEAD 256
#define THREADS_START 4
#define THREADS_MAX 8
#define TIMEOUT_MSECS 20000
#define BUSY_PAUSE_MSECS 2000
#define BUSY_PAUSE_LIMIT_MSECS 60000
/* Pause before a failed recording is retried; doubles with each failure. */
#define AGAIN_MSECS 60000
#define AGAIN_LIMIT_MSECS (6 * 3600 * 1000)
/* The same for a workspace that cannot be reached or whose key is refused. */
#define WORKSPACE_AGAIN_MSECS 30000
#define WORKSPACE_AGAIN_LIMIT_MSECS 600000
/* Clients are renewed after this time, because keys change. */
#define SESSION_MSECS 60000
/* A WAV head without samples. */
#define EMPTY_WAV_BYTES 44

struct later {
	int64_t recording_id, until_msecs;
	unsigned times;
};

struct place {
	int64_t workspace_id;
	struct sync_session *session; /* NULL: none */
	int64_t session_msecs;        /* when session was opened */
	int64_t blocked_until_msecs;
	unsigned times;
	bool was_reached, has_failed; /* in this batch */
};

struct item {
	struct catalog_recording recording;
	struct sync_session *session;
	int err;
	bool is_gone; /* at Twilio; its size cannot be learned there */
	struct remote_error error;
	struct twilio_media_info info;
};

struct sync_sizer {
	struct sync_env env;
	unsigned threads;
	unsigned busy_times;  /* batches in a row that Twilio answered with 429 */
	struct later *laters; /* by recording_id */
	size_t later_count;
	struct place *places;
	size_t place_count;
	struct item items[BATCH];
	size_t item_count;
	size_t rows;  /* returned by the catalog, used or not */
	int last_err; /* why some sizes are unknown; 0: none failed */
};

/* ---- recordings to retry later ---- */

static int by_recording(const void *a, const void *b)
{
	const struct later *x = a, *y = b;

	return (x->recording_id > y->recording_id) - (x->recording_id < y->recording_id);
}

/* NULL: it has not failed. */
static struct later *later_find(const struct sync_sizer *sizer, int64_t recording_id)
{
	const struct later wanted = { .recording_id = recording_id };

	if (!sizer->later_count)
		return NULL;
	return bsearch(&wanted, sizer->laters, sizer->later_count, sizeof wanted, by_recording);
}

static void later_add(struct sync_sizer *sizer, int64_t recording_id)
{
	struct later *known = later_find(sizer, recording_id);
	/* Without memory it is tried again sooner than it should be. */
	struct later *later = known ? known : array_add(&sizer->laters, &sizer->later_count);

	if (!later)
		return;
	later->recording_id = recording_id;
	later->until_msecs = time_mono_msecs() +
			     sync_plan_backoff(AGAIN_MSECS, later->times++, AGAIN_LIMIT_MSECS);
	if (!known)
		qsort(sizer->laters, sizer->later_count, sizeof *later, by_recording);
}

static void later_remove(struct sync_sizer *sizer, int64_t recording_id)
{
	struct later *later = later_find(sizer, recording_id);

	if (!later)
		return;
	sizer->later_count--;
	memmove(later, later + 1,
		(size_t)(sizer->laters + sizer->later_count - later) * sizeof *later);
}

/* ---- workspaces ---- */

static struct place *place_find(struct sync_sizer *sizer, int64_t workspace_id)
{
	struct place *place;

	for (size_t i = 0; i < sizer->place_count; i++)
		if (sizer->places[i].workspace_id == workspace_id)
			return &sizer->places[i];
	place = array_add(&sizer->places, &sizer->place_count);
	if (place)
		place->workspace_id = workspace_id;
	return place;
}

static void place_block(struct place *place)
{
	place->blocked_until_msecs =
		time_mono_msecs() + sync_plan_backoff(WORKSPACE_AGAIN_MSECS, place->times++,
						      WORKSPACE_AGAIN_LIMIT_MSECS);
	sync_session_close(place->session);
	place->session = NULL;
}

/* NULL: the workspace is blocked, or failed. */
static struct sync_session *place_session(struct sync_sizer *sizer, int64_t workspace_id)
{
	struct place *place = place_find(sizer, workspace_id);
	int64_t now = time_mono_msecs();

	if (!place || now < place->blocked_until_msecs)
		return NULL;
	/* Only between batches, because items point to the session. */
	if (sizer->item_count == 0 && now - place->session_msecs >= SESSION_MSECS) {
		sync_session_close(place->session);
		place->session = NULL;
	}
	if (place->session)
		return place->session;
	if (sync_session_open(&sizer->env, workspace_id, TIMEOUT_MSECS, &place->session) < 0)
		place_block(place);
	place->session_msecs = now;
	return place->session;
}

/* ---- a batch ---- */

static int on_unknown_size(void *arg, const struct catalog_recording *recording)
{
	struct sync_sizer *sizer = arg;
	const struct later *later = later_find(sizer, recording->id);
	struct sync_session *session;

	sizer->rows++;
	if (sizer->item_count == BATCH || (later && time_mono_msecs() < later->until_msecs))
		return 0;
	/* Recordings of a folder in use are listed twice. */
	for (size_t i = 0; i < sizer->item_count; i++)
		if (sizer->items[i].recording.id == recording->id)
			return 0;
	session = place_session(sizer, recording->workspace_id);
	if (!session)
		return 0;
	sizer->items[sizer->item_count++] =
		(struct item){ .recording = *recording, .session = session };
	return 0;
}

static int on_workspace(void *arg, const struct catalog_workspace *workspace)
{
	struct sync_sizer *sizer = arg;

	return place_find(sizer, workspace->id) ? 0 : -ENOMEM;
}

static int collect(struct sync_sizer *sizer)
{
	size_t limit = LOOK_AHEAD + sizer->later_count;
	int err;

	sizer->item_count = sizer->rows = 0;
	err = catalog_sizes_unknown(sizer->env.catalog, 0, limit, on_unknown_size, sizer);
	if (err < 0 || sizer->item_count || sizer->rows < limit)
		return err;
	/* All rows belong to blocked workspaces: ask for each other workspace. */
	err = catalog_workspace_each(sizer->env.catalog, false, on_workspace, sizer);
	for (size_t i = 0; i < sizer->place_count && err == 0 && !sizer->item_count; i++)
		if (time_mono_msecs() >= sizer->places[i].blocked_until_msecs)
			err = catalog_sizes_unknown(sizer->env.catalog,
						    sizer->places[i].workspace_id, limit,
						    on_unknown_size, sizer);
	return err;
}

static void probe_one(void *arg, size_t index)
{
	struct sync_sizer *sizer = arg;
	struct item *item = &sizer->items[index];
	const struct catalog_recording *recording = &item->recording;

	remote_error_clear(&item->error);
	if (cancel_is_set(sizer->env.cancel)) {
		item->err = -ECANCELED;
		return;
	}
	item->err = twilio_probe_media(item->session->twilio, &recording->sid,
				       recording->is_encrypted, recording->channels_requested,
				       catalog_recording_limit_bytes(recording), &item->info,
				       &item->error);
	/* An empty file of a recording with a duration is a fault of Twilio's, and must not become
	 * the file's size. */
	if (item->err == 0 && !recording->is_encrypted && recording->duration_secs > 1 &&
	    item->info.size_bytes <= EMPTY_WAV_BYTES) {
		remote_error_set(&item->error, REMOTE_INVALID, -EIO,
				 "an empty file, but a duration of %" PRId64 " seconds",
				 recording->duration_secs);
		item->err = -EIO;
	}
	if (item->error.kind == REMOTE_NOT_FOUND) {
		struct remote_error error;
		int err;
		/* If it was deleted at Twilio, the tree must not show it any longer. */
		enum sync_fate fate =
			sync_check_recording(item->session, &recording->sid, false, &err, &error);

		item->is_gone = fate == SYNC_FATE_GONE || fate == SYNC_FATE_FOUND_IN_S3;
	}
}

/* The failure concerns the workspace, not the recording. */
static bool is_of_place(const struct item *item)
{
	return item->error.kind == REMOTE_TRANSIENT || item->error.kind == REMOTE_UNCERTAIN ||
	       item->err == -EACCES;
}

static void log_failure(const struct item *item)
{
	char sid[SID_SIZE];

	sid_format(&item->recording.sid, "RE", sid);
	log_warning("sync: workspace %s: size of %s: %s", item->session->workspace.name, sid,
		    item->error.message);
}

/* Evaluates a batch: retries, blocked workspaces, parallelism. The pause to make. */
static int64_t settle(struct sync_sizer *sizer)
{
	bool was_busy = false;
	int64_t pause = 0, own;

	for (size_t i = 0; i < sizer->place_count; i++)
		sizer->places[i].was_reached = sizer->places[i].has_failed = false;
	for (size_t i = 0; i < sizer->item_count; i++) {
		struct item *item = &sizer->items[i];
		struct place *place = place_find(sizer, item->recording.workspace_id);

		if (item->err == 0) {
			later_remove(sizer, item->recording.id);
			place->was_reached = true;
		} else if (item->is_gone) {
			place->was_reached = true;
		} else if (item->err == -ECANCELED) {
			continue;
		} else if (item->error.kind == REMOTE_BUSY && item->error.status == 429) {
			was_busy = true;
			if (item->error.retry_after_msecs > pause)
				pause = item->error.retry_after_msecs;
		} else {
			if (is_of_place(item))
				place->has_failed = true;
			else
				log_failure(item);
			later_add(sizer, item->recording.id);
			sizer->last_err = item->err;
		}
	}
	for (size_t i = 0; i < sizer->place_count; i++) {
		struct place *place = &sizer->places[i];

		if (place->was_reached)
			place->times = 0;
		else if (place->has_failed)
			place_block(place);
	}
	if (!was_busy) {
		sizer->busy_times = 0;
		if (sizer->threads < THREADS_MAX)
			sizer->threads++;
		return 0;
	}
	sizer->threads = sizer->threads > 1 ? sizer->threads / 2 : 1;
	own = sync_plan_backoff(BUSY_PAUSE_MSECS, sizer->busy_times++, BUSY_PAUSE_LIMIT_MSECS);
	return pause > own ? pause : own;
}

static int store(struct sync_sizer *sizer, int64_t *ret_learned)
{
	struct catalog_size sizes[BATCH];
	size_t count = 0;
	int err;

	for (size_t i = 0; i < sizer->item_count; i++) {
		const struct item *item = &sizer->items[i];

		if (item->err < 0)
			continue;
		sizes[count++] = (struct catalog_size){
			.recording_id = item->recording.id,
			.size_bytes = item->info.size_bytes,
			.channels_requested = item->info.channels_requested,
			.channels_stored = item->info.channels_stored,
		};
	}
	if (!count)
		return 0;
	err = catalog_sizes_set(sizer->env.catalog, sizes, count);
	if (err == 0)
		*ret_learned = (int64_t)count;
	return err;
}

int sync_sizer_step(struct sync_sizer *sizer, int64_t *ret_learned, bool *ret_left)
{
	int64_t pause;
	int err = collect(sizer);

	*ret_learned = 0;
	*ret_left = false;
	if (err < 0 || !sizer->item_count)
		return err;
	parallel_for(sizer->item_count, sizer->threads, probe_one, sizer);
	err = store(sizer, ret_learned);
	pause = settle(sizer);
	sizer->item_count = 0;
	if (err < 0)
		return err;
	*ret_left = true;
	if (pause)
		sleep_msecs(pause, sizer->env.cancel);
	return cancel_is_set(sizer->env.cancel) ? -ECANCELED : 0;
}

/* ---- life ---- */

int sync_sizer_new(const struct sync_env *env, struct sync_sizer **ret_sizer)
{
	struct sync_sizer *sizer = calloc(1, sizeof *sizer);

	if (!sizer)
		return -ENOMEM;
	sizer->env = *env;
	sizer->threads = THREADS_START;
	*ret_sizer = sizer;
	return 0;
}

void sync_sizer_free(struct sync_sizer *sizer)
{
	if (!sizer)
		return;
	for (size_t i = 0; i < sizer->place_count; i++)
		sync_session_close(sizer->places[i].session);
	free(sizer->places);
	free(sizer->laters);
	free(sizer);
}

int sync_sizes(const struct sync_env *env, int64_t *ret_learned)
{
	struct sync_sizer *sizer = NULL;
	bool left = true;
	int err = sync_sizer_new(env, &sizer);

	*ret_learned = 0;
	while (err == 0 && left) {
		int64_t learned;

		err = sync_sizer_step(sizer, &learned, &left);
		*ret_learned += learned;
	}
	if (err == 0)
		err = sizer->last_err;
	sync_sizer_free(sizer);
	return err;
}
