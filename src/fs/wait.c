/*
 * Requests that are answered later.
 *
 * libfuse calls the interrupt function under the request's own lock, and
 * fuse_req_interrupt_func(NULL) takes that lock: when a claim has returned, the function is not
 * running and will not run.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/fs-private.h"
#include "fs/handle.h"
#include "fs/wait.h"

static void on_interrupt(fuse_req_t req, void *arg)
{
	struct fs_wait *wait = arg;
	uint64_t read_id;
	int begins = FS_WAIT_BEGINS;

	/* The interrupt came before fuse_req_interrupt_func, which calls this function. An answer
	 * now would free the request, and with it the lock that libfuse holds. */
	if (atomic_compare_exchange_strong(&wait->interrupt, &begins, FS_WAIT_WAS_INTERRUPTED))
		return;
	/* Safe: a claimer waits for the request's lock before it drops its own reference. */
	fs_wait_ref(wait);
	if (!atomic_exchange(&wait->is_claimed, true)) {
		atomic_store(&wait->interrupt, FS_WAIT_WAS_INTERRUPTED);
		read_id = atomic_load(&wait->read_id);
		if (read_id)
			audio_cancel(wait->handle->audio, read_id);
		fuse_reply_err(req, EINTR);
	}
	fs_wait_unref(wait);
}

struct fs_wait *fs_wait_new(fuse_req_t req, const struct catalog_node *node)
{
	struct fs_wait *wait = calloc(1, sizeof *wait);
	struct fs *fs = fs_of(req);

	if (fs_fails(req, wait ? 0 : -ENOMEM))
		return NULL;
	wait->fs = fs;
	wait->req = req;
	if (node)
		wait->node = *node;
	atomic_init(&wait->refs, 1);
	pthread_mutex_lock(&fs->lock);
	list_add(&fs->waits, &wait->link);
	pthread_mutex_unlock(&fs->lock);
	return wait;
}

struct fs_wait *fs_wait_ref(struct fs_wait *wait)
{
	atomic_fetch_add(&wait->refs, 1);
	return wait;
}

void fs_wait_unref(struct fs_wait *wait)
{
	struct fs *fs = wait->fs;

	if (atomic_fetch_sub(&wait->refs, 1) != 1)
		return;
	if (wait->handle)
		fs_handle_unref(fs, wait->handle);
	pthread_mutex_lock(&fs->lock);
	list_remove(&wait->link);
	free(wait);
	if (list_empty(&fs->waits))
		pthread_cond_broadcast(&fs->idle);
	pthread_mutex_unlock(&fs->lock);
}

bool fs_wait_interruptible(struct fs_wait *wait)
{
	int begins = FS_WAIT_BEGINS;

	fuse_req_interrupt_func(wait->req, on_interrupt, wait);
	if (atomic_compare_exchange_strong(&wait->interrupt, &begins, FS_WAIT_MAY_BE_INTERRUPTED))
		return true;
	fs_wait_reply_err(wait, -EINTR);
	return false;
}

bool fs_wait_was_interrupted(const struct fs_wait *wait)
{
	return atomic_load(&wait->interrupt) == FS_WAIT_WAS_INTERRUPTED;
}

bool fs_wait_claim(struct fs_wait *wait)
{
	if (atomic_exchange(&wait->is_claimed, true))
		return false;
	fuse_req_interrupt_func(wait->req, NULL, NULL);
	return true;
}

void fs_wait_reply_err(struct fs_wait *wait, int err)
{
	if (fs_wait_claim(wait))
		fs_reply_err(wait->req, err);
	fs_wait_unref(wait);
}

bool fs_wait_fails(struct fs_wait *wait, int err)
{
	if (err)
		fs_wait_reply_err(wait, err);
	return err;
}

void fs_wait_push(struct fs_wait *wait, struct pool *pool, void (*run)(struct pool_task *task))
{
	wait->task.run = run;
	fs_wait_fails(wait, pool_push(pool, &wait->task) ? -EINTR : 0);
}

/* Claims an unanswered request for the caller to answer. NULL: there is none. */
static fuse_req_t claim_any(struct fs *fs)
{
	fuse_req_t req = NULL;

	pthread_mutex_lock(&fs->lock);
	list_for_each_entry(struct fs_wait, wait, &fs->waits, link) {
		if (!atomic_exchange(&wait->is_claimed, true)) {
			req = wait->req;
			break;
		}
	}
	pthread_mutex_unlock(&fs->lock);
	return req;
}

void fs_waits_interrupt(struct fs *fs)
{
	fuse_req_t req;

	/* Not under fs->lock: answering takes libfuse's lock. */
	while ((req = claim_any(fs)))
		fuse_reply_err(req, EINTR);
}

void fs_waits_drain(struct fs *fs)
{
	pthread_mutex_lock(&fs->lock);
	while (!list_empty(&fs->waits))
		pthread_cond_wait(&fs->idle, &fs->lock);
	pthread_mutex_unlock(&fs->lock);
}
