/* Storage classes, restores and locks of objects. Partial indices find archived and locked objects;
 * triggers count recordings per class. */
#include "catalog/archive.h"

#include <errno.h>
#include <string.h>

#include "catalog/archive-private.h"
#include "catalog/recording-private.h"
#include "util/cleanup.h"
#include "util/times.h"

/* How soon a restore that is under way is looked at again; the fastest takes a few minutes. */
#define RESTORE_CHECK_MSECS (5 * 60 * 1000)

#define IN_SCOPE SQL_IN_SCOPE("r.workspace_id", "r.folder_id", "r.id")
#define IN_S3 "r.listed = 1 AND r.state IN " SQL_IN_S3
#define UNDER_WAY "(" SQL_RESTORE_WANTED ", " SQL_RESTORE_ONGOING ")"

bool catalog_class_is_archive(const char *storage_class)
{
	return strcmp(storage_class, "GLACIER") == 0 || strcmp(storage_class, "DEEP_ARCHIVE") == 0;
}

static const char *class_or_standard(const char *storage_class)
{
	return storage_class && *storage_class ? storage_class : "STANDARD";
}

int catalog_archive_get(struct catalog *catalog, int64_t recording_id,
			struct catalog_archive *ret_archive)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	struct catalog_archive *a = ret_archive;
	int err = db_read_row(
		catalog->db, &stmt,
		"SELECT o.storage_class, o.restore, o.restore_since_secs, o.restored_until_secs,"
		" o.restore_days, o.restore_tier, o.restore_reason, " SQL_BOOL(IS_ARCHIVED(
			"?2")) " FROM object o JOIN recording r ON r.id = o.recording_id"
			       " LEFT JOIN storage s ON s.workspace_id = r.workspace_id"
			       " WHERE o.recording_id = ?1 AND r.state IN " SQL_IN_S3,
		"ii", recording_id, time_now_secs());

	memset(a, 0, sizeof *a);
	if (err)
		return err;
	db_text_copy(stmt, 0, a->storage_class, sizeof a->storage_class);
	a->restore = db_int(stmt, 1);
	a->since_secs = db_int64(stmt, 2);
	a->restored_until_secs = db_int64(stmt, 3);
	a->days = (unsigned)db_int(stmt, 4);
	db_text_copy(stmt, 5, a->tier, sizeof a->tier);
	db_text_copy(stmt, 6, a->reason, sizeof a->reason);
	a->is_archived = db_int(stmt, 7);
	return 0;
}

/* ---- what is learned ---- */

struct classes {
	int64_t workspace_id;
	const struct catalog_class_seen *seen;
	size_t count;
	int64_t changed;
};

static int write_classes(struct db_conn *conn, void *arg)
{
	struct classes *c = arg;
	int err = 0;

	c->changed = 0;
	for (size_t i = 0; i < c->count && err == 0; i++) {
		int64_t id;

		err = recording_id_by_sid(conn, &c->seen[i].recording_sid, &id);
		if (err == 0)
			err = db_run(
				conn,
				"UPDATE object SET storage_class = ?3 WHERE storage_class <> ?3 AND recording_id ="
				" (SELECT id FROM recording WHERE id = ?1 AND workspace_id = ?2)",
				"iis", id, c->workspace_id,
				class_or_standard(c->seen[i].storage_class));
		if (err == 0)
			c->changed += db_changes(conn);
		else if (err == -ENOENT)
			err = 0;
	}
	return err;
}

int catalog_classes_seen(struct catalog *catalog, int64_t workspace_id,
			 const struct catalog_class_seen *seen, size_t count, int64_t *ret_changed)
{
	struct classes c = { workspace_id, seen, count, 0 };
	int err = db_write(catalog->db, write_classes, &c);

	if (err == 0 && ret_changed)
		*ret_changed += c.changed;
	return err;
}

int catalog_object_seen(struct catalog *catalog, int64_t recording_id,
			const struct catalog_object_seen *s)
{
	const int64_t restore = s->is_restoring              ? CATALOG_RESTORE_ONGOING
				: s->restored_until_secs > 0 ? CATALOG_RESTORE_DONE
							     : CATALOG_RESTORE_NONE;

	/* S3 does not know of a request that it refused, or that was not sent yet. */
	return db_write_run(
		catalog->db,
		"UPDATE object SET storage_class = ?2,"
		" restore_since_secs = CASE WHEN ?3 = " SQL_RESTORE_ONGOING
		" AND restore <> " SQL_RESTORE_ONGOING " THEN ?5 ELSE restore_since_secs END,"
		" restore = CASE WHEN ?3 = " SQL_RESTORE_NONE " AND restore IN (" SQL_RESTORE_WANTED
		", " SQL_RESTORE_REFUSED ") THEN restore ELSE ?3 END,"
		" restored_until_secs = ?4, restore_due_msecs = CASE WHEN ?3 = " SQL_RESTORE_ONGOING
		" THEN ?6 ELSE restore_due_msecs END,"
		" lock_mode = ?7, retain_until_secs = ?8, legal_hold = ?9 WHERE recording_id = ?1",
		"isiiiisii", recording_id, class_or_standard(s->storage_class), restore,
		s->restored_until_secs, time_now_secs(), time_now_msecs() + RESTORE_CHECK_MSECS,
		s->lock_mode ? s->lock_mode : "", s->retain_until_secs, (int64_t)s->has_legal_hold);
}

int catalog_archive_readable_set(struct catalog *catalog, int64_t workspace_id, int readable)
{
	return db_write_run(catalog->db,
			    "UPDATE storage SET archive_readable = ?2 WHERE workspace_id = ?1"
			    " AND archive_readable <> ?2",
			    "ii", workspace_id, (int64_t)readable);
}

/* ---- classes ---- */

int catalog_class_each(struct catalog *catalog, int64_t workspace_id, catalog_class_fn *fn,
		       void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read(
		catalog->db, &stmt,
		"SELECT storage_class, sum(n), sum(size_bytes) FROM class_count"
		" WHERE ?1 = 0 OR workspace_id = ?1 GROUP BY 1 HAVING sum(n) > 0 ORDER BY 1",
		"i", workspace_id);

	while (db_next(stmt, &err)) {
		char name[32];

		db_text_copy(stmt, 0, name, sizeof name);
		err = fn(arg, name, db_int64(stmt, 1), db_int64(stmt, 2));
	}
	return err;
}

/* ---- restores ---- */

struct want {
	struct catalog_scope scope;
	unsigned days;
	const char *tier;
	struct catalog_restore_counts counts;
};

static int count_wanted(struct db_conn *conn, struct want *w)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	struct catalog_restore_counts *c = &w->counts;
	int err = db_query(
		conn, &stmt,
		"SELECT " SQL_BOOL(IS_ARCHIVED(
			"?3")) ", coalesce(o.restore, " SQL_RESTORE_NONE
			       "), count(*) FROM recording r"
			       " LEFT JOIN object o ON o.recording_id = r.id AND r.state IN " SQL_IN_S3
			       " LEFT JOIN storage s ON s.workspace_id = r.workspace_id"
			       " WHERE r.listed = 1 AND " IN_SCOPE " GROUP BY 1, 2",
		"iii", (int64_t)w->scope.kind, w->scope.id, time_now_secs());

	memset(c, 0, sizeof *c);
	while (db_next(stmt, &err)) {
		int restore = db_int(stmt, 1);
		int64_t n = db_int64(stmt, 2);

		if (db_int(stmt, 0) == 0 && restore == CATALOG_RESTORE_DONE)
			c->restored += n;
		else if (db_int(stmt, 0) == 0)
			c->not_archived += n;
		else if (restore == CATALOG_RESTORE_WANTED || restore == CATALOG_RESTORE_ONGOING)
			c->under_way += n;
		else
			c->wanted += n;
	}
	return err;
}

static int write_want(struct db_conn *conn, void *arg)
{
	struct want *w = arg;
	int err = count_wanted(conn, w);

	if (err || (!w->counts.wanted && !w->counts.under_way))
		return err;
	/* A restore that waits after a failure is due now. */
	return db_run(
		conn,
		"UPDATE object SET restore_since_secs = CASE WHEN restore = " SQL_RESTORE_WANTED
		" THEN restore_since_secs ELSE ?3 END, restore = " SQL_RESTORE_WANTED
		", restore_days = ?4, restore_tier = ?5, restore_due_msecs = 0, restore_reason = ''"
		" WHERE restore <> " SQL_RESTORE_ONGOING
		" AND recording_id IN (SELECT r.id FROM object o"
		" JOIN recording r ON r.id = o.recording_id"
		" LEFT JOIN storage s ON s.workspace_id = r.workspace_id WHERE " IS_ARCHIVED(
			"?3") " AND " IN_S3 " AND " IN_SCOPE ")",
		"iiiis", (int64_t)w->scope.kind, w->scope.id, time_now_secs(), (int64_t)w->days,
		w->tier);
}

int catalog_restore_want(struct catalog *catalog, struct catalog_scope scope, unsigned days,
			 const char *tier, struct catalog_restore_counts *ret_counts)
{
	struct want w = { .scope = scope, .days = days, .tier = tier };
	int err =
		strlen(tier) < CATALOG_TIER_SIZE ? db_write(catalog->db, write_want, &w) : -EINVAL;

	*ret_counts = w.counts;
	return err;
}

int catalog_restore_due(struct catalog *catalog, int64_t workspace_id,
			struct catalog_restore_job *ret_jobs, size_t count, size_t *ret_count)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read(
		catalog->db, &stmt,
		"SELECT r.id, r.workspace_id, r.sid, o.key, o.restore, o.restore_days, o.restore_tier"
		" FROM object o JOIN recording r ON r.id = o.recording_id"
		" WHERE o.restore IN " UNDER_WAY " AND o.restore_due_msecs <= ?2"
		" AND r.state IN " SQL_IN_S3
		" AND (?1 = 0 OR r.workspace_id = ?1) ORDER BY o.restore_due_msecs, r.id LIMIT ?3",
		"iii", workspace_id, time_now_msecs(), (int64_t)count);

	*ret_count = 0;
	while (db_next(stmt, &err)) {
		struct catalog_restore_job *job = &ret_jobs[(*ret_count)++];

		job->recording_id = db_int64(stmt, 0);
		job->workspace_id = db_int64(stmt, 1);
		db_sid(stmt, 2, &job->recording_sid);
		db_text_copy(stmt, 3, job->key, sizeof job->key);
		job->restore = db_int(stmt, 4);
		job->days = (unsigned)db_int(stmt, 5);
		db_text_copy(stmt, 6, job->tier, sizeof job->tier);
	}
	return err;
}

int catalog_restore_set(struct catalog *catalog, int64_t recording_id, enum catalog_restore restore,
			int64_t due_msecs, const char *reason)
{
	return db_write_run(
		catalog->db,
		"UPDATE object SET restore_since_secs = CASE WHEN restore = ?2 THEN restore_since_secs"
		" ELSE ?5 END, restore = ?2, restore_due_msecs = ?3, restore_reason = ?4 WHERE recording_id = ?1",
		"iiisi", recording_id, (int64_t)restore, due_msecs, reason ? reason : "",
		time_now_secs());
}

int catalog_restore_status(struct catalog *catalog, struct catalog_scope scope,
			   struct catalog_restore_status *ret_status)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	struct catalog_restore_status *st = ret_status;
	int err = db_read(catalog->db, &stmt,
			  "SELECT " SQL_BOOL(IS_ARCHIVED(
				  "?3")) ", o.restore, count(*) FROM object o"
					 " JOIN recording r ON r.id = o.recording_id"
					 " LEFT JOIN storage s ON s.workspace_id = r.workspace_id"
					 " WHERE o.storage_class IN " ARCHIVE_CLASSES " AND " IN_S3
					 " AND " IN_SCOPE " GROUP BY 1, 2",
			  "iii", (int64_t)scope.kind, scope.id, time_now_secs());

	memset(st, 0, sizeof *st);
	while (db_next(stmt, &err)) {
		int restore = db_int(stmt, 1);
		int64_t n = db_int64(stmt, 2);

		if (!db_int(stmt, 0))
			st->restored += restore == CATALOG_RESTORE_DONE ? n : 0;
		else if (restore == CATALOG_RESTORE_WANTED || restore == CATALOG_RESTORE_ONGOING)
			st->under_way += n;
		else if (restore == CATALOG_RESTORE_REFUSED)
			st->refused += n;
		else
			st->archived += n;
	}
	return err;
}

/* ---- locks ---- */

int catalog_lock_get(struct catalog *catalog, int64_t recording_id, struct catalog_lock *ret_lock)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read_row(
		catalog->db, &stmt,
		"SELECT lock_mode, retain_until_secs, legal_hold FROM object WHERE recording_id = ?",
		"i", recording_id);

	memset(ret_lock, 0, sizeof *ret_lock);
	if (err)
		return err;
	db_text_copy(stmt, 0, ret_lock->mode, sizeof ret_lock->mode);
	ret_lock->retain_until_secs = db_int64(stmt, 1);
	ret_lock->has_legal_hold = db_int(stmt, 2);
	return 0;
}

int catalog_lock_count(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_count)
{
	/* By the partial index: few are locked. */
	return db_read_int(catalog->db, ret_count,
			   "SELECT count(*) FROM object o JOIN recording r ON r.id = o.recording_id"
			   " WHERE (o.retain_until_secs > 0 OR o.legal_hold = 1) AND " IN_S3
			   " AND (o.retain_until_secs > ?3 OR o.legal_hold = 1) AND " IN_SCOPE,
			   "iii", (int64_t)scope.kind, scope.id, time_now_secs());
}
