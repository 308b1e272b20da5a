/* Names of recordings: in the tree and in the bucket. */
#include <stdio.h>
#include <string.h>

#include "catalog/filename.h"
#include "catalog/object.h"
#include "util/cleanup.h"
#include "util/times.h"

void catalog_recording_name(const struct catalog_recording *recording, enum catalog_names names,
			    char ret_name[CATALOG_FILE_NAME_SIZE])
{
	char when[TIME_ISO8601_SIZE], sid[SID_SIZE];
	bool with_number = names == CATALOG_NAMES_NUMBER;

	time_format_name(recording->start_secs, when);
	sid_format(&recording->sid, "RE", sid);
	snprintf(ret_name, CATALOG_FILE_NAME_SIZE, "%s_%s%s%s%s.wav%s", when,
		 with_number ? recording->party : "", with_number ? "_" : "", sid,
		 recording->kind == CATALOG_KIND_VOICEMAIL ? ".voicemail" : "",
		 recording->is_encrypted ? ".encrypted" : "");
}

bool filename_find_sid(const char *name, struct sid *ret_sid)
{
	/* The last "_RE": a party's name may hold anything of [A-Za-z0-9+._-], an underscore
	 * too. */
	for (const char *at = name + strlen(name); at > name; at--)
		if (at[0] == '_' && sid_parse_prefix(at + 1, strlen(at + 1), "RE", ret_sid) == 0)
			return true;
	return false;
}

void filename_party(const char *number, char ret_party[32])
{
	/* Carriers and Twilio put these in place of a number that the caller withheld: keypad
	 * spellings of ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE, and the words
	 * themselves. */
	static const char *const withheld[] = {
		"",        "anonymous",  "restricted", "blocked",      "unknown",     "unavailable",
		"private", "+266696687", "266696687",  "+7378742833",  "7378742833",  "+2562533",
		"2562533", "+8656696",   "8656696",    "+86282452253", "86282452253",
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(withheld); i++)
		if (strcasecmp(number, withheld[i]) == 0)
			number = "anonymous";
	for (; number[n] && n < 31; n++) {
		char c = number[n];
		bool safe = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			    (c >= 'a' && c <= 'z') || c == '+' || c == '.' || c == '_' || c == '-';

		ret_party[n] = safe ? c : '-';
	}
	ret_party[n] = '\0';
}

void catalog_object_key(const char *prefix, const struct sid *account_sid,
			const struct catalog_recording *recording,
			char ret_key[CATALOG_KEY_TEXT_SIZE])
{
	char account[SID_SIZE], sid[SID_SIZE];
	int year, month, day;

	sid_format(account_sid, "AC", account);
	sid_format(&recording->sid, "RE", sid);
	time_civil(recording->date_created_secs, &year, &month, &day);
	snprintf(ret_key, CATALOG_KEY_TEXT_SIZE, "%srecordings/%s/%04d/%02d/%02d/%s.wav%s", prefix,
		 account, year, month, day, sid, recording->is_encrypted ? ".encrypted" : "");
}

void catalog_tombstone_key(const char *prefix, const struct sid *recording_sid,
			   char ret_key[CATALOG_KEY_TEXT_SIZE])
{
	char sid[SID_SIZE];

	sid_format(recording_sid, "RE", sid);
	snprintf(ret_key, CATALOG_KEY_TEXT_SIZE, "%stonicfs/removed/%s", prefix, sid);
}

const char *catalog_kind_name(enum catalog_kind kind)
{
	return kind == CATALOG_KIND_VOICEMAIL ? "voicemail" : "recording";
}

const char *catalog_state_name(enum catalog_state state)
{
	static const char *const names[CATALOG_STATE_COUNT] = {
		[CATALOG_STATE_TWILIO] = "twilio",   [CATALOG_STATE_UPLOADING] = "uploading",
		[CATALOG_STATE_STORED] = "stored",   [CATALOG_STATE_S3] = "s3",
		[CATALOG_STATE_MISSING] = "missing", [CATALOG_STATE_DELETED] = "deleted",
	};

	return (unsigned)state < CATALOG_STATE_COUNT && names[state] ? names[state] : "unknown";
}
