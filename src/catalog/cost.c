/* Recordings counted by what their price depends on. */
#include "catalog/cost.h"

#include "catalog/catalog-private.h"
#include "util/cleanup.h"
#include "util/times.h"

/* Where the size is not known: 8 kHz, 16 bits, two channels unless it is known otherwise, and the
 * header. */
#define SIZE \
	"CASE WHEN r.size_bytes >= 0 THEN r.size_bytes WHEN r.duration_secs < 0 THEN 44" \
	" ELSE 44 + r.duration_secs * 16000 *" \
	" CASE WHEN r.channels_stored > 0 THEN r.channels_stored ELSE 2 END END"
#define IS_SMALL SQL_BOOL("(" SIZE ") < ?3")
#define IS_AT_TWILIO SQL_BOOL("r.state IN " SQL_AT_TWILIO)
#define IS_IN_S3 SQL_BOOL("o.recording_id IS NOT NULL")
#define AGE_DAYS SQL_GREATER("(?2 - coalesce(o.stored_secs, ?2)) / 86400", "0")
#define UNKNOWN_MINUTES SQL_COUNT_IF("r.duration_secs < 0")
#define LOST "(" SQL_STATE_MISSING ", " SQL_STATE_DELETED ")"
/* Started minutes; one, where the duration is 0. */
#define MINUTES \
	"CASE WHEN r.duration_secs < 0 THEN 0 WHEN r.duration_secs = 0 THEN 1" \
	" ELSE (r.duration_secs + 59) / 60 END"

static void row_read(struct db_stmt *stmt, struct catalog_cost_row *ret_row)
{
	struct catalog_cost_row *r = ret_row;

	r->folder_id = db_int64(stmt, 0);
	r->at_twilio = db_int(stmt, 1);
	r->in_s3 = db_int(stmt, 2);
	db_text_copy(stmt, 3, r->storage_class, sizeof r->storage_class);
	r->age_days = db_int64(stmt, 4);
	r->recordings = db_int64(stmt, 6);
	r->minutes = db_int64(stmt, 7);
	r->unknown_minutes = db_int64(stmt, 8);
	r->size_bytes = db_int64(stmt, 9);
}

int catalog_cost_each(struct catalog *catalog, int64_t workspace_id, int64_t small_bytes,
		      catalog_cost_fn *fn, void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read(catalog->db, &stmt,
			  "SELECT r.folder_id, " IS_AT_TWILIO ", " IS_IN_S3
			  ", coalesce(o.storage_class, ''), " AGE_DAYS ", " IS_SMALL ", count(*),"
			  " sum(" MINUTES "), " UNKNOWN_MINUTES ", sum(" SIZE ") FROM recording r"
			  " LEFT JOIN object o ON o.recording_id = r.id AND r.state IN " SQL_IN_S3
			  " WHERE r.workspace_id = ?1 AND r.listed = 1 AND r.state NOT IN " LOST
			  " GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1",
			  "iii", workspace_id, time_now_secs(), small_bytes);

	while (db_next(stmt, &err)) {
		struct catalog_cost_row row;

		row_read(stmt, &row);
		err = fn(arg, &row);
	}
	return err;
}
