/* Files and folders that other users could write. */
#include "catalog/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/files.h"

int catalog_guard_check(const struct stat *st, const char *what, const char *path,
			char ret_message[CATALOG_MESSAGE_SIZE])
{
	if (!files_is_of_others(st))
		return 0;
	if (st->st_uid != geteuid() && st->st_uid != 0)
		snprintf(
			ret_message, CATALOG_MESSAGE_SIZE,
			"%s belongs to another user (%u), who could change it; run tonicfs as that "
			"user, or: chown %u '%s'",
			what, (unsigned)st->st_uid, (unsigned)geteuid(), path);
	else
		snprintf(ret_message, CATALOG_MESSAGE_SIZE,
			 "%s may be written by others than its owner; run: chmod go-w '%s'", what,
			 path);
	return -EACCES;
}

int catalog_guard_folder(const char *catalog_path, char ret_message[CATALOG_MESSAGE_SIZE])
{
	const char *slash = strrchr(catalog_path, '/');
	cleanup_free char *folder = slash == catalog_path ? strdup("/")
				    : slash ? strndup(catalog_path, (size_t)(slash - catalog_path))
					    : strdup(".");
	struct stat st;

	if (!folder)
		return -ENOMEM;
	return stat(folder, &st) < 0
		       ? 0
		       : catalog_guard_check(&st, "the catalog's folder", folder, ret_message);
}
