/* Global settings, and the root folder's mtime, which is one of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/folder-private.h"
#include "util/cleanup.h"
#include "util/times.h"

int catalog_setting_get(struct catalog *catalog, const char *name, char **ret_value)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read_row(catalog->db, &stmt, "SELECT value FROM setting WHERE name = ?1", "s",
			      name);

	*ret_value = err ? NULL : strdup(db_text(stmt, 0));
	return err || *ret_value ? err : -ENOMEM;
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

int catalog_setting_set(struct catalog *catalog, const char *name, const char *value)
{
	if (!value)
		return db_write_run(catalog->db, "DELETE FROM setting WHERE name = ?1", "s", name);
	return db_write_run(catalog->db,
			    "INSERT INTO setting (name, value) VALUES (?1, ?2) "
			    "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
			    "ss", name, value);
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
