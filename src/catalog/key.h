/*
 * Where the catalog's raw 256-bit key comes from: a file of mode 0600 that `init` makes, a command's output, or a systemd credential. In files and
 * output it is 64 hex digits; white space around them is ignored.
 */
#ifndef TONICFS_CATALOG_KEY_H
#define TONICFS_CATALOG_KEY_H

#include "catalog/catalog.h"

void catalog_key_wipe(struct db_key *key);
#define cleanup_key __attribute__((cleanup(catalog_key_wipe)))
/* One in the memory of util/secret.h, where the program keeps its keys; NULL for lack of memory. Freed by wiping. */
struct db_key *catalog_key_new(void);
void catalog_key_free(struct db_key *key);
void catalog_key_freep(struct db_key **key);
#define cleanup_key_new __attribute__((cleanup(catalog_key_freep)))

/* A new random key in a new file of mode 0600; -EEXIST. */
int catalog_key_file_create(const char *path, struct db_key *ret_key);
/* -EACCES with a message where group or others may read or write it, or where it is another user's; -EINVAL: not 64 hex
 * digits. */
int catalog_key_file_load(const char *path, struct db_key *ret_key,
			  char ret_message[CATALOG_MESSAGE_SIZE]);
/* Runs `sh -c command` (posix_spawn, no shell variables of ours), at most 60 s. */
int catalog_key_command_run(const char *command, struct db_key *ret_key,
			    char ret_message[CATALOG_MESSAGE_SIZE]);
/* `init --key-command` leaves the command, which is no secret, beside the catalog in <catalog>.key-command (0600); -EEXIST. */
int catalog_key_command_save(const char *path, const char *command);

enum catalog_key_source { CATALOG_KEY_FILE, CATALOG_KEY_COMMAND, CATALOG_KEY_CREDENTIAL };
struct catalog_key_place {
	enum catalog_key_source source;
	char *path; /* of the key, or of the file that holds the command */
};
void catalog_key_place_release(struct catalog_key_place *place);
#define cleanup_key_place __attribute__((cleanup(catalog_key_place_release)))

/* The rule that every command follows: key_file where given; else <catalog>.key-command where there; else $CREDENTIALS_DIRECTORY/tonicfs.key where
 * there; else <catalog>.key. */
int catalog_key_locate(const char *catalog_path, const char *key_file,
		       struct catalog_key_place *ret_place);
int catalog_key_load(const struct catalog_key_place *place, struct db_key *ret_key,
		     char ret_message[CATALOG_MESSAGE_SIZE]);

#endif
