/*
 * What S3 says of an object, as the catalog keeps it; and looking for what removals left. Shared by
 * the rooms that put recordings into the bucket and those that find them there. Threads: any.
 */
#ifndef TONICFS_STORAGE_OBJECT_H
#define TONICFS_STORAGE_OBJECT_H

#include "aws/s3.h"
#include "catalog/object.h"
#include "catalog/storage.h"
#include "util/cancel.h"

/* sha256 is what the object's metadata say. */
void storage_object_describe(const struct catalog_storage *storage, const char *key,
			     const struct s3_object *object, struct catalog_object *ret_object);
/* False: by what Twilio said of its duration too short to be all of the recording, or longer than it can
 * be; or empty. */
bool storage_object_may_be(const struct catalog_recording *recording, int64_t size_bytes);
/* What stands under the recording's derived key, where another machine may have put it. 0; -ENOENT:
 * nothing; else the negative errno of *ret_error, -EIO for what has not its length. */
int storage_object_look(struct s3_client *s3, const struct catalog_storage *storage,
			const struct sid *account_sid, const struct catalog_recording *recording,
			struct catalog_object *ret_object, struct remote_error *ret_error);
/* Twilio does not have it: where it is found so, the catalog is told, and it is read there from now
 * on. As above; -ENOENT also where the catalog knows better than that it is at Twilio. */
int storage_object_find(struct catalog *catalog, struct http *http, int64_t recording_id,
			const struct cancel *cancel, struct remote_error *ret_error);
/* Whether a recording that was removed, while its bytes stay, has its tombstone. 1: yes, 0: no;
 * else the negative errno of *ret_error. */
int storage_tombstone_look(struct s3_client *s3, const char *prefix,
			   const struct sid *recording_sid, struct remote_error *ret_error);

#endif
