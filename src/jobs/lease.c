/* Leases by name: one owner at a time, until the lease ends. */
#include "jobs/lease.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "catalog/catalog.h"
#include "db/db.h"
#include "util/crypto.h"
#include "util/times.h"

void job_owner_new(char ret_owner[CATALOG_OWNER_SIZE])
{
	static _Atomic unsigned count;
	unsigned char bytes[12];
	unsigned number = ++count;

	if (crypto_random(bytes, sizeof bytes) < 0) {
		/* Still unique on this machine. */
		int64_t now = time_now_nsecs();
		int pid = getpid();

		memcpy(bytes, &now, sizeof now);
		memcpy(bytes + sizeof now, &pid, sizeof pid);
	}
	crypto_hex(bytes, sizeof bytes, ret_owner);
	snprintf(ret_owner + 24, CATALOG_OWNER_SIZE - 24, "-%x", number & 0xffffff);
}

struct lease_args {
	const char *name, *owner;
	int64_t msecs;
};

static int write_take(struct db_conn *conn, void *arg)
{
	const struct lease_args *args = arg;
	int64_t now;
	int err = db_now(conn, &now);

	if (err == 0)
		err = db_run(conn,
			     "INSERT INTO lease (name, owner, until_msecs) VALUES (?1, ?2, ?3)"
			     " ON CONFLICT (name) DO UPDATE SET owner = excluded.owner,"
			     " until_msecs = excluded.until_msecs"
			     " WHERE lease.owner = excluded.owner OR lease.until_msecs <= ?4",
			     "ssii", args->name, args->owner, now + args->msecs, now);
	if (err)
		return err;
	return db_changes(conn) ? 0 : -EBUSY;
}

int job_lease_take(struct catalog *catalog, const char *name, const char *owner, int64_t msecs)
{
	struct lease_args args = { name, owner, msecs };

	return db_write(catalog_db(catalog), write_take, &args);
}

int job_lease_give_back(struct catalog *catalog, const char *name, const char *owner)
{
	return db_write_run(catalog_db(catalog), "DELETE FROM lease WHERE name = ?1 AND owner = ?2",
			    "ss", name, owner);
}
