/* Makes S3 clients from the settings of workspaces. */
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>

#include "aws/credentials.h"
#include "util/secret.h"

const char *storage_encryption_name(int encryption)
{
	static const char *const names[STORAGE_ENCRYPTION_COUNT] = { "none", "sse-s3", "sse-kms" };

	return encryption >= 0 && encryption < STORAGE_ENCRYPTION_COUNT ? names[encryption]
									: names[0];
}

const char *storage_encryption_header(int encryption)
{
	return encryption == 1 ? "AES256" : encryption == 2 ? "aws:kms" : "";
}

bool storage_is_encrypted(const struct catalog_storage *storage, const char *confirmed)
{
	const char *asked = storage_encryption_header(storage->encryption);

	return !storage->require_encryption ||
	       (*confirmed && strncmp(confirmed, asked, strlen(asked)) == 0);
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

/* NULL: all places, in their order. */
static const char *profile_of(const char *credentials)
{
	return strncmp(credentials, "profile:", 8) == 0 ? credentials + 8 : NULL;
}

int storage_client_of(const struct catalog_storage *storage, const char *secret_key,
		      struct http *http, unsigned total_timeout_msecs, const struct cancel *cancel,
		      struct s3_client **ret_client)
{
	struct aws_source *source = NULL;
	struct s3_settings settings;
	int err = 0;

	*ret_client = NULL;
	if (storage->credentials[0])
		err = aws_source_get(profile_of(storage->credentials), &source);
	if (err < 0)
		return err;
	settings = (struct s3_settings){
		.bucket = storage->bucket,
		.region = or_null(storage->region),
		.endpoint = or_null(storage->endpoint),
		.path_style = storage->path_style,
		.allow_plain_http = storage->plain_http,
		.access_key = storage->access_key,
		.secret_key = secret_key,
		.credentials = source,
		.encryption = (enum s3_encryption)storage->encryption,
		.kms_key_id = or_null(storage->kms_key_id),
		.storage_class = or_null(storage->storage_class),
		.ca_file = or_null(storage->ca_file),
		.total_timeout_msecs = total_timeout_msecs,
		.cancel = cancel,
	};

	err = s3_client_new(http, &settings, ret_client);
	aws_source_unref(source);
	return err;
}

int storage_client_new_of(struct catalog *catalog, struct http *http, int64_t workspace_id,
			  const char *bucket, const struct cancel *cancel,
			  struct s3_client **ret_client, struct catalog_storage *ret_storage)
{
	cleanup_secret char *secret_key = NULL;
	struct catalog_storage storage;
	int err = catalog_storage_get(catalog, workspace_id, &storage);

	*ret_client = NULL;
	if (err == 0)
		err = catalog_storage_secret(catalog, workspace_id, &secret_key);
	if (err < 0)
		return err;
	if (bucket)
		snprintf(storage.bucket, sizeof storage.bucket, "%s", bucket);
	err = storage_client_of(&storage, secret_key, http, 0, cancel, ret_client);
	if (err == 0 && ret_storage)
		*ret_storage = storage;
	return err;
}

int storage_client_new(struct catalog *catalog, struct http *http, int64_t workspace_id,
		       const struct cancel *cancel, struct s3_client **ret_client,
		       struct catalog_storage *ret_storage)
{
	return storage_client_new_of(catalog, http, workspace_id, NULL, cancel, ret_client,
				     ret_storage);
}
