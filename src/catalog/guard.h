/*
 * Nobody but this user and root may write what decides about the catalog: its folder, its key file,
 * the file of its key command. A user who can write one of them could have another key used, or a
 * command of their own run.
 *
 * The folders above are not checked: whoever can write one of them can only put a folder of their
 * own in place of the catalog's, and that one belongs to them. A sticky folder, such as /tmp,
 * counts as one that others may write: they can make files in it that SQLite would take for the
 * catalog's.
 */
#pragma once

#include <sys/stat.h>

#include "catalog/catalog.h"

/* -EACCES with a message that says what to run. what: "the key file". */
int catalog_guard_check(const struct stat *st, const char *what, const char *path,
			char ret_message[CATALOG_MESSAGE_SIZE]);
/* Checks the folder that holds the catalog, or will hold it. 0 where it does not exist yet. */
int catalog_guard_folder(const char *catalog_path, char ret_message[CATALOG_MESSAGE_SIZE]);
