/* Events for mounts: which cached names and bytes the kernel has to drop. */

#include "catalog/change.h"
#include "catalog/recording-private.h"
#include "util/times.h"

#define KEEP_SECS 3600
#define PRUNE_EVERY 1024

int change_add(struct db_conn *conn, int kind, const struct catalog_recording *recording)
{
	char name[CATALOG_FILE_NAME_SIZE], sid_name[CATALOG_FILE_NAME_SIZE];
	int64_t now = time_now_secs(), seq;
	int err;

	catalog_recording_name(recording, CATALOG_NAMES_NUMBER, name);
	catalog_recording_name(recording, CATALOG_NAMES_SID, sid_name);
	err = db_query_int(
		conn, &seq,
		"INSERT INTO change (at_secs, kind, inode, parent, name, sid_name)"
		" VALUES (?1, ?2, ?3, coalesce((SELECT inode FROM folder WHERE id = ?4), 0), ?5, ?6)"
		" RETURNING seq",
		"iiiiss", now, (int64_t)kind, (int64_t)recording->inode, recording->folder_id, name,
		sid_name);
	if (err == 0 && seq % PRUNE_EVERY == 0)
		err = db_run(conn, "DELETE FROM change WHERE at_secs < ?", "i", now - KEEP_SECS);
	return err;
}

int catalog_change_last(struct catalog *catalog, int64_t *ret_seq)
{
	return db_read_int(catalog->db, ret_seq, "SELECT coalesce(max(seq), 0) FROM change", "");
}

int catalog_change_each(struct catalog *catalog, int64_t after_seq, catalog_change_fn *fn,
			void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read(catalog->db, &stmt,
			  "SELECT seq, kind, inode, parent, name, sid_name FROM change"
			  " WHERE seq > ? ORDER BY seq",
			  "i", after_seq);

	while (db_next(stmt, &err)) {
		struct catalog_change change = {
			.seq = db_int64(stmt, 0),
			.kind = db_int(stmt, 1),
			.inode = (uint64_t)db_int64(stmt, 2),
			.parent = (uint64_t)db_int64(stmt, 3),
		};

		db_text_copy(stmt, 4, change.name, sizeof change.name);
		db_text_copy(stmt, 5, change.sid_name, sizeof change.sid_name);
		err = fn(arg, &change);
	}
	return err;
}
