/* Lists calls and recordings: a queue of time windows, worked off by a few threads. A long window
 * is split while threads are idle, and its parts are queued. Its pages have been written already;
 * writing them again changes nothing. */
#include <errno.h>
#include <stdlib.h>

#include "sync/sync-private.h"
#include "util/cleanup.h"
#include "util/list.h"
#include "util/pool.h"
#include "util/wait.h"

#define PAGE_SIZE 1000
/* A later split would waste more pages than it saves. */
#define SPLIT_MAX_PAGES 4
/* After so many failed windows in a row, the rest would fail, too. */
#define MAX_FAILURES_RUNNING 3
/* Returned by a page's callback to end its window; not an errno. */
#define ENDS_TO_SPLIT 1

enum kind { KIND_CALLS, KIND_RECORDINGS, KIND_COUNT };

struct task {
	struct list link;
	enum kind kind;
	struct twilio_window window;
};

struct lister {
	struct sync_run *run;
	unsigned threads;

	/* Under run->lock. */
	pthread_cond_t changed;
	struct list queue;
	unsigned queued, running, failures_running;
	bool is_stopped;
	bool has_failed[KIND_COUNT];
};

/* A window while it is listed. */
struct listing {
	struct lister *lister;
	const struct task *task;
	unsigned pages;
	int64_t calls_cut; /* of this page */
	int catalog_err;
	struct twilio_window parts[SYNC_MAX_PARTS]; /* listed instead of the rest */
	size_t part_count;
};

/* ---- the queue; run->lock is held ---- */

static int push(struct lister *lister, enum kind kind, const struct twilio_window *window)
{
	struct task *task = malloc(sizeof *task);

	if (!task)
		return -ENOMEM;
	task->kind = kind;
	task->window = *window;
	list_add(&lister->queue, &task->link);
	lister->queued++;
	lister->run->stats.windows_total++;
	return 0;
}

static struct task *pop(struct lister *lister)
{
	struct task *task = list_entry(lister->queue.next, struct task, link);

	list_remove(&task->link);
	lister->queued--;
	return task;
}

static bool wants_split(const struct lister *lister, const struct listing *listing, size_t count)
{
	const struct twilio_window *window = &listing->task->window;

	if (count < PAGE_SIZE || listing->pages > SPLIT_MAX_PAGES)
		return false;
	/* Everything, and more than a page: a single thread would work on it when all others are
	 * idle. */
	if (!window->since_secs && !window->until_secs)
		return true;
	return lister->queued == 0 && lister->running < lister->threads;
}

/* ---- pages ---- */

/* After a page was written, or the write failed. */
static int finish_page(struct listing *listing, size_t count, int err,
		       const struct catalog_apply_stats *applied)
{
	struct lister *lister = listing->lister;
	struct sync_run *run = lister->run;
	int64_t now;
	int verdict = err;

	listing->catalog_err = err;
	listing->pages++;
	pthread_mutex_lock(&run->lock);
	run->stats.calls_cut += listing->calls_cut;
	listing->calls_cut = 0;
	if (err == 0) {
		catalog_apply_stats_add(&run->stats.applied, applied);
		run->stats.pages++;
		if (listing->task->kind == KIND_CALLS)
			run->stats.calls_seen += (int64_t)count;
		else
			run->stats.recordings_seen += (int64_t)count;
		sync_run_progress(run, false);
		twilio_client_now(run->session->twilio, &now);
		if (lister->is_stopped)
			verdict = -ECANCELED;
		else if (wants_split(lister, listing, count))
			listing->part_count = sync_plan_split(&listing->task->window,
							      lister->threads, now, listing->parts);
		if (verdict == 0 && listing->part_count)
			verdict = ENDS_TO_SPLIT;
	}
	pthread_mutex_unlock(&run->lock);
	if (verdict == 0 && run->options.page_pause_msecs &&
	    !sleep_msecs(run->options.page_pause_msecs, run->session->env->cancel))
		verdict = -ECANCELED;
	return verdict;
}

static int on_calls(void *arg, const struct twilio_call *calls, size_t count)
{
	struct listing *listing = arg;
	struct sync_run *run = listing->lister->run;
	cleanup_free struct catalog_call_input *inputs = calloc(count, sizeof *inputs);
	struct catalog_apply_stats applied = { 0 };
	size_t used = 0;
	int err = inputs ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && err == 0; i++) {
		/* Child legs are not listed as calls. */
		if (!sid_is_zero(&calls[i].parent_call_sid))
			continue;
		sync_convert_call(&calls[i], &inputs[used++]);
		listing->calls_cut += calls[i].is_cut;
	}
	if (used) {
		pthread_mutex_lock(&run->write_lock);
		err = catalog_calls_apply(run->session->env->catalog, run->session->workspace.id,
					  inputs, used, &applied);
		pthread_mutex_unlock(&run->write_lock);
	}
	return finish_page(listing, count, err, &applied);
}

/* Handles a recording that is deleted at Twilio, or removed by another machine (is_removed is set).
 * *ret_write: write it now. A recording that another machine migrated is deleted at Twilio but is
 * in S3: it is queued for a check before that is decided. */
static int judge_special(struct sync_run *run, struct catalog_recording_input *input,
			 bool *ret_write)
{
	struct catalog_recording known;
	bool may_come;
	int err;

	*ret_write = true;
	if (!run->session->s3)
		return 0;
	if (!input->is_deleted && sync_tombstones_rule_out(run, &input->sid))
		return 0;
	err = catalog_recording_find(run->session->env->catalog, &input->sid, &known);
	if (err < 0 && err != -ENOENT)
		return err;
	/* Only recordings that could become a file now are worth a request. */
	may_come = err == -ENOENT || (input->is_deleted && known.state == CATALOG_STATE_TWILIO);
	if (may_come && sync_tombstone_is_there(run, &input->sid)) {
		input->is_removed = true;
		pthread_mutex_lock(&run->lock);
		run->stats.removed_elsewhere++;
		pthread_mutex_unlock(&run->lock);
		return 0;
	}
	if (!input->is_deleted)
		return 0;
	/* An unknown recording is written, because the check needs its row; a TWILIO one is written
	 * by the check. */
	if (err == 0 && known.state == CATALOG_STATE_TWILIO)
		*ret_write = false;
	if (err == -ENOENT || known.state == CATALOG_STATE_TWILIO ||
	    (known.state == CATALOG_STATE_MISSING && run->stats.is_full))
		return sync_run_add_check(run, &input->sid, true);
	return 0;
}

static int note_seen(struct sync_run *run, const struct twilio_recording *recordings, size_t count)
{
	int err = 0;

	if (!run->stats.is_full)
		return 0;
	pthread_mutex_lock(&run->lock);
	for (size_t i = 0; i < count && err == 0; i++)
		err = sync_sids_add(&run->seen, &recordings[i].sid);
	pthread_mutex_unlock(&run->lock);
	return err;
}

static int on_recordings(void *arg, const struct twilio_recording *recordings, size_t count)
{
	struct listing *listing = arg;
	struct sync_run *run = listing->lister->run;
	cleanup_free struct catalog_recording_input *inputs = calloc(count, sizeof *inputs);
	struct catalog_apply_stats applied = { 0 };
	size_t used = 0;
	int err = inputs ? note_seen(run, recordings, count) : -ENOMEM;

	for (size_t i = 0; i < count && err == 0; i++) {
		bool write;

		sync_convert_recording(&recordings[i], &inputs[used]);
		err = judge_special(run, &inputs[used], &write);
		used += write;
	}
	if (err == 0 && used) {
		pthread_mutex_lock(&run->write_lock);
		err = catalog_recordings_apply(run->session->env->catalog,
					       run->session->workspace.id, inputs, used, &applied);
		pthread_mutex_unlock(&run->write_lock);
	}
	return finish_page(listing, count, err, &applied);
}

/* ---- windows ---- */

static int list_window(struct listing *listing, struct remote_error *ret_error)
{
	const struct task *task = listing->task;
	struct twilio_client *twilio = listing->lister->run->session->twilio;

	if (task->kind == KIND_CALLS)
		return twilio_list_calls(twilio, &task->window, on_calls, listing, ret_error);
	return twilio_list_recordings(twilio, &task->window, true, on_recordings, listing,
				      ret_error);
}

/* run->lock is held. */
static int push_parts(struct lister *lister, const struct listing *listing)
{
	int err = 0;

	/* The newest first: users wait for those. */
	for (size_t i = listing->part_count; i && err == 0; i--)
		err = push(lister, listing->task->kind, &listing->parts[i - 1]);
	return err;
}

/* The run must end: the key is refused, the catalog cannot be written, or it was cancelled. */
static bool is_final(const struct listing *listing, int err, const struct remote_error *error)
{
	return listing->catalog_err < 0 || err == -ECANCELED || err == -ENOMEM || err == -EACCES ||
	       error->kind == REMOTE_CANCELLED;
}

/* run->lock is held. */
static void window_done(struct lister *lister, struct listing *listing, int err,
			const struct remote_error *error)
{
	struct sync_run *run = lister->run;

	if (err == ENDS_TO_SPLIT) {
		run->stats.windows_total--;
		err = push_parts(lister, listing);
		if (err == 0)
			return;
		listing->catalog_err = err;
	}
	if (err == 0) {
		run->stats.windows_done++;
		lister->failures_running = 0;
		return;
	}
	run->stats.windows_failed++;
	lister->has_failed[listing->task->kind] = true;
	sync_run_fail_locked(run, err, error);
	if (is_final(listing, err, error) || ++lister->failures_running >= MAX_FAILURES_RUNNING)
		lister->is_stopped = true;
}

static void work(void *arg, size_t index)
{
	struct lister *lister = arg;
	struct sync_run *run = lister->run;

	pthread_mutex_lock(&run->lock);
	for (;;) {
		struct listing listing = { .lister = lister };
		struct remote_error error;
		struct task *task;
		int err;

		while (list_empty(&lister->queue) && lister->running && !lister->is_stopped)
			pthread_cond_wait(&lister->changed, &run->lock);
		if (list_empty(&lister->queue) || lister->is_stopped)
			break;
		task = pop(lister);
		lister->running++;
		pthread_mutex_unlock(&run->lock);

		listing.task = task;
		err = list_window(&listing, &error);

		pthread_mutex_lock(&run->lock);
		lister->running--;
		window_done(lister, &listing, err, &error);
		free(task);
		sync_run_progress(run, false);
		pthread_cond_broadcast(&lister->changed);
	}
	pthread_cond_broadcast(&lister->changed);
	pthread_mutex_unlock(&run->lock);
}

void sync_list(struct sync_run *run)
{
	const struct twilio_window calls = { run->calls_since_secs, 0 },
				   recordings = { run->recordings_since_secs, 0 };
	struct lister lister = { .run = run, .threads = run->options.threads };
	int err;

	list_init(&lister.queue);
	pthread_cond_init(&lister.changed, NULL);
	pthread_mutex_lock(&run->lock);
	err = push(&lister, KIND_CALLS, &calls);
	if (err == 0)
		err = push(&lister, KIND_RECORDINGS, &recordings);
	sync_run_fail_locked(run, err, NULL);
	lister.is_stopped = err < 0;
	pthread_mutex_unlock(&run->lock);
	if (err == 0)
		parallel_for(lister.threads, lister.threads, work, &lister);
	run->calls_complete = !lister.is_stopped && !lister.has_failed[KIND_CALLS];
	run->recordings_complete = !lister.is_stopped && !lister.has_failed[KIND_RECORDINGS];
	while (!list_empty(&lister.queue))
		free(pop(&lister));
	pthread_cond_destroy(&lister.changed);
}
