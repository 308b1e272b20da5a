/* Listings. Each call is one query that fills the kernel's buffer. The cookie of the last entry
 * says where the next call continues, so nothing is kept open. */
#include <errno.h>
#include <stdlib.h>

#include "catalog/size.h"
#include "fs/fs-private.h"
#include "fs/node.h"
#include "util/cleanup.h"

enum { COOKIE_SELF = 1, COOKIE_PARENT = 2 };
/* The least that an entry takes: the kernel's structures without a name. */
#define ENTRY_MIN_BYTES 32
#define ENTRY_PLUS_MIN_BYTES 160

struct listing {
	fuse_req_t req;
	const struct fs *fs;
	char *buffer;
	size_t size, used;
	bool with_attributes;
};

/* False: the buffer is full. */
static bool add(struct listing *l, const char *name, const struct fuse_entry_param *entry,
		uint64_t cookie)
{
	size_t left = l->size - l->used, needed;

	needed = l->with_attributes ? fuse_add_direntry_plus(l->req, l->buffer + l->used, left,
							     name, entry, (off_t)cookie)
				    : fuse_add_direntry(l->req, l->buffer + l->used, left, name,
							&entry->attr, (off_t)cookie);
	if (needed > left)
		return false;
	l->used += needed;
	return true;
}

static bool add_dot(struct listing *l, const char *name, uint64_t inode, uint64_t cookie)
{
	const struct fuse_entry_param entry = {
		.attr = { .st_ino = inode, .st_mode = S_IFDIR | 0700 | l->fs->settings.others }
	};

	return add(l, name, &entry, cookie);
}

static int on_node(void *arg, const struct catalog_node *node)
{
	struct listing *l = arg;
	struct fuse_entry_param entry;

	fs_node_entry(l->fs, node, &entry);
	/* Without a size no attributes: who wants them makes the kernel send getattr; it waits. */
	if (node->kind == CATALOG_NODE_RECORDING && node->size_bytes < 0)
		entry.ino = 0;
	return add(l, node->name, &entry, node->cookie) ? 0 : 1;
}

static int fill(struct listing *l, uint64_t folder, uint64_t after)
{
	size_t limit = l->size / (l->with_attributes ? ENTRY_PLUS_MIN_BYTES : ENTRY_MIN_BYTES) + 1;

	if (after < COOKIE_PARENT) {
		struct catalog_node node;
		int err = fs_node_get(l->fs, folder, &node);

		if (err)
			return err;
		if (after < COOKIE_SELF && !add_dot(l, ".", folder, COOKIE_SELF))
			return 0;
		if (!add_dot(l, "..", node.parent, COOKIE_PARENT))
			return 0;
	}
	return catalog_node_list(l->fs->catalog, folder, after <= COOKIE_PARENT ? 0 : after, limit,
				 l->fs->names, on_node, l);
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, bool with_attributes)
{
	cleanup_free char *buffer = malloc(size ? size : 1);
	struct listing l = { .req = req,
			     .fs = fs_of(req),
			     .buffer = buffer,
			     .size = size,
			     .with_attributes = with_attributes };
	int err = buffer ? fill(&l, ino, (uint64_t)off) : -ENOMEM;

	/* Added entries count as looked up: the kernel must get them. The next call fails again. */
	if (err && !l.used)
		fs_reply_err(req, err);
	else
		fuse_reply_buf(req, buffer, l.used);
}

void fs_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct catalog_node node;
	int err = fs_node_get(fs, ino, &node);

	if (!err && !fs_node_is_folder(&node))
		err = -ENOTDIR;
	if (fs_fails(req, err))
		return;
	if (node.kind == CATALOG_NODE_CAMPAIGN) {
		catalog_folder_want_sizes(fs->catalog, node.folder_id);
		fs_lister_note(fs, req, node.folder_id);
	}
	/* The kernel keeps the listing until the folder's mtime changes: FS_FOLDER_TIMEOUT_SECS. */
	fi->cache_readdir = 1;
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

void fs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	list(req, ino, size, off, false);
}

void fs_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	list(req, ino, size, off, true);
}
