/* Between the files of the room. */
#ifndef TONICFS_DB_DB_PRIVATE_H
#define TONICFS_DB_DB_PRIVATE_H

#include <pthread.h>

#include "db/db.h"

struct write_op; /* write.c */

struct db {
	char *path;
	struct db_key *key;
	int64_t schema_version;

	pthread_mutex_t write_mutex; /* guards the queue and busy */
	struct write_op *write_first, **write_last;
	bool write_busy;        /* a leader is committing */
	struct db_conn *writer; /* the leader's */

	pthread_mutex_t read_mutex; /* guards readers, reader_count */
	pthread_cond_t read_cond;
	struct db_conn *readers[16]; /* idle ones; a stack: few stay warm */
	unsigned reader_idle, reader_count;

	pthread_mutex_t watch_mutex; /* guards the rest */
	pthread_cond_t watch_cond;
	struct db_conn *watcher;
	uint64_t generation; /* of anything in the database, as this process knows it */
	int64_t data_version;
	int64_t watched_at_msecs;
};

/* The struct db that a connection for reading belongs to. */
struct db *db_conn_owner(const struct db_conn *conn);
void db_conn_own(struct db_conn *conn, struct db *db);
/* False when the engine has given up the transaction by itself (a full disk). */
bool db_in_transaction(struct db_conn *conn);

#endif
