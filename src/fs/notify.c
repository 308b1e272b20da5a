/*
 * Tells the kernel what to invalidate after changes of the catalog, by this process or another one.
 *
 * The thread holds no lock meanwhile: the kernel takes the folder's lock, which a request may hold
 * that this mount has yet to answer. Invalidating a file's pages may wait for reads that wait for
 * the network, so that runs in the pool and does not hold up removals.
 */
#include <stdlib.h>
#include <string.h>

#include "catalog/change.h"
#include "fs/fs-private.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/wait.h"

#define WAIT_MSECS 60000 /* the catalog ends the wait when something has changed */
#define BATCH 512
#define PAUSE_MSECS 1000

struct batch {
	size_t count;
	struct catalog_change changes[BATCH];
};

static int collect(void *arg, const struct catalog_change *change)
{
	struct batch *batch = arg;

	batch->changes[batch->count++] = *change;
	return batch->count == BATCH;
}

struct content_task {
	struct pool_task task;
	struct fuse_session *session;
	fuse_ino_t inode;
};

static void run_content(struct pool_task *task)
{
	struct content_task *content = list_entry(task, struct content_task, task);

	fuse_lowlevel_notify_inval_inode(content->session, content->inode, 0, 0);
	free(content);
}

static void forget_content(struct fs *fs, fuse_ino_t inode)
{
	struct content_task *content = malloc(sizeof *content);

	if (!content)
		return;
	*content = (struct content_task){ .task.run = run_content,
					  .session = fs->session,
					  .inode = inode };
	if (pool_push(&fs->pool, &content->task))
		free(content);
}

/* Ignores errors: -ENOENT says that the kernel has nothing cached; others follow an unmount. */
static void notify(struct fs *fs, const struct catalog_change *change)
{
	const char *name = fs->names == CATALOG_NAMES_SID ? change->sid_name : change->name;

	switch (change->kind) {
	case CATALOG_CHANGE_ENTRY_GONE:
		fuse_lowlevel_notify_inval_entry(fs->session, change->parent, name, strlen(name));
		break;
	case CATALOG_CHANGE_ATTRIBUTES:
		fuse_lowlevel_notify_inval_inode(fs->session, change->inode, -1, 0);
		break;
	case CATALOG_CHANGE_CONTENT:
		forget_content(fs, change->inode);
		break;
	}
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct batch *batch = malloc(sizeof *batch);
	uint64_t generation = 0;
	int64_t seq = -1;

	while (batch && !atomic_load(&fs->is_stopping)) {
		int err = 0;

		if (seq < 0)
			err = catalog_change_last(fs->catalog, &seq);
		batch->count = 0;
		if (!err)
			err = catalog_change_each(fs->catalog, seq, collect, batch);
		if (err < 0) {
			log_error("catalog: changes cannot be read: %s", strerror(-err));
			sleep_msecs(PAUSE_MSECS, NULL);
			continue;
		}
		for (size_t i = 0; i < batch->count; i++)
			notify(fs, &batch->changes[i]);
		if (batch->count)
			seq = batch->changes[batch->count - 1].seq;
		if (batch->count < BATCH)
			catalog_wait(fs->catalog, &generation, WAIT_MSECS);
	}
	if (!batch)
		log_error("out of memory: changes by other processes are seen late");
	free(batch);
	return NULL;
}

int fs_notify_start(struct fs *fs)
{
	int err = thread_start(&fs->notifier, "fs notify", run, fs);

	fs->has_notifier = err == 0;
	return err;
}

void fs_notify_stop(struct fs *fs)
{
	if (!fs->has_notifier)
		return;
	atomic_store(&fs->is_stopping, true);
	catalog_wake(fs->catalog);
	pthread_join(fs->notifier, NULL);
	fs->has_notifier = false;
}
