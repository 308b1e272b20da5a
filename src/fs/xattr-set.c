/* The attributes that can be set: migrate and restore. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/workspace.h"
#include "fs/fs-private.h"
#include "fs/xattr.h"
#include "storage/restore.h"
#include "util/cleanup.h"
#include "util/log.h"

/* ---- migrate ---- */

int fs_xattr_parse_migrate(const char *value, size_t size, struct fs_xattr_change *ret_change)
{
	static const struct {
		const char *word;
		catalog_migrate_fn *migrate;
	} words[] = {
		{ "now", catalog_migrate_queue },   { "cancel", catalog_migrate_cancel },
		{ "pause", catalog_migrate_pause }, { "resume", catalog_migrate_resume },
		{ "retry", catalog_migrate_retry },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (size == strlen(words[i].word) && memcmp(value, words[i].word, size) == 0) {
			ret_change->migrate = words[i].migrate;
			return 0;
		}
	}
	return -EINVAL;
}

static void log_refused(const struct fs *fs, const struct catalog_node *node, const char *why)
{
	struct catalog_workspace workspace;

	if (node->workspace_id &&
	    catalog_workspace_get(fs->catalog, node->workspace_id, &workspace) == 0)
		log_warning("workspace %s: nothing can be migrated: %s", workspace.name, why);
	else
		log_warning("nothing can be migrated: %s", why);
}

int fs_xattr_apply_migrate(struct fs *fs, const struct catalog_node *node,
			   const struct fs_xattr_change *change)
{
	int64_t count;
	int err = change->migrate(fs->catalog, catalog_node_scope(node), &count);

	if (err == -ENOENT)
		log_refused(fs, node, "it has no storage settings");
	else if (err == -ENODEV)
		log_refused(fs, node, "its storage is not enabled");
	else if (err)
		log_refused(fs, node, strerror(-err));
	return err == -ENOENT ? -ENODEV : err;
}

/* ---- restore ---- */

/* "now", or the words of `tonicfs restore`, such as "7 bulk": days and tier, each optional. */
int fs_xattr_parse_restore(const char *value, size_t size, struct fs_xattr_change *ret_change)
{
	char text[64], *rest, *word;

	ret_change->restore_days = RESTORE_DAYS_DEFAULT;
	ret_change->restore_tier = storage_restore_tier("bulk");
	if (size >= sizeof text)
		return -EINVAL;
	memcpy(text, value, size);
	text[size] = '\0';
	for (word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
		char *end;
		unsigned long days = strtoul(word, &end, 10);

		if (*word >= '0' && *word <= '9' && !*end && days >= 1 &&
		    days <= RESTORE_DAYS_LIMIT)
			ret_change->restore_days = (unsigned)days;
		else if (storage_restore_tier(word))
			ret_change->restore_tier = storage_restore_tier(word);
		else if (strcmp(word, "now") != 0)
			return -EINVAL;
	}
	return 0;
}

int fs_xattr_apply_restore(struct fs *fs, const struct catalog_node *node,
			   const struct fs_xattr_change *change)
{
	struct catalog_restore_counts counts;
	int err = catalog_restore_want(fs->catalog, catalog_node_scope(node), change->restore_days,
				       change->restore_tier, &counts);

	if (err)
		log_error("a restore cannot be requested: %s", strerror(-err));
	/* Nothing in the scope is archived: an error, because the caller expected something. */
	else if (!counts.wanted && !counts.under_way && !counts.restored)
		err = -ENODATA;
	return err;
}
