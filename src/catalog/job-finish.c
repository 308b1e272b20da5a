/*
 * What a worker tells of its job: how far it is, and how it ended. Each step first makes sure, in
 * the transaction that changes something, that the job is still this worker's: owner and attempt
 * are what it was claimed with.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "catalog/change.h"
#include "catalog/job-private.h"
#include "catalog/recording-private.h"
#include "util/times.h"

int job_check(struct db_conn *conn, const struct catalog_job *job)
{
	int64_t found;
	int err = db_query_int(
		conn, &found,
		"SELECT 1 FROM job WHERE id = ? AND state = 1 AND owner = ? AND attempts = ?",
		"isi", job->id, job->owner, (int64_t)job->attempts);

	return err == -ENOENT ? -ESTALE : err;
}

int recording_put_back(struct db_conn *conn, int64_t recording_id, enum catalog_migration migration)
{
	return db_run(
		conn,
		"UPDATE recording SET state = 1, migration = ?2 WHERE id = ?1 AND state IN (1, 2)",
		"ii", recording_id, (int64_t)migration);
}

int workspace_settle(struct db_conn *conn, int64_t workspace_id)
{
	int err = db_run(conn,
			 "UPDATE workspace SET secret = '', api_key_sid = '', callback_token = ''"
			 " WHERE id = ?1 AND removed = 1"
			 " AND NOT EXISTS (SELECT 1 FROM job WHERE workspace_id = ?1)",
			 "i", workspace_id);

	if (err || !db_changes(conn))
		return err;
	err = db_run(conn, "DELETE FROM callback WHERE workspace_id = ?", "i", workspace_id);
	if (err)
		return err;
	return db_run(
		conn,
		"UPDATE storage SET secret_key = '', access_key = '', enabled = 0 WHERE workspace_id = ?",
		"i", workspace_id);
}

int audit_add(struct db_conn *conn, const char *action, int64_t workspace_id, int64_t recording_id,
	      const char *note)
{
	return db_run(
		conn,
		"INSERT INTO audit (at_secs, action, workspace_id, recording_id, note) VALUES (?, ?, ?, ?, ?)",
		"isiis", time_now_secs(), action, workspace_id, recording_id, note ? note : "");
}

static int job_delete(struct db_conn *conn, const struct catalog_job *job)
{
	int err = db_run(conn, "DELETE FROM job WHERE id = ?", "i", job->id);

	return err ? err : workspace_settle(conn, job->workspace_id);
}

int job_let_go(struct db_conn *conn, const struct catalog_job *job, int64_t due_msecs)
{
	int64_t is_changed, is_paused;
	int err = db_query_int(conn, &is_changed,
			       "SELECT CASE kind WHEN 1 THEN pause_asked WHEN 2 THEN"
			       " (SELECT keep_at_twilio FROM workspace w WHERE w.id = workspace_id)"
			       " ELSE 0 END FROM job WHERE id = ?",
			       "i", job->id);

	if (err)
		return err;
	if (is_changed && job->kind == CATALOG_JOB_CLEANUP_TWILIO)
		return job_delete(conn, job);
	is_paused = is_changed;
	err = db_run(conn,
		     "UPDATE job SET state = ?2, due_msecs = ?3, owner = '', done_bytes = 0,"
		     " pause_asked = 0 WHERE id = ?1",
		     "iii", job->id, (int64_t)(is_paused ? JOB_PAUSED : JOB_QUEUED),
		     is_paused ? INT64_MAX : due_msecs);
	if (err || job->kind != CATALOG_JOB_MIGRATE)
		return err;
	return recording_put_back(conn, job->recording.id,
				  is_paused ? CATALOG_MIGRATION_PAUSED : CATALOG_MIGRATION_QUEUED);
}

/* ---- under way ---- */

struct renew_arg {
	struct catalog_renewal *renewals;
	size_t count;
	int64_t until_msecs;
};

static int write_renew(struct db_conn *conn, void *arg)
{
	struct renew_arg *a = arg;
	int err = 0;

	for (size_t i = 0; i < a->count && err == 0; i++) {
		struct catalog_renewal *r = &a->renewals[i];

		err = db_query_int(
			conn, &r->pause_asked,
			"UPDATE job SET due_msecs = ?4, done_bytes = ?5, total_bytes = ?6"
			" WHERE id = ?1 AND state = 1 AND owner = ?2 AND attempts = ?3"
			" RETURNING pause_asked",
			"isiiii", r->job->id, r->job->owner, (int64_t)r->job->attempts,
			a->until_msecs, r->done_bytes, r->total_bytes);
		r->err = err == -ENOENT ? -ESTALE : err;
		if (err == -ENOENT)
			err = 0;
	}
	return err;
}

int catalog_job_renew_all(struct catalog *catalog, struct catalog_renewal *renewals, size_t count,
			  int64_t lease_msecs)
{
	struct renew_arg a = { renewals, count, time_now_msecs() + lease_msecs };
	int err = db_write_repeatable(catalog->db, write_renew, &a);

	for (size_t i = 0; i < count && err == 0; i++) {
		struct catalog_job *job = renewals[i].job;

		if (renewals[i].err)
			continue;
		/* Its worker may be reading it. */
		__atomic_store_n(&job->lease_until_msecs, a.until_msecs, __ATOMIC_RELAXED);
		job->is_wanted_back = renewals[i].pause_asked;
	}
	return err;
}

int catalog_job_renew(struct catalog *catalog, struct catalog_job *job, int64_t lease_msecs,
		      int64_t done_bytes, int64_t total_bytes)
{
	struct catalog_renewal renewal = { job, done_bytes, total_bytes, 0, 0 };
	int err = catalog_job_renew_all(catalog, &renewal, 1, lease_msecs);

	return err ? err : renewal.err;
}

/* The only step that also asks whether the lease still runs, and whether a migration's copy at
 * Twilio is to stay by now: what follows it cannot be taken back. */
static int write_mark_sent(struct db_conn *conn, void *arg)
{
	const struct catalog_job *job = arg;
	int err = db_run(
		conn,
		"UPDATE job SET was_sent = 1 WHERE id = ?1 AND state = 1 AND owner = ?2 AND attempts = ?3"
		" AND due_msecs > ?4 AND NOT (kind = 2 AND"
		" (SELECT keep_at_twilio FROM workspace w WHERE w.id = workspace_id))",
		"isii", job->id, job->owner, (int64_t)job->attempts, time_now_msecs());

	if (err)
		return err;
	return db_changes(conn) ? 0 : -ESTALE;
}

int catalog_job_mark_sent(struct catalog *catalog, struct catalog_job *job)
{
	int err = db_write_repeatable(catalog->db, write_mark_sent, job);

	if (err == 0)
		job->was_sent = true;
	return err;
}

/* ---- not done ---- */

static int write_put_back(struct db_conn *conn, void *arg)
{
	const struct catalog_job *job = arg;
	int err = job_check(conn, job);

	if (err == 0)
		err = db_run(conn, "UPDATE job SET attempts = attempts - 1 WHERE id = ?", "i",
			     job->id);
	return err ? err : job_let_go(conn, job, time_now_msecs());
}

int catalog_job_put_back(struct catalog *catalog, struct catalog_job *job)
{
	return db_write_repeatable(catalog->db, write_put_back, job);
}

struct fail_arg {
	const struct catalog_job *job;
	const char *reason;
	int64_t retry_after_msecs;
};

static int write_fail(struct db_conn *conn, void *arg)
{
	const struct fail_arg *a = arg;
	const struct catalog_job *job = a->job;
	int err = job_check(conn, job);

	if (err == 0)
		err = db_run(conn, "UPDATE job SET reason = ?2 WHERE id = ?1", "is", job->id,
			     a->reason);
	if (err)
		return err;
	if (a->retry_after_msecs >= 0)
		return job_let_go(conn, job, time_now_msecs() + a->retry_after_msecs);
	err = db_run(conn,
		     "UPDATE job SET state = 2, due_msecs = ?2, owner = '', done_bytes = 0,"
		     " pause_asked = 0 WHERE id = ?1",
		     "ii", job->id, INT64_MAX);
	if (err == 0 && job->kind == CATALOG_JOB_MIGRATE)
		err = recording_put_back(conn, job->recording.id, CATALOG_MIGRATION_FAILED);
	return err;
}

int catalog_job_fail(struct catalog *catalog, struct catalog_job *job, const char *reason,
		     int64_t retry_after_msecs)
{
	char text[CATALOG_REASON_SIZE];
	struct fail_arg a = { job, text, retry_after_msecs };

	snprintf(text, sizeof text, "%s", reason && *reason ? reason : "failed");
	return db_write_repeatable(catalog->db, write_fail, &a);
}

/* ---- done ---- */

struct stored_arg {
	const struct catalog_job *job;
	const struct catalog_object *object;
	int channels_stored;
};

static int write_stored(struct db_conn *conn, void *arg)
{
	const struct stored_arg *a = arg;
	const struct catalog_job *job = a->job;
	struct catalog_recording now;
	int64_t keep;
	int err = job_check(conn, job);

	if (err == 0)
		err = recording_load(conn, job->recording.id, &now);
	if (err)
		return err;
	if (now.state != CATALOG_STATE_UPLOADING)
		return -ESTALE;
	/* A file's size never changes by migration. */
	if (now.size_bytes >= 0 && now.size_bytes != a->object->size_bytes)
		return -EINVAL;
	err = object_store(conn, now.id, a->object);
	if (err == 0)
		err = db_run(
			conn,
			"UPDATE recording SET state = 3, migration = 3, size_bytes = ?2,"
			" channels_stored = CASE WHEN ?3 > 0 THEN ?3 ELSE channels_stored END WHERE id = ?1",
			"iii", now.id, a->object->size_bytes, (int64_t)a->channels_stored);
	if (err == 0 && now.size_bytes < 0 && now.is_listed)
		err = change_add(conn, CATALOG_CHANGE_ATTRIBUTES, &now);
	if (err == 0)
		err = db_run(conn, "DELETE FROM job WHERE id = ?", "i", job->id);
	if (err == 0)
		err = db_query_int(conn, &keep, "SELECT keep_at_twilio FROM workspace WHERE id = ?",
				   "i", job->workspace_id);
	if (err || keep)
		return err;
	return db_run(
		conn,
		"INSERT INTO job (kind, recording_id, workspace_id, state, due_msecs) VALUES (2, ?, ?, 0, ?)"
		" ON CONFLICT (recording_id, kind) DO NOTHING",
		"iii", now.id, job->workspace_id, time_now_msecs());
}

int catalog_migrate_stored(struct catalog *catalog, struct catalog_job *job,
			   const struct catalog_object *object, int channels_stored)
{
	struct stored_arg a = { job, object, channels_stored };

	if (job->kind != CATALOG_JOB_MIGRATE || object->size_bytes < 0 || !object->key[0])
		return -EINVAL;
	return db_write_repeatable(catalog->db, write_stored, &a);
}

struct done_arg {
	const struct catalog_job *job;
	const char *note;
};

static int write_cleanup_done(struct db_conn *conn, void *arg)
{
	const struct done_arg *a = arg;
	const struct catalog_job *job = a->job;
	int err = job_check(conn, job);

	if (err == 0)
		err = db_run(conn, "UPDATE recording SET state = 4 WHERE id = ? AND state = 3", "i",
			     job->recording.id);
	if (err == 0)
		err = audit_add(conn, "cleanup_twilio", job->workspace_id, job->recording.id,
				a->note);
	return err ? err : job_delete(conn, job);
}

int catalog_cleanup_done(struct catalog *catalog, struct catalog_job *job, const char *note)
{
	struct done_arg a = { job, note };

	if (job->kind != CATALOG_JOB_CLEANUP_TWILIO)
		return -EINVAL;
	return db_write_repeatable(catalog->db, write_cleanup_done, &a);
}

static int write_done(struct db_conn *conn, void *arg)
{
	const struct done_arg *a = arg;
	const struct catalog_job *job = a->job;
	const char *action = job->kind == CATALOG_JOB_DELETE_TWILIO ? "delete_twilio"
			     : job->kind == CATALOG_JOB_DELETE_S3   ? "delete_s3"
								    : "tombstone";
	int err = job_check(conn, job);

	if (err == 0 && job->kind == CATALOG_JOB_DELETE_S3)
		err = db_run(conn, "DELETE FROM object WHERE recording_id = ?", "i",
			     job->recording.id);
	if (err == 0)
		err = audit_add(conn, action, job->workspace_id, job->recording.id, a->note);
	return err ? err : job_delete(conn, job);
}

int catalog_job_done(struct catalog *catalog, struct catalog_job *job, const char *note)
{
	struct done_arg a = { job, note };

	if (!(job->kind &
	      (CATALOG_JOB_DELETE_TWILIO | CATALOG_JOB_DELETE_S3 | CATALOG_JOB_TOMBSTONE)))
		return -EINVAL;
	return db_write_repeatable(catalog->db, write_done, &a);
}
