/*
 * Attributes whose value may need the network, or a program that gives credentials: they are read by name only, in the pool.
 * None of them is listed: a backup neither stores a URL nor waits for one.
 */
#include <errno.h>
#include <string.h>

#include "fs/fs-private.h"
#include "storage/playback.h"
#include "util/cleanup.h"
#include "util/log.h"

static int value_url(struct fs *fs, const struct catalog_node *node, struct buf *ret_value)
{
	return storage_playback_url(fs->catalog, fs->http, node->recording_id, 0, ret_value);
}

static const struct remote_attribute {
	const char *name;
	int (*value)(struct fs *fs, const struct catalog_node *node, struct buf *ret_value);
} attributes[] = {
	{ "url", value_url },
};

int fs_xattr_remote_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (strcmp(attributes[i].name, name) == 0)
			return (int)i;
	return -1;
}

static void run(struct pool_task *task)
{
	struct fs_wait *wait = list_entry(task, struct fs_wait, task);
	const struct remote_attribute *attribute = &attributes[wait->action];
	cleanup_buf_secret struct buf value = BUF_INIT;
	int err = attribute->value(wait->fs, &wait->node, &value);

	if (!err && !value.len)
		err = buf_failed(&value) ? -ENOMEM : -ENODATA;
	if (err == -ENOENT)
		err = -ENODATA; /* no bucket, or gone meanwhile */
	if (err) {
		if (err != -ENODATA && err != -EREMOTE)
			log_warning("user.tonicfs.%s: %s", attribute->name, strerror(-err));
		fs_wait_reply_err(wait, err);
		return;
	}
	if (fs_wait_claim(wait))
		fs_reply_xattr(wait->req, &value, wait->size);
	fs_wait_unref(wait);
}

void fs_xattr_remote_get(fuse_req_t req, fuse_ino_t ino, int index, size_t size)
{
	struct fs *fs = fs_of(req);
	struct catalog_node node;
	struct fs_wait *wait;
	int err = catalog_node_get(fs->catalog, ino, fs->names, &node);

	if (err) {
		fs_reply_err(req, err);
		return;
	}
	if (node.kind != CATALOG_NODE_RECORDING) {
		fs_reply_err(req, -ENODATA);
		return;
	}
	wait = fs_wait_new(fs, req);
	if (!wait)
		return;
	wait->node = node;
	wait->action = index;
	wait->size = size;
	fs_wait_interruptible(wait);
	fs_wait_push(wait, run);
}
