/*
 * Rotating the catalog's key: where the new key comes from and where it is kept.
 * catalog/rekey.h re-encrypts the file.
 *
 * The new key, or the command that prints it, is durable as <its place>.new before anything is
 * encrypted with it, and is moved to its place when the new key opens the catalog. After a kill -9
 * between these two steps, the key in the place does not open the catalog and the one in
 * <place>.new does: catalog_open_found notices that and finishes the rotation.
 */
#pragma once

#include "catalog/key.h"

/* catalog_open with the key that catalog_key_locate finds. */
int catalog_open_found(const char *path, const char *key_file, struct catalog **ret_catalog,
		       char ret_message[CATALOG_MESSAGE_SIZE]);

struct catalog_rotation {
	const char *new_file;    /* holds the new key; made where it does not exist */
	const char *new_command; /* prints the new key, and is kept beside the catalog */
	/* Both NULL: a new random key in the place of the old one, which must be a file. */
};
/* -EINVAL: the old key's place cannot be written (a command, a credential), or the new key is the
 * old one. -EBUSY: another process has the catalog open. *ret_place: where the new key is. */
int catalog_rotate(const char *path, const char *key_file, const struct catalog_rotation *rotation,
		   struct catalog_key_place *ret_place, char ret_message[CATALOG_MESSAGE_SIZE]);
