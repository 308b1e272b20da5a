/* Between the files of the room that are the same for all engines. */
#pragma once

#include <pthread.h>

#include "db/driver.h"

#define DB_READERS_LIMIT 16
#define DB_DEADLINE_MSECS 30000

struct write_op; /* write.c */

struct db {
	const struct db_driver *driver;
	char *path;
	struct db_key *key;
	int64_t schema_version;

	pthread_mutex_t write_mutex; /* guards the queue and busy */
	struct write_op *write_first, **write_last;
	bool write_busy;        /* a leader is committing */
	struct db_conn *writer; /* the leader's; NULL: lost, and not opened anew yet */

	pthread_mutex_t read_mutex; /* guards the next two */
	pthread_cond_t read_cond;
	struct db_conn *readers[DB_READERS_LIMIT]; /* idle ones; a stack: few stay warm */
	unsigned reader_idle, reader_count;

	pthread_mutex_t watch_mutex; /* guards the rest */
	pthread_cond_t watch_cond;
	uint64_t generation; /* of anything in the database, as this process knows it */
	bool is_watched;
	int64_t watch_retry_msecs; /* it could not be started: not again before */
	pthread_t watch_thread;
	struct db_watch *watch; /* the thread's, once it runs */
	int watch_stop_fd;
};

/* conn.c. A connection that has been opened for writing is ready to write. */
int db_connect(const struct db_driver *driver, const char *path, const struct db_key *key,
	       enum db_access access, struct db_conn **ret_conn);
int db_verb(struct db_conn *conn, enum db_verb verb);
void db_roll_back(struct db_conn *conn); /* nothing, without a transaction */

/* watch.c */
void db_watch_end(struct db *db);
