/*
 * Nobody but this user (and root) may write what decides about the catalog: its folder, its key's file, the file of its key
 * command. Whoever could, might have another key used, or a command of theirs run.
 *
 * Folders above are not looked at: whoever may write one of them can only put a folder of their own in the place of the
 * catalog's, and that one belongs to them. A sticky folder, such as /tmp, counts as one that others may write: they can make
 * files there that SQLite would take for the catalog's.
 */
#ifndef TONICFS_CATALOG_GUARD_H
#define TONICFS_CATALOG_GUARD_H

#include <sys/stat.h>

#include "catalog/catalog.h"

/* -EACCES with a message that says what to run. what: "the key file". */
int catalog_guard_check(const struct stat *st, const char *what, const char *path,
			char ret_message[CATALOG_MESSAGE_SIZE]);
/* The same check of the folder that holds the catalog, or will hold it. 0 where the folder does not exist yet. */
int catalog_guard_folder(const char *catalog_path, char ret_message[CATALOG_MESSAGE_SIZE]);

#endif
