/*
 * Requests that are answered later.
 *
 * Three may come first: the answer, an interrupt, the end of the mount. Whoever claims the wait
 * answers; the others only let go of it. libfuse calls the interrupt function under the request's
 * own lock, and fuse_req_interrupt_func(NULL) waits for that lock: so when a claim has returned,
 * the function is not running and will not.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/fs-private.h"

static void on_interrupt(fuse_req_t req, void *arg)
{
	struct fs_wait *wait = arg;
	struct fs_handle *handle = wait->handle;
	uint64_t read_id = atomic_load(&wait->read_id);

	if (atomic_exchange(&wait->is_claimed, true))
		return;
	/* From here on the wait may be gone; the handle stays until the read has been answered. */
	if (handle && read_id)
		audio_cancel(handle->audio, read_id);
	fuse_reply_err(req, EINTR);
}

struct fs_wait *fs_wait_new(struct fs *fs, fuse_req_t req)
{
	struct fs_wait *wait = calloc(1, sizeof *wait);

	if (!wait) {
		fuse_reply_err(req, ENOMEM);
		return NULL;
	}
	wait->fs = fs;
	wait->req = req;
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
	pthread_mutex_lock(&fs->lock);
	list_remove(&wait->link);
	free(wait);
	if (list_empty(&fs->waits))
		pthread_cond_broadcast(&fs->idle);
	pthread_mutex_unlock(&fs->lock);
}

void fs_wait_interruptible(struct fs_wait *wait)
{
	fuse_req_interrupt_func(wait->req, on_interrupt, wait);
}

bool fs_wait_claim(struct fs_wait *wait)
{
	if (atomic_exchange(&wait->is_claimed, true))
		return false;
	fuse_req_interrupt_func(wait->req, NULL, NULL);
	return true;
}

void fs_wait_reply_err(struct fs_wait *wait, int error)
{
	if (fs_wait_claim(wait))
		fs_reply_err(wait->req, error);
	fs_wait_unref(wait);
}

void fs_wait_push(struct fs_wait *wait, void (*run)(struct pool_task *task))
{
	wait->task.run = run;
	if (pool_push(&wait->fs->pool, &wait->task))
		fs_wait_reply_err(wait, -EINTR);
}

void fs_wait_push_remote(struct fs_wait *wait, void (*run)(struct pool_task *task))
{
	wait->task.run = run;
	if (pool_push(&wait->fs->remote_pool, &wait->task))
		fs_wait_reply_err(wait, -EINTR);
}

void fs_waits_interrupt(struct fs *fs)
{
	pthread_mutex_lock(&fs->lock);
	list_for_each (pos, &fs->waits) {
		struct fs_wait *wait = list_entry(pos, struct fs_wait, link);

		if (fs_wait_claim(wait))
			fuse_reply_err(wait->req, EINTR);
	}
	pthread_mutex_unlock(&fs->lock);
}

void fs_waits_drain(struct fs *fs)
{
	pthread_mutex_lock(&fs->lock);
	while (!list_empty(&fs->waits))
		pthread_cond_wait(&fs->idle, &fs->lock);
	pthread_mutex_unlock(&fs->lock);
}
