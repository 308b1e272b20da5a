/* Shared by all files of the room. */
#pragma once

#include <pthread.h>

#include "catalog/catalog.h"
#include "catalog/sql.h"
#include "db/db.h"

#define CATALOG_APPLICATION_ID 0x746f6e69 /* "toni" */

struct catalog {
	struct db *db;
	pthread_mutex_t wanted_mutex; /* guards wanted_folders */
	int64_t wanted_folders[8];    /* catalog_folder_want_sizes, latest first */
};

/* ---- open.c ---- */
/* Writes the message, and returns err. */
int catalog_fail(int err, char ret_message[CATALOG_MESSAGE_SIZE], const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* path and suffix as one. free(); NULL for lack of memory. */
char *path_beside(const char *path, const char *suffix);

/* ---- schema.c ---- */
extern const int catalog_schema_version;
/* Brings the tables from a version (0: no tables yet) to another, in the caller's transaction. */
int catalog_schema_apply(struct db_conn *conn, int64_t from, int64_t to);
