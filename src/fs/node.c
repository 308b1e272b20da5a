/* Converts catalog nodes to what the kernel is told of them. */
#include "fs/node.h"

#include "fs/fs-private.h"

#define NSECS_PER_SEC 1000000000

static struct timespec timespec_of(int64_t nsecs)
{
	struct timespec t = { .tv_sec = nsecs / NSECS_PER_SEC, .tv_nsec = nsecs % NSECS_PER_SEC };

	if (t.tv_nsec < 0) {
		t.tv_sec--;
		t.tv_nsec += NSECS_PER_SEC;
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
		ret_stat->st_mode = S_IFDIR | 0700 | fs->settings.others;
		ret_stat->st_nlink = node->link_count;
		ret_stat->st_blksize = FS_FOLDER_BLOCK_BYTES;
		return;
	}
	/* The owner's write bit is set although open for writing fails with EROFS. Without it rm
	 * would prompt for every file, and the kernel would refuse setxattr. */
	ret_stat->st_mode = S_IFREG | 0600 | (fs->settings.others & 0044);
	ret_stat->st_nlink = 1;
	ret_stat->st_size = node->size_bytes < 0 ? 0 : node->size_bytes;
	ret_stat->st_blocks = (ret_stat->st_size + 511) / 512;
	ret_stat->st_blksize = FS_FILE_BLOCK_BYTES;
}

double fs_node_attr_timeout(const struct catalog_node *node)
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
		.attr_timeout = fs_node_attr_timeout(node),
		.entry_timeout = node->kind == CATALOG_NODE_RECORDING ? FS_FILE_TIMEOUT_SECS
								      : FS_FOLDER_TIMEOUT_SECS,
	};
	fs_node_stat(fs, node, &ret_entry->attr);
}
