/*
 * The metadata of a recording's object. Migration writes them. They are read to rebuild a lost
 * catalog after Twilio has deleted its record of the recording.
 *
 *   sha256                of the bytes, if it was known before the upload began
 *   created               date_created of the recording
 *   started               start of the call, which names the file
 *   duration              seconds, by Twilio
 *   kind                  "voicemail", else absent
 *   call                  16 bytes of SHA-256 over both SIDs: matches a call of the call log, but
 *                         does not reveal the call's SID
 *   encryption-key-sid,   of a recording that Twilio encrypted
 *   encryption-cek,
 *   encryption-iv
 *
 * Nothing else: no phone number, no name, no call SID.
 */
#pragma once

#include "aws/s3.h"
#include "catalog/recording.h"
#include "util/times.h"

#define STORAGE_CARD_CALL_SIZE 33

struct storage_card {
	char sha256[65];                    /* "": unknown */
	char call[STORAGE_CARD_CALL_SIZE];  /* "": no call */
	int64_t created_secs, started_secs; /* 0: unknown */
	int64_t duration_secs;              /* -1: unknown */
	bool is_voicemail;
	struct catalog_encryption encryption; /* cek "": not encrypted */
};

/* Fills in everything but sha256 from the catalog. 0 or -errno of the catalog. */
int storage_card_of(struct catalog *catalog, const struct catalog_recording *recording,
		    struct storage_card *ret_card);
/* Makes the value of `call`. 0 or -errno. */
int storage_card_call(const struct sid *recording_sid, const struct sid *call_sid,
		      char ret_call[STORAGE_CARD_CALL_SIZE]);

/* The pairs for struct s3_put. They point into the card and into this struct: neither may move. */
#define STORAGE_CARD_PAIRS 9
struct storage_card_text {
	struct s3_metadata pairs[STORAGE_CARD_PAIRS];
	size_t count;
	char created[TIME_ISO8601_SIZE], started[TIME_ISO8601_SIZE], duration[24];
};
/* 0; -E2BIG: more than S3 accepts. */
int storage_card_write(const struct storage_card *card, struct storage_card_text *ret_text);

/* Callback of s3_head_object_metadata; arg is a card, made empty by storage_card_init. Malformed
 * values are ignored. */
void storage_card_init(struct storage_card *card);
void storage_card_read(void *arg, const char *name, const char *value);
