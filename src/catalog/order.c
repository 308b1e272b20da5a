/* The neighbours of a recording in its folder's order, for reading ahead. */
#include <errno.h>

#include "catalog/archive-private.h"
#include "catalog/order.h"
#include "catalog/recording-private.h"
#include "util/times.h"

/* Archived, and not read from Twilio. */
#define IS_OUT_OF_REACH \
	SQL_BOOL("r.state = " SQL_STATE_S3 " AND EXISTS (SELECT 1 FROM object o" \
		 " LEFT JOIN storage s ON s.workspace_id = r.workspace_id" \
		 " WHERE o.recording_id = r.id AND " IS_ARCHIVED("?3") ")")
/* The inner query sorts by the index alone; the outer one reads the rows that remain. */
#define AFTER_SQL(column) \
	"SELECT " RECORDING_COLUMNS ", " IS_OUT_OF_REACH \
	" FROM (SELECT n.id AS next_id, n." column " AS place FROM recording before" \
	" JOIN recording n ON n.folder_id = before.folder_id AND n.listed = 1" \
	" AND n." column " > before." column \
	" WHERE before.id = ?1 ORDER BY place LIMIT ?2) AS next" \
	" JOIN recording r ON r.id = next.next_id ORDER BY next.place"

#define FIRST_SQL(column) \
	"SELECT " SQL_BOOL("NOT EXISTS (SELECT 1 FROM recording me JOIN recording r" \
			   " ON r.folder_id = me.folder_id AND r.listed = 1" \
			   " AND r." column " < me." column " WHERE me.id = ?1)")

int catalog_recordings_after(struct catalog *catalog, int64_t recording_id,
			     enum catalog_order order, size_t limit, catalog_after_fn *fn,
			     void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read(catalog->db, &stmt,
			  order == CATALOG_ORDER_INODE ? AFTER_SQL("inode") : AFTER_SQL("sort_key"),
			  "iii", recording_id, (int64_t)limit, time_now_secs());

	while (db_next(stmt, &err)) {
		struct catalog_recording recording;

		recording_from_row(stmt, &recording);
		err = fn(arg, &recording, db_int(stmt, db_columns(stmt) - 1) != 0);
	}
	return err;
}

int catalog_recording_is_first(struct catalog *catalog, int64_t recording_id,
			       enum catalog_order order, bool *ret_is_first)
{
	int64_t is_first = 0;
	int err = db_read_int(catalog->db, &is_first,
			      order == CATALOG_ORDER_INODE ? FIRST_SQL("inode")
							   : FIRST_SQL("sort_key"),
			      "i", recording_id);

	*ret_is_first = is_first != 0;
	return err;
}
