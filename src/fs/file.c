/* Open, read, flush, release. Recordings are read through audio, which calls back when the bytes
 * are there; call logs are rendered when they are opened. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fs/fs-private.h"
#include "fs/handle.h"
#include "fs/node.h"
#include "fs/wait.h"
#include "util/log.h"

static struct fs_handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct fs_handle *)(uintptr_t)fi->fh;
}

/* ---- opening ---- */

/* Takes ownership of audio or calls, whichever is not NULL, and answers. */
static void reply_open(struct fs_wait *wait, struct audio_file *audio, struct fs_calls *calls)
{
	struct fs *fs = wait->fs;
	struct fs_handle *handle;
	int err = fs_handle_new(fs, &wait->node, audio, calls, &handle);

	if (fs_wait_fails(wait, err))
		return;
	wait->fi.fh = (uintptr_t)handle;
	/* A call log's length is that of its version, not of the inode: so no page cache. A
	 * recording's bytes never change; without keep_cache an open would also wait for pages that
	 * other readers wait for. */
	if (calls)
		wait->fi.direct_io = 1;
	else
		wait->fi.keep_cache = 1;
	/* Without a reply that reaches the kernel there will be no RELEASE. */
	if (!fs_wait_claim(wait) || fuse_reply_open(wait->req, &wait->fi) == -ENOENT)
		fs_handle_close(fs, handle);
	fs_wait_unref(wait);
}

static void on_open(void *arg, int err, struct audio_file *file, int64_t size_bytes)
{
	struct fs_wait *wait = arg;

	if (fs_wait_fails(wait, err))
		return;
	wait->node.size_bytes = size_bytes;
	if (wait->has_listed)
		audio_file_listed(file);
	reply_open(wait, file, NULL);
}

static void run_open_calls(struct pool_task *task)
{
	struct fs_wait *wait = list_entry(task, struct fs_wait, task);
	struct fs_calls *calls = NULL;
	int err = fs_calls_render(wait->fs, &wait->node, &calls);

	if (err && err != -ENOENT)
		log_error("a call log cannot be rendered: %s", strerror(-err));
	if (!fs_wait_fails(wait, err))
		reply_open(wait, NULL, calls);
}

void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct fs_calls *calls;
	struct catalog_node node;
	struct fs_wait *wait;
	int err = 0;

	if ((fi->flags & O_ACCMODE) != O_RDONLY || fi->flags & O_TRUNC)
		err = -EROFS;
	if (!err)
		err = fs_node_get(fs, ino, &node);
	if (!err && fs_node_is_folder(&node))
		err = -EISDIR;
	if (!err && node.kind == CATALOG_NODE_RECORDING && fs_refuses(fs, req))
		err = -EACCES;
	if (fs_fails(req, err))
		return;
	wait = fs_wait_new(req, &node);
	if (!wait)
		return;
	wait->fi = *fi;
	if (node.kind == CATALOG_NODE_RECORDING) {
		wait->has_listed = fs_lister_is(fs, req, node.folder_id);
		if (fs_wait_interruptible(wait))
			audio_open(fs->audio, node.recording_id, on_open, wait);
		return;
	}
	calls = fs_calls_find(fs, &node);
	if (calls)
		reply_open(wait, NULL, calls);
	else
		fs_wait_push(wait, &fs->pool, run_open_calls);
}

/* ---- reading ---- */

static void on_read(void *arg, int err, const struct iovec *parts, unsigned count)
{
	struct fs_wait *wait = arg;

	if (fs_wait_fails(wait, err))
		return;
	if (fs_wait_claim(wait)) {
		if (count)
			fuse_reply_iov(wait->req, parts, (int)count);
		else
			fuse_reply_buf(wait->req, NULL, 0);
	}
	fs_wait_unref(wait);
}

static void read_calls(fuse_req_t req, struct fs_calls *calls, size_t size, off_t off)
{
	const struct buf *csv = &calls->csv;
	struct fs *fs = fs_of(req);
	size_t left = off < 0 || (size_t)off > csv->len ? 0 : csv->len - (size_t)off;

	/* As soon as the kernel has the reply it may release the handle on another thread. */
	fs_calls_ref(fs, calls);
	fuse_reply_buf(req, left ? csv->data + off : NULL, size < left ? size : left);
	fs_calls_unref(fs, calls);
}

void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct fs_handle *handle = handle_of(fi);
	struct fs_wait *wait;
	uint64_t read_id;

	if (handle->calls) {
		read_calls(req, handle->calls, size, off);
		return;
	}
	wait = fs_wait_new(req, NULL);
	if (!wait)
		return;
	wait->handle = fs_handle_ref(handle);
	fs_wait_ref(wait); /* one reference for the callback, one for this function */
	if (!fs_wait_interruptible(wait)) {
		fs_wait_unref(wait); /* the callback's: it will not be called */
		return;
	}
	read_id = audio_read(handle->audio, off, size, on_read, wait);
	atomic_store(&wait->read_id, read_id);
	/* An interrupt before this store could not cancel the read: it did not know the id. */
	if (fs_wait_was_interrupted(wait))
		audio_cancel(handle->audio, read_id);
	fs_wait_unref(wait);
}

void fs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs_handle *handle = handle_of(fi);

	/* The only sign of a killed reader: no interrupt is sent for the kernel's readahead. */
	if (handle->audio)
		audio_flush(handle->audio);
	fs_reply_err(req, 0);
}

void fs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fs_handle_close(fs_of(req), handle_of(fi));
	fs_reply_err(req, 0);
}
