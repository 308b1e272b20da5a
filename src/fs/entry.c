/* Lookup, attributes, statfs. Lookup answers at once, because the kernel holds the folder's lock
 * meanwhile; only getattr waits for a size that is not known yet. */
#include <errno.h>

#include "catalog/status.h"
#include "fs/fs-private.h"
#include "fs/handle.h"
#include "fs/node.h"
#include "fs/wait.h"

/* The most that statfs of a 32-bit program can return. */
#define INODES UINT32_MAX

void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fs_of(req);
	struct fuse_entry_param entry;
	struct catalog_node node;
	int err = catalog_node_lookup(fs->catalog, parent, name, fs->names, &node);

	if (fs_fails(req, err))
		return;
	fs_node_entry(fs, &node, &entry);
	fuse_reply_entry(req, &entry);
}

static void reply_attr(struct fs *fs, fuse_req_t req, const struct catalog_node *node)
{
	struct stat st;

	fs_node_stat(fs, node, &st);
	fuse_reply_attr(req, &st, fs_node_attr_timeout(node));
}

static void on_size(void *arg, int err, int64_t size_bytes)
{
	struct fs_wait *wait = arg;

	if (fs_wait_fails(wait, err))
		return;
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
	int err = fs_node_get(fs, ino, &node);

	/* The kernel passes no fi for fstat(2). */
	if (err == -ENOENT && fs_handles_stat(fs, ino, &st)) {
		st.st_nlink = 0;
		fuse_reply_attr(req, &st, FS_FOLDER_TIMEOUT_SECS);
		return;
	}
	if (fs_fails(req, err))
		return;
	if (fs_node_is_folder(&node) || node.size_bytes >= 0) {
		reply_attr(fs, req, &node);
		return;
	}
	wait = fs_wait_new(req, &node);
	if (wait && fs_wait_interruptible(wait))
		audio_size(fs->audio, node.recording_id, on_size, wait);
}

/* Nothing is kept per inode, so there is nothing to forget. */
void fs_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	fuse_reply_none(req);
}

void fs_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	fuse_reply_none(req);
}

/* All blocks are used, as on a CD. Free inodes are reported, because df warns of none. */
static void statfs_of(const struct catalog_counts *counts, struct statvfs *ret_st)
{
	int64_t files = counts->none + counts->queued + counts->running + counts->paused +
			counts->done + counts->failed;

	*ret_st = (struct statvfs){
		.f_bsize = FS_FILE_BLOCK_BYTES,
		.f_frsize = FS_FOLDER_BLOCK_BYTES,
		.f_blocks = (fsblkcnt_t)((counts->bytes + FS_FOLDER_BLOCK_BYTES - 1) /
					 FS_FOLDER_BLOCK_BYTES),
		.f_files = INODES,
		.f_ffree = files < INODES ? (fsfilcnt_t)(INODES - files) : 0,
		.f_namemax = 255,
	};
	ret_st->f_favail = ret_st->f_ffree;
}

void fs_statfs(fuse_req_t req, fuse_ino_t ino)
{
	const struct catalog_scope all = { CATALOG_SCOPE_ALL, 0 };
	struct catalog_counts counts;
	struct statvfs st;
	int64_t moved_bytes;
	int err = catalog_progress_get(fs_of(req)->catalog, &all, 1, &counts, &moved_bytes);

	if (fs_fails(req, err))
		return;
	statfs_of(&counts, &st);
	fuse_reply_statfs(req, &st);
}
