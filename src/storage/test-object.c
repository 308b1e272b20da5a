/* The checks on the test's own object: write, read, list, multipart, encryption, public access,
 * versioning, object lock, delete. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "storage/storage.h"
#include "storage/test-private.h"
#include "util/buf.h"

static const char content[] = "A connection test of tonicfs put this here; it may be deleted.\n";

/* ---- permissions ---- */

static void try_put(struct run *run)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	const struct s3_put put = {
		.key = run->key,
		.body = content,
		.body_len = strlen(content),
		.content_type = "text/plain",
	};

	if (s3_put_object(run->test->client, &put, &run->object, &error)) {
		/* If the answer was lost, the object may be there: it is deleted, too. */
		run->is_put = error.kind == REMOTE_UNCERTAIN || error.kind == REMOTE_TRANSIENT;
		run_fail(run, "s3:PutObject", &error);
		return;
	}
	run->is_put = true;
	run_pass(run, "s3:PutObject", "an object can be written");
}

static void try_get(struct run *run)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	cleanup_buf struct buf body = BUF_INIT;
	struct s3_object object;

	if (s3_get_object(run->test->client, run->key, 0, -1, 4096, &body, &object, &error) == 0) {
		if (body.len == strlen(content) && memcmp(body.data, content, body.len) == 0)
			run_pass(run, "s3:GetObject", "it reads as it was written");
		else
			run_fail_text(run, "s3:GetObject",
				      "the bytes read differ from the bytes written",
				      "something between this machine and the storage changes "
				      "objects");
	} else if (error.error == -EREMOTE) {
		run_note(run, "s3:GetObject",
			 "not known: objects of class %s must be restored before they can be read",
			 run->test->storage->storage_class);
	} else {
		run_fail(run, "s3:GetObject", &error);
	}
}

static int on_entry(void *arg, const struct s3_list_entry *entry)
{
	struct run *run = arg;

	return strcmp(entry->key, run->key) == 0;
}

static void try_list(struct run *run)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	int found = s3_list(run->test->client, S3_OBJECTS, run->key, on_entry, run, &error);

	if (found < 0)
		run_fail(run, "s3:ListBucket", &error);
	else if (found == 0)
		run_fail_text(
			run, "s3:ListBucket", "the list does not show the object just written",
			"this storage is not consistent; recordings could not be found again");
	else
		run_pass(run, "s3:ListBucket", "objects can be listed");
}

static int ignore_entry(void *arg, const struct s3_list_entry *entry)
{
	return 0;
}

/* Long recordings are uploaded in parts. Starting an upload needs s3:PutObject. */
static void try_parts(struct run *run)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	const struct s3_put head = { .key = run->key, .content_type = "text/plain" };
	char upload_id[S3_UPLOAD_ID_SIZE], text[450];
	struct storage_check check;

	if (s3_upload_create(run->test->client, &head, upload_id, &error)) {
		explain(run, "s3:PutObject", &error, "", &check);
		snprintf(text, sizeof text, "an upload in parts: %s", check.text);
		run_fail_text(run, "s3:PutObject", text, check.remedy);
		return;
	}
	if (s3_list(run->test->client, S3_UPLOADS, run->key, ignore_entry, NULL, &error) < 0)
		run_fail(run, "s3:ListBucketMultipartUploads", &error);
	else
		run_pass(run, "s3:ListBucketMultipartUploads", "uploads in parts can be listed");
	if (s3_upload_abort(run->test->client, run->key, upload_id, &error))
		run_fail(run, "s3:AbortMultipartUpload", &error);
	else
		run_pass(run, "s3:AbortMultipartUpload",
			 "an upload in parts can be started and aborted");
}

/* ---- the bucket's properties ---- */

static void look_at_encryption(struct run *run)
{
	const struct catalog_storage *s = run->test->storage;
	struct remote_error error = REMOTE_ERROR_INIT;
	const char *asked = storage_encryption_header(s->encryption), *found;
	struct s3_object object;

	if (s3_head_object(run->test->client, run->key, &object, &error)) {
		/* HEAD needs s3:GetObject, which has been reported. */
		if (s->require_encryption)
			run_fail_text(run, "encryption", "it is required, but cannot be checked",
				      "give the permission s3:GetObject");
		return;
	}
	found = object.encryption;
	snprintf(run->result->encryption, sizeof run->result->encryption, "%s", found);
	if (!storage_is_encrypted(s, found))
		run_fail_text(run, "encryption",
			      *found ? "the server encrypts, but not as requested"
				     : "the server does not encrypt: it ignores the request",
			      "use a server that does, or tonicfs storage set {workspace} "
			      "--no-require-encryption");
	else if (*asked && !*found)
		run_note(run, "encryption", "NOT encrypted: the server ignores the request (%s)",
			 asked);
	else if (*found && object.kms_key_id[0])
		run_pass(run, "encryption", "%s with the key %s, as the server confirms", found,
			 object.kms_key_id);
	else if (*found)
		run_pass(run, "encryption", "%s, as the server confirms", found);
	else
		run_note(run, "encryption", "none requested, and the server reports none");
}

static void look_from_outside(struct run *run)
{
	struct s3_answer answer;

	if (s3_ask_object(run->test->client, true, run->key, &answer)) {
		run_note(run, "not public", "not known: %s", answer.error.message);
	} else if ((answer.status / 100 == 2 && !answer.is_html) || run->is_list_public) {
		run_fail_text(run, "not public",
			      answer.status / 100 == 2
				      ? "anybody can read the bucket's objects without a key"
				      : "anybody can list the bucket's objects without a key",
			      "block public access (AWS: Block Public Access), and take "
			      "'\"Principal\": \"*\"' out of the bucket's policy");
	} else if (answer.status == 401 || answer.status == 403) {
		run_pass(run, "not public", "requests without a key are refused");
	} else {
		run_note(run, "not public", "not known: without a key the server answers %d",
			 answer.status);
	}
}

static void look_at_versioning(struct run *run)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	const char *version = run->object.version_id;
	char status[16];

	if (*version && strcmp(version, "null") != 0)
		run_note(run, "versioning",
			 "on: the bucket keeps a version of each deleted object");
	else if (s3_get_versioning(run->test->client, status, &error))
		run_note(run, "versioning", "off, as the answer to a write shows");
	else if (strcmp(status, "Suspended") == 0)
		run_note(run, "versioning", "suspended");
	else
		run_note(run, "versioning", "off");
}

static void look_at_lock(struct run *run)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct s3_lock lock;

	if (s3_get_lock(run->test->client, &lock, &error))
		run_note(run, "object lock",
			 "not known (needs s3:GetBucketObjectLockConfiguration)");
	else if (!lock.is_enabled)
		run_note(run, "object lock", "off");
	else if (!lock.mode[0])
		run_note(run, "object lock", "on, without a default retention");
	else
		run_note(run, "object lock", "on: objects are retained for %u %s (%s)",
			 lock.days ? lock.days : lock.years, lock.days ? "days" : "years",
			 lock.mode);
}

/* ---- deletion ---- */

/* On a versioned bucket each version is deleted, if that is permitted. */
static int delete_version(void *arg, const struct s3_list_entry *entry)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct run *run = arg;

	if (strcmp(entry->key, run->key) == 0 && entry->version_id && *entry->version_id)
		(void)s3_delete_object(run->test->client, run->key, entry->version_id, &error);
	return 0;
}

static void try_delete(struct run *run)
{
	struct remote_error error = REMOTE_ERROR_INIT;

	if (s3_delete_object(run->test->client, run->key, NULL, &error)) {
		struct storage_check check;
		size_t used;

		explain(run, "s3:DeleteObject", &error, "", &check);
		used = strlen(check.remedy);
		snprintf(check.remedy + used, sizeof check.remedy - used,
			 "%sthe test's object is left: %s", used ? "; " : "", run->key);
		run_tell(run, &check);
		return;
	}
	/* Best effort: a version that may not be deleted is a hundred bytes. */
	if (run->object.version_id[0] && strcmp(run->object.version_id, "null") != 0)
		(void)s3_list(run->test->client, S3_VERSIONS, run->key, delete_version, run,
			      &error);
	run_pass(run, "s3:DeleteObject", "the test's object is gone again");
}

void test_object(struct run *run)
{
	try_put(run);
	if (run->is_put && run->object.etag[0]) {
		try_get(run);
		try_list(run);
		try_parts(run);
		look_at_encryption(run);
		look_from_outside(run);
		look_at_versioning(run);
		look_at_lock(run);
	}
	if (run->is_put)
		try_delete(run);
}
