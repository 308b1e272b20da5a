/* Makes signed URLs of recordings. */
#include "storage/playback.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "catalog/archive.h"
#include "catalog/object.h"
#include "catalog/settings.h"
#include "storage/storage.h"
#include "util/buf.h"
#include "util/times.h"

/* "2026-03-01_RE….wav" */
static void file_name(const struct catalog_recording *recording,
		      char ret_name[CATALOG_FILE_NAME_SIZE])
{
	char sid[SID_SIZE];
	int year, month, day;

	time_civil(recording->start_secs, &year, &month, &day);
	sid_format(&recording->sid, "RE", sid);
	snprintf(ret_name, CATALOG_FILE_NAME_SIZE, "%04d-%02d-%02d_%s.wav%s", year, month, day, sid,
		 recording->is_encrypted ? ".encrypted" : "");
}

static int object_load(struct catalog *catalog, int64_t recording_id,
		       struct catalog_recording *ret_recording, struct catalog_object *ret_object)
{
	struct catalog_archive archive;
	int err = catalog_recording_get(catalog, recording_id, ret_recording);

	if (err)
		return err;
	if (ret_recording->state != CATALOG_STATE_STORED &&
	    ret_recording->state != CATALOG_STATE_S3)
		return -ENODATA;
	err = catalog_recording_object(catalog, recording_id, ret_object);
	if (err == 0)
		err = catalog_archive_get(catalog, recording_id, &archive);
	if (err == 0 && archive.is_archived)
		return -EREMOTE;
	return err == -ENOENT ? -ENODATA : err;
}

int storage_playback_url(struct catalog *catalog, struct http *http, int64_t recording_id,
			 unsigned expires_secs, bool is_download, const struct cancel *cancel,
			 struct buf *ret_url)
{
	struct catalog_recording recording;
	struct catalog_storage storage;
	char name[CATALOG_FILE_NAME_SIZE];
	struct catalog_object object;
	struct s3_client *s3;
	int err = object_load(catalog, recording_id, &recording, &object);

	if (err)
		return err;
	if (!expires_secs)
		expires_secs = (unsigned)catalog_setting_number(catalog, SETTING_URL_EXPIRES_SECS);
	if (expires_secs > PLAYBACK_EXPIRES_LIMIT_SECS)
		return -EINVAL;
	err = storage_client_new(catalog, http, recording.workspace_id, cancel, &s3, &storage);
	if (err)
		return err;
	file_name(&recording, name);
	if (strcmp(storage.bucket, object.bucket) != 0)
		err = -EXDEV;
	else if (recording.is_encrypted) /* a browser cannot play it */
		err = s3_presign_get(s3, object.key, expires_secs, "application/octet-stream",
				     S3_ATTACHMENT, name, ret_url);
	else
		err = s3_presign_get(s3, object.key, expires_secs, "audio/wav",
				     is_download ? S3_ATTACHMENT : S3_INLINE, name, ret_url);
	s3_client_free(s3);
	return err;
}
