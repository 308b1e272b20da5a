/* Exact file sizes: learned one by one, kept for ever. */
#include <errno.h>
#include <string.h>

#include "catalog/change.h"
#include "catalog/recording-private.h"
#include "catalog/size.h"

struct sizes_arg {
	const struct catalog_size *sizes;
	size_t count;
};

static int write_sizes(struct db_conn *conn, void *arg)
{
	const struct sizes_arg *a = arg;
	struct catalog_recording old;
	int err = 0;

	for (size_t i = 0; i < a->count && err == 0; i++) {
		const struct catalog_size *size = &a->sizes[i];

		err = recording_load(conn, size->recording_id, &old);
		if (err == -ENOENT) {
			err = 0;
			continue;
		}
		/* A migrated recording keeps the size that was verified. */
		if (err || old.state == CATALOG_STATE_STORED || old.state == CATALOG_STATE_S3)
			continue;
		err = db_run(
			conn,
			"UPDATE recording SET size_bytes = ?2, channels_requested = ?3, channels_stored = ?4"
			" WHERE id = ?1",
			"iiii", old.id, size->size_bytes, (int64_t)size->channels_requested,
			(int64_t)size->channels_stored);
		if (err == 0 && old.is_listed && old.size_bytes >= 0 &&
		    old.size_bytes != size->size_bytes)
			err = change_add(conn, CATALOG_CHANGE_CONTENT, &old);
	}
	return err;
}

int catalog_sizes_set(struct catalog *catalog, const struct catalog_size *sizes, size_t count)
{
	struct sizes_arg a = { sizes, count };

	return db_write(catalog->db, write_sizes, &a);
}

void catalog_folder_want_sizes(struct catalog *catalog, int64_t folder_id)
{
	int64_t *wanted = catalog->wanted_folders;
	size_t n = sizeof catalog->wanted_folders / sizeof *catalog->wanted_folders, at;

	pthread_mutex_lock(&catalog->wanted_mutex);
	for (at = 0; at < n - 1 && wanted[at] != folder_id; at++)
		;
	if (at > 0)
		memmove(wanted + 1, wanted, at * sizeof *wanted);
	wanted[0] = folder_id;
	pthread_mutex_unlock(&catalog->wanted_mutex);
}

static int each(struct db_stmt *stmt, size_t *left, catalog_recording_fn *fn, void *arg)
{
	int err = 0;

	while (*left && db_next(stmt, &err)) {
		struct catalog_recording recording;

		recording_from_row(stmt, &recording);
		--*left;
		err = fn(arg, &recording);
	}
	return err;
}

int catalog_sizes_unknown(struct catalog *catalog, int64_t workspace_id, size_t limit,
			  catalog_recording_fn *fn, void *arg)
{
	cleanup_db_read struct db_conn *read = NULL;
	cleanup_stmt struct db_stmt *stmt = NULL;
	int64_t wanted[sizeof catalog->wanted_folders / sizeof *catalog->wanted_folders];
	int err = db_read_begin(catalog->db, &read);

	if (err)
		return err;
	pthread_mutex_lock(&catalog->wanted_mutex);
	memcpy(wanted, catalog->wanted_folders, sizeof wanted);
	pthread_mutex_unlock(&catalog->wanted_mutex);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted && wanted[i] && limit; i++) {
		err = db_query(
			read, &stmt,
			"SELECT " RECORDING_COLUMNS " FROM recording r WHERE r.folder_id = ?1"
			" AND r.listed = 1 AND r.size_bytes < 0 AND r.state IN " SQL_AT_TWILIO_ALONE
			" AND (?2 = 0 OR r.workspace_id = ?2)",
			"ii", wanted[i], workspace_id);
		if (err == 0)
			err = each(stmt, &limit, fn, arg);
		db_stmt_release(&stmt);
		if (err)
			return err;
	}
	if (!limit)
		return 0;
	err = db_query(read, &stmt,
		       "SELECT " RECORDING_COLUMNS " FROM recording r WHERE r.listed = 1"
		       " AND r.size_bytes < 0 AND r.state IN " SQL_AT_TWILIO_ALONE
		       " AND (?1 = 0 OR r.workspace_id = ?1)",
		       "i", workspace_id);
	return err ? err : each(stmt, &limit, fn, arg);
}
