/* The steps of a claimed job. Each first checks, in the transaction that changes something, that
 * the job is still this worker's: owner and attempt are those of the claim. */
#include "jobs/job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "catalog/catalog.h"
#include "catalog/sql.h"
#include "db/db.h"
#include "jobs/jobs-private.h"

int64_t job_clock_msecs(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The job is still this worker's: running, same owner, same attempt. */
#define IS_OURS "id = ?1 AND state = " SQL_JOB_RUNNING " AND owner = ?2 AND attempts = ?3"

static int check(struct db_conn *conn, const struct job *job)
{
	int64_t found;
	int err = db_query_int(conn, &found, "SELECT 1 FROM job WHERE " IS_OURS, "isi", job->id,
			       job->owner, (int64_t)job->attempts);

	return err == -ENOENT ? -ESTALE : err;
}

int job_delete(struct db_conn *conn, const struct job *job)
{
	int err = db_run(conn, "DELETE FROM job WHERE id = ?", "i", job->id);

	return err ? err : catalog_queue_settle(conn, job->workspace_id);
}

int job_let_go(struct db_conn *conn, const struct job *job, int64_t due_msecs)
{
	int64_t is_paused;
	bool is_owed;
	int err = catalog_queue_is_owed(conn, job->kind, job->workspace_id, &is_owed);

	if (err)
		return err;
	if (!is_owed)
		return job_delete(conn, job);
	err = db_query_int(conn, &is_paused, "SELECT pause_asked FROM job WHERE id = ?", "i",
			   job->id);
	if (err)
		return err;
	err = db_run(conn,
		     "UPDATE job SET state = CASE WHEN pause_asked = 1 THEN " SQL_JOB_PAUSED
		     " ELSE " SQL_JOB_QUEUED " END, due_msecs = ?2, owner = '', done_bytes = 0,"
		     " pause_asked = 0 WHERE id = ?1",
		     "ii", job->id, is_paused ? INT64_MAX : due_msecs);
	if (err)
		return err;
	return catalog_queue_let_go(conn, job->kind, job->recording_id,
				    is_paused ? CATALOG_MIGRATION_PAUSED
					      : CATALOG_MIGRATION_QUEUED);
}

/* ---- under way ---- */

struct renew_arg {
	struct job_renewal *renewals;
	size_t count;
	int64_t lease_msecs;
};

static int write_renew(struct db_conn *conn, void *arg)
{
	struct renew_arg *a = arg;
	int64_t now;
	int err = db_now(conn, &now);

	for (size_t i = 0; i < a->count && err == 0; i++) {
		struct job_renewal *r = &a->renewals[i];

		err = db_query_int(conn, &r->ret_is_pause_asked,
				   "UPDATE job SET due_msecs = ?4, done_bytes = ?5,"
				   " total_bytes = ?6 WHERE " IS_OURS " RETURNING pause_asked",
				   "isiiii", r->id, r->owner, (int64_t)r->attempts,
				   now + a->lease_msecs, r->done_bytes, r->total_bytes);
		r->ret_err = err == -ENOENT ? -ESTALE : err;
		if (err == -ENOENT)
			err = 0;
	}
	return err;
}

void job_renewal_init(struct job_renewal *renewal, const struct job *job, int64_t done_bytes,
		      int64_t total_bytes)
{
	*renewal = (struct job_renewal){
		.id = job->id,
		.attempts = job->attempts,
		.done_bytes = done_bytes,
		.total_bytes = total_bytes,
	};
	memcpy(renewal->owner, job->owner, sizeof renewal->owner);
}

int job_renew(struct catalog *catalog, struct job_renewal *renewals, size_t count,
	      int64_t lease_msecs)
{
	struct renew_arg a = { renewals, count, lease_msecs };
	int64_t asked_msecs = job_clock_msecs();
	int err = db_write(catalog_db(catalog), write_renew, &a);

	for (size_t i = 0; i < count && err == 0; i++)
		renewals[i].ret_lease_end_msecs = asked_msecs + lease_msecs;
	return err;
}

/* The DELETE that follows this step cannot be taken back. */
static int write_mark_sent(struct db_conn *conn, void *arg)
{
	const struct job *job = arg;
	bool is_owed;
	int64_t now;
	int err = catalog_queue_is_owed(conn, job->kind, job->workspace_id, &is_owed);

	if (err == 0)
		err = is_owed ? db_now(conn, &now) : -ESTALE;
	if (err == 0)
		err = db_run(conn,
			     "UPDATE job SET was_sent = 1 WHERE " IS_OURS " AND due_msecs > ?4",
			     "isii", job->id, job->owner, (int64_t)job->attempts, now);
	if (err)
		return err;
	return db_changes(conn) ? 0 : -ESTALE;
}

int job_mark_sent(struct catalog *catalog, struct job *job)
{
	int err = db_write(catalog_db(catalog), write_mark_sent, job);

	if (err == 0)
		job->was_sent = true;
	return err;
}

/* ---- not done ---- */

static int write_put_back(struct db_conn *conn, void *arg)
{
	const struct job *job = arg;
	int64_t now;
	int err = check(conn, job);

	if (err == 0)
		err = db_run(conn, "UPDATE job SET attempts = attempts - 1 WHERE id = ?", "i",
			     job->id);
	if (err == 0)
		err = db_now(conn, &now);
	return err ? err : job_let_go(conn, job, now);
}

int job_put_back(struct catalog *catalog, const struct job *job)
{
	return db_write(catalog_db(catalog), write_put_back, (void *)job);
}

struct fail_arg {
	const struct job *job;
	const char *reason;
	int64_t retry_after_msecs;
};

static int write_fail(struct db_conn *conn, void *arg)
{
	const struct fail_arg *a = arg;
	const struct job *job = a->job;
	int64_t now;
	int err = check(conn, job);

	if (err == 0)
		err = db_run(conn, "UPDATE job SET reason = ?2 WHERE id = ?1", "is", job->id,
			     a->reason);
	if (err == 0)
		err = db_now(conn, &now);
	if (err)
		return err;
	if (a->retry_after_msecs >= 0)
		return job_let_go(conn, job, now + a->retry_after_msecs);
	err = db_run(conn,
		     "UPDATE job SET state = " SQL_JOB_FAILED ", due_msecs = " SQL_NEVER
		     ", owner = '', done_bytes = 0, pause_asked = 0 WHERE id = ?",
		     "i", job->id);
	if (err)
		return err;
	return catalog_queue_let_go(conn, job->kind, job->recording_id, CATALOG_MIGRATION_FAILED);
}

int job_fail(struct catalog *catalog, const struct job *job, const char *reason,
	     int64_t retry_after_msecs)
{
	char text[CATALOG_REASON_SIZE];
	struct fail_arg a = { job, text, retry_after_msecs };

	snprintf(text, sizeof text, "%s", reason && *reason ? reason : "failed");
	return db_write(catalog_db(catalog), write_fail, &a);
}

/* ---- done ---- */

struct done_arg {
	const struct job *job;
	job_step_fn *step;
	void *arg;
};

static int write_done(struct db_conn *conn, void *arg)
{
	const struct done_arg *a = arg;
	int err = check(conn, a->job);

	if (err == 0)
		err = a->step(conn, a->job, a->arg);
	return err ? err : job_delete(conn, a->job);
}

int job_done_by(struct catalog *catalog, const struct job *job, job_step_fn *step, void *arg)
{
	struct done_arg a = { job, step, arg };

	return db_write(catalog_db(catalog), write_done, &a);
}

static int done_with_note(struct db_conn *conn, const struct job *job, void *arg)
{
	return catalog_queue_done(conn, job->kind, job->workspace_id, job->recording_id, arg);
}

int job_done(struct catalog *catalog, const struct job *job, const char *note)
{
	return job_done_by(catalog, job, done_with_note, (void *)note);
}
