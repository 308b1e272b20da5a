/* Global settings, and the root folder's mtime, which is one of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/folder-private.h"
#include "catalog/sql.h"
#include "util/cleanup.h"
#include "util/times.h"

int catalog_setting_get(struct catalog *catalog, const char *name, char **ret_value)
{
	cleanup_db_read struct db_conn *read = NULL;
	int err;

	*ret_value = NULL;
	err = db_read_begin(catalog->db, &read);
	return err ? err
		   : db_query_text(read, ret_value, "SELECT value FROM setting WHERE name = ?1",
				   "s", name);
}

int64_t catalog_setting_get_int(struct catalog *catalog, const char *name, int64_t fallback)
{
	cleanup_free char *text = NULL;
	long long value;
	char *end;

	if (catalog_setting_get(catalog, name, &text) < 0)
		return fallback;
	errno = 0;
	value = strtoll(text, &end, 10);
	return errno || end == text || *end ? fallback : value;
}

struct set_args {
	const char *name, *value;
};

static int set_in_write(struct db_conn *conn, void *arg)
{
	const struct set_args *args = arg;

	if (!args->value)
		return db_run(conn, "DELETE FROM setting WHERE name = ?1", "s", args->name);
	return db_run(conn,
		      "INSERT INTO setting (name, value) VALUES (?1, ?2) "
		      "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		      "ss", args->name, args->value);
}

int catalog_setting_set(struct catalog *catalog, const char *name, const char *value)
{
	struct set_args args = { name, value };

	return db_write(catalog->db, set_in_write, &args);
}

int root_touch(struct db_conn *conn)
{
	return db_run(conn,
		      "INSERT INTO setting (name, value)"
		      " VALUES ('" ROOT_MTIME "', CAST(?1 AS TEXT))"
		      " ON CONFLICT (name) DO UPDATE SET value = CAST(" SQL_LATER(
			      "CAST(setting.value AS BIGINT)", "?1") " AS TEXT)",
		      "i", time_now_nsecs());
}
