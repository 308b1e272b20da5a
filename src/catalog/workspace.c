/* Workspaces: a Twilio account each, with its secret and its policy. */
#include <errno.h>
#include <string.h>

#include "catalog/campaign.h"
#include "catalog/folder-private.h"
#include "catalog/queue-private.h"
#include "catalog/workspace.h"
#include "util/cleanup.h"
#include "util/times.h"

#define WORKSPACE_COLUMNS \
	"w.id, w.name, w.account_sid, w.api_key_sid, w.twilio_url, w.twilio_plain_http, w.delete_s3, w.delete_twilio, " \
	"w.migrate_new, w.keep_at_twilio, w.verify_readback, w.poll_secs, w.removed, " SQL_BOOL( \
		"s.workspace_id IS NOT NULL") ", coalesce(s.enabled, 0), w.tree_name"
#define WORKSPACE_FROM " FROM workspace w LEFT JOIN storage s ON s.workspace_id = w.id "

static int workspace_from_row(struct db_stmt *stmt, struct catalog_workspace *w)
{
	memset(w, 0, sizeof *w);
	w->id = db_int64(stmt, 0);
	if (!db_text_copy(stmt, 1, w->name, sizeof w->name) || !db_sid(stmt, 2, &w->account_sid) ||
	    !db_text_copy(stmt, 3, w->api_key_sid, sizeof w->api_key_sid) ||
	    !db_text_copy(stmt, 4, w->twilio_url, sizeof w->twilio_url))
		return -EIO;
	w->twilio_plain_http = db_int(stmt, 5);
	w->delete_s3 = db_int(stmt, 6);
	w->delete_twilio = db_int(stmt, 7);
	w->migrate_new = db_int(stmt, 8);
	w->keep_at_twilio = db_int(stmt, 9);
	w->verify_readback = db_int(stmt, 10);
	w->poll_secs = (unsigned)db_int64(stmt, 11);
	w->removed = db_int(stmt, 12);
	w->has_storage = db_int(stmt, 13);
	w->storage_enabled = db_int(stmt, 14);
	db_text_copy(stmt, 15, w->folder, sizeof w->folder);
	return 0;
}

/* ---- reading ---- */

int catalog_workspace_get(struct catalog *catalog, int64_t id,
			  struct catalog_workspace *ret_workspace)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err =
		db_read_row(catalog->db, &stmt,
			    "SELECT " WORKSPACE_COLUMNS WORKSPACE_FROM "WHERE w.id = ?1", "i", id);

	return err ? err : workspace_from_row(stmt, ret_workspace);
}

int catalog_workspace_find(struct catalog *catalog, const char *name,
			   struct catalog_workspace *ret_workspace)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read_row(catalog->db, &stmt,
			      "SELECT " WORKSPACE_COLUMNS WORKSPACE_FROM
			      "WHERE (w.name = ?1 OR w.tree_name = ?1) AND w.removed = 0"
			      " ORDER BY " SQL_BOOL("w.name <> ?1") " LIMIT 1",
			      "s", name);

	return err ? err : workspace_from_row(stmt, ret_workspace);
}

int catalog_workspace_each(struct catalog *catalog, bool with_removed, catalog_workspace_fn *fn,
			   void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read(
		catalog->db, &stmt,
		"SELECT " WORKSPACE_COLUMNS WORKSPACE_FROM
		"WHERE w.removed = 0 OR (?1 = 1 AND EXISTS (SELECT 1 FROM job j WHERE j.workspace_id = w.id)) "
		"ORDER BY w.name, w.id",
		"i", (int64_t)with_removed);

	while (db_next(stmt, &err)) {
		struct catalog_workspace workspace;

		err = workspace_from_row(stmt, &workspace);
		if (err == 0)
			err = fn(arg, &workspace);
	}
	return err;
}

int catalog_workspace_secret(struct catalog *catalog, int64_t id, char **ret_secret)
{
	return db_read_secret(catalog->db, ret_secret, "SELECT secret FROM workspace WHERE id = ?1",
			      "i", id);
}

/* ---- changing ---- */

struct workspace_args {
	const struct catalog_workspace *workspace;
	const char *secret;
	int64_t id;
	char *message;
};

static int folder_add(struct db_conn *conn, int64_t workspace_id, const char *workspace_name)
{
	uint64_t inode;
	int err = inode_for_folder(conn, workspace_name, CATALOG_UNASSIGNED, &inode);

	if (err < 0)
		return err;
	return db_run(
		conn,
		"INSERT INTO folder (workspace_id, name, inode, mtime_nsecs, csv_mtime_nsecs, tree_name) "
		"VALUES (?1, NULL, ?2, ?3, ?3, '" CATALOG_UNASSIGNED "')",
		"iii", workspace_id, (int64_t)inode, time_now_nsecs());
}

static int add_in_write(struct db_conn *conn, void *arg)
{
	struct workspace_args *args = arg;
	const struct catalog_workspace *w = args->workspace;
	cleanup_stmt struct db_stmt *stmt = NULL;
	char tree_name[CATALOG_NAME_SIZE];
	uint64_t inode = 0;
	int err = db_query_row(conn, &stmt,
			       "SELECT name FROM workspace"
			       " WHERE removed = 0 AND (name = ?1 OR account_sid = ?2)"
			       " ORDER BY " SQL_BOOL("name <> ?1") " LIMIT 1",
			       "sb", w->name, &w->account_sid);

	args->message[0] = '\0';
	if (err == 0) {
		const char *name = db_text(stmt, 0);

		return catalog_fail(-EEXIST, args->message,
				    name && strcmp(name, w->name) == 0
					    ? "there is a workspace '%s' already"
					    : "the account belongs to workspace '%s' already",
				    name ? name : "");
	}
	if (err == -ENOENT)
		err = tree_name_new(conn, 0, w->name, tree_name);
	if (err == 0)
		err = inode_for_folder(conn, w->name, NULL, &inode);
	if (err < 0)
		return err;
	err = db_insert(
		conn, &args->id,
		"INSERT INTO workspace (name, inode, account_sid, api_key_sid, secret, twilio_url, "
		"twilio_plain_http, delete_s3, delete_twilio, migrate_new, keep_at_twilio, verify_readback, "
		"poll_secs, mtime_nsecs, tree_name) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
		"sibsssiiiiiiiis", w->name, (int64_t)inode, &w->account_sid, w->api_key_sid,
		args->secret, w->twilio_url, (int64_t)w->twilio_plain_http, (int64_t)w->delete_s3,
		(int64_t)w->delete_twilio, (int64_t)w->migrate_new, (int64_t)w->keep_at_twilio,
		(int64_t)w->verify_readback, (int64_t)w->poll_secs, time_now_nsecs(), tree_name);
	if (err == 0)
		err = folder_add(conn, args->id, w->name);
	return err ? err : root_touch(conn);
}

/* Refuses what would be cut or ambiguous later. */
static int workspace_check(const struct catalog_workspace *w,
			   char ret_message[CATALOG_MESSAGE_SIZE])
{
	struct sid key;
	int err = name_check(w->name, "workspace", ret_message);

	if (err)
		return err;
	if (sid_is_zero(&w->account_sid))
		return catalog_fail(-EINVAL, ret_message,
				    "a workspace needs its Twilio account's SID");
	if (w->api_key_sid[0] && sid_parse(w->api_key_sid, "SK", &key) < 0)
		return catalog_fail(-EINVAL, ret_message,
				    "an API key's SID is SK and 32 hex digits; this is not one");
	return 0;
}

int catalog_workspace_add(struct catalog *catalog, const struct catalog_workspace *workspace,
			  const char *secret, int64_t *ret_id,
			  char ret_message[CATALOG_MESSAGE_SIZE])
{
	struct workspace_args args = { workspace, secret, 0, ret_message };
	int err;

	ret_message[0] = '\0';
	err = workspace_check(workspace, ret_message);
	if (err < 0)
		return err;
	if (!secret || !*secret)
		return catalog_fail(-EINVAL, ret_message, "the secret is empty");
	err = db_write(catalog->db, add_in_write, &args);
	if (err == 0)
		*ret_id = args.id;
	return err;
}

static int update_in_write(struct db_conn *conn, void *arg)
{
	struct workspace_args *args = arg;
	const struct catalog_workspace *w = args->workspace;
	int64_t kept;
	int err = db_query_int(conn, &kept,
			       "SELECT keep_at_twilio FROM workspace WHERE id = ?1 AND removed = 0",
			       "i", w->id);

	if (err == 0)
		err = db_run(
			conn,
			"UPDATE workspace SET api_key_sid = ?2, secret = coalesce(?3, secret), twilio_url = ?4, "
			"twilio_plain_http = ?5, delete_s3 = ?6, delete_twilio = ?7, migrate_new = ?8, "
			"keep_at_twilio = ?9, verify_readback = ?10, poll_secs = ?11 WHERE id = ?1",
			"isssiiiiiii", w->id, w->api_key_sid, args->secret, w->twilio_url,
			(int64_t)w->twilio_plain_http, (int64_t)w->delete_s3,
			(int64_t)w->delete_twilio, (int64_t)w->migrate_new,
			(int64_t)w->keep_at_twilio, (int64_t)w->verify_readback,
			(int64_t)w->poll_secs);
	if (err == 0 && !w->migrate_new)
		err = migrate_forget_arrived(conn, w->id);
	if (err == 0 && w->keep_at_twilio && !kept)
		err = cleanups_take_back(conn, w->id);
	if (err == 0 && !w->keep_at_twilio && kept)
		err = cleanups_queue(conn, w->id);
	return err;
}

int catalog_workspace_update(struct catalog *catalog, const struct catalog_workspace *workspace,
			     const char *secret)
{
	struct workspace_args args = { workspace, secret, 0, NULL };
	char message[CATALOG_MESSAGE_SIZE];
	int err = workspace_check(workspace, message);

	if (err < 0)
		return err;
	if (secret && !*secret)
		return -EINVAL;
	return db_write(catalog->db, update_in_write, &args);
}
