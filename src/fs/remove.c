/* unlink and rmdir, in the pool: a commit waits for the disk, and maybe for another process. */
#include <errno.h>
#include <string.h>

#include "catalog/removal.h"
#include "fs/fs-private.h"
#include "fs/node.h"
#include "fs/wait.h"
#include "util/log.h"

static int remove_node(struct fs *fs, const struct catalog_node *node)
{
	struct catalog_removal removal;

	switch (node->kind) {
	case CATALOG_NODE_RECORDING:
		return catalog_remove_recording(fs->catalog, node->recording_id, &removal);
	case CATALOG_NODE_CAMPAIGN:
		return catalog_remove_campaign(fs->catalog, node->folder_id, true, &removal);
	case CATALOG_NODE_WORKSPACE:
		return catalog_remove_workspace(fs->catalog, node->workspace_id, true, &removal);
	case CATALOG_NODE_CALLS:
		return 0; /* rendered from the calls; it exists as long as its folder */
	case CATALOG_NODE_ROOT:
		break;
	}
	return -EBUSY;
}

static void run(struct pool_task *task)
{
	struct fs_wait *wait = list_entry(task, struct fs_wait, task);
	int err = remove_node(wait->fs, &wait->node);

	if (err && err != -ENOENT && err != -ENOTEMPTY && err != -EPERM)
		log_error("removing failed: %s", strerror(-err));
	fs_wait_reply_err(wait, err);
}

static void remove_entry(fuse_req_t req, fuse_ino_t parent, const char *name, bool is_rmdir)
{
	struct fs *fs = fs_of(req);
	struct catalog_node node;
	struct fs_wait *wait;
	int err = fs->settings.read_only ? -EROFS : 0;

	if (!err)
		err = catalog_node_lookup(fs->catalog, parent, name, fs->names, &node);
	if (!err && fs_node_is_folder(&node) != is_rmdir)
		err = is_rmdir ? -ENOTDIR : -EISDIR;
	if (err || node.kind == CATALOG_NODE_CALLS) {
		fs_reply_err(req, err);
		return;
	}
	wait = fs_wait_new(req, &node);
	if (wait)
		fs_wait_push(wait, &fs->pool, run);
}

void fs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_entry(req, parent, name, false);
}

void fs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_entry(req, parent, name, true);
}
