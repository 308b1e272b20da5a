/* Open files and their references. */
#include <errno.h>
#include <stdlib.h>

#include "fs/fs-private.h"
#include "fs/handle.h"
#include "fs/node.h"

static void release_content(struct fs *fs, struct audio_file *audio, struct fs_calls *calls)
{
	if (audio)
		audio_close(audio);
	if (calls)
		fs_calls_unref(fs, calls);
}

int fs_handle_new(struct fs *fs, const struct catalog_node *node, struct audio_file *audio,
		  struct fs_calls *calls, struct fs_handle **ret_handle)
{
	struct fs_handle *handle = calloc(1, sizeof *handle);

	if (!handle) {
		release_content(fs, audio, calls);
		return -ENOMEM;
	}
	atomic_init(&handle->refs, 1);
	handle->audio = audio;
	handle->calls = calls;
	fs_node_stat(fs, node, &handle->st);
	pthread_mutex_lock(&fs->lock);
	list_add(&fs->handles, &handle->link);
	pthread_mutex_unlock(&fs->lock);
	*ret_handle = handle;
	return 0;
}

struct fs_handle *fs_handle_ref(struct fs_handle *handle)
{
	atomic_fetch_add(&handle->refs, 1);
	return handle;
}

void fs_handle_unref(struct fs *fs, struct fs_handle *handle)
{
	if (atomic_fetch_sub(&handle->refs, 1) != 1)
		return;
	release_content(fs, handle->audio, handle->calls);
	free(handle);
}

void fs_handle_close(struct fs *fs, struct fs_handle *handle)
{
	pthread_mutex_lock(&fs->lock);
	list_remove(&handle->link);
	pthread_mutex_unlock(&fs->lock);
	/* Reads that still wait have no reader, and must not keep the file open. */
	if (handle->audio && atomic_load(&handle->refs) > 1)
		audio_flush(handle->audio);
	fs_handle_unref(fs, handle);
}

bool fs_handles_stat(struct fs *fs, uint64_t inode, struct stat *ret_stat)
{
	bool found = false;

	pthread_mutex_lock(&fs->lock);
	list_for_each_entry(const struct fs_handle, handle, &fs->handles, link) {
		if (handle->st.st_ino == inode) {
			*ret_stat = handle->st;
			found = true;
			break;
		}
	}
	pthread_mutex_unlock(&fs->lock);
	return found;
}

void fs_handles_close(struct fs *fs)
{
	while (!list_empty(&fs->handles))
		fs_handle_close(fs, list_entry(fs->handles.next, struct fs_handle, link));
}
