/*
 * The queue, seen by those who fill it. What takes from it is in job-claim.c, what ends a job in
 * job-finish.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/job-private.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/times.h"

void catalog_owner_new(char ret_owner[CATALOG_OWNER_SIZE])
{
	static _Atomic unsigned count;
	unsigned char bytes[12];
	unsigned number = ++count;

	if (crypto_random(bytes, sizeof bytes) < 0) {
		/* Still unique on this machine: who else has this pid at this time? */
		int64_t now = time_now_nsecs();
		int pid = getpid();

		memcpy(bytes, &now, sizeof now);
		memcpy(bytes + sizeof now, &pid, sizeof pid);
	}
	crypto_hex(bytes, sizeof bytes, ret_owner);
	snprintf(ret_owner + 24, CATALOG_OWNER_SIZE - 24, "-%x", number & 0xffffff);
}

int scope_folders(struct conn *conn, struct catalog_scope scope, bool with_removed,
		  int64_t **ret_ids, size_t *ret_count)
{
	cleanup_free int64_t *ids = NULL;
	size_t count;
	int err = conn_query_ids(conn, &ids, &count,
				 "SELECT id FROM folder WHERE (removed = 0 OR ?3) AND"
				 " (?1 = 0 OR (?1 = 1 AND workspace_id = ?2) OR (?1 = 2 AND id = ?2))",
				 "iii", (int64_t)scope.kind, scope.id, (int64_t)with_removed);

	if (err)
		return err;
	if (!count && scope.kind != CATALOG_SCOPE_ALL)
		return -ENOENT;
	*ret_ids = steal_pointer(&ids);
	*ret_count = count;
	return 0;
}

/* ---- asking ---- */

/* Each statement comes in two forms, for a folder's recordings and for one. */
#define WANTS_MIGRATION "listed = 1 AND state = 1 AND migration IN (0, 4)"
#define QUEUE_JOBS(where) \
	"INSERT INTO job (kind, recording_id, workspace_id, state, due_msecs)" \
	" SELECT 1, id, workspace_id, 0, ?2 FROM recording WHERE " where " AND " WANTS_MIGRATION \
	" ON CONFLICT (recording_id, kind) DO UPDATE SET state = 0, due_msecs = excluded.due_msecs, attempts = 0," \
	" owner = '', reason = '', done_bytes = 0, total_bytes = 0"
#define QUEUE_RECORDINGS(where) \
	"UPDATE recording SET migration = 1 WHERE " where " AND " WANTS_MIGRATION
/* Those that wait after a failure: somebody asks for them now. */
#define HURRY_JOBS(where) \
	"UPDATE job SET due_msecs = ?2 WHERE workspace_id = ?3 AND kind = 1 AND due_msecs > ?2 AND state = 0 AND " where

static int storage_check(struct conn *conn, int64_t workspace_id)
{
	int64_t enabled;
	int err = conn_query_int(
		conn, &enabled,
		"SELECT s.enabled FROM storage s JOIN workspace w ON w.id = s.workspace_id"
		" WHERE w.id = ? AND w.removed = 0",
		"i", workspace_id);

	if (err)
		return err;
	return enabled ? 0 : -ENODEV;
}

static int queue_recording(struct conn *conn, int64_t id, int64_t *ret_queued)
{
	int64_t now = time_now_msecs(), workspace_id;
	int err = conn_query_int(conn, &workspace_id,
				 "SELECT workspace_id FROM recording WHERE id = ?", "i", id);

	if (err == 0)
		err = storage_check(conn, workspace_id);
	if (err == 0)
		err = conn_run(conn, QUEUE_JOBS("id = ?1"), "ii", id, now);
	if (err == 0)
		err = conn_run(conn, QUEUE_RECORDINGS("id = ?1"), "i", id);
	if (err)
		return err;
	*ret_queued += conn_changes(conn);
	return conn_run(conn, HURRY_JOBS("recording_id = ?1"), "iii", id, now, workspace_id);
}

static int queue_folder(struct conn *conn, int64_t id, int64_t *ret_queued)
{
	int64_t now = time_now_msecs(), workspace_id;
	int err = conn_query_int(conn, &workspace_id,
				 "SELECT workspace_id FROM folder WHERE id = ?", "i", id);

	if (err == 0)
		err = storage_check(conn, workspace_id);
	if (err == 0)
		err = conn_run(conn, QUEUE_JOBS("folder_id = ?1"), "ii", id, now);
	if (err == 0)
		err = conn_run(conn, QUEUE_RECORDINGS("folder_id = ?1"), "i", id);
	if (err)
		return err;
	*ret_queued += conn_changes(conn);
	return conn_run(
		conn,
		HURRY_JOBS(
			"(SELECT folder_id FROM recording r WHERE r.id = job.recording_id) = ?1"),
		"iii", id, now, workspace_id);
}

struct queue_arg {
	struct catalog_scope scope;
	int64_t count;
};

static int write_queue(struct catalog *catalog, struct conn *conn, void *arg)
{
	struct queue_arg *a = arg;
	cleanup_free int64_t *folders = NULL;
	size_t count = 0;
	int err;

	(void)catalog;
	a->count = 0;
	if (a->scope.kind == CATALOG_SCOPE_RECORDING)
		return queue_recording(conn, a->scope.id, &a->count);
	err = scope_folders(conn, a->scope, false, &folders, &count);
	for (size_t i = 0; i < count && err == 0; i++) {
		err = queue_folder(conn, folders[i], &a->count);
		/* Of everything, what has a place to go to. */
		if (a->scope.kind == CATALOG_SCOPE_ALL && (err == -ENOENT || err == -ENODEV))
			err = 0;
	}
	return err;
}

int catalog_migrate_queue(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_queued)
{
	struct queue_arg a = { .scope = scope };
	int err = catalog_write(catalog, write_queue, &a);

	*ret_queued = err ? 0 : a.count;
	return err;
}

int migrate_queue_one(struct conn *conn, int64_t recording_id)
{
	int64_t queued = 0;
	int err = queue_recording(conn, recording_id, &queued);

	return err == -ENOENT || err == -ENODEV ? 0 : err;
}

#define CANCEL_JOBS(where) \
	"DELETE FROM job WHERE kind = 1 AND state IN (0, 3) AND recording_id IN" \
	" (SELECT id FROM recording WHERE " where " AND listed = 1 AND migration = 1)"
#define CANCEL_RECORDINGS(where) \
	"UPDATE recording SET migration = 0 WHERE " where " AND listed = 1 AND migration = 1"

static int cancel_recording(struct conn *conn, int64_t id)
{
	int err = conn_run(conn, CANCEL_JOBS("id = ?1"), "i", id);

	return err ? err : conn_run(conn, CANCEL_RECORDINGS("id = ?1"), "i", id);
}

static int cancel_folder(struct conn *conn, int64_t id)
{
	int err = conn_run(conn, CANCEL_JOBS("folder_id = ?1"), "i", id);

	return err ? err : conn_run(conn, CANCEL_RECORDINGS("folder_id = ?1"), "i", id);
}

static int write_cancel(struct catalog *catalog, struct conn *conn, void *arg)
{
	struct queue_arg *a = arg;
	cleanup_free int64_t *folders = NULL;
	size_t count = 0;
	int err;

	(void)catalog;
	a->count = 0;
	if (a->scope.kind == CATALOG_SCOPE_RECORDING) {
		err = cancel_recording(conn, a->scope.id);
		a->count = err ? 0 : conn_changes(conn);
		return err;
	}
	err = scope_folders(conn, a->scope, false, &folders, &count);
	for (size_t i = 0; i < count && err == 0; i++) {
		err = cancel_folder(conn, folders[i]);
		a->count += err ? 0 : conn_changes(conn);
	}
	return err;
}

int catalog_migrate_cancel(struct catalog *catalog, struct catalog_scope scope,
			   int64_t *ret_cancelled)
{
	struct queue_arg a = { .scope = scope };
	int err = catalog_write(catalog, write_cancel, &a);

	*ret_cancelled = err ? 0 : a.count;
	return err;
}
