/*
 * Names and attributes. LOOKUP answers at once, for it holds the folder's lock; only GETATTR waits
 * for a size that is not known yet.
 */
#include <errno.h>

#include "catalog/status.h"
#include "fs/fs-private.h"

#define FILE_BLOCK_BYTES (128 * 1024)
#define FOLDER_BLOCK_BYTES 4096
/* As many as fit into what a 32-bit program asks with. */
#define INODES UINT32_MAX

void fs_reply_err(fuse_req_t req, int error)
{
	fuse_reply_err(req, -error);
}

static struct timespec timespec_of(int64_t nsecs)
{
	struct timespec t = { .tv_sec = nsecs / 1000000000, .tv_nsec = nsecs % 1000000000 };

	if (t.tv_nsec < 0) {
		t.tv_sec--;
		t.tv_nsec += 1000000000;
	}
	return t;
}

void fs_node_stat(const struct fs *fs, const struct catalog_node *node, struct stat *ret_stat)
{
	*ret_stat = (struct stat){
		.st_ino = node->inode,
		.st_uid = fs->uid,
		.st_gid = fs->gid,
		.st_mtim = timespec_of(node->mtime_nsecs),
	};
	ret_stat->st_ctim = ret_stat->st_atim = ret_stat->st_mtim;
	if (fs_node_is_folder(node)) {
		ret_stat->st_mode = S_IFDIR | 0700 | fs->others;
		ret_stat->st_nlink = node->link_count;
		ret_stat->st_blksize = FOLDER_BLOCK_BYTES;
		return;
	}
	/* Writable by its mode, or rm would ask for every file and setxattr be refused; open says
	 * EROFS. */
	ret_stat->st_mode = S_IFREG | 0600 | (fs->others & 0044);
	ret_stat->st_nlink = 1;
	ret_stat->st_size = node->size_bytes < 0 ? 0 : node->size_bytes;
	ret_stat->st_blocks = (ret_stat->st_size + 511) / 512;
	ret_stat->st_blksize = FILE_BLOCK_BYTES;
}

static double attr_timeout(const struct catalog_node *node)
{
	if (fs_node_is_folder(node))
		return FS_FOLDER_TIMEOUT_SECS;
	return node->kind == CATALOG_NODE_CALLS || node->size_bytes < 0 ? 0 : FS_FILE_TIMEOUT_SECS;
}

void fs_node_entry(const struct fs *fs, const struct catalog_node *node,
		   struct fuse_entry_param *ret_entry)
{
	*ret_entry = (struct fuse_entry_param){
		.ino = node->inode,
		.attr_timeout = attr_timeout(node),
		.entry_timeout = node->kind == CATALOG_NODE_RECORDING ? FS_FILE_TIMEOUT_SECS
								      : FS_FOLDER_TIMEOUT_SECS,
	};
	fs_node_stat(fs, node, &ret_entry->attr);
}

void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fs_of(req);
	struct fuse_entry_param entry;
	struct catalog_node node;
	int err = catalog_node_lookup(fs->catalog, parent, name, fs->names, &node);

	if (err) {
		fs_reply_err(req, err);
		return;
	}
	fs_node_entry(fs, &node, &entry);
	fuse_reply_entry(req, &entry);
}

/* ---- attributes ---- */

static void reply_attr(struct fs *fs, fuse_req_t req, const struct catalog_node *node)
{
	struct stat st;

	fs_node_stat(fs, node, &st);
	fuse_reply_attr(req, &st, attr_timeout(node));
}

static void on_size(void *arg, int error, int64_t size_bytes)
{
	struct fs_wait *wait = arg;

	if (error) {
		fs_wait_reply_err(wait, error);
		return;
	}
	wait->node.size_bytes = size_bytes;
	if (fs_wait_claim(wait))
		reply_attr(wait->fs, wait->req, &wait->node);
	fs_wait_unref(wait);
}

void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct catalog_node node;
	struct fs_wait *wait;
	struct stat st;
	int err = catalog_node_get(fs->catalog, ino, fs->names, &node);

	(void)fi; /* fstat(2) brings none */
	if (err == -ENOENT && fs_handles_stat(fs, ino, &st)) {
		st.st_nlink = 0;
		fuse_reply_attr(req, &st, FS_FOLDER_TIMEOUT_SECS);
		return;
	}
	if (err) {
		fs_reply_err(req, err);
		return;
	}
	if (fs_node_is_folder(&node) || node.size_bytes >= 0) {
		reply_attr(fs, req, &node);
		return;
	}
	wait = fs_wait_new(fs, req);
	if (!wait)
		return;
	wait->node = node;
	if (fs_wait_interruptible(wait))
		audio_size(fs->audio, node.recording_id, on_size, wait);
}

/* There is no table to take anything from. */
void fs_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	(void)ino, (void)count;
	fuse_reply_none(req);
}

void fs_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	(void)count, (void)forgets;
	fuse_reply_none(req);
}

/* What is here is used, and nothing can be added: no block is free, as on a CD. Inodes are not what it
 * would lack, and df would warn of those that are all in use. */
static void statfs_of(const struct catalog_counts *counts, struct statvfs *ret_st)
{
	int64_t files = counts->none + counts->queued + counts->running + counts->paused +
			counts->done + counts->failed;

	*ret_st = (struct statvfs){
		.f_bsize = FILE_BLOCK_BYTES,
		.f_frsize = FOLDER_BLOCK_BYTES,
		.f_blocks =
			(fsblkcnt_t)((counts->bytes + FOLDER_BLOCK_BYTES - 1) / FOLDER_BLOCK_BYTES),
		.f_files = INODES,
		.f_ffree = files < INODES ? (fsfilcnt_t)(INODES - files) : 0,
		.f_namemax = 255,
	};
	ret_st->f_favail = ret_st->f_ffree;
}

void fs_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fs_of(req);
	struct catalog_counts counts;
	struct statvfs st;
	const struct catalog_scope all = { CATALOG_SCOPE_ALL, 0 };
	int64_t moved_bytes;
	int err = catalog_progress_get(fs->catalog, &all, 1, &counts, &moved_bytes);

	(void)ino;
	if (err) {
		fs_reply_err(req, err);
		return;
	}
	statfs_of(&counts, &st);
	fuse_reply_statfs(req, &st);
}
