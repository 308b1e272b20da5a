/*
 * Removing. One transaction writes the tombstones and queues what the workspace's policy asks for;
 * the policy's workers do the rest. The same statements remove one recording or all files of a
 * folder, each in two forms.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "catalog/change.h"
#include "catalog/folder-private.h"
#include "catalog/queue-private.h"
#include "catalog/recording-private.h"
#include "catalog/removal.h"
#include "catalog/tree.h"
#include "util/cleanup.h"
#include "util/times.h"

#define POLICY_DELETE_S3 1
#define POLICY_DELETE_TWILIO 2

struct policy {
	bool delete_s3, delete_twilio, keep_at_twilio;
	int64_t workspace_id;
};

static int policy_load(struct db_conn *conn, int64_t workspace_id, struct policy *ret_policy)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query(
		conn, &stmt,
		"SELECT delete_s3, delete_twilio, keep_at_twilio FROM workspace WHERE id = ?", "i",
		workspace_id);

	if (err == 0)
		err = db_step(conn, stmt);
	if (err <= 0)
		return err < 0 ? err : -ENOENT;
	ret_policy->workspace_id = workspace_id;
	ret_policy->delete_s3 = db_int(stmt, 0);
	ret_policy->delete_twilio = db_int(stmt, 1);
	ret_policy->keep_at_twilio = db_int(stmt, 2);
	return 0;
}

/* ---- the statements ---- */

/* Bytes may be at Twilio in TWILIO, UPLOADING, STORED. What a cleanup may have sent already is
 * remembered. */
#define TWILIO_DELETES(where) \
	"INSERT INTO job (kind, recording_id, workspace_id, state, due_msecs, was_sent)" \
	" SELECT 4, r.id, r.workspace_id, 0, ?2, coalesce((SELECT j.was_sent FROM job j WHERE j.recording_id = r.id" \
	" AND j.kind = 2), 0) FROM recording r WHERE " where " AND r.state IN (1, 2, 3)" \
	" ON CONFLICT (recording_id, kind) DO NOTHING"
#define DROP_CLEANUPS(where) \
	"DELETE FROM job WHERE kind = 2 AND recording_id IN (SELECT r.id FROM recording r WHERE " where \
	" AND r.state = 3)"
#define CLEANUPS_OWED(where) \
	"SELECT count(*) FROM recording r JOIN job j ON j.recording_id = r.id AND j.kind = 2 WHERE " where \
	" AND r.state = 3"
#define AT_TWILIO(where) "SELECT count(*) FROM recording r WHERE " where " AND r.state IN (1, 2, 3)"
/* Bytes may be in S3 in UPLOADING, STORED, S3, and where a worker has begun (was_sent). */
#define WITH_MIGRATION "recording r LEFT JOIN job m ON m.recording_id = r.id AND m.kind = 1"
#define MAY_BE_IN_S3 \
	"(r.state IN (2, 3, 4) OR (r.state = 1 AND (m.was_sent = 1 OR m.attempts > 0)))"
#define IN_S3(where) "SELECT count(*) FROM " WITH_MIGRATION " WHERE " where " AND " MAY_BE_IN_S3
/* A transfer under way finds its lease gone and stops; what deletes its object waits until that
 * lease has ended, so that no upload comes behind it. */
#define S3_DELETES(where) \
	"INSERT INTO job (kind, recording_id, workspace_id, state, due_msecs)" \
	" SELECT 8, r.id, r.workspace_id, 0, CASE WHEN m.state = 1 AND m.due_msecs > ?2 THEN m.due_msecs ELSE ?2 END" \
	" FROM " WITH_MIGRATION " WHERE " where " AND " MAY_BE_IN_S3 \
	" ON CONFLICT (recording_id, kind) DO NOTHING"
/* Wherever the bytes are, and whatever the policy: other catalogs of the account learn of the
 * removal from the bucket. One that is not in use is told by sync when it is (removal-learned.c). */
#define NOTES(where) \
	"INSERT INTO job (kind, recording_id, workspace_id, state, due_msecs)" \
	" SELECT 16, r.id, r.workspace_id, 0, ?2 FROM " WITH_MIGRATION \
	" JOIN storage s ON s.workspace_id = r.workspace_id" \
	" WHERE " where " AND r.state <> 6 AND (s.enabled = 1 OR " MAY_BE_IN_S3 ")" \
	" ON CONFLICT (recording_id, kind) DO NOTHING"
#define LOCKED(where) \
	"SELECT count(*) FROM recording r JOIN object o ON o.recording_id = r.id WHERE " where \
	" AND r.state IN (3, 4) AND (o.retain_until_secs > 0 OR o.legal_hold = 1)" \
	" AND (o.retain_until_secs > ?2 OR o.legal_hold = 1)"
#define DROP_MIGRATIONS(where) \
	"DELETE FROM job WHERE kind = 1 AND recording_id IN (SELECT r.id FROM recording r WHERE " where \
	" AND r.state <> 6)"
#define AUDIT(where) \
	"INSERT INTO audit (at_secs, action, workspace_id, recording_id, note)" \
	" SELECT ?2, 'remove', r.workspace_id, r.id, ?3 FROM recording r WHERE " where \
	" AND r.state <> 6"
#define TOMBSTONES(where) \
	"UPDATE recording AS r SET state = 6, migration = CASE WHEN state IN (3, 4) THEN 3 ELSE 0 END," \
	" removed_secs = ?2, removed_policy = ?3 WHERE " where " AND state <> 6"

#define OF_ONE "r.id = ?1"
#define OF_FOLDER "r.folder_id = ?1 AND r.listed = 1" /* by the listing's index */

struct statements {
	const char *twilio_deletes, *drop_cleanups, *cleanups_owed, *at_twilio, *in_s3, *s3_deletes,
		*notes, *drop_migrations, *audit, *tombstones, *locked;
};
static const struct statements of_one = {
	TWILIO_DELETES(OF_ONE), DROP_CLEANUPS(OF_ONE),   CLEANUPS_OWED(OF_ONE),
	AT_TWILIO(OF_ONE),      IN_S3(OF_ONE),           S3_DELETES(OF_ONE),
	NOTES(OF_ONE),          DROP_MIGRATIONS(OF_ONE), AUDIT(OF_ONE),
	TOMBSTONES(OF_ONE),     LOCKED(OF_ONE),
};
static const struct statements of_folder = {
	TWILIO_DELETES(OF_FOLDER), DROP_CLEANUPS(OF_FOLDER),   CLEANUPS_OWED(OF_FOLDER),
	AT_TWILIO(OF_FOLDER),      IN_S3(OF_FOLDER),           S3_DELETES(OF_FOLDER),
	NOTES(OF_FOLDER),          DROP_MIGRATIONS(OF_FOLDER), AUDIT(OF_FOLDER),
	TOMBSTONES(OF_FOLDER),     LOCKED(OF_FOLDER),
};

static int remove_at_twilio(struct db_conn *conn, const struct statements *sql, int64_t id,
			    const struct policy *policy, struct catalog_removal *removal)
{
	int64_t there, owed;
	int err;

	if (policy->delete_twilio) {
		err = db_run(conn, sql->twilio_deletes, "ii", id, time_now_msecs());
		if (err == 0) {
			removal->twilio_deletes += db_changes(conn);
			err = db_run(conn, sql->drop_cleanups, "i", id);
		}
		return err;
	}
	/* Deletes that keep_at_twilio holds back would hold back for ever now. */
	err = policy->keep_at_twilio ? db_run(conn, sql->drop_cleanups, "i", id) : 0;
	if (err == 0)
		err = db_query_int(conn, &owed, sql->cleanups_owed, "i", id);
	if (err == 0)
		err = db_query_int(conn, &there, sql->at_twilio, "i", id);
	if (err)
		return err;
	removal->twilio_deletes += owed;
	removal->stay_at_twilio += there - owed;
	return 0;
}

/* What the bucket must keep is not taken out of the tree as if it went. */
static int check_locks(struct db_conn *conn, const struct statements *sql, int64_t id,
		       const struct policy *policy)
{
	int64_t locked = 0;
	int err = policy->delete_s3
			  ? db_query_int(conn, &locked, sql->locked, "ii", id, time_now_secs())
			  : 0;

	return err ? err : locked ? -EPERM : 0;
}

static int remove_in_s3(struct db_conn *conn, const struct statements *sql, int64_t id,
			const struct policy *policy, struct catalog_removal *removal)
{
	int64_t stay = 0;
	int err = db_run(conn, sql->notes, "ii", id, time_now_msecs());

	if (err == 0 && policy->delete_s3) {
		err = db_run(conn, sql->s3_deletes, "ii", id, time_now_msecs());
		removal->s3_deletes += err ? 0 : db_changes(conn);
	} else if (err == 0) {
		err = db_query_int(conn, &stay, sql->in_s3, "i", id);
		removal->stay_in_s3 += stay;
	}
	return err;
}

static int remove_all(struct db_conn *conn, const struct statements *sql, int64_t id,
		      const struct policy *policy, struct catalog_removal *removal)
{
	int64_t bits = (policy->delete_s3 ? POLICY_DELETE_S3 : 0) |
		       (policy->delete_twilio ? POLICY_DELETE_TWILIO : 0);
	const char *note = policy->delete_s3
				   ? policy->delete_twilio ? "delete_s3 delete_twilio" : "delete_s3"
			   : policy->delete_twilio ? "delete_twilio"
						   : "";
	int err = check_locks(conn, sql, id, policy);

	if (err == 0)
		err = remove_at_twilio(conn, sql, id, policy, removal);
	if (err == 0)
		err = remove_in_s3(conn, sql, id, policy, removal);
	if (err == 0)
		err = db_run(conn, sql->drop_migrations, "i", id);
	if (err == 0)
		err = db_run(conn, sql->audit, "iis", id, time_now_secs(), note);
	if (err == 0)
		err = db_run(conn, sql->tombstones, "iii", id, time_now_secs(), bits);
	if (err == 0)
		removal->recordings += db_changes(conn);
	return err;
}

/* ---- one recording ---- */

struct removal_arg {
	int64_t id;
	bool only_if_empty;
	struct catalog_removal removal;
};

/* The call's entry goes with its last recording; one that is still being recorded, or is a file,
 * keeps it. */
int call_left(struct db_conn *conn, int64_t call_id)
{
	int64_t left;
	int err = db_query_int(conn, &left,
			       "SELECT count(*) FROM recording WHERE call_id = ?1 AND state <> 6"
			       " AND (listed = 1 OR completed = 0)",
			       "i", call_id);

	if (err || left)
		return err;
	err = db_run(conn, "UPDATE call SET removed = 1 WHERE id = ?", "i", call_id);
	return err ? err : calls_row_changed(conn, call_id);
}

static int write_remove_recording(struct db_conn *conn, void *arg)
{
	struct removal_arg *a = arg;
	struct catalog_recording recording;
	struct policy policy;
	int err = recording_load(conn, a->id, &recording);

	memset(&a->removal, 0, sizeof a->removal);
	if (err || recording.state == CATALOG_STATE_DELETED)
		return err;
	err = policy_load(conn, recording.workspace_id, &policy);
	if (err == 0)
		err = remove_all(conn, &of_one, a->id, &policy, &a->removal);
	if (err == 0)
		err = recording_unlist(conn, a->id);
	if (err == 0 && recording.call_id)
		err = call_left(conn, recording.call_id);
	return err;
}

int catalog_remove_recording(struct catalog *catalog, int64_t recording_id,
			     struct catalog_removal *ret_removal)
{
	struct removal_arg a = { .id = recording_id };
	int err = db_write(catalog->db, write_remove_recording, &a);

	*ret_removal = a.removal;
	return err;
}

/* ---- folders ---- */

/* One event is enough: a kernel that forgets a folder's name forgets what is below it. */
static int folder_gone(struct db_conn *conn, const char *tree_name, int64_t inode, int64_t parent)
{
	return db_run(conn,
		      "INSERT INTO change (at_secs, kind, inode, parent, name, sid_name)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
		      "iiiis", time_now_secs(), (int64_t)CATALOG_CHANGE_ENTRY_GONE, inode, parent,
		      tree_name);
}

static int campaigns_count(struct db_conn *conn, int64_t workspace_id, int64_t *ret_count)
{
	return db_query_int(
		conn, ret_count,
		"SELECT count(*) FROM folder WHERE workspace_id = ? AND name IS NOT NULL"
		" AND removed = 0",
		"i", workspace_id);
}

/* Recordings that are no files: still being recorded, or gone. Few, and found by their calls. Those
 * without a call are in `unassigned`. */
static int unlisted_remove(struct db_conn *conn, int64_t folder_id, bool keep_unfinished,
			   const struct policy *policy, struct catalog_removal *removal)
{
	int64_t id = 0;
	int err;

	for (;;) {
		err = db_query_int(
			conn, &id,
			"SELECT min(id) FROM (SELECT r.id FROM call c JOIN recording r ON r.call_id = c.id"
			" WHERE c.folder_id = ?1 AND r.listed = 0 AND r.state <> 6 AND r.id > ?2"
			" AND r.completed >= ?3 UNION ALL"
			" SELECT r.id FROM recording r WHERE r.call_id = 0 AND r.folder_id = ?1"
			" AND r.listed = 0 AND r.state <> 6 AND r.id > ?2 AND r.completed >= ?3)"
			" HAVING min(id) IS NOT NULL",
			"iii", folder_id, id, (int64_t)keep_unfinished);
		if (err)
			return err == -ENOENT ? 0 : err;
		err = remove_all(conn, &of_one, id, policy, removal);
		if (err)
			return err;
	}
}

/* Recordings and calls; the folder itself stays. keep_unfinished: a recording that is not completed
 * yet stays, and brings its call back when it is. */
static int folder_empty(struct db_conn *conn, int64_t folder_id, bool keep_unfinished,
			const struct policy *policy, struct catalog_removal *removal)
{
	int err = remove_all(conn, &of_folder, folder_id, policy, removal);

	if (err == 0)
		err = db_run(conn,
			     "UPDATE recording SET listed = 0 WHERE folder_id = ? AND listed = 1",
			     "i", folder_id);
	if (err == 0)
		err = unlisted_remove(conn, folder_id, keep_unfinished, policy, removal);
	if (err == 0)
		err = db_run(
			conn,
			"UPDATE call SET removed = 1, csv_len = 0, csv_hidden = 0 WHERE folder_id = ? AND removed = 0",
			"i", folder_id);
	if (err == 0)
		err = db_run(
			conn,
			"UPDATE folder SET csv_mtime_nsecs = max(csv_mtime_nsecs + 1, ?2) WHERE id = ?1",
			"ii", folder_id, time_now_nsecs());
	return err ? err : folder_touch(conn, folder_id);
}

struct folder_row {
	int64_t workspace_id, inode, workspace_inode;
	char tree_name[CATALOG_NAME_SIZE];
	bool is_unassigned;
};

static int folder_load(struct db_conn *conn, int64_t folder_id, struct folder_row *ret_folder)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query(
		conn, &stmt,
		"SELECT f.workspace_id, f.inode, w.inode, f.name IS NULL, f.tree_name FROM folder f"
		" JOIN workspace w ON w.id = f.workspace_id WHERE f.id = ? AND f.removed = 0",
		"i", folder_id);

	if (err == 0)
		err = db_step(conn, stmt);
	if (err <= 0)
		return err < 0 ? err : -ENOENT;
	ret_folder->workspace_id = db_int64(stmt, 0);
	ret_folder->inode = db_int64(stmt, 1);
	ret_folder->workspace_inode = db_int64(stmt, 2);
	ret_folder->is_unassigned = db_int(stmt, 3);
	db_text_copy(stmt, 4, ret_folder->tree_name, sizeof ret_folder->tree_name);
	return 0;
}

static int folder_remove(struct db_conn *conn, int64_t folder_id, const struct folder_row *folder,
			 bool keep_unfinished, const struct policy *policy,
			 struct catalog_removal *removal)
{
	int err = folder_empty(conn, folder_id, keep_unfinished, policy, removal);

	if (err == 0 && !folder->is_unassigned)
		err = db_run(conn, "UPDATE folder SET removed = 1 WHERE id = ?", "i", folder_id);
	if (err == 0)
		err = db_run(conn, "DELETE FROM campaign_number WHERE folder_id = ?", "i",
			     folder_id);
	if (err == 0)
		err = folder_gone(conn, folder->tree_name, folder->inode, folder->workspace_inode);
	return err ? err : workspace_touch(conn, folder->workspace_id);
}

static int listed_count(struct db_conn *conn, int64_t folder_id, int64_t *ret_count)
{
	return db_query_int(
		conn, ret_count,
		"SELECT coalesce(sum(n), 0) FROM folder_count WHERE folder_id = ? AND listed = 1",
		"i", folder_id);
}

static int write_remove_campaign(struct db_conn *conn, void *arg)
{
	struct removal_arg *a = arg;
	struct folder_row folder;
	struct policy policy;
	int64_t count;
	int err = folder_load(conn, a->id, &folder);

	memset(&a->removal, 0, sizeof a->removal);
	if (err == 0)
		err = policy_load(conn, folder.workspace_id, &policy);
	if (err == 0 && a->only_if_empty) {
		err = listed_count(conn, a->id, &count);
		if (err == 0 && count)
			return -ENOTEMPTY;
	}
	/* `unassigned` goes on to take calls: one that is going on now belongs to those to come. */
	return err ? err
		   : folder_remove(conn, a->id, &folder, folder.is_unassigned, &policy,
				   &a->removal);
}

int catalog_remove_campaign(struct catalog *catalog, int64_t folder_id, bool only_if_empty,
			    struct catalog_removal *ret_removal)
{
	struct removal_arg a = { .id = folder_id, .only_if_empty = only_if_empty };
	int err = db_write(catalog->db, write_remove_campaign, &a);

	*ret_removal = a.removal;
	return err;
}

/* ---- workspaces ---- */

static int workspace_check_empty(struct db_conn *conn, int64_t workspace_id)
{
	int64_t count, unassigned;
	int err = campaigns_count(conn, workspace_id, &count);

	if (err == 0 && !count)
		err = unassigned_folder(conn, workspace_id, &unassigned);
	if (err == 0 && !count)
		err = listed_count(conn, unassigned, &count);
	return err ? err : count ? -ENOTEMPTY : 0;
}

static int workspace_gone(struct db_conn *conn, int64_t workspace_id)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	char name[CATALOG_NAME_SIZE];
	int64_t inode;
	int err = db_query(conn, &stmt,
			   "SELECT tree_name, inode FROM workspace WHERE id = ? AND removed = 0",
			   "i", workspace_id);

	if (err == 0)
		err = db_step(conn, stmt);
	if (err <= 0)
		return err < 0 ? err : -ENOENT;
	db_text_copy(stmt, 0, name, sizeof name);
	inode = db_int64(stmt, 1);
	db_stmt_release(&stmt);
	err = db_run(conn, "UPDATE workspace SET removed = 1 WHERE id = ?", "i", workspace_id);
	if (err == 0)
		err = db_run(conn, "UPDATE folder SET removed = 1 WHERE workspace_id = ?", "i",
			     workspace_id);
	if (err == 0)
		err = folder_gone(conn, name, inode, CATALOG_ROOT_INODE);
	if (err == 0)
		err = root_touch(conn);
	return err ? err : catalog_queue_settle(conn, workspace_id);
}

static int write_remove_workspace(struct db_conn *conn, void *arg)
{
	struct removal_arg *a = arg;
	cleanup_free int64_t *folders = NULL;
	size_t count = 0;
	struct policy policy;
	int err = scope_folders(conn, (struct catalog_scope){ CATALOG_SCOPE_WORKSPACE, a->id },
				false, &folders, &count);

	memset(&a->removal, 0, sizeof a->removal);
	if (err == 0)
		err = policy_load(conn, a->id, &policy);
	if (err == 0 && a->only_if_empty)
		err = workspace_check_empty(conn, a->id);
	for (size_t i = 0; i < count && err == 0; i++) {
		struct folder_row folder;

		err = folder_load(conn, folders[i], &folder);
		if (err == 0)
			err = folder_remove(conn, folders[i], &folder, false, &policy, &a->removal);
	}
	return err ? err : workspace_gone(conn, a->id);
}

int catalog_remove_workspace(struct catalog *catalog, int64_t workspace_id, bool only_if_empty,
			     struct catalog_removal *ret_removal)
{
	struct removal_arg a = { .id = workspace_id, .only_if_empty = only_if_empty };
	int err = db_write(catalog->db, write_remove_workspace, &a);

	*ret_removal = a.removal;
	return err;
}
