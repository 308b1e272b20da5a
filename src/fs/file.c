/*
 * Open files. Recordings are read through audio, which answers when the bytes are there; a
 * calls.csv is rendered once, when it is opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/calls-csv.h"
#include "fs/fs-private.h"
#include "util/cleanup.h"
#include "util/log.h"

/* A table that changes under our hands is rendered again, but not for ever. */
#define RENDER_TRIES 3

static struct fs_handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct fs_handle *)(uintptr_t)fi->fh;
}

/* ---- calls.csv ---- */

static void table_unref(struct fs *fs, struct fs_table *table)
{
	bool is_last;

	pthread_mutex_lock(&fs->lock);
	is_last = --table->refs == 0;
	if (is_last)
		list_remove(&table->link);
	pthread_mutex_unlock(&fs->lock);
	if (!is_last)
		return;
	buf_release(&table->csv);
	free(table);
}

static struct fs_table *table_ref(struct fs *fs, struct fs_table *table)
{
	pthread_mutex_lock(&fs->lock);
	table->refs++;
	pthread_mutex_unlock(&fs->lock);
	return table;
}

static struct fs_table *table_find(struct fs *fs, const struct catalog_node *node)
{
	struct fs_table *found = NULL;

	pthread_mutex_lock(&fs->lock);
	list_for_each(pos, &fs->tables) {
		struct fs_table *table = list_entry(pos, struct fs_table, link);

		if (table->folder_id == node->folder_id &&
		    table->mtime_nsecs == node->mtime_nsecs &&
		    (int64_t)table->csv.len == node->size_bytes)
			found = table;
	}
	if (found)
		found->refs++;
	pthread_mutex_unlock(&fs->lock);
	return found;
}

/* Updates *node to what was rendered. */
static int table_render(struct fs *fs, struct catalog_node *node, struct fs_table **ret_table)
{
	struct fs_table *table = calloc(1, sizeof *table);
	int err = table ? 0 : -ENOMEM;

	for (int i = 0; !err && i < RENDER_TRIES; i++) {
		err = catalog_node_get(fs->catalog, node->inode, fs->names, node);
		buf_reset(&table->csv);
		if (!err)
			err = catalog_calls_render(fs->catalog, node->folder_id, fs->names,
						   &table->csv);
		if (!err && buf_failed(&table->csv))
			err = -ENOMEM;
		if (!err && (int64_t)table->csv.len == node->size_bytes)
			break;
	}
	if (err) {
		if (table)
			buf_release(&table->csv);
		free(table);
		return err;
	}
	table->folder_id = node->folder_id;
	table->mtime_nsecs = node->mtime_nsecs;
	table->refs = 1;
	node->size_bytes = (int64_t)table->csv.len;
	pthread_mutex_lock(&fs->lock);
	list_add(&fs->tables, &table->link);
	pthread_mutex_unlock(&fs->lock);
	*ret_table = table;
	return 0;
}

/* ---- handles ---- */

static struct fs_handle *handle_ref(struct fs_handle *handle)
{
	atomic_fetch_add(&handle->refs, 1);
	return handle;
}

void fs_handle_unref(struct fs *fs, struct fs_handle *handle)
{
	if (atomic_fetch_sub(&handle->refs, 1) != 1)
		return;
	if (handle->audio)
		audio_close(handle->audio);
	if (handle->table)
		table_unref(fs, handle->table);
	free(handle);
}

/* The kernel's reference ends. Reads that still wait are nobody's, and keep it open no longer. */
static void handle_close(struct fs *fs, struct fs_handle *handle)
{
	pthread_mutex_lock(&fs->lock);
	list_remove(&handle->link);
	pthread_mutex_unlock(&fs->lock);
	if (handle->audio && atomic_load(&handle->refs) > 1)
		audio_flush(handle->audio);
	fs_handle_unref(fs, handle);
}

bool fs_handles_stat(struct fs *fs, fuse_ino_t ino, struct stat *ret_stat)
{
	bool found = false;

	pthread_mutex_lock(&fs->lock);
	list_for_each(pos, &fs->handles) {
		const struct fs_handle *handle = list_entry(pos, struct fs_handle, link);

		if (handle->st.st_ino == ino) {
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
		handle_close(fs, list_entry(fs->handles.next, struct fs_handle, link));
}

/* Takes over audio or table, whichever is given, and answers. */
static void reply_open(struct fs_wait *wait, struct audio_file *audio, struct fs_table *table)
{
	struct fs *fs = wait->fs;
	struct fs_handle *handle = calloc(1, sizeof *handle);

	if (!handle) {
		if (audio)
			audio_close(audio);
		if (table)
			table_unref(fs, table);
		fs_wait_reply_err(wait, -ENOMEM);
		return;
	}
	atomic_init(&handle->refs, 1);
	handle->audio = audio;
	handle->table = table;
	fs_node_stat(fs, &wait->node, &handle->st);
	pthread_mutex_lock(&fs->lock);
	list_add(&fs->handles, &handle->link);
	pthread_mutex_unlock(&fs->lock);
	wait->fi.fh = (uintptr_t)handle;
	if (table)
		wait->fi.direct_io = 1; /* its length is that of its version, not of the inode */
	else
		wait->fi.keep_cache = 1; /* bytes never change; and without it an open waits for
					    pages that others wait for */
	/* Where nobody takes the answer, no release will come. */
	if (!fs_wait_claim(wait) || fuse_reply_open(wait->req, &wait->fi) == -ENOENT)
		handle_close(fs, handle);
	fs_wait_unref(wait);
}

static void on_open(void *arg, int error, struct audio_file *file, int64_t size_bytes)
{
	struct fs_wait *wait = arg;

	if (error) {
		fs_wait_reply_err(wait, error);
		return;
	}
	wait->node.size_bytes = size_bytes;
	if (wait->has_listed)
		audio_file_listed(file);
	reply_open(wait, file, NULL);
}

static void run_open_table(struct pool_task *task)
{
	struct fs_wait *wait = list_entry(task, struct fs_wait, task);
	struct fs_table *table = NULL;
	int err = table_render(wait->fs, &wait->node, &table);

	if (err) {
		if (err != -ENOENT)
			log_error("a call log cannot be rendered: %s", strerror(-err));
		fs_wait_reply_err(wait, err);
		return;
	}
	reply_open(wait, NULL, table);
}

void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct fs_table *table;
	struct catalog_node node;
	struct fs_wait *wait;
	int err = 0;

	if ((fi->flags & O_ACCMODE) != O_RDONLY || fi->flags & O_TRUNC)
		err = -EROFS;
	if (!err)
		err = catalog_node_get(fs->catalog, ino, fs->names, &node);
	if (!err && fs_node_is_folder(&node))
		err = -EISDIR;
	if (!err && node.kind == CATALOG_NODE_RECORDING && fs_refuses(fs, req))
		err = -EACCES;
	if (err) {
		fs_reply_err(req, err);
		return;
	}
	wait = fs_wait_new(fs, req);
	if (!wait)
		return;
	wait->node = node;
	wait->fi = *fi;
	if (node.kind == CATALOG_NODE_RECORDING) {
		wait->has_listed = fs_lister_is(fs, req, node.folder_id);
		if (fs_wait_interruptible(wait))
			audio_open(fs->audio, node.recording_id, on_open, wait);
		return;
	}
	table = table_find(fs, &node);
	if (table)
		reply_open(wait, NULL, table);
	else
		fs_wait_push(wait, run_open_table);
}

/* ---- reading ---- */

static void on_read(void *arg, int error, const struct iovec *parts, unsigned count)
{
	struct fs_wait *wait = arg;

	if (error) {
		fs_wait_reply_err(wait, error);
		return;
	}
	if (fs_wait_claim(wait)) {
		if (count)
			fuse_reply_iov(wait->req, parts, (int)count);
		else
			fuse_reply_buf(wait->req, NULL, 0);
	}
	fs_wait_unref(wait);
}

static void read_table(fuse_req_t req, const struct buf *csv, size_t size, off_t off)
{
	size_t left = off < 0 || (size_t)off > csv->len ? 0 : csv->len - (size_t)off;

	fuse_reply_buf(req, left ? csv->data + off : NULL, size < left ? size : left);
}

void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct fs_handle *handle = handle_of(fi);
	struct fs_wait *wait;
	uint64_t read_id;

	(void)ino;
	if (handle->table) {
		struct fs *fs = fs_of(req);
		struct fs_table *table = table_ref(fs, handle->table);

		/* Once it has the reply the kernel may close the handle, on another thread, before this one is back. */
		read_table(req, &table->csv, size, off);
		table_unref(fs, table);
		return;
	}
	wait = fs_wait_new(fs_of(req), req);
	if (!wait)
		return;
	wait->handle = handle_ref(handle);
	fs_wait_ref(wait); /* the callback has one, this function the other */
	if (!fs_wait_interruptible(wait)) {
		fs_wait_unref(wait); /* the callback's: it will not be called */
		return;
	}
	read_id = audio_read(handle->audio, off, size, on_read, wait);
	atomic_store(&wait->read_id, read_id);
	/* An interrupt before that did not know the id. */
	if (fs_wait_was_interrupted(wait))
		audio_cancel(handle->audio, read_id);
	fs_wait_unref(wait);
}

void fs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs_handle *handle = handle_of(fi);

	(void)ino;
	/* All that a killed reader leaves behind: its reads are readahead, for which the kernel
	 * sends no interrupt. */
	if (handle->audio)
		audio_flush(handle->audio);
	fs_reply_err(req, 0);
}

void fs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	handle_close(fs_of(req), handle_of(fi));
	fs_reply_err(req, 0);
}
