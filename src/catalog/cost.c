#include "catalog/cost.h"

#include "catalog/catalog-private.h"
#include "util/cleanup.h"
#include "util/times.h"

/* 8 kHz, 16 bits, two channels unless it is known otherwise, and the head. */
#define SIZE \
	"CASE WHEN r.size_bytes >= 0 THEN r.size_bytes ELSE 44 + max(r.duration_secs, 0) * 16000 *" \
	" CASE WHEN r.channels_stored > 0 THEN r.channels_stored ELSE 2 END END"

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
	cleanup_db_read struct db_conn *read = NULL;
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read_begin(catalog->db, &read);

	if (err == 0)
		err = db_query(
			read, &stmt,
			"SELECT r.folder_id, r.state IN (1, 2, 3), o.recording_id IS NOT NULL,"
			" coalesce(o.storage_class, ''), coalesce(max(0, (?2 - o.stored_secs) / 86400), 0),"
			" (" SIZE ") < ?3, count(*),"
			" sum(CASE WHEN r.duration_secs < 0 THEN 0 ELSE max(1, (r.duration_secs + 59) / 60) END),"
			" sum(r.duration_secs < 0), sum(" SIZE ") FROM recording r"
			" LEFT JOIN object o ON o.recording_id = r.id AND r.state IN (3, 4)"
			" WHERE r.workspace_id = ?1 AND r.listed = 1 AND r.state IN (1, 2, 3, 4)"
			" GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1",
			"iii", workspace_id, time_now_secs(), small_bytes);
	while (err == 0 && (err = db_step(read, stmt)) > 0) {
		struct catalog_cost_row row;

		row_read(stmt, &row);
		err = fn(arg, &row);
	}
	return err;
}
