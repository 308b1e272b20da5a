/*
 * Re-encrypting the catalog's file: a copy with the new key, checked, then renamed over the old
 * one. Not PRAGMA rekey, which rewrites the file in place: after a crash in the middle its journal
 * can be played back with the old key only, while the fingerprint may name the new one. A rename
 * has no middle.
 *
 *   begin   the file is this process's alone, its WAL folded in and gone: a WAL that stayed behind
 *           would be taken for the new file's
 *   run     1. the copy is written and fsynced              the old key opens the catalog
 *           2. it is read through with the new key
 *           3. <catalog>.keyid is removed                   the file itself decides
 *           4. the copy is renamed over the catalog         the new key opens it
 *           5. <catalog>.keyid names the new key
 *           6. the old file, which others may be waiting to open, is made empty
 *
 * Needs as much room again as the catalog has.
 */
#ifndef TONICFS_CATALOG_REKEY_H
#define TONICFS_CATALOG_REKEY_H

#include "catalog/catalog.h"

struct catalog_rekey;
/* -EBUSY with a message: another process has it open. The catalog must not be open in this one. */
int catalog_rekey_begin(const char *path, const struct db_key *old_key,
			struct catalog_rekey **ret_rekey, char ret_message[CATALOG_MESSAGE_SIZE]);
/* When it fails the old key still counts; but where *ret_is_new is set: then the new one does, and
 * perhaps, after a power failure, the old one again. */
int catalog_rekey_run(struct catalog_rekey *rekey, const struct db_key *new_key, bool *ret_is_new,
		      char ret_message[CATALOG_MESSAGE_SIZE]);
void catalog_rekey_end(struct catalog_rekey *rekey); /* NULL is fine */

#endif
