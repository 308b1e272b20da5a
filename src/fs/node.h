/* A node as the kernel sees it: mode, times, size, cache times. Pure functions; any thread. */
#pragma once

#include <fuse3/fuse_lowlevel.h>
#include <sys/stat.h>

#include "catalog/tree.h"

/* Changes of files are announced to the kernel (notify.c). Of folders only removals are, so the
 * kernel asks for their attributes again after a second. */
#define FS_FILE_TIMEOUT_SECS 1800.0
#define FS_FOLDER_TIMEOUT_SECS 1.0
#define FS_FILE_BLOCK_BYTES (128 * 1024)
#define FS_FOLDER_BLOCK_BYTES 4096

struct fs;

static inline bool fs_node_is_folder(const struct catalog_node *node)
{
	return node->kind != CATALOG_NODE_RECORDING && node->kind != CATALOG_NODE_CALLS;
}

void fs_node_stat(const struct fs *fs, const struct catalog_node *node, struct stat *ret_stat);
/* Seconds for which the kernel may use the attributes without asking. */
double fs_node_attr_timeout(const struct catalog_node *node);
void fs_node_entry(const struct fs *fs, const struct catalog_node *node,
		   struct fuse_entry_param *ret_entry);
