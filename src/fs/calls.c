/* Call logs that are open: calls.csv, rendered from the catalog when it is opened. */
#include <errno.h>
#include <stdlib.h>

#include "catalog/calls-csv.h"
#include "fs/fs-private.h"
#include "fs/handle.h"

/* Rendering starts over when the log changes meanwhile, this many times at most. */
#define RENDER_TRIES 3

static void calls_free(struct fs_calls *calls)
{
	buf_release(&calls->csv);
	free(calls);
}

void fs_calls_unref(struct fs *fs, struct fs_calls *calls)
{
	bool is_last;

	pthread_mutex_lock(&fs->lock);
	is_last = --calls->refs == 0;
	if (is_last)
		list_remove(&calls->link);
	pthread_mutex_unlock(&fs->lock);
	if (is_last)
		calls_free(calls);
}

struct fs_calls *fs_calls_ref(struct fs *fs, struct fs_calls *calls)
{
	pthread_mutex_lock(&fs->lock);
	calls->refs++;
	pthread_mutex_unlock(&fs->lock);
	return calls;
}

struct fs_calls *fs_calls_find(struct fs *fs, const struct catalog_node *node)
{
	struct fs_calls *found = NULL;

	pthread_mutex_lock(&fs->lock);
	list_for_each_entry(struct fs_calls, calls, &fs->calls, link) {
		if (calls->folder_id == node->folder_id &&
		    calls->mtime_nsecs == node->mtime_nsecs &&
		    (int64_t)calls->csv.len == node->size_bytes)
			found = calls;
	}
	if (found)
		found->refs++;
	pthread_mutex_unlock(&fs->lock);
	return found;
}

int fs_calls_render(struct fs *fs, struct catalog_node *node, struct fs_calls **ret_calls)
{
	struct fs_calls *calls = calloc(1, sizeof *calls);
	int err = 0;

	if (!calls)
		return -ENOMEM;
	for (int i = 0; !err && i < RENDER_TRIES; i++) {
		err = fs_node_get(fs, node->inode, node);
		buf_reset(&calls->csv);
		if (!err)
			err = catalog_calls_render(fs->catalog, node->folder_id, fs->names,
						   &calls->csv);
		if (!err && buf_failed(&calls->csv))
			err = -ENOMEM;
		if (!err && (int64_t)calls->csv.len == node->size_bytes)
			break;
	}
	if (err) {
		calls_free(calls);
		return err;
	}
	calls->folder_id = node->folder_id;
	calls->mtime_nsecs = node->mtime_nsecs;
	calls->refs = 1;
	node->size_bytes = (int64_t)calls->csv.len;
	pthread_mutex_lock(&fs->lock);
	list_add(&fs->calls, &calls->link);
	pthread_mutex_unlock(&fs->lock);
	*ret_calls = calls;
	return 0;
}
