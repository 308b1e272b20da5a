/* Makes and upgrades the catalog's tables. A new catalog takes all steps, so it never differs from
 * one that was upgraded. */
#include "catalog/schema.h"

#include "catalog/catalog-private.h"

const int catalog_schema_version = SCHEMA_VERSION;

int catalog_schema_apply(struct db_conn *conn, int64_t from, int64_t to)
{
	const struct schema_step *steps = schema_sqlcipher;
	struct db_format format = { CATALOG_APPLICATION_ID, to };
	int err = 0;

	for (int64_t i = from; i < to && err == 0; i++)
		err = db_exec(conn, steps[i].sql);
	for (int64_t i = from; i < to && err == 0; i++)
		if (steps[i].fill)
			err = steps[i].fill(conn);
	return err ? err : db_format_set(conn, &format);
}
