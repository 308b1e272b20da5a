/*
 * Opening and closing a database.
 */
#include <errno.h>
#include <stdlib.h>

#include "db/db-private.h"
#include "util/files.h"
#include "util/secret.h"

static struct db *db_new(const struct db_key *key)
{
	struct db *db = calloc(1, sizeof *db);
	pthread_condattr_t monotonic;

	if (!db)
		return NULL;
	pthread_mutex_init(&db->write_mutex, NULL);
	pthread_mutex_init(&db->read_mutex, NULL);
	pthread_cond_init(&db->read_cond, NULL);
	pthread_mutex_init(&db->watch_mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&db->watch_cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
	db->write_last = &db->write_first;
	db->generation = 1;
	db->key = secret_alloc(sizeof *db->key);
	if (db->key)
		*db->key = *key;
	return db;
}

int db_open(const char *path, const struct db_key *key, struct db **ret_db)
{
	struct db *db = db_new(key);
	int err;

	if (!db)
		return -ENOMEM;
	err = db->key ? files_absolute(path, &db->path) : -ENOMEM;
	if (err == 0)
		err = db_conn_open(db->path, key, DB_WRITER, &db->writer);
	if (err) {
		db_close(db);
		return err;
	}
	*ret_db = db;
	return 0;
}

int db_start(struct db *db, int64_t schema_version)
{
	int err = db_exec(db->writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
				      "PRAGMA journal_size_limit = 67108864");

	db->schema_version = schema_version;
	return err ? err : db_conn_open(db->path, db->key, DB_READER, &db->watcher);
}

struct db_conn *db_writer(struct db *db)
{
	return db->writer;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	while (db->reader_idle)
		db_conn_close(db->readers[--db->reader_idle]);
	db_conn_close(db->watcher);
	db_conn_close(db->writer);
	pthread_mutex_destroy(&db->write_mutex);
	pthread_mutex_destroy(&db->read_mutex);
	pthread_cond_destroy(&db->read_cond);
	pthread_mutex_destroy(&db->watch_mutex);
	pthread_cond_destroy(&db->watch_cond);
	secret_release(db->key, sizeof *db->key);
	free(db->path);
	free(db);
}

const char *db_path(const struct db *db)
{
	return db->path;
}
