/* Opening and closing a database, and what is done with its file as a whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db-private.h"
#include "util/cleanup.h"
#include "util/files.h"
#include "util/secret.h"
#include "util/wait.h"

static const struct db_driver *override;

void db_driver_override(const struct db_driver *driver)
{
	override = driver;
}

const struct db_driver *db_driver_for(const char *path)
{
	(void)path; /* a URL will be another engine's */
	return override ? override : &db_sqlcipher;
}

static struct db *db_new(const struct db_key *key)
{
	struct db *db = calloc(1, sizeof *db);

	if (!db)
		return NULL;
	pthread_mutex_init(&db->write_mutex, NULL);
	pthread_mutex_init(&db->read_mutex, NULL);
	cond_init(&db->read_cond);
	pthread_mutex_init(&db->watch_mutex, NULL);
	cond_init(&db->watch_cond);
	db->write_last = &db->write_first;
	db->generation = 1;
	db->key = secret_alloc(sizeof *db->key);
	if (db->key)
		*db->key = *key;
	return db;
}

/* A file is found again after a change of the working directory. */
static int locate(const struct db_driver *driver, const char *path, char **ret_path)
{
	if (driver->file)
		return files_absolute(path, ret_path);
	*ret_path = strdup(path);
	return *ret_path ? 0 : -ENOMEM;
}

int db_open(const char *path, const struct db_key *key, struct db **ret_db)
{
	struct db *db = db_new(key);
	int err;

	if (!db)
		return -ENOMEM;
	db->driver = db_driver_for(path);
	err = db->key ? locate(db->driver, path, &db->path) : -ENOMEM;
	if (err == 0)
		err = db_connect(db->driver, db->path, key, DB_ACCESS_WRITE, &db->writer);
	if (err)
		db_close(db);
	else
		*ret_db = db;
	return err;
}

int db_start(struct db *db, int64_t schema_version)
{
	db->schema_version = schema_version;
	return db->driver->start(db->writer);
}

struct db_conn *db_writer(struct db *db)
{
	return db->writer;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	db_watch_end(db);
	while (db->reader_idle)
		db_conn_close(db->readers[--db->reader_idle]);
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

/* ---- files ---- */

void db_file_remove(const char *path)
{
	static const char *const suffixes[] = { "", "-journal", "-wal", "-shm" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		cleanup_free char *name = NULL;

		if (asprintf(&name, "%s%s", path, suffixes[i]) < 0)
			name = NULL;
		else
			unlink(name);
	}
}

int db_create(const char *path, const struct db_key *key, db_write_fn *fill, void *arg)
{
	const struct db_driver *driver = db_driver_for(path);
	struct db_conn *conn = NULL;
	int err;

	if (!driver->file)
		return -ENOTSUP;
	err = driver->file->create(driver, path, key, &conn);
	if (err == -EEXIST)
		return err;
	if (err == 0)
		err = db_transact(conn, fill, arg);
	if (err == 0)
		err = driver->start(conn);
	db_conn_close(conn);
	if (err)
		db_file_remove(path);
	return err;
}

int db_open_alone(const char *path, const struct db_key *key, struct db_conn **ret_conn)
{
	const struct db_driver *driver = db_driver_for(path);
	struct db_conn *conn;
	int err;

	if (!driver->file)
		return -ENOTSUP;
	err = db_connect(driver, path, key, DB_ACCESS_WRITE, &conn);
	if (err)
		return err;
	err = driver->file->lock(conn);
	if (err)
		db_conn_close(conn);
	else
		*ret_conn = conn;
	return err;
}

int db_copy(struct db_conn *conn, const char *copy_path, const struct db_key *copy_key)
{
	return conn->driver->file->copy(conn, copy_path, copy_key);
}

int db_copy_check(struct db_conn *conn, const char *copy_path, const struct db_key *copy_key)
{
	return conn->driver->file->copy_check(conn, copy_path, copy_key);
}

bool db_is_moved(struct db_conn *conn)
{
	return conn->driver->file && conn->driver->file->is_moved(conn);
}
