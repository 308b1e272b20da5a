/* Between the files of the driver for SQLCipher. */
#pragma once

#include "db/driver.h"

/* How long a statement waits for another process's lock. */
#define SQLCIPHER_BUSY_MSECS 30000

/* x'…', a raw key as SQLCipher takes it. Free with secret_free(); NULL for lack of memory. */
char *sqlcipher_key_text(const struct db_key *key);

/* sqlcipher-file.c */
int sqlcipher_create(const struct db_driver *driver, const char *path, const struct db_key *key,
		     struct db_conn **ret_conn);
int sqlcipher_lock(struct db_conn *conn);
int sqlcipher_copy(struct db_conn *conn, const char *copy_path, const struct db_key *copy_key);
int sqlcipher_copy_check(struct db_conn *conn, const char *copy_path,
			 const struct db_key *copy_key);

/* sqlcipher-watch.c */
int sqlcipher_watch_open(const struct db_driver *driver, const char *path, const struct db_key *key,
			 struct db_watch **ret_watch);
int sqlcipher_watch_wait(struct db_watch *watch, int stop_fd);
void sqlcipher_watch_close(struct db_watch *watch);
