/* Recordings' objects in S3: what was verified of them, and their keys. */
#pragma once

#include "catalog/recording.h"

#define CATALOG_KEY_TEXT_SIZE 600

struct catalog_object {
	char bucket[CATALOG_BUCKET_SIZE], key[CATALOG_KEY_TEXT_SIZE], etag[128], version_id[128];
	char sha256[65];          /* of the whole content, hex; "" not known */
	char checksum_sha256[48]; /* base64, stored by the server; "" none */
	char encryption[32], kms_key_id[256], storage_class[32]; /* as the server confirmed them */
	bool bucket_key;           /* encrypted by a key of the bucket's below the KMS key */
	char lock_mode[16];        /* Object Lock: "GOVERNANCE", "COMPLIANCE" or "" */
	int64_t retain_until_secs; /* 0: no retention */
	bool has_legal_hold;
	int64_t size_bytes, stored_secs;
};

/* -ENOENT: not migrated. */
int catalog_recording_object(struct catalog *catalog, int64_t recording_id,
			     struct catalog_object *ret_object);

/* Keys derive from the recording alone. The date is date_created in UTC:
 *
 *   recording  <prefix>recordings/<AccountSid>/<yyyy>/<mm>/<dd>/<RecordingSid>.wav[.encrypted]
 *   tombstone  <prefix>tonicfs/removed/<RecordingSid>
 */
void catalog_object_key(const char *prefix, const struct sid *account_sid,
			const struct catalog_recording *recording,
			char ret_key[CATALOG_KEY_TEXT_SIZE]);
void catalog_tombstone_key(const char *prefix, const struct sid *recording_sid,
			   char ret_key[CATALOG_KEY_TEXT_SIZE]);
