/* Global settings, and the root folder's mtime, which is one of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog-private.h"
#include "util/cleanup.h"
#include "util/times.h"

#define ROOT_MTIME "root_mtime_nsecs"

int catalog_setting_get(struct catalog *catalog, const char *name, char **ret_value)
{
	cleanup_conn struct conn_guard read = { catalog, NULL };
	int err;

	*ret_value = NULL;
	err = catalog_read_begin(catalog, &read.conn);
	return err ? err
		   : conn_query_text(read.conn, ret_value,
				     "SELECT value FROM setting WHERE name = ?1", "s", name);
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

static int set_in_write(struct catalog *catalog, struct conn *conn, void *arg)
{
	const struct set_args *args = arg;

	(void)catalog;
	if (!args->value)
		return conn_run(conn, "DELETE FROM setting WHERE name = ?1", "s", args->name);
	return conn_run(conn,
			"INSERT INTO setting (name, value) VALUES (?1, ?2) "
			"ON CONFLICT (name) DO UPDATE SET value = excluded.value",
			"ss", args->name, args->value);
}

int catalog_setting_set(struct catalog *catalog, const char *name, const char *value)
{
	struct set_args args = { name, value };

	return catalog_write(catalog, set_in_write, &args);
}

int root_touch(struct conn *conn)
{
	return conn_run(
		conn,
		"INSERT INTO setting (name, value) VALUES ('" ROOT_MTIME "', ?1) "
		"ON CONFLICT (name) DO UPDATE SET value = max(CAST(value AS INTEGER) + 1, excluded.value + 0)",
		"i", time_now_nsecs());
}
