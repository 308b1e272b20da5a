/* Object keys of recordings: parsed, and made again. */
#include <errno.h>
#include <string.h>

#include "util/times.h"
#include "verify/verify-private.h"

#define DAY_SECS 86400
#define FOLDER "recordings/"
#define DATE_LENGTH 10 /* 2026/03/01 */

/* The part of the key after "<prefix>recordings/"; NULL: the key is elsewhere. */
static const char *below_folder(const char *prefix, const char *key)
{
	size_t len = strlen(prefix);

	if (strncmp(key, prefix, len) != 0 || strncmp(key + len, FOLDER, strlen(FOLDER)) != 0)
		return NULL;
	return key + len + strlen(FOLDER);
}

void verify_name_key(const char *prefix, const struct sid *account_sid,
		     const struct verify_name *name, char ret_key[CATALOG_KEY_TEXT_SIZE])
{
	const struct catalog_recording recording = {
		.sid = name->sid,
		.date_created_secs = (int64_t)name->day * DAY_SECS,
		.is_encrypted = name->is_encrypted,
	};

	catalog_object_key(prefix, account_sid, &recording, ret_key);
}

/* Parses loosely, makes the key again and compares, so that parser and maker cannot disagree. */
int verify_name_parse(const char *prefix, const struct sid *account_sid, const char *key,
		      struct verify_name *ret_name)
{
	static const char encrypted[] = ".wav.encrypted";
	const char *at = below_folder(prefix, key);
	char again[CATALOG_KEY_TEXT_SIZE], date[DATE_LENGTH + 1];
	int64_t secs;

	if (!at || strlen(at) < SID_LENGTH + 1 + DATE_LENGTH + 1 + SID_LENGTH)
		return -EINVAL;
	memcpy(date, at + SID_LENGTH + 1, DATE_LENGTH);
	date[DATE_LENGTH] = '\0';
	date[4] = date[7] = '-';
	at += SID_LENGTH + 1 + DATE_LENGTH + 1;
	if (time_parse_iso8601(date, &secs) < 0 || secs < 0 ||
	    sid_parse_prefix(at, strlen(at), "RE", &ret_name->sid) < 0)
		return -EINVAL;
	ret_name->day = (int32_t)(secs / DAY_SECS);
	ret_name->is_encrypted = strcmp(at + SID_LENGTH, encrypted) == 0;
	verify_name_key(prefix, account_sid, ret_name, again);
	return strcmp(again, key) == 0 ? 0 : -EINVAL;
}

bool verify_is_other_account(const char *prefix, const struct sid *account_sid, const char *key)
{
	const char *at = below_folder(prefix, key);
	struct sid sid;

	return at && sid_parse_prefix(at, strlen(at), "AC", &sid) == 0 && at[SID_LENGTH] == '/' &&
	       !sid_equal(&sid, account_sid);
}
