/*
 * The catalog: one encrypted file (SQLCipher) with settings, credentials, the call log, states and
 * jobs.
 *
 * Contract  Every function that changes something is one durable, atomic step: when it has returned
 *           0 the change survives kill -9 and power loss; when it has not, nothing has changed, but
 *           for -ECONNABORTED. Several processes may use one file at a time; nothing here assumes
 *           to be the only one: claims are leases.
 * Threads   Everything but catalog_open/close may be called from any thread. Readers never wait for
 *           writers.
 * Errors    0 or -errno: -ENOENT no such thing, -EEXIST, -EINVAL, -ESTALE (the lease is no longer
 *           ours), those of db/db.h, and on opening those of catalog_open.
 *           -ECONNABORTED: the outcome is unknown (not with SQLCipher). Calling again does no harm:
 *           adding a workspace or a campaign that is there by now is -EEXIST, ending a job that has
 *           ended is -ESTALE, and a job or callback that was claimed is claimed by the next one
 *           when its lease has ended. Every other function leaves the same behind.
 * Ownership Structs filled through ret_… hold no pointers unless said. Callback arguments are valid
 *           during the call; callbacks must not call functions that change the catalog.
 * Times     …_secs are Unix seconds, …_msecs milliseconds of the wall clock; durations say so.
 * Files     catalog.db, -wal, -shm, and catalog.db.keyid: a public fingerprint of the key, which
 *           tells a wrong key from a damaged file. Refused on a network file system: WAL needs
 *           shared memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db.h"

struct catalog;

#define CATALOG_MESSAGE_SIZE 512
/* Behind "… is damaged; ". */
#define CATALOG_DAMAGED_ADVICE \
	"put a copy of it in its place, or make it anew ('tonicfs help verify')"
/* Sizes of texts that several headers have, NUL included. */
#define CATALOG_NAME_SIZE 256
#define CATALOG_URL_SIZE 512
#define CATALOG_BUCKET_SIZE 256

/* Makes a catalog of mode 0600, in a folder of mode 0700 that is made where it is missing. -EEXIST:
 * one of its files exists. On an error ret_message is a sentence for the user. */
int catalog_create(const char *path, const struct db_key *key,
		   char ret_message[CATALOG_MESSAGE_SIZE]);

/*
 * Opens the catalog, and brings an older one up to date in one transaction. Writes nothing before
 * the key, the format and the version are known to be right.
 *
 *   -ENOENT, -EACCES
 *   -EKEYREJECTED     wrong key
 *   -EUCLEAN          damaged, or no catalog
 *   -EPROTONOSUPPORT  made by a newer version
 *   -ENOTSUP          plain SQLite instead of SQLCipher, or a network file system
 *
 * On an error ret_message is a sentence for the user.
 */
int catalog_open(const char *path, const struct db_key *key, struct catalog **ret_catalog,
		 char ret_message[CATALOG_MESSAGE_SIZE]);
void catalog_close(struct catalog *catalog); /* NULL is fine */
const char *catalog_path(const struct catalog *catalog);
struct db;
struct db *catalog_db(struct catalog *catalog); /* for the room jobs only */

/* Global settings: small named values. -ENOENT where unset. The caller frees *ret_value. */
int catalog_setting_get(struct catalog *catalog, const char *name, char **ret_value);
int64_t catalog_setting_get_int(struct catalog *catalog, const char *name, int64_t fallback);
int catalog_setting_set(struct catalog *catalog, const char *name,
			const char *value /* NULL: unset */);

/* As db_wait and db_wake. */
int catalog_wait(struct catalog *catalog, uint64_t *generation, unsigned timeout_msecs);
void catalog_wake(struct catalog *catalog);

/* The scope of an operation: everything, a workspace, a folder (a campaign or `unassigned`), or one
 * recording. */
enum catalog_scope_kind {
	CATALOG_SCOPE_ALL,
	CATALOG_SCOPE_WORKSPACE,
	CATALOG_SCOPE_FOLDER,
	CATALOG_SCOPE_RECORDING
};
struct catalog_scope {
	enum catalog_scope_kind kind;
	int64_t id;
};
