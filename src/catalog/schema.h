/* Tables of the catalog, in a file for each engine. All engines have the same versions of the
 * tables, so that the rest of the room does not ask which one it is: text sorts by its bytes, flags
 * are integers, integers have 64 bits. */
#pragma once

#include "db/db.h"

struct schema_step {
	const char *sql;
	/* Fills new columns; NULL: the SQL does. Runs after all steps, because the program's
	 * statements need the newest tables. */
	int (*fill)(struct db_conn *conn);
};

#define SCHEMA_VERSION 7
/* Step i makes version i + 1. */
extern const struct schema_step schema_sqlcipher[SCHEMA_VERSION];
