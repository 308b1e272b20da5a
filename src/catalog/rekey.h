/*
 * Re-encrypting the catalog's file: a copy with the new key, checked, then renamed over the old
 * file. Not PRAGMA rekey, which rewrites the file in place: after a crash in the middle only the
 * old key can play its journal back, while the fingerprint may name the new one. A rename is
 * atomic.
 *
 *   begin   this process has the file alone; its WAL is folded in and removed: a WAL that stayed
 *           would be taken for the new file's
 *   run     1. the copy is written and fsynced              the old key opens the catalog
 *           2. it is read through with the new key
 *           3. <catalog>.keyid is removed                   only the file itself decides
 *           4. the copy is renamed over the catalog         the new key opens it
 *           5. <catalog>.keyid names the new key
 *           6. the old file, which others may be waiting to open, is truncated
 *
 * Needs as much free space as the catalog takes.
 */
#pragma once

#include "catalog/catalog.h"

struct catalog_rekey;
/* -EBUSY with a message: another process has the catalog open. It must not be open in this one. */
int catalog_rekey_begin(const char *path, const struct db_key *old_key,
			struct catalog_rekey **ret_rekey, char ret_message[CATALOG_MESSAGE_SIZE]);
/* On failure the old key still opens the catalog, unless *ret_is_new is set: then the new key does,
 * and after a power failure perhaps the old one again. */
int catalog_rekey_run(struct catalog_rekey *rekey, const struct db_key *new_key, bool *ret_is_new,
		      char ret_message[CATALOG_MESSAGE_SIZE]);
void catalog_rekey_end(struct catalog_rekey *rekey); /* NULL is fine */
