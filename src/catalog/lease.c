/* Leases by name: one owner at a time, until it ends. */
#include <errno.h>

#include "catalog/catalog-private.h"
#include "util/times.h"

struct lease_args {
	const char *name, *owner;
	int64_t msecs;
};

static int take_in_write(struct db_conn *conn, void *arg)
{
	const struct lease_args *args = arg;
	int64_t now = time_now_msecs();
	int err;

	err = db_run(
		conn,
		"INSERT INTO lease (name, owner, until_msecs) VALUES (?1, ?2, ?3) "
		"ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until_msecs = excluded.until_msecs "
		"WHERE owner = excluded.owner OR until_msecs <= ?4",
		"ssii", args->name, args->owner, now + args->msecs, now);
	if (err < 0)
		return err;
	return db_changes(conn) ? 0 : -EBUSY;
}

int catalog_lease_take(struct catalog *catalog, const char *name, const char *owner, int64_t msecs)
{
	struct lease_args args = { name, owner, msecs };

	return db_write(catalog->db, take_in_write, &args);
}

static int give_back_in_write(struct db_conn *conn, void *arg)
{
	const struct lease_args *args = arg;

	return db_run(conn, "DELETE FROM lease WHERE name = ?1 AND owner = ?2", "ss", args->name,
		      args->owner);
}

int catalog_lease_give_back(struct catalog *catalog, const char *name, const char *owner)
{
	struct lease_args args = { name, owner, 0 };

	return db_write(catalog->db, give_back_in_write, &args);
}
