/* Recordings that callbacks have named, and the token that callbacks are signed with. */
#include "catalog/callback.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "catalog/catalog-private.h"
#include "util/cleanup.h"
#include "util/secret.h"
#include "util/times.h"

/* ---- the token ---- */

struct token_args {
	int64_t workspace_id;
	const char *token;
};

static int token_in_write(struct db_conn *conn, void *arg)
{
	const struct token_args *args = arg;
	int err = db_run(conn,
			 "UPDATE workspace SET callback_token = ?2 WHERE id = ?1 AND removed = 0",
			 "is", args->workspace_id, args->token);

	if (err < 0)
		return err;
	return db_changes(conn) ? 0 : -ENOENT;
}

int catalog_callback_token_set(struct catalog *catalog, int64_t workspace_id, const char *token)
{
	struct token_args args = { workspace_id, token };

	return db_write(catalog->db, token_in_write, &args);
}

static int token_read(struct catalog *catalog, const struct sid *account_sid, int64_t *ret_id,
		      char **ret_token)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read_row(catalog->db, &stmt,
			      "SELECT id, CASE WHEN api_key_sid = '' THEN secret"
			      " ELSE callback_token END FROM workspace"
			      " WHERE account_sid = ?1 AND removed = 0",
			      "b", account_sid);

	if (err)
		return err;
	*ret_id = db_int64(stmt, 0);
	*ret_token = secret_dup(db_text(stmt, 1));
	return *ret_token ? 0 : -ENOMEM;
}

int catalog_callback_account(struct catalog *catalog, const struct sid *account_sid,
			     struct catalog_workspace *ret_workspace, char **ret_token)
{
	cleanup_secret char *token = NULL;
	int64_t id;
	int err = token_read(catalog, account_sid, &id, &token);

	*ret_token = NULL;
	if (err == 0)
		err = catalog_workspace_get(catalog, id, ret_workspace);
	if (err == 0 && !*token)
		err = -ENOKEY;
	if (err == 0)
		*ret_token = steal_pointer(&token);
	return err;
}

/* ---- what has been named ---- */

int catalog_callback_add(struct catalog *catalog, int64_t workspace_id,
			 const struct sid *recording_sid)
{
	struct catalog_recording known;
	int err = catalog_recording_find(catalog, recording_sid, &known);

	if (err == 0 && (known.is_listed || known.state != CATALOG_STATE_TWILIO))
		return 0;
	if (err && err != -ENOENT)
		return err;
	return db_write_run(
		catalog->db,
		"INSERT INTO callback (sid, workspace_id, due_msecs) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (sid) DO UPDATE SET workspace_id = excluded.workspace_id,"
		" due_msecs = excluded.due_msecs, owner = '', attempts = 0",
		"bii", recording_sid, workspace_id, time_now_msecs());
}

int catalog_callback_done(struct catalog *catalog, const char *owner,
			  const struct sid *recording_sid)
{
	return db_write_run(catalog->db, "DELETE FROM callback WHERE sid = ?1 AND owner = ?2", "bs",
			    recording_sid, owner);
}

int catalog_callback_later(struct catalog *catalog, const char *owner,
			   const struct sid *recording_sid, int64_t pause_msecs)
{
	return db_write_run(
		catalog->db,
		"UPDATE callback SET due_msecs = ?3, owner = '' WHERE sid = ?1 AND owner = ?2",
		"bsi", recording_sid, owner, time_now_msecs() + pause_msecs);
}

/* ---- taking ---- */

static int next_due(struct catalog *catalog, int64_t *ret_next_msecs)
{
	int err = db_read_int(
		catalog->db, ret_next_msecs,
		"SELECT c.due_msecs FROM callback c JOIN workspace w ON w.id = c.workspace_id"
		" WHERE w.removed = 0 ORDER BY c.due_msecs LIMIT 1",
		"");

	if (err != -ENOENT)
		return err;
	*ret_next_msecs = INT64_MAX;
	return 0;
}

struct claim_args {
	struct catalog_callback_batch *batch;
	int64_t lease_msecs;
};

static int batch_read(struct db_conn *conn, int64_t now_msecs, struct catalog_callback_batch *batch)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query(conn, &stmt,
			   "SELECT sid, attempts + 1 FROM callback WHERE workspace_id = ?1"
			   " AND due_msecs <= ?2 ORDER BY due_msecs LIMIT ?3",
			   "iii", batch->workspace_id, now_msecs, (int64_t)CATALOG_CALLBACK_BATCH);

	while (db_next(stmt, &err)) {
		struct catalog_callback *item = &batch->items[batch->count++];

		if (!db_sid(stmt, 0, &item->recording_sid))
			return -EIO;
		item->attempts = (unsigned)db_int64(stmt, 1);
	}
	return err;
}

static int claim_in_write(struct db_conn *conn, void *arg)
{
	struct claim_args *args = arg;
	struct catalog_callback_batch *batch = args->batch;
	int64_t now = time_now_msecs();
	int err;

	batch->count = 0;
	err = db_query_int(conn, &batch->workspace_id,
			   "SELECT c.workspace_id FROM callback c JOIN workspace w"
			   " ON w.id = c.workspace_id WHERE w.removed = 0 AND c.due_msecs <= ?1"
			   " ORDER BY c.due_msecs LIMIT 1",
			   "i", now);
	if (err == 0)
		err = batch_read(conn, now, batch);
	for (size_t i = 0; i < batch->count && err == 0; i++)
		err = db_run(conn,
			     "UPDATE callback SET due_msecs = ?2, owner = ?3, attempts = ?4"
			     " WHERE sid = ?1",
			     "bisi", &batch->items[i].recording_sid, now + args->lease_msecs,
			     batch->owner, (int64_t)batch->items[i].attempts);
	return err;
}

int catalog_callback_claim(struct catalog *catalog, const char *owner, int64_t lease_msecs,
			   struct catalog_callback_batch *ret_batch, int64_t *ret_next_msecs)
{
	struct claim_args args = { ret_batch, lease_msecs };
	int err = next_due(catalog, ret_next_msecs);

	ret_batch->count = 0;
	if (err)
		return err;
	if (*ret_next_msecs > time_now_msecs())
		return -ENOENT;
	snprintf(ret_batch->owner, sizeof ret_batch->owner, "%s", owner);
	err = db_write(catalog->db, claim_in_write, &args);
	if (err)
		ret_batch->count = 0;
	return err;
}
