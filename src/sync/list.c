/*
 * Listing: windows of both lists in a queue, worked off by a few threads. A window that turns out
 * to be long, while somebody is idle, is put back in smaller pieces; the pages it has given are
 * written already, and writing them again changes nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "sync/sync-private.h"
#include "util/cleanup.h"
#include "util/list.h"
#include "util/pool.h"
#include "util/wait.h"

#define PAGE_SIZE 1000
/* Cutting later than this would throw more away than it gains. */
#define SPLIT_MAX_PAGES 4
/* So many windows failed one after the other: the rest would, too. */
#define MAX_FAILURES_RUNNING 3
/* What a page's callback says to end its window early; no errno. */
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

/* One window while it is listed. */
struct listing {
	struct lister *lister;
	const struct task *task;
	unsigned pages;
	int catalog_rc;
	struct twilio_window parts[SYNC_MAX_PARTS]; /* what is listed instead of it */
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
	/* Everything, and more than a page of it: one thread alone would be at it when all others
	 * are done. */
	if (!window->since_secs && !window->until_secs)
		return true;
	return lister->queued == 0 && lister->running < lister->threads;
}

/* ---- pages ---- */

/* After a page was written, or could not be. */
static int finish_page(struct listing *listing, size_t count, int rc,
		       const struct catalog_apply_stats *applied)
{
	struct lister *lister = listing->lister;
	struct sync_run *run = lister->run;
	int64_t now;
	int verdict = rc;

	listing->catalog_rc = rc;
	listing->pages++;
	pthread_mutex_lock(&run->lock);
	if (rc == 0) {
		struct catalog_apply_stats *sum = &run->stats.applied;

		sum->calls_new += applied->calls_new;
		sum->calls_changed += applied->calls_changed;
		sum->recordings_new += applied->recordings_new;
		sum->recordings_changed += applied->recordings_changed;
		sum->recordings_listed += applied->recordings_listed;
		sum->recordings_unlisted += applied->recordings_unlisted;
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
	size_t used = 0, cut = 0;
	int rc = 0;

	if (!inputs)
		return listing->catalog_rc = -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		/* A child leg is no call of its own. */
		if (!sid_is_zero(&calls[i].parent_call_sid))
			continue;
		sync_convert_call(&calls[i], &inputs[used++]);
		cut += calls[i].is_cut;
	}
	if (cut) {
		pthread_mutex_lock(&run->lock);
		run->stats.calls_cut += (int64_t)cut;
		pthread_mutex_unlock(&run->lock);
	}
	if (used) {
		pthread_mutex_lock(&run->write_lock);
		rc = catalog_calls_apply(run->session->env->catalog, run->session->workspace.id,
					 inputs, used, &applied);
		pthread_mutex_unlock(&run->write_lock);
	}
	return finish_page(listing, count, rc, &applied);
}

/*
 * What is to be done with a recording that Twilio calls deleted, or that another machine has
 * removed, which is noted in the input. True: write it now. One that was deleted after a migration by another machine is in S3,
 * so that is looked at first where it matters.
 */
static int judge_special(struct sync_run *run, struct catalog_recording_input *input,
			 bool *ret_write)
{
	struct catalog_recording known;
	bool may_come;
	int rc;

	*ret_write = true;
	if (!run->session->s3)
		return 0;
	if (!input->is_deleted && sync_tombstones_rule_out(run, &input->sid))
		return 0;
	rc = catalog_recording_find(run->session->env->catalog, &input->sid, &known);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	/* Only of what could become a file now it is asked; of the rest a full one learns. */
	may_come = rc == -ENOENT || (input->is_deleted && known.state == CATALOG_STATE_TWILIO);
	if (may_come && sync_tombstone_is_there(run, &input->sid)) {
		input->is_removed = true;
		pthread_mutex_lock(&run->lock);
		run->stats.removed_elsewhere++;
		pthread_mutex_unlock(&run->lock);
		return 0;
	}
	if (!input->is_deleted)
		return 0;
	/* Unknown: its row is written, so that there is something to look up; TWILIO: only after
	 * the look. */
	if (rc == 0 && known.state == CATALOG_STATE_TWILIO)
		*ret_write = false;
	if (rc == -ENOENT || known.state == CATALOG_STATE_TWILIO ||
	    (known.state == CATALOG_STATE_MISSING && run->stats.is_full))
		return sync_run_add_check(run, &input->sid, true);
	return 0;
}

static int note_seen(struct sync_run *run, const struct twilio_recording *recordings, size_t count)
{
	int rc = 0;

	if (!run->stats.is_full)
		return 0;
	pthread_mutex_lock(&run->lock);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = sync_sids_add(&run->seen, &recordings[i].sid);
	pthread_mutex_unlock(&run->lock);
	return rc;
}

static int on_recordings(void *arg, const struct twilio_recording *recordings, size_t count)
{
	struct listing *listing = arg;
	struct sync_run *run = listing->lister->run;
	cleanup_free struct catalog_recording_input *inputs = calloc(count, sizeof *inputs);
	struct catalog_apply_stats applied = { 0 };
	size_t used = 0;
	int rc = inputs ? note_seen(run, recordings, count) : -ENOMEM;

	for (size_t i = 0; i < count && rc == 0; i++) {
		bool write;

		sync_convert_recording(&recordings[i], &inputs[used]);
		rc = judge_special(run, &inputs[used], &write);
		used += write;
	}
	if (rc == 0 && used) {
		pthread_mutex_lock(&run->write_lock);
		rc = catalog_recordings_apply(run->session->env->catalog,
					      run->session->workspace.id, inputs, used, &applied);
		pthread_mutex_unlock(&run->write_lock);
	}
	return finish_page(listing, count, rc, &applied);
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
	int rc = 0;

	/* The newest first: that is what somebody waits for. */
	for (size_t i = listing->part_count; i && rc == 0; i--)
		rc = push(lister, listing->task->kind, &listing->parts[i - 1]);
	return rc;
}

/* No use in going on: the key is refused, the catalog cannot be written, or nobody wants it any
 * more. */
static bool is_final(const struct listing *listing, int rc, const struct remote_error *error)
{
	return listing->catalog_rc < 0 || rc == -ECANCELED || rc == -ENOMEM || rc == -EACCES ||
	       error->kind == REMOTE_CANCELLED;
}

/* run->lock is held. */
static void window_done(struct lister *lister, struct listing *listing, int rc,
			const struct remote_error *error)
{
	struct sync_run *run = lister->run;

	if (rc == ENDS_TO_SPLIT) {
		run->stats.windows_total--;
		rc = push_parts(lister, listing);
		if (rc == 0)
			return;
		listing->catalog_rc = rc;
	}
	if (rc == 0) {
		run->stats.windows_done++;
		lister->failures_running = 0;
		return;
	}
	run->stats.windows_failed++;
	lister->has_failed[listing->task->kind] = true;
	sync_run_fail(run, rc, error);
	if (is_final(listing, rc, error) || ++lister->failures_running >= MAX_FAILURES_RUNNING)
		lister->is_stopped = true;
}

static void work(void *arg, size_t index)
{
	struct lister *lister = arg;
	struct sync_run *run = lister->run;

	(void)index;
	pthread_mutex_lock(&run->lock);
	for (;;) {
		struct listing listing = { .lister = lister };
		struct remote_error error;
		struct task *task;
		int rc;

		while (list_empty(&lister->queue) && lister->running && !lister->is_stopped)
			pthread_cond_wait(&lister->changed, &run->lock);
		if (list_empty(&lister->queue) || lister->is_stopped)
			break;
		task = pop(lister);
		lister->running++;
		pthread_mutex_unlock(&run->lock);

		listing.task = task;
		rc = list_window(&listing, &error);

		pthread_mutex_lock(&run->lock);
		lister->running--;
		window_done(lister, &listing, rc, &error);
		free(task);
		sync_run_progress(run, false);
		pthread_cond_broadcast(&lister->changed);
	}
	pthread_cond_broadcast(&lister->changed);
	pthread_mutex_unlock(&run->lock);
}

void sync_list(struct sync_run *run, int64_t calls_since_secs, int64_t recordings_since_secs,
	       bool *ret_calls_complete, bool *ret_recordings_complete)
{
	const struct twilio_window calls = { calls_since_secs, 0 },
				   recordings = { recordings_since_secs, 0 };
	struct lister lister = { .run = run, .threads = run->options.threads };
	int rc;

	list_init(&lister.queue);
	pthread_cond_init(&lister.changed, NULL);
	pthread_mutex_lock(&run->lock);
	rc = push(&lister, KIND_CALLS, &calls);
	if (rc == 0)
		rc = push(&lister, KIND_RECORDINGS, &recordings);
	if (rc < 0)
		sync_run_fail(run, rc, NULL);
	pthread_mutex_unlock(&run->lock);
	if (rc == 0)
		parallel_for(lister.threads, lister.threads, work, &lister);
	*ret_calls_complete = rc == 0 && !lister.is_stopped && !lister.has_failed[KIND_CALLS];
	*ret_recordings_complete =
		rc == 0 && !lister.is_stopped && !lister.has_failed[KIND_RECORDINGS];
	while (!list_empty(&lister.queue))
		free(pop(&lister));
	pthread_cond_destroy(&lister.changed);
}
