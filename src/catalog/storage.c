/* A workspace's bucket: settings and secret. */
#include <errno.h>
#include <string.h>

#include "catalog/recording-private.h"
#include "catalog/storage.h"
#include "util/cleanup.h"

int catalog_storage_get(struct catalog *catalog, int64_t workspace_id,
			struct catalog_storage *ret_storage)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	struct catalog_storage *s = ret_storage;
	int err = db_read_row(
		catalog->db, &stmt,
		"SELECT bucket, region, endpoint, prefix, access_key, path_style, plain_http, encryption, "
		"kms_key_id, storage_class, ca_file, enabled, provider, credentials, require_encryption, origins, "
		"tested_secs, tested_encryption FROM storage WHERE workspace_id = ?1",
		"i", workspace_id);

	memset(s, 0, sizeof *s);
	if (err)
		return err;
	if (!db_text_copy(stmt, 0, s->bucket, sizeof s->bucket) ||
	    !db_text_copy(stmt, 1, s->region, sizeof s->region) ||
	    !db_text_copy(stmt, 2, s->endpoint, sizeof s->endpoint) ||
	    !db_text_copy(stmt, 3, s->prefix, sizeof s->prefix) ||
	    !db_text_copy(stmt, 4, s->access_key, sizeof s->access_key) ||
	    !db_text_copy(stmt, 8, s->kms_key_id, sizeof s->kms_key_id) ||
	    !db_text_copy(stmt, 9, s->storage_class, sizeof s->storage_class) ||
	    !db_text_copy(stmt, 10, s->ca_file, sizeof s->ca_file) ||
	    !db_text_copy(stmt, 12, s->provider, sizeof s->provider) ||
	    !db_text_copy(stmt, 13, s->credentials, sizeof s->credentials) ||
	    !db_text_copy(stmt, 15, s->origins, sizeof s->origins) ||
	    !db_text_copy(stmt, 17, s->tested_encryption, sizeof s->tested_encryption))
		return -EIO;
	s->path_style = db_int(stmt, 5);
	s->plain_http = db_int(stmt, 6);
	s->encryption = db_int(stmt, 7);
	s->enabled = db_int(stmt, 11);
	s->require_encryption = db_int(stmt, 14);
	s->tested_secs = db_int64(stmt, 16);
	return 0;
}

/* A bucket that comes into use gets the recordings that waited for it. The next sync is a full one,
 * because it compares the bucket with the removed recordings. */
static int storage_in_use(struct db_conn *conn, int64_t workspace_id, bool was_in_use)
{
	int err = migrate_queue_arrived(conn, workspace_id);

	return err || was_in_use
		       ? err
		       : db_run(conn, "UPDATE workspace SET last_sweep_secs = 0 WHERE id = ?", "i",
				workspace_id);
}

static int storage_is_in_use(struct db_conn *conn, int64_t workspace_id, int64_t *ret_is)
{
	return db_query_int(conn, ret_is,
			    "SELECT count(*) FROM storage WHERE workspace_id = ? AND enabled = 1",
			    "i", workspace_id);
}

struct storage_args {
	int64_t workspace_id;
	const struct catalog_storage *storage;
	const char *secret_key;
	bool enable;
};

static int storage_set_in_write(struct db_conn *conn, void *arg)
{
	const struct storage_args *args = arg;
	const struct catalog_storage *s = args->storage;
	int64_t found;
	int err =
		db_query_int(conn, &found, "SELECT 1 FROM workspace WHERE id = ?1 AND removed = 0",
			     "i", args->workspace_id);

	if (err == 0 && !args->secret_key && !s->credentials[0]) {
		err = db_query_int(conn, &found, "SELECT 1 FROM storage WHERE workspace_id = ?1",
				   "i", args->workspace_id);
		if (err == -ENOENT)
			return -EINVAL;
	}
	if (err)
		return err;
	err = db_run(
		conn,
		"INSERT INTO storage (workspace_id, bucket, region, endpoint, prefix, access_key, secret_key, "
		"path_style, plain_http, encryption, kms_key_id, storage_class, ca_file, enabled, provider, credentials, "
		"require_encryption, origins, tested_secs, tested_encryption) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, coalesce(?7, ''), ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
		"?18, ?19, ?20) "
		"ON CONFLICT (workspace_id) DO UPDATE SET bucket = excluded.bucket, region = excluded.region, "
		"endpoint = excluded.endpoint, prefix = excluded.prefix, access_key = excluded.access_key, "
		"secret_key = CASE WHEN excluded.credentials <> '' THEN '' ELSE coalesce(?7, storage.secret_key) END, "
		"path_style = excluded.path_style, "
		"plain_http = excluded.plain_http, encryption = excluded.encryption, "
		"kms_key_id = excluded.kms_key_id, storage_class = excluded.storage_class, "
		"ca_file = excluded.ca_file, enabled = excluded.enabled, provider = excluded.provider, "
		"credentials = excluded.credentials, require_encryption = excluded.require_encryption, "
		"origins = excluded.origins, tested_secs = excluded.tested_secs, "
		"tested_encryption = excluded.tested_encryption",
		"issssssiiisssissisis", args->workspace_id, s->bucket, s->region, s->endpoint,
		s->prefix, s->access_key, args->secret_key, (int64_t)s->path_style,
		(int64_t)s->plain_http, (int64_t)s->encryption, s->kms_key_id, s->storage_class,
		s->ca_file, (int64_t)s->enabled, s->provider, s->credentials,
		(int64_t)s->require_encryption, s->origins, s->tested_secs, s->tested_encryption);
	/* It may be another bucket than the one that was in use. */
	return err || !s->enabled ? err : storage_in_use(conn, args->workspace_id, false);
}

int catalog_storage_set(struct catalog *catalog, int64_t workspace_id,
			const struct catalog_storage *storage, const char *secret_key)
{
	struct storage_args args = { workspace_id, storage, secret_key, false };

	if (!storage->bucket[0] || (!storage->access_key[0] && !storage->credentials[0]) ||
	    (secret_key && !*secret_key) || storage->encryption < 0 || storage->encryption > 2)
		return -EINVAL;
	return db_write(catalog->db, storage_set_in_write, &args);
}

static int storage_enable_in_write(struct db_conn *conn, void *arg)
{
	const struct storage_args *args = arg;
	int64_t was_in_use;
	int err = storage_is_in_use(conn, args->workspace_id, &was_in_use);

	if (err == 0)
		err = db_run(conn,
			     "UPDATE storage SET enabled = ?2 WHERE workspace_id = ?1"
			     " AND EXISTS (SELECT 1 FROM workspace WHERE id = ?1 AND removed = 0)",
			     "ii", args->workspace_id, (int64_t)args->enable);

	if (err)
		return err;
	if (!db_changes(conn))
		return -ENOENT;
	return args->enable ? storage_in_use(conn, args->workspace_id, was_in_use) : 0;
}

int catalog_storage_enable(struct catalog *catalog, int64_t workspace_id, bool enabled)
{
	struct storage_args args = { .workspace_id = workspace_id, .enable = enabled };

	return db_write(catalog->db, storage_enable_in_write, &args);
}

int catalog_storage_secret(struct catalog *catalog, int64_t workspace_id, char **ret_secret_key)
{
	return db_read_secret(catalog->db, ret_secret_key,
			      "SELECT secret_key FROM storage WHERE workspace_id = ?1", "i",
			      workspace_id);
}

static int tested_in_write(struct db_conn *conn, void *arg)
{
	const struct storage_args *args = arg;
	const struct catalog_storage *s = args->storage;
	int64_t found, was_in_use;
	/* Another process may have changed the settings while the test ran. */
	int err = db_query_int(
		conn, &found,
		"SELECT 1 FROM storage WHERE workspace_id = ?1 AND bucket = ?2 AND region = ?3 AND "
		"endpoint = ?4 AND prefix = ?5 AND access_key = ?6 AND secret_key = ?7 AND credentials = ?8 AND "
		"path_style = ?9 AND plain_http = ?10 AND encryption = ?11 AND require_encryption = ?12 AND "
		"kms_key_id = ?13 AND storage_class = ?14 AND ca_file = ?15",
		"isssssssiiiisss", args->workspace_id, s->bucket, s->region, s->endpoint, s->prefix,
		s->access_key, args->secret_key, s->credentials, (int64_t)s->path_style,
		(int64_t)s->plain_http, (int64_t)s->encryption, (int64_t)s->require_encryption,
		s->kms_key_id, s->storage_class, s->ca_file);

	if (err == -ENOENT)
		return -ESTALE;
	if (err == 0)
		err = storage_is_in_use(conn, args->workspace_id, &was_in_use);
	if (err == 0)
		err = db_run(
			conn,
			"UPDATE storage SET tested_secs = ?2, tested_encryption = ?3, origins = ?4,"
			" enabled = CASE WHEN ?5 = 1 THEN 1 ELSE enabled END WHERE workspace_id = ?1",
			"iissi", args->workspace_id, s->tested_secs, s->tested_encryption,
			s->origins, (int64_t)args->enable);
	return err || !args->enable ? err : storage_in_use(conn, args->workspace_id, was_in_use);
}

int catalog_storage_tested(struct catalog *catalog, int64_t workspace_id,
			   const struct catalog_storage *tested, const char *secret_key,
			   bool enable)
{
	struct storage_args args = { workspace_id, tested, secret_key, enable };

	return db_write(catalog->db, tested_in_write, &args);
}
