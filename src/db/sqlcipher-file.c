/* SQLCipher's database as a file: made, locked as a whole, copied under another key. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db/sqlcipher-private.h"
#include "util/cleanup.h"
#include "util/secret.h"

/* How long to wait for a process that is just closing the file. */
#define LOCK_MSECS "1000"

/* SQLite gives the -wal and -shm files the same mode. */
static int make_empty(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int sqlcipher_create(const struct db_driver *driver, const char *path, const struct db_key *key,
		     struct db_conn **ret_conn)
{
	int err = make_empty(path);

	return err ? err : driver->open(driver, path, key, DB_ACCESS_WRITE, ret_conn);
}

/* Leaving WAL mode needs the file alone, folds the WAL in and removes it; the exclusive locking
 * mode then keeps the file until the connection is closed. */
int sqlcipher_lock(struct db_conn *conn)
{
	cleanup_free char *mode = NULL;
	int err = db_exec(conn,
			  "PRAGMA busy_timeout = " LOCK_MSECS "; PRAGMA locking_mode = EXCLUSIVE");

	if (err == 0)
		err = db_query_text(conn, &mode, "PRAGMA main.journal_mode = DELETE", "");
	if (err == 0 && strcmp(mode, "delete") != 0)
		err = -EBUSY;
	/* A file that was not in WAL mode has only been read so far. */
	return err ? err : db_exec(conn, "BEGIN EXCLUSIVE; COMMIT");
}

static int attach(struct db_conn *conn, const char *copy_path, const struct db_key *copy_key)
{
	cleanup_secret char *text = sqlcipher_key_text(copy_key);

	if (!text)
		return -ENOMEM;
	return db_run(conn, "ATTACH DATABASE ?1 AS copy KEY ?2", "ss", copy_path, text);
}

/* sqlcipher_export leaves out what format_set sets. */
static int export(struct db_conn *conn)
{
	struct db_format format;
	char script[128];
	int err = db_exec(conn, "PRAGMA copy.synchronous = FULL");

	if (err == 0)
		err = db_run(conn, "SELECT sqlcipher_export('copy')", "");
	if (err == 0)
		err = db_format_get(conn, &format);
	if (err)
		return err;
	snprintf(script, sizeof script,
		 "PRAGMA copy.application_id = %d; PRAGMA copy.user_version = %d",
		 (int)format.application_id, (int)format.schema_version);
	return db_exec(conn, script);
}

int sqlcipher_copy(struct db_conn *conn, const char *copy_path, const struct db_key *copy_key)
{
	int detached, err = make_empty(copy_path);

	if (err)
		return err;
	err = attach(conn, copy_path, copy_key);
	if (err)
		return err;
	err = export(conn);
	detached = db_exec(conn, "DETACH DATABASE copy");
	return err ? err : detached;
}

static int count_objects(struct db_conn *conn, int64_t *ret_count)
{
	return db_query_int(conn, ret_count, "SELECT count(*) FROM sqlite_master", "");
}

static int compare(struct db_conn *conn, struct db_conn *copy)
{
	struct db_format format, copy_format;
	int64_t objects, copy_objects;
	int err = db_format_get(conn, &format);

	if (err == 0)
		err = db_format_get(copy, &copy_format);
	if (err == 0)
		err = count_objects(conn, &objects);
	if (err == 0)
		err = count_objects(copy, &copy_objects);
	if (err)
		return err;
	return objects == copy_objects && format.application_id == copy_format.application_id &&
			       format.schema_version == copy_format.schema_version
		       ? 0
		       : -EUCLEAN;
}

int sqlcipher_copy_check(struct db_conn *conn, const char *copy_path, const struct db_key *copy_key)
{
	cleanup_free char *verdict = NULL;
	struct db_conn *copy;
	int err = conn->driver->open(conn->driver, copy_path, copy_key, DB_ACCESS_READ, &copy);

	if (err)
		return err;
	err = compare(conn, copy);
	if (err == 0)
		err = db_query_text(copy, &verdict, "PRAGMA integrity_check(1)", "");
	if (err == 0 && strcmp(verdict, "ok") != 0)
		err = -EUCLEAN;
	db_conn_close(copy);
	return err;
}
