/* Values that may need S3, or a program that gives credentials. They run in fs->remote_pool. */
#include <errno.h>
#include <string.h>

#include "fs/fs-private.h"
#include "fs/xattr.h"
#include "storage/playback.h"
#include "storage/restore.h"
#include "util/log.h"
#include "util/times.h"

int fs_xattr_get_url(struct fs_subject *s, struct buf *out)
{
	return storage_playback_url(s->fs->catalog, s->fs->settings.http, s->node->recording_id, 0,
				    false, &s->fs->cancel, out);
}

static void add_time(struct buf *out, const char *what, int64_t secs)
{
	char text[TIME_ISO8601_SIZE];

	time_format_iso8601(secs, text);
	buf_addf(out, "%s%s", what, text);
}

/* ---- restore ---- */

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

static int get_restore_of_folder(struct fs_subject *s, struct buf *out)
{
	struct catalog_restore_status status;
	int err = catalog_restore_status(s->fs->catalog, catalog_node_scope(s->node), &status);

	if (err == 0)
		buf_addf(out, "archived %lld restoring %lld restored %lld refused %lld",
			 (long long)status.archived, (long long)status.under_way,
			 (long long)status.restored, (long long)status.refused);
	return err;
}

/* Updates the catalog's row of the object from S3. */
static int refresh(struct fs_subject *s, struct remote_error *ret_error)
{
	return storage_object_refresh(s->fs->catalog, s->fs->settings.http, s->node->recording_id,
				      &s->fs->cancel, ret_error);
}

int fs_xattr_get_restore(struct fs_subject *s, struct buf *out)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct catalog_archive archive;
	int err;

	if (s->node->kind != CATALOG_NODE_RECORDING)
		return get_restore_of_folder(s, out);
	err = catalog_archive_get(s->fs->catalog, s->node->recording_id, &archive);
	/* During a restore S3 is asked each time. Without an answer the last known state counts. */
	if (err == 0 && archive.restore == CATALOG_RESTORE_ONGOING && refresh(s, &error) == 0)
		err = catalog_archive_get(s->fs->catalog, s->node->recording_id, &archive);
	if (err == 0)
		add_restore(out, &archive);
	return err;
}

/* ---- retention ---- */

int fs_xattr_get_retention(struct fs_subject *s, struct buf *out)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct catalog_lock lock;
	int err;

	/* A retention may be set in the bucket at any time, and lists of objects do not show it. */
	err = refresh(s, &error);
	if (err && err != -ENOENT)
		log_info("S3 was not asked for a retention: %s", error.message);
	err = catalog_lock_get(s->fs->catalog, s->node->recording_id, &lock);
	if (err)
		return err;
	if (lock.retain_until_secs > time_now_secs()) {
		buf_add_str(out,
			    strcmp(lock.mode, "COMPLIANCE") == 0 ? "compliance" : "governance");
		add_time(out, " until ", lock.retain_until_secs);
	}
	if (lock.has_legal_hold)
		buf_addf(out, "%slegal hold", out->len ? ", " : "");
	return 0;
}
