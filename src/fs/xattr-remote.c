/*
 * Attributes whose value may need the network, or a program that gives credentials: they are read
 * by name only, in a pool of their own. None of them is listed: a backup neither stores a URL nor
 * waits for one.
 */
#include <errno.h>
#include <string.h>

#include "catalog/archive.h"
#include "fs/fs-private.h"
#include "storage/playback.h"
#include "storage/restore.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/text.h"
#include "util/times.h"

static int value_url(struct fs *fs, const struct catalog_node *node, struct buf *ret_value)
{
	if (node->kind != CATALOG_NODE_RECORDING)
		return -ENODATA;
	return storage_playback_url(fs->catalog, fs->http, node->recording_id, 0, false,
				    &fs->cancel, ret_value);
}

/* ---- restore ---- */

static void add_time(struct buf *out, const char *what, int64_t secs)
{
	char text[TIME_ISO8601_SIZE];

	time_format_iso8601(secs, text);
	buf_addf(out, "%s%s", what, text);
}

static void add_restore(struct buf *out, const struct catalog_archive *archive)
{
	if (archive->restore == CATALOG_RESTORE_DONE && !archive->is_archived)
		add_time(out, "restored until ", archive->restored_until_secs);
	else if (!archive->is_archived)
		return;
	else if (archive->restore == CATALOG_RESTORE_WANTED ||
		 archive->restore == CATALOG_RESTORE_ONGOING)
		add_time(out, "restoring since ", archive->since_secs);
	else if (archive->restore == CATALOG_RESTORE_REFUSED)
		buf_addf(out, "archived; refused: %s", archive->reason);
	else
		buf_add_str(out, "archived");
}

static int restore_of_folder(struct fs *fs, const struct catalog_node *node, struct buf *ret_value)
{
	struct catalog_restore_status status;
	int err = catalog_restore_status(fs->catalog, catalog_node_scope(node), &status);

	if (err == 0)
		buf_addf(ret_value, "archived %lld restoring %lld restored %lld refused %lld",
			 (long long)status.archived, (long long)status.under_way,
			 (long long)status.restored, (long long)status.refused);
	return err;
}

static int value_restore(struct fs *fs, const struct catalog_node *node, struct buf *ret_value)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct catalog_archive archive;
	int err;

	if (node->kind == CATALOG_NODE_CALLS)
		return -ENODATA;
	if (node->kind != CATALOG_NODE_RECORDING)
		return restore_of_folder(fs, node, ret_value);
	err = catalog_archive_get(fs->catalog, node->recording_id, &archive);
	/* Whoever asks while it is under way wants to know now. Where S3 does not answer, the last
	 * that is known stands. */
	if (err == 0 && archive.restore == CATALOG_RESTORE_ONGOING &&
	    storage_object_refresh(fs->catalog, fs->http, node->recording_id, &fs->cancel,
				   &error) == 0)
		err = catalog_archive_get(fs->catalog, node->recording_id, &archive);
	if (err == 0)
		add_restore(ret_value, &archive);
	return err;
}

/* ---- retention ---- */

static int value_retention(struct fs *fs, const struct catalog_node *node, struct buf *ret_value)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct catalog_lock lock;
	int err;

	if (node->kind != CATALOG_NODE_RECORDING)
		return -ENODATA;
	/* It is set in the bucket at any time, and no list says so. */
	err = storage_object_refresh(fs->catalog, fs->http, node->recording_id, &fs->cancel,
				     &error);
	if (err && err != -ENOENT)
		log_info("a retention cannot be asked for: %s", error.message);
	err = catalog_lock_get(fs->catalog, node->recording_id, &lock);
	if (err)
		return err;
	if (lock.retain_until_secs > time_now_secs()) {
		buf_add_str(ret_value,
			    strcmp(lock.mode, "COMPLIANCE") == 0 ? "compliance" : "governance");
		add_time(ret_value, " until ", lock.retain_until_secs);
	}
	if (lock.has_legal_hold)
		buf_addf(ret_value, "%slegal hold", ret_value->len ? ", " : "");
	return 0;
}

/* A value that grants access is the owner's alone: whoever has it needs neither the mount nor leave
 * to read the file. */
static const struct remote_attribute {
	const char *name;
	bool grants_access;
	int (*value)(struct fs *fs, const struct catalog_node *node, struct buf *ret_value);
} attributes[] = {
	{ "url", true, value_url },
	{ "restore", false, value_restore },
	{ "retention", false, value_retention },
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
	int err = cancel_is_set(&wait->fs->cancel)
			  ? -EINTR
			  : attribute->value(wait->fs, &wait->node, &value);

	if (value.data)
		value.len = text_clean(value.data);
	if (!err && !value.len)
		err = buf_failed(&value) ? -ENOMEM : -ENODATA;
	if (err == -ENOENT)
		err = -ENODATA; /* no bucket, or gone meanwhile */
	if (err) {
		if (err != -ENODATA && err != -EREMOTE && err != -EINTR)
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
	int err = attributes[index].grants_access && fuse_req_ctx(req)->uid != fs->uid
			  ? -EACCES
			  : catalog_node_get(fs->catalog, ino, fs->names, &node);

	if (err) {
		fs_reply_err(req, err);
		return;
	}
	wait = fs_wait_new(fs, req);
	if (!wait)
		return;
	wait->node = node;
	wait->action = index;
	wait->size = size;
	if (fs_wait_interruptible(wait))
		fs_wait_push_remote(wait, run);
}
