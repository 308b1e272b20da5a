/*
 * Extended attributes, user.tonicfs.<name>. Those that are stable and no secret are listed, so that
 * a backup sees no change where there is none, and `why` while there is a reason; the others are
 * read by name only. Setting migrate (now, cancel, pause and so on) and restore are the only changes
 * there are. Values are made in xattr-values.c, those that may need the network in xattr-remote.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "catalog/archive.h"
#include "catalog/job.h"
#include "catalog/workspace.h"
#include "fs/fs-private.h"
#include "storage/restore.h"
#include "util/cleanup.h"
#include "util/log.h"

#define PREFIX FS_XATTR_PREFIX
#define PREFIX_LENGTH (sizeof PREFIX - 1)

/* ---- requests ---- */

void fs_reply_xattr(fuse_req_t req, const struct buf *bytes, size_t size)
{
	if (buf_failed(bytes))
		fs_reply_err(req, -ENOMEM);
	else if (!size)
		fuse_reply_xattr(req, bytes->len);
	else if (bytes->len > size)
		fs_reply_err(req, -ERANGE);
	else
		fuse_reply_buf(req, bytes->data, bytes->len);
}

/* Without the prefix; NULL: none of ours. */
static const char *name_of(const char *name)
{
	return strncmp(name, PREFIX, PREFIX_LENGTH) ? NULL : name + PREFIX_LENGTH;
}

void fs_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	cleanup_buf struct buf value = BUF_INIT;
	const char *ours = name_of(name);
	int index = ours ? fs_xattr_find(ours) : -1,
	    remote = ours ? fs_xattr_remote_find(ours) : -1, err;

	if (remote >= 0) {
		fs_xattr_remote_get(req, ino, remote, size);
		return;
	}
	/* Every ls -l and every write asks for what others keep there: answered without a look. */
	if (index < 0) {
		fs_reply_err(req, strncmp(name, "system.", 7) ? -ENODATA : -ENOTSUP);
		return;
	}
	err = fs_xattr_value(fs_of(req), ino, index, &value);
	if (err)
		fs_reply_err(req, err);
	else
		fs_reply_xattr(req, &value, size);
}

void fs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	cleanup_buf struct buf names = BUF_INIT;
	int err = fs_xattr_names(fs_of(req), ino, &names);

	if (err)
		fs_reply_err(req, err);
	else
		fs_reply_xattr(req, &names, size);
}

/* What can be written to `migrate`. */
static const struct {
	const char *value;
	catalog_migrate_fn *ask;
} migrate_asks[] = {
	{ "now", catalog_migrate_queue },   { "cancel", catalog_migrate_cancel },
	{ "pause", catalog_migrate_pause }, { "resume", catalog_migrate_resume },
	{ "retry", catalog_migrate_retry },
};
#define RESTORE (-1) /* the action of the attribute `restore` */

static void log_migrate_refused(const struct fs *fs, const struct catalog_node *node,
				const char *why)
{
	struct catalog_workspace workspace;

	if (node->workspace_id &&
	    catalog_workspace_get(fs->catalog, node->workspace_id, &workspace) == 0)
		log_warning("workspace %s: nothing can be migrated: %s", workspace.name, why);
	else
		log_warning("nothing can be migrated: %s", why);
}

static void run_migrate(struct pool_task *task)
{
	struct fs_wait *wait = list_entry(task, struct fs_wait, task);
	struct catalog *catalog = wait->fs->catalog;
	struct catalog_scope scope = catalog_node_scope(&wait->node);
	int64_t count;
	int err = migrate_asks[wait->action].ask(catalog, scope, &count);

	if (err == -ENOENT || err == -ENODEV) {
		log_migrate_refused(wait->fs, &wait->node,
				    err == -ENOENT ? "it has no storage settings"
						   : "its storage is not enabled");
		err = -ENODEV;
	} else if (err) {
		log_migrate_refused(wait->fs, &wait->node, strerror(-err));
	}
	fs_wait_reply_err(wait, err);
}

static bool is_ours(const char *name)
{
	const char *ours = name_of(name);

	return ours && (fs_xattr_find(ours) >= 0 || fs_xattr_remote_find(ours) >= 0);
}

/* "7 bulk" of the attribute, as restore's options have them; either may be missing. */
static int parse_restore(const char *value, size_t size, unsigned *ret_days, const char **ret_tier)
{
	char text[64], *rest, *word;

	*ret_days = RESTORE_DAYS_DEFAULT;
	*ret_tier = storage_restore_tier("bulk");
	if (size >= sizeof text)
		return -EINVAL;
	memcpy(text, value, size);
	text[size] = '\0';
	for (word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
		char *end;
		unsigned long days = strtoul(word, &end, 10);

		if (*word >= '0' && *word <= '9' && !*end && days >= 1 &&
		    days <= RESTORE_DAYS_LIMIT)
			*ret_days = (unsigned)days;
		else if (storage_restore_tier(word))
			*ret_tier = storage_restore_tier(word);
		else if (strcmp(word, "now") != 0)
			return -EINVAL;
	}
	return 0;
}

static void run_restore(struct pool_task *task)
{
	struct fs_wait *wait = list_entry(task, struct fs_wait, task);
	struct catalog_restore_counts counts;
	int err = catalog_restore_want(wait->fs->catalog, catalog_node_scope(&wait->node),
				       wait->restore_days, wait->restore_tier, &counts);

	if (err)
		log_error("a restore cannot be asked for: %s", strerror(-err));
	/* Nothing in it can be restored: not what the caller believes. */
	else if (!counts.wanted && !counts.under_way && !counts.restored)
		err = -ENODATA;
	fs_wait_reply_err(wait, err);
}

static int setxattr_check(const struct fs *fs, const char *name, const char *value, size_t size,
			  int flags, struct fs_wait *ret_wait)
{
	if (fs->is_read_only)
		return -EROFS;
	if (!is_ours(name))
		return -ENOTSUP;
	if (strcmp(name, PREFIX "restore") == 0) {
		ret_wait->action = RESTORE;
		return flags & XATTR_CREATE ? -EEXIST
					    : parse_restore(value, size, &ret_wait->restore_days,
							    &ret_wait->restore_tier);
	}
	if (strcmp(name, PREFIX "migrate") != 0)
		return -EPERM;
	if (flags & XATTR_CREATE)
		return -EEXIST;
	for (size_t i = 0; i < ARRAY_SIZE(migrate_asks); i++) {
		if (size == strlen(migrate_asks[i].value) &&
		    memcmp(value, migrate_asks[i].value, size) == 0) {
			ret_wait->action = (int)i;
			return 0;
		}
	}
	return -EINVAL;
}

void fs_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
		 int flags)
{
	struct fs *fs = fs_of(req);
	struct fs_wait asked = { .action = 0 };
	struct fs_wait *wait;
	int err = setxattr_check(fs, name, value, size, flags, &asked);

	if (!err)
		err = catalog_node_get(fs->catalog, ino, fs->names, &asked.node);
	if (!err && asked.node.kind == CATALOG_NODE_CALLS)
		err = -EPERM;
	if (err) {
		fs_reply_err(req, err);
		return;
	}
	wait = fs_wait_new(fs, req);
	if (!wait)
		return;
	wait->node = asked.node;
	wait->action = asked.action;
	wait->restore_days = asked.restore_days;
	wait->restore_tier = asked.restore_tier;
	fs_wait_push(wait, wait->action == RESTORE ? run_restore : run_migrate);
}

void fs_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	(void)ino;
	if (fs_of(req)->is_read_only)
		fs_reply_err(req, -EROFS);
	else
		fs_reply_err(req, is_ours(name) ? -EPERM : -ENODATA);
}
