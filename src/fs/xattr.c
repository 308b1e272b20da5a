/* Requests for extended attributes, answered by the table (xattr.h). */
#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "fs/fs-private.h"
#include "fs/wait.h"
#include "fs/xattr.h"
#include "util/log.h"

/* getxattr(2) and listxattr(2): a size of 0 asks for the length. */
static void reply(fuse_req_t req, int err, const struct buf *bytes, size_t size)
{
	if (!err && buf_failed(bytes))
		err = -ENOMEM;
	if (!err && size && bytes->len > size)
		err = -ERANGE;
	if (err)
		fs_reply_err(req, err);
	else if (size)
		fuse_reply_buf(req, bytes->data, bytes->len);
	else
		fuse_reply_xattr(req, bytes->len);
}

static void run_get(struct pool_task *task)
{
	struct fs_wait *wait = list_entry(task, struct fs_wait, task);
	cleanup_buf_secret struct buf value = BUF_INIT;
	int err = -EINTR;

	if (!cancel_is_set(&wait->fs->cancel))
		err = fs_xattr_value(wait->fs, &wait->node, wait->xattr, &value);
	if (err && err != -ENODATA && err != -EREMOTE && err != -EINTR)
		log_warning(FS_XATTR_PREFIX "%s: %s", wait->xattr->name, strerror(-err));
	if (fs_wait_claim(wait))
		reply(wait->req, err, &value, wait->size);
	fs_wait_unref(wait);
}

void fs_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	cleanup_buf struct buf value = BUF_INIT;
	struct fs *fs = fs_of(req);
	const struct fs_xattr *xattr = fs_xattr_find(name);
	struct catalog_node node;
	struct fs_wait *wait;
	int err;

	/* ls -l and every write ask for other names (ACLs, capabilities): that needs no query. */
	if (!xattr)
		err = strncmp(name, "system.", 7) ? -ENODATA : -ENOTSUP;
	else if (xattr->flags & FS_XATTR_GRANTS && fuse_req_ctx(req)->uid != fs->uid)
		err = -EACCES;
	else
		err = fs_node_get(fs, ino, &node);
	if (!err && !fs_xattr_is_on(xattr, &node))
		err = -ENODATA;
	if (err || !(xattr->flags & FS_XATTR_NETWORK)) {
		if (!err)
			err = fs_xattr_value(fs, &node, xattr, &value);
		reply(req, err, &value, size);
		return;
	}
	wait = fs_wait_new(req, &node);
	if (!wait)
		return;
	wait->xattr = xattr;
	wait->size = size;
	if (fs_wait_interruptible(wait))
		fs_wait_push(wait, &fs->remote_pool, run_get);
}

void fs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	cleanup_buf struct buf names = BUF_INIT;
	struct fs *fs = fs_of(req);
	struct catalog_node node;
	int err = fs_node_get(fs, ino, &node);

	if (!err)
		err = fs_xattr_names(fs, &node, &names);
	reply(req, err, &names, size);
}

static void run_set(struct pool_task *task)
{
	struct fs_wait *wait = list_entry(task, struct fs_wait, task);

	fs_wait_reply_err(wait, wait->xattr->apply(wait->fs, &wait->node, &wait->change));
}

void fs_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
		 int flags)
{
	struct fs *fs = fs_of(req);
	const struct fs_xattr *xattr = fs_xattr_find(name);
	struct fs_xattr_change change = { .migrate = NULL };
	struct catalog_node node;
	struct fs_wait *wait;
	int err;

	if (fs->settings.read_only)
		err = -EROFS;
	else if (!xattr)
		err = -ENOTSUP;
	else if (!xattr->apply)
		err = -EPERM;
	else if (flags & XATTR_CREATE)
		err = -EEXIST;
	else
		err = xattr->parse(value, size, &change);
	if (!err)
		err = fs_node_get(fs, ino, &node);
	if (!err && !fs_xattr_is_on(xattr, &node))
		err = -EPERM;
	if (fs_fails(req, err))
		return;
	wait = fs_wait_new(req, &node);
	if (!wait)
		return;
	wait->xattr = xattr;
	wait->change = change;
	fs_wait_push(wait, &fs->pool, run_set);
}

void fs_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	const int refused = fs_xattr_find(name) ? -EPERM : -ENODATA;

	fs_reply_err(req, fs_of(req)->settings.read_only ? -EROFS : refused);
}
