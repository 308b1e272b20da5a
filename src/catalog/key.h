/* Where the catalog's raw 256-bit key comes from: a file of mode 0600 that `init` makes, a
 * command's output, or a systemd credential. Files and output hold 64 hex digits; white space
 * around them is ignored. */
#pragma once

#include "catalog/catalog.h"

void catalog_key_wipe(struct db_key *key);
#define cleanup_key __attribute__((cleanup(catalog_key_wipe)))
/* In the locked memory of util/secret.h. NULL for lack of memory. Wiped when it is freed. */
struct db_key *catalog_key_new(void);
void catalog_key_free(struct db_key *key);
void catalog_key_freep(struct db_key **key);
#define cleanup_key_new __attribute__((cleanup(catalog_key_freep)))

/* A new random key in a new file of mode 0600; -EEXIST. */
int catalog_key_file_create(const char *path, struct db_key *ret_key);
/* -EACCES with a message: group or others may read or write it, or it belongs to another user.
 * -EINVAL: not 64 hex digits. */
int catalog_key_file_load(const char *path, struct db_key *ret_key,
			  char ret_message[CATALOG_MESSAGE_SIZE]);
/* Runs `sh -c command` (posix_spawn, no shell variables of ours), at most 60 s. */
int catalog_key_command_run(const char *command, struct db_key *ret_key,
			    char ret_message[CATALOG_MESSAGE_SIZE]);
/* Keeps the command of `init --key-command`, which is no secret, in a new file of mode 0600:
 * <catalog>.key-command. -EEXIST. */
int catalog_key_command_save(const char *path, const char *command);

enum catalog_key_source { CATALOG_KEY_FILE, CATALOG_KEY_COMMAND, CATALOG_KEY_CREDENTIAL };
struct catalog_key_place {
	enum catalog_key_source source;
	char *path; /* of the key, or of the file that holds the command */
};
void catalog_key_place_release(struct catalog_key_place *place);
#define cleanup_key_place __attribute__((cleanup(catalog_key_place_release)))

/*
 * Every command looks for the key in this order:
 *
 *   1. key_file, where it is given
 *   2. <catalog>.key-command, where it exists
 *   3. $CREDENTIALS_DIRECTORY/tonicfs.key, where it exists
 *   4. <catalog>.key
 */
int catalog_key_locate(const char *catalog_path, const char *key_file,
		       struct catalog_key_place *ret_place);
int catalog_key_load(const struct catalog_key_place *place, struct db_key *ret_key,
		     char ret_message[CATALOG_MESSAGE_SIZE]);
