/* Opening connections: for open.c and write.c; what every file of the room uses of a connection is in catalog-private.h. */
#ifndef TONICFS_CATALOG_CONN_H
#define TONICFS_CATALOG_CONN_H

#include "catalog/catalog-private.h"

#define CONN_CREATE 1u
#define CONN_WRITER 2u
#define CONN_READER 4u

/* -ENOTSUP: the library is plain SQLite. A wrong key shows at the first read only (-EUCLEAN). */
int conn_open(const char *path, const struct catalog_key *key, unsigned flags,
	      struct conn **ret_conn);
void conn_close(struct conn *conn);
/* x'…', a raw key as SQLCipher takes it. Free with secret_free(); NULL for lack of memory. */
char *conn_key_text(const struct catalog_key *key);
int conn_exec(struct conn *conn, const char *sql);
sqlite3 *conn_db(struct conn *conn);
/* The file that the connection has open is no longer the one of that name. */
bool conn_is_moved(struct conn *conn);

struct write_op; /* write.c */

struct catalog {
	char *path;
	struct catalog_key *key;

	pthread_mutex_t write_mutex; /* guards the queue and busy */
	struct write_op *write_first, **write_last;
	bool write_busy;     /* a leader is committing */
	struct conn *writer; /* the leader's */

	pthread_mutex_t read_mutex; /* guards readers, reader_count */
	pthread_cond_t read_cond;
	struct conn *readers[16]; /* idle ones; a stack: few stay warm */
	unsigned reader_idle, reader_count;

	pthread_mutex_t watch_mutex; /* guards the rest */
	pthread_cond_t watch_cond;
	struct conn *watcher;
	uint64_t generation; /* of anything in the catalog, as this process knows it */
	int64_t data_version;
	int64_t watched_at_msecs;
	int64_t wanted_folders[8]; /* catalog_folder_want_sizes, latest first */
};

/* In open.c, for rekey.c too. The public fingerprint of a key, kept in <catalog>.keyid; and whether what is open is a catalog that this version
 * can read, with a message where it is not (and brought up to date where it is older). */
#define KEY_ID_BYTES 8
#define KEY_ID_SIZE (2 * KEY_ID_BYTES + 1)
int key_id(const struct catalog_key *key, char ret_text[KEY_ID_SIZE]);
int catalog_check_format(struct conn *conn, const char *path, bool key_known,
			 char ret_message[CATALOG_MESSAGE_SIZE]);

/* In write.c; called by catalog_open and catalog_close. */
void catalog_generation_advance(struct catalog *catalog);

#endif
