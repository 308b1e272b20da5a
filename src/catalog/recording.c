/* Looking recordings up, and where their bytes are said to be. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "catalog/belief.h"
#include "catalog/change.h"
#include "catalog/queue.h"
#include "catalog/recording-private.h"
#include "catalog/sync.h"
#include "util/times.h"

/* 32 bits in two channels at 48 kHz. */
#define MOST_BYTES_PER_SEC 384000
#define DURATION_SLACK_SECS 60

int64_t catalog_recording_limit_bytes(const struct catalog_recording *recording)
{
	int64_t limit = CATALOG_RECORDING_BYTES_LIMIT, secs = recording->duration_secs;

	/* 0 may be a duration that Twilio has not measured. */
	if (secs > 0 && secs < limit / MOST_BYTES_PER_SEC - DURATION_SLACK_SECS)
		limit = (secs + DURATION_SLACK_SECS) * MOST_BYTES_PER_SEC;
	return limit;
}

void recording_from_row(struct db_stmt *stmt, struct catalog_recording *ret_recording)
{
	struct catalog_recording *r = ret_recording;
	int64_t flags = db_int64(stmt, 8);

	memset(r, 0, sizeof *r);
	r->id = db_int64(stmt, 0);
	r->inode = (uint64_t)db_int64(stmt, 1);
	r->workspace_id = db_int64(stmt, 2);
	r->folder_id = db_int64(stmt, 3);
	r->call_id = db_int64(stmt, 4);
	db_sid(stmt, 5, &r->sid);
	r->state = db_int(stmt, 6);
	r->migration = db_int(stmt, 7);
	r->kind =
		flags & RECORDING_FLAG_VOICEMAIL ? CATALOG_KIND_VOICEMAIL : CATALOG_KIND_RECORDING;
	r->is_encrypted = flags & RECORDING_FLAG_ENCRYPTED;
	r->is_unvouched = flags & RECORDING_FLAG_UNVOUCHED;
	r->size_bytes = db_int64(stmt, 9);
	r->duration_secs = db_int64(stmt, 10);
	r->start_secs = db_int64(stmt, 11) >> SORT_KEY_SHIFT;
	r->date_created_secs = db_int64(stmt, 12);
	r->channels_requested = db_int(stmt, 13);
	r->channels_stored = db_int(stmt, 14);
	db_text_copy(stmt, 15, r->party, sizeof r->party);
	r->is_listed = db_int(stmt, 16);
}

int recording_load(struct db_conn *conn, int64_t id, struct catalog_recording *ret_recording)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_query_row(conn, &stmt,
			       "SELECT " RECORDING_COLUMNS " FROM recording r WHERE r.id = ?", "i",
			       id);

	if (err == 0)
		recording_from_row(stmt, ret_recording);
	return err;
}

int recording_load_by_sid(struct db_conn *conn, const struct sid *sid,
			  struct catalog_recording *ret_recording)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int64_t base = inode_base(sid), id;
	int err = db_query_row(conn, &stmt,
			       "SELECT " RECORDING_COLUMNS " FROM recording r"
			       " WHERE r.inode >= ?1 AND r.inode < ?2 AND r.sid = ?3",
			       "iib", base, base + INODE_NEAR, sid);

	if (err == 0)
		recording_from_row(stmt, ret_recording);
	if (err != -ENOENT)
		return err;
	err = recording_id_far(conn, sid, &id);
	return err ? err : recording_load(conn, id, ret_recording);
}

int catalog_recording_get(struct catalog *catalog, int64_t id,
			  struct catalog_recording *ret_recording)
{
	cleanup_db_read struct db_conn *read = NULL;
	int err = db_read_begin(catalog->db, &read);

	return err ? err : recording_load(read, id, ret_recording);
}

int catalog_recording_find(struct catalog *catalog, const struct sid *sid,
			   struct catalog_recording *ret_recording)
{
	cleanup_db_read struct db_conn *read = NULL;
	int err = db_read_begin(catalog->db, &read);

	return err ? err : recording_load_by_sid(read, sid, ret_recording);
}

int object_load(struct db_conn *conn, int64_t recording_id, struct catalog_object *ret_object)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	struct catalog_object *o = ret_object;
	int err = db_query_row(
		conn, &stmt,
		"SELECT bucket, key, etag, version_id, sha256, checksum_sha256,"
		" encryption, kms_key_id, storage_class, size_bytes, stored_secs, bucket_key,"
		" lock_mode, retain_until_secs, legal_hold FROM object WHERE recording_id = ?",
		"i", recording_id);

	if (err)
		return err;
	db_text_copy(stmt, 0, o->bucket, sizeof o->bucket);
	db_text_copy(stmt, 1, o->key, sizeof o->key);
	db_text_copy(stmt, 2, o->etag, sizeof o->etag);
	db_text_copy(stmt, 3, o->version_id, sizeof o->version_id);
	db_text_copy(stmt, 4, o->sha256, sizeof o->sha256);
	db_text_copy(stmt, 5, o->checksum_sha256, sizeof o->checksum_sha256);
	db_text_copy(stmt, 6, o->encryption, sizeof o->encryption);
	db_text_copy(stmt, 7, o->kms_key_id, sizeof o->kms_key_id);
	db_text_copy(stmt, 8, o->storage_class, sizeof o->storage_class);
	o->size_bytes = db_int64(stmt, 9);
	o->stored_secs = db_int64(stmt, 10);
	o->bucket_key = db_int(stmt, 11);
	db_text_copy(stmt, 12, o->lock_mode, sizeof o->lock_mode);
	o->retain_until_secs = db_int64(stmt, 13);
	o->has_legal_hold = db_int(stmt, 14);
	return 0;
}

int catalog_recording_object(struct catalog *catalog, int64_t id, struct catalog_object *ret_object)
{
	cleanup_db_read struct db_conn *read = NULL;
	int err = db_read_begin(catalog->db, &read);

	return err ? err : object_load(read, id, ret_object);
}

int object_store(struct db_conn *conn, int64_t recording_id, const struct catalog_object *o)
{
	return db_run(
		conn,
		"INSERT INTO object (recording_id, bucket, key, etag, version_id, sha256,"
		" checksum_sha256, encryption, kms_key_id, storage_class, size_bytes, stored_secs, bucket_key,"
		" lock_mode, retain_until_secs, legal_hold)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT (recording_id) DO UPDATE SET bucket = excluded.bucket, key = excluded.key,"
		" etag = excluded.etag, version_id = excluded.version_id, sha256 = excluded.sha256,"
		" checksum_sha256 = excluded.checksum_sha256, encryption = excluded.encryption,"
		" kms_key_id = excluded.kms_key_id, storage_class = excluded.storage_class,"
		" size_bytes = excluded.size_bytes, stored_secs = excluded.stored_secs,"
		" bucket_key = excluded.bucket_key, lock_mode = excluded.lock_mode,"
		" retain_until_secs = excluded.retain_until_secs, legal_hold = excluded.legal_hold,"
		" restore = " SQL_RESTORE_NONE ", restored_until_secs = 0, restore_reason = ''",
		"isssssssssiiisii", recording_id, o->bucket, o->key, o->etag, o->version_id,
		o->sha256, o->checksum_sha256, o->encryption, o->kms_key_id,
		o->storage_class[0] ? o->storage_class : "STANDARD", o->size_bytes,
		o->stored_secs ? o->stored_secs : time_now_secs(), (int64_t)o->bucket_key,
		o->lock_mode, o->retain_until_secs, (int64_t)o->has_legal_hold);
}

int catalog_recording_call(struct catalog *catalog, int64_t id, struct catalog_call *ret_call)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	struct catalog_call *c = ret_call;
	int err = db_read_row(
		catalog->db, &stmt,
		"SELECT c.sid, c.from_number, c.to_number, c.direction, c.status,"
		" c.start_secs, c.duration_secs FROM recording r JOIN call c ON c.id = r.call_id"
		" WHERE r.id = ?",
		"i", id);

	if (err)
		return err;
	db_sid(stmt, 0, &c->sid);
	db_text_copy(stmt, 1, c->from, sizeof c->from);
	db_text_copy(stmt, 2, c->to, sizeof c->to);
	db_text_copy(stmt, 3, c->direction, sizeof c->direction);
	db_text_copy(stmt, 4, c->status, sizeof c->status);
	c->start_secs = db_int64(stmt, 5);
	c->duration_secs = db_int64(stmt, 6);
	return 0;
}

int catalog_recording_encryption(struct catalog *catalog, int64_t id,
				 struct catalog_encryption *ret_encryption)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read_row(catalog->db, &stmt,
			      "SELECT key_sid, cek, iv FROM encryption WHERE recording_id = ?", "i",
			      id);

	if (err)
		return err;
	/* A key that was cut is useless. */
	if (!db_text_copy(stmt, 0, ret_encryption->key_sid, sizeof ret_encryption->key_sid) ||
	    !db_text_copy(stmt, 1, ret_encryption->cek, sizeof ret_encryption->cek) ||
	    !db_text_copy(stmt, 2, ret_encryption->iv, sizeof ret_encryption->iv))
		return -EOVERFLOW;
	return 0;
}

/* ---- found, gone, lost ---- */

static int set_state(struct db_conn *conn, int64_t id, enum catalog_state state,
		     enum catalog_migration migration)
{
	return db_run(conn, "UPDATE recording SET state = ?2, migration = ?3 WHERE id = ?1", "iii",
		      id, (int64_t)state, (int64_t)migration);
}

static int drop_jobs(struct db_conn *conn, int64_t id, enum catalog_job_kind kind)
{
	return db_run(conn, "DELETE FROM job WHERE recording_id = ?1 AND kind = ?2", "ii", id,
		      (int64_t)kind);
}

int recording_gone(struct db_conn *conn, const struct catalog_recording *recording)
{
	int err;

	switch (recording->state) {
	case CATALOG_STATE_TWILIO:
		err = drop_jobs(conn, recording->id, CATALOG_JOB_MIGRATE);
		if (err == 0 && recording->is_listed)
			err = recording_unlist(conn, recording->id);
		return err ? err
			   : set_state(conn, recording->id, CATALOG_STATE_MISSING,
				       CATALOG_MIGRATION_NONE);
	case CATALOG_STATE_STORED:
		err = drop_jobs(conn, recording->id, CATALOG_JOB_CLEANUP_TWILIO);
		return err ? err
			   : set_state(conn, recording->id, CATALOG_STATE_S3,
				       CATALOG_MIGRATION_DONE);
	default:
		return -ESTALE;
	}
}

static int write_gone(struct db_conn *conn, void *arg)
{
	struct catalog_recording recording;
	int err = recording_load(conn, *(int64_t *)arg, &recording);

	return err ? err : recording_gone(conn, &recording);
}

int catalog_recording_gone(struct catalog *catalog, int64_t id)
{
	return db_write(catalog->db, write_gone, &id);
}

struct found {
	int64_t id;
	const struct catalog_object *object;
};

static int write_found(struct db_conn *conn, void *arg)
{
	const struct found *found = arg;
	struct catalog_recording recording;
	int err = recording_load(conn, found->id, &recording);

	if (err)
		return err;
	if (recording.state != CATALOG_STATE_MISSING && recording.state != CATALOG_STATE_TWILIO)
		return -ESTALE;
	err = drop_jobs(conn, recording.id, CATALOG_JOB_MIGRATE);
	if (err == 0)
		err = object_store(conn, recording.id, found->object);
	if (err == 0)
		err = set_state(conn, recording.id, CATALOG_STATE_S3, CATALOG_MIGRATION_DONE);
	if (err == 0)
		err = db_run(conn,
			     "UPDATE recording SET size_bytes = ?2, completed = " SQL_COMPLETED
			     " WHERE id = ?1",
			     "ii", recording.id, found->object->size_bytes);
	if (err == 0)
		err = recording_list(conn, recording.id, NULL, NULL);
	if (err == 0 && recording.call_id)
		err = calls_row_changed(conn, recording.call_id);
	return err;
}

int catalog_recording_found_in_s3(struct catalog *catalog, int64_t id,
				  const struct catalog_object *object)
{
	struct found found = { id, object };

	return db_write(catalog->db, write_found, &found);
}

static int write_lost(struct db_conn *conn, void *arg)
{
	struct catalog_recording recording;
	int err = recording_load(conn, *(int64_t *)arg, &recording);
	enum catalog_state state;

	if (err)
		return err;
	if (recording.state == CATALOG_STATE_STORED)
		state = CATALOG_STATE_TWILIO;
	else if (recording.state == CATALOG_STATE_S3)
		state = CATALOG_STATE_MISSING;
	else
		return -ESTALE;
	/* Above all, the delete that the migration owed must not be sent. */
	err = drop_jobs(conn, recording.id, CATALOG_JOB_CLEANUP_TWILIO);
	if (err == 0)
		err = set_state(conn, recording.id, state, CATALOG_MIGRATION_NONE);
	if (err == 0 && state == CATALOG_STATE_TWILIO)
		err = db_run(conn, "DELETE FROM object WHERE recording_id = ?", "i", recording.id);
	return err ? err : change_add(conn, CATALOG_CHANGE_CONTENT, &recording);
}

int catalog_recording_lost_in_s3(struct catalog *catalog, int64_t id)
{
	return db_write(catalog->db, write_lost, &id);
}
