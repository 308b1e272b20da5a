/*
 * The catalog on a database that fails, hesitates, loses its connection or its answers, as a seed
 * decides. Whatever a step returns: an error means that nothing has changed, success that all of it
 * has, and a commit without an answer one of the two.
 *
 * FAULTS_SEED=n COUNT=1: that run again. COUNT=n: so many runs; without it, as many as a few
 * seconds allow.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/callback.h"
#include "catalog/campaign.h"
#include "catalog/size.h"
#include "catalog/sync.h"
#include "helper_db.h"
#include "helper_db_faulty.h"
#include "helper_dice.h"
#include "helper_queue.h"
#include "jobs/job.h"
#include "jobs/lease.h"
#include "util/cleanup.h"
#include "util/times.h"

#define RUN_MSECS 4000
#define STEPS 60
#define NUMBERS 24 /* recordings, and calls */
#define LEASE_MSECS 600000

struct world {
	struct queue_fixture *f;
	struct db_faulty *faulty;
	struct db_conn *look; /* without faults */
	struct dice dice;
	uint64_t before;
	struct job job; /* that was claimed; id 0: none */
	unsigned campaigns;
};

/* ---- faults on and off ---- */

static void set_faults(struct world *w, bool on)
{
	db_faulty_set(w->faulty, DB_FAULT_BUSY, on ? 5 : 0);
	db_faulty_set(w->faulty, DB_FAULT_LOST, on ? 3 : 0);
	db_faulty_set(w->faulty, DB_FAULT_IO, on ? 5 : 0);
	db_faulty_set(w->faulty, DB_FAULT_SLOW, on ? 2 : 0);
	db_faulty_set(w->faulty, DB_FAULT_UNKNOWN, on ? 80 : 0);
	db_faulty_set(w->faulty, DB_FAULT_UNDONE, on ? 80 : 0);
}

/* ---- everything in the database, as a number ---- */

static uint64_t hash_add(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3;
	return (hash ^ 0xff) * 0x100000001b3;
}

static uint64_t hash_of(struct world *w)
{
	static const char *const tables[] = {
		"SELECT * FROM setting",     "SELECT * FROM lease",
		"SELECT * FROM workspace",   "SELECT * FROM storage",
		"SELECT * FROM folder",      "SELECT * FROM campaign_number",
		"SELECT * FROM call",        "SELECT * FROM recording",
		"SELECT * FROM object",      "SELECT * FROM folder_count",
		"SELECT * FROM class_count", "SELECT * FROM job",
		"SELECT * FROM change",      "SELECT * FROM audit",
		"SELECT * FROM callback",    "SELECT * FROM arrived",
	};
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		cleanup_stmt struct db_stmt *stmt = NULL;
		int err = db_query(w->look, &stmt, tables[i], "");

		while (err == 0 && (err = db_step(stmt)) > 0) {
			for (int column = 0; column < db_columns(stmt); column++) {
				const char *text = db_text(stmt, column);

				hash = hash_add(hash, text ? text : "\1");
			}
			err = 0;
		}
		assert_int_equal(err, 0);
	}
	return hash;
}

/* ---- what must hold after each step ---- */

static void check_none(struct world *w, const char *sql)
{
	int64_t count;

	assert_int_equal(db_query_int(w->look, &count, sql, ""), 0);
	if (count)
		print_error("%s: %lld\n", sql, (long long)count);
	assert_int_equal(count, 0);
}

static void check_invariants(struct world *w)
{
	/* Counters are what they count. */
	check_none(w, "SELECT count(*) FROM folder f WHERE csv_bytes <>"
		      " (SELECT coalesce(sum(csv_len), 0) FROM call c WHERE c.folder_id = f.id)"
		      " OR calls <> (SELECT count(*) FROM call c WHERE c.folder_id = f.id"
		      " AND c.csv_len > 0)");
	check_none(w, "SELECT count(*) FROM folder_count k WHERE n <> (SELECT count(*)"
		      " FROM recording r WHERE r.folder_id = k.folder_id AND r.listed = k.listed"
		      " AND r.state = k.state AND r.migration = k.migration)");
	check_none(w, "SELECT (SELECT count(*) FROM recording) -"
		      " (SELECT coalesce(sum(n), 0) FROM folder_count)");
	check_none(w, "SELECT (SELECT coalesce(sum(n), 0) FROM class_count) - (SELECT count(*)"
		      " FROM object o JOIN recording r ON r.id = o.recording_id"
		      " WHERE r.state IN (3, 4))");
	/* A recording and its jobs agree. */
	check_none(
		w,
		"SELECT count(*) FROM recording r WHERE migration = 1 AND NOT EXISTS"
		" (SELECT 1 FROM job j WHERE j.recording_id = r.id AND kind = 1 AND j.state = 0)");
	check_none(w, "SELECT count(*) FROM job j JOIN recording r ON r.id = j.recording_id"
		      " WHERE kind = 1 AND (j.state = 1) <> (r.state = 2)");
	check_none(w, "SELECT count(*) FROM recording r WHERE state IN (3, 4) AND NOT EXISTS"
		      " (SELECT 1 FROM object o WHERE o.recording_id = r.id)");
	/* What was removed is no file, and nobody is told that it can be moved. */
	check_none(w, "SELECT count(*) FROM recording WHERE state = 6 AND (listed = 1 OR"
		      " removed_secs = 0 OR EXISTS (SELECT 1 FROM job j"
		      " WHERE j.recording_id = recording.id AND kind = 1))");
}

/* ---- steps ---- */

static void begin(struct world *w)
{
	w->before = hash_of(w);
	set_faults(w, true);
}

static bool is_fault(int err)
{
	return err == -EAGAIN || err == -ENOTCONN || err == -EIO || err == -ECONNABORTED;
}

/* True: the step has happened, says its return or, where that says nothing, the database. */
static bool end(struct world *w, int err)
{
	bool has_changed;

	set_faults(w, false);
	has_changed = hash_of(w) != w->before;
	check_invariants(w);
	if (err == 0)
		return true;
	if (err != -ECONNABORTED)
		assert_false(has_changed);
	return has_changed;
}

static bool calls(struct world *w)
{
	struct catalog_call_input inputs[4];
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		unsigned number = (unsigned)dice_below(&w->dice, NUMBERS);

		inputs[i] = (struct catalog_call_input){
			queue_sid(2, number),
			"+15557654321",
			dice_percent(&w->dice, 70) ? QUEUE_NUMBER : "+15550000009",
			"inbound",
			dice_percent(&w->dice, 80) ? "completed" : "in-progress",
			1772360000 + number,
			1772360000 + number,
			10,
			true
		};
	}
	begin(w);
	err = catalog_calls_apply(w->f->catalog, w->f->workspace_id, inputs, ARRAY_SIZE(inputs),
				  NULL);
	if (!end(w, err))
		return is_fault(err);
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		int64_t known;

		assert_int_equal(db_query_int(w->look, &known,
					      "SELECT known = 1 OR removed = 1 FROM call"
					      " WHERE sid = ?1",
					      "b", &inputs[i].sid),
				 0);
		assert_int_equal(known, 1);
	}
	return true;
}

static bool recordings(struct world *w)
{
	struct catalog_recording_input inputs[4];
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		unsigned number = (unsigned)dice_below(&w->dice, NUMBERS);

		inputs[i] = (struct catalog_recording_input){
			.sid = queue_sid(3, number),
			.call_sid = queue_sid(2, number),
			.is_completed = dice_percent(&w->dice, 85),
			.duration_secs = 10,
			.date_created_secs = 1772360000 + number,
			.start_time_secs = 1772360000 + number,
			.channels = 2,
		};
		inputs[i].is_deleted = !inputs[i].is_completed && dice_percent(&w->dice, 30);
	}
	begin(w);
	err = catalog_recordings_apply(w->f->catalog, w->f->workspace_id, inputs,
				       ARRAY_SIZE(inputs), NULL);
	if (!end(w, err))
		return is_fault(err);
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		struct catalog_recording recording;

		assert_int_equal(catalog_recording_find(w->f->catalog, &inputs[i].sid, &recording),
				 0);
	}
	return true;
}

/* False: there is no recording of that number yet. */
static bool any_recording(struct world *w, struct catalog_recording *ret_recording)
{
	struct sid sid = queue_sid(3, (unsigned)dice_below(&w->dice, NUMBERS));

	return catalog_recording_find(w->f->catalog, &sid, ret_recording) == 0;
}

static bool sizes(struct world *w)
{
	struct catalog_recording recording;
	struct catalog_size size = { 0, 320044, 2, 2 };
	int err;

	if (!any_recording(w, &recording))
		return true;
	size.recording_id = recording.id;
	begin(w);
	err = catalog_sizes_set(w->f->catalog, &size, 1);
	if (!end(w, err))
		return is_fault(err);
	assert_int_equal(catalog_recording_get(w->f->catalog, recording.id, &recording), 0);
	assert_int_equal(recording.size_bytes, 320044);
	return true;
}

static bool queue(struct world *w)
{
	static catalog_migrate_fn *const fns[] = { catalog_migrate_queue,  catalog_migrate_queue,
						   catalog_migrate_cancel, catalog_migrate_pause,
						   catalog_migrate_resume, catalog_migrate_retry };
	catalog_migrate_fn *fn = fns[dice_below(&w->dice, ARRAY_SIZE(fns))];
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, w->f->workspace_id };
	int64_t count;
	int err;

	begin(w);
	err = fn(w->f->catalog, scope, &count);
	if (!end(w, err))
		return is_fault(err);
	if (fn == catalog_migrate_queue)
		check_none(w, "SELECT count(*) FROM recording WHERE listed = 1 AND state = 1"
			      " AND migration IN (0, 4)");
	return true;
}

static bool claim(struct world *w)
{
	int64_t wait_msecs;
	int err;

	if (w->job.id)
		return true;
	begin(w);
	err = queue_claim_from(w->f->catalog,
			       CATALOG_JOB_MIGRATE | CATALOG_JOB_CLEANUP_TWILIO |
				       CATALOG_JOB_DELETE_TWILIO | CATALOG_JOB_DELETE_S3 |
				       CATALOG_JOB_TOMBSTONE,
			       "worker", LEASE_MSECS, &w->job, &wait_msecs);
	end(w, err);
	/* One that was claimed without an answer is for whoever comes when its lease has ended. */
	if (err)
		w->job.id = 0;
	return err == 0 || err == -ENOENT || is_fault(err);
}

/* Ends the job in one of its ways; whoever got no answer does it again and may find it done. */
static int job_end(struct world *w, const struct job *job, int64_t way)
{
	struct catalog_object object = queue_object(320044);

	switch (way) {
	case 0:
		return job_put_back(w->f->catalog, job);
	case 1:
		return job_fail(w->f->catalog, job, "test", 0);
	default:
		return job->kind == CATALOG_JOB_MIGRATE
			       ? migrate_job_stored(w->f->catalog, job, &object, 2)
			       : job_done(w->f->catalog, job, "");
	}
}

static bool work(struct world *w)
{
	struct job job = w->job;
	int64_t way = dice_below(&w->dice, 6), count;
	int err;

	if (!job.id)
		return true;
	begin(w);
	err = job_end(w, &job, way);
	if (!end(w, err) && is_fault(err)) {
		assert_int_equal(job_end(w, &job, way), 0);
	} else if (err == -ECONNABORTED) {
		assert_int_equal(job_end(w, &job, way), -ESTALE);
	}
	w->job.id = 0;
	assert_int_equal(db_query_int(w->look, &count,
				      "SELECT count(*) FROM job WHERE id = ?1 AND state = 1", "i",
				      job.id),
			 0);
	assert_int_equal(count, 0);
	return err == 0 || err == -ESTALE || is_fault(err);
}

static bool renew(struct world *w)
{
	int err;

	if (!w->job.id)
		return true;
	begin(w);
	err = dice_percent(&w->dice, 50)
		      ? queue_renew(w->f->catalog, &w->job, LEASE_MSECS, 1, 2, NULL)
		      : job_mark_sent(w->f->catalog, &w->job);
	end(w, err);
	if (err == -ESTALE)
		w->job.id = 0;
	return err == 0 || err == -ESTALE || is_fault(err);
}

static bool removal(struct world *w)
{
	struct catalog_recording recording;
	struct catalog_removal done;
	int err;

	if (!any_recording(w, &recording))
		return true;
	begin(w);
	err = catalog_remove_recording(w->f->catalog, recording.id, &done);
	if (!end(w, err))
		return err == -ENOENT || is_fault(err);
	assert_int_equal(catalog_recording_get(w->f->catalog, recording.id, &recording), 0);
	assert_int_equal(recording.state, CATALOG_STATE_DELETED);
	return true;
}

static bool settings(struct world *w)
{
	cleanup_free char *value = NULL;
	char text[32];
	int err;

	snprintf(text, sizeof text, "%lld", (long long)dice_below(&w->dice, 1000));
	begin(w);
	err = catalog_setting_set(w->f->catalog, "test", text);
	if (!end(w, err))
		return is_fault(err);
	assert_int_equal(catalog_setting_get(w->f->catalog, "test", &value), 0);
	assert_string_equal(value, text);
	return true;
}

static bool policy(struct world *w)
{
	struct catalog_workspace workspace = queue_workspace(w->f);
	int err;

	workspace.delete_s3 = dice_percent(&w->dice, 50);
	workspace.delete_twilio = dice_percent(&w->dice, 50);
	workspace.keep_at_twilio = dice_percent(&w->dice, 50);
	workspace.migrate_new = dice_percent(&w->dice, 50);
	begin(w);
	err = catalog_workspace_update(w->f->catalog, &workspace, NULL);
	if (!end(w, err))
		return is_fault(err);
	assert_int_equal(queue_workspace(w->f).keep_at_twilio, workspace.keep_at_twilio);
	return true;
}

static bool lease(struct world *w)
{
	const char *owner = dice_percent(&w->dice, 50) ? "a" : "b";
	bool gives_back = dice_percent(&w->dice, 50);
	int err;

	begin(w);
	err = gives_back ? job_lease_give_back(w->f->catalog, "test", owner)
			 : job_lease_take(w->f->catalog, "test", owner, LEASE_MSECS);
	if (!end(w, err))
		return err == -EBUSY || is_fault(err);
	/* Taking it again renews it: what an unknown outcome asks for. */
	assert_int_equal(gives_back ? job_lease_give_back(w->f->catalog, "test", owner)
				    : job_lease_take(w->f->catalog, "test", owner, LEASE_MSECS),
			 0);
	return true;
}

static bool callbacks(struct world *w)
{
	struct sid sid = queue_sid(3, (unsigned)dice_below(&w->dice, 2 * NUMBERS));
	struct catalog_callback_batch batch;
	int64_t wait_msecs;
	int err;

	begin(w);
	err = dice_percent(&w->dice, 60)
		      ? catalog_callback_add(w->f->catalog, w->f->workspace_id, &sid)
		      : catalog_callback_claim(w->f->catalog, "asker", 1, &batch, &wait_msecs);
	end(w, err);
	return err == 0 || err == -ENOENT || is_fault(err);
}

static bool campaign(struct world *w)
{
	char name[32], number[32], message[CATALOG_MESSAGE_SIZE];
	const char *numbers[] = { number };
	struct catalog_campaign found;
	int64_t id;
	int err;

	if (w->campaigns == 3)
		return true;
	snprintf(name, sizeof name, "campaign %u", ++w->campaigns);
	snprintf(number, sizeof number, "+1555000%04u", 9 + w->campaigns - 1);
	begin(w);
	err = catalog_campaign_add(w->f->catalog, w->f->workspace_id, name, numbers, 1, &id,
				   message);
	if (!end(w, err))
		return is_fault(err);
	assert_int_equal(catalog_campaign_find(w->f->catalog, w->f->workspace_id, name, &found), 0);
	return true;
}

/* Readers: an error, or what is there. */
static bool status(struct world *w)
{
	struct catalog_scope scope = { CATALOG_SCOPE_ALL, 0 };
	struct catalog_status status, calm;
	int err;

	memset(&status, 0, sizeof status);
	memset(&calm, 0, sizeof calm);
	begin(w);
	err = catalog_status_get(w->f->catalog, scope, &status);
	end(w, err);
	assert_int_equal(catalog_status_get(w->f->catalog, scope, &calm), 0);
	if (err == 0)
		assert_memory_equal(&status, &calm, sizeof calm);
	return err == 0 || is_fault(err);
}

static bool (*const steps[])(struct world *w) = {
	calls, calls, recordings, recordings, sizes,  queue, claim,     claim,    work,
	work,  renew, removal,    settings,   policy, lease, callbacks, campaign, status,
};

/* ---- runs ---- */

static unsigned long struck[DB_FAULT_COUNT];

static void run(uint64_t seed)
{
	struct world w = { .dice = { seed } };
	void *state;

	assert_int_equal(queue_fixture_setup(&state), 0);
	w.f = state;
	catalog_close(w.f->catalog);
	w.faulty = db_faulty_new(&db_sqlcipher, seed);
	assert_non_null(w.faulty);
	db_driver_override(db_faulty_driver(w.faulty));
	w.f->catalog = queue_open_again(w.f);
	db_driver_override(NULL);
	assert_int_equal(db_connect(&db_sqlcipher, w.f->path, &w.f->key, DB_ACCESS_READ, &w.look),
			 0);
	for (unsigned i = 0; i < STEPS; i++)
		assert_true(steps[dice_below(&w.dice, ARRAY_SIZE(steps))](&w));
	db_conn_close(w.look);
	for (unsigned fault = 0; fault < DB_FAULT_COUNT; fault++)
		struck[fault] += db_faulty_count(w.faulty, fault);
	assert_int_equal(queue_fixture_teardown(&state), 0);
	db_faulty_free(w.faulty);
}

static void test_catalog_faults__a_step_happens_whole_or_not_at_all(void **state)
{
	const char *first = getenv("FAULTS_SEED"), *count = getenv("COUNT");
	uint64_t seed = first ? strtoull(first, NULL, 10) : 1;
	uint64_t last = count ? seed + strtoull(count, NULL, 10) : UINT64_MAX;
	int64_t deadline = time_mono_msecs() + RUN_MSECS;

	do {
		print_message("FAULTS_SEED=%llu\n", (unsigned long long)seed);
		run(seed);
	} while (++seed < last && (count || time_mono_msecs() < deadline));
	for (unsigned fault = 0; !count && fault < DB_FAULT_COUNT; fault++)
		assert_true(struck[fault] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_catalog_faults__a_step_happens_whole_or_not_at_all),
	};

	return cmocka_run_group_tests_name("catalog_faults", tests, NULL, NULL);
}
