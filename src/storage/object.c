/* Objects of recordings: conversion for the catalog, and lookups in the bucket. */
#include "storage/object.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catalog/belief.h"
#include "catalog/workspace.h"
#include "storage/storage.h"
#include "util/log.h"

/* Of a mono recording, the smallest. */
#define BYTES_PER_SEC 16000
#define DURATION_ALLOWANCE_SECS 1 /* Twilio's duration is in whole seconds */

void storage_object_describe(const struct catalog_storage *storage, const char *key,
			     const struct s3_object *object, struct catalog_object *ret_object)
{
	struct catalog_object *o = ret_object;

	*o = (struct catalog_object){ .size_bytes = object->size_bytes,
				      .stored_secs = object->last_modified_secs,
				      .bucket_key = object->bucket_key,
				      .retain_until_secs = object->retain_until_secs,
				      .has_legal_hold = object->has_legal_hold };
	snprintf(o->bucket, sizeof o->bucket, "%s", storage->bucket);
	snprintf(o->key, sizeof o->key, "%s", key);
	snprintf(o->etag, sizeof o->etag, "%s", object->etag);
	snprintf(o->version_id, sizeof o->version_id, "%s", object->version_id);
	snprintf(o->sha256, sizeof o->sha256, "%s", object->meta_sha256);
	snprintf(o->checksum_sha256, sizeof o->checksum_sha256, "%s", object->checksum_sha256);
	snprintf(o->encryption, sizeof o->encryption, "%s", object->encryption);
	snprintf(o->kms_key_id, sizeof o->kms_key_id, "%s", object->kms_key_id);
	snprintf(o->storage_class, sizeof o->storage_class, "%s", object->storage_class);
	snprintf(o->lock_mode, sizeof o->lock_mode, "%s", object->lock_mode);
}

bool storage_object_may_be(const struct catalog_recording *recording, int64_t size_bytes)
{
	int64_t least_secs = recording->duration_secs - DURATION_ALLOWANCE_SECS;

	if (size_bytes <= 0 || size_bytes > catalog_recording_limit_bytes(recording))
		return false;
	return recording->is_encrypted || least_secs <= 0 ||
	       size_bytes / BYTES_PER_SEC >= least_secs;
}

int storage_object_look(struct s3_client *s3, const struct catalog_storage *storage,
			const struct sid *account_sid, const struct catalog_recording *recording,
			struct catalog_object *ret_object, struct remote_error *ret_error)
{
	char key[CATALOG_KEY_TEXT_SIZE];
	struct s3_object found;
	int err;

	catalog_object_key(storage->prefix, account_sid, recording, key);
	err = s3_head_object(s3, key, &found, ret_error);
	if (err)
		return ret_error->kind == REMOTE_NOT_FOUND ? -ENOENT : err == -ENOENT ? -EIO : err;
	if (!storage_object_may_be(recording, found.size_bytes))
		return remote_error_set(
			ret_error, REMOTE_INVALID, -EIO,
			"S3: the object under the recording's key has an impossible size:"
			" %" PRId64 " bytes for %" PRId64 " seconds",
			found.size_bytes, recording->duration_secs);
	storage_object_describe(storage, key, &found, ret_object);
	return 0;
}

int storage_object_find(struct catalog *catalog, struct http *http, int64_t recording_id,
			const struct cancel *cancel, struct remote_error *ret_error)
{
	struct catalog_recording recording;
	struct catalog_workspace workspace;
	struct catalog_storage storage;
	struct catalog_object object;
	struct s3_client *s3;
	int err = catalog_recording_get(catalog, recording_id, &recording);

	remote_error_clear(ret_error);
	if (err == 0 && recording.state != CATALOG_STATE_TWILIO)
		return -ENOENT;
	if (err == 0)
		err = catalog_workspace_get(catalog, recording.workspace_id, &workspace);
	if (err == 0)
		err = storage_client_new(catalog, http, recording.workspace_id, cancel, &s3,
					 &storage);
	if (err)
		return remote_error_set(ret_error, REMOTE_REJECTED, err, "%s", strerror(-err));
	err = storage_object_look(s3, &storage, &workspace.account_sid, &recording, &object,
				  ret_error);
	s3_client_free(s3);
	if (err == 0)
		err = catalog_recording_found_in_s3(catalog, recording_id, &object);
	return err == -ESTALE ? 0 : err; /* already updated by another thread or process */
}

struct uploads {
	struct s3_client *s3;
	const char *key;
	int count;
};

static int abort_upload(void *arg, const struct s3_list_entry *entry)
{
	struct uploads *uploads = arg;
	struct remote_error error = REMOTE_ERROR_INIT;

	if (strcmp(entry->key, uploads->key) != 0 || !entry->upload_id)
		return 0;
	uploads->count++;
	if (s3_upload_abort(uploads->s3, entry->key, entry->upload_id, &error) &&
	    error.kind != REMOTE_NOT_FOUND)
		log_info("storage: an upload that was left cannot be aborted: %s", error.message);
	return 0;
}

int storage_uploads_abort(struct s3_client *s3, const char *key)
{
	struct uploads uploads = { s3, key, 0 };
	struct remote_error error = REMOTE_ERROR_INIT;
	int err = s3_list(s3, S3_UPLOADS, key, abort_upload, &uploads, &error);

	return err ? err : uploads.count;
}

int storage_tombstone_look(struct s3_client *s3, const char *prefix,
			   const struct sid *recording_sid, struct remote_error *ret_error)
{
	char key[CATALOG_KEY_TEXT_SIZE];
	struct s3_object object;
	int err;

	catalog_tombstone_key(prefix, recording_sid, key);
	err = s3_head_object(s3, key, &object, ret_error);
	if (err == 0)
		return 1;
	if (ret_error->kind != REMOTE_NOT_FOUND)
		return err;
	remote_error_clear(ret_error);
	return 0;
}
