/*
 * What an object says of its recording besides the bytes: metadata, written by the migration and
 * read where a lost catalog is made anew after Twilio has forgotten the recording.
 *
 *   sha256                 of the bytes, where it was known before the upload began
 *   created, started       date_created of the recording, and the call's start: the file's name
 *   duration               seconds, as Twilio says it
 *   kind                   "voicemail"; else absent
 *   call                   16 bytes of SHA-256 over both SIDs: who has the call log recognises the
 *                          call by it, and nobody learns the call's SID from it
 *   encryption-key-sid, encryption-cek, encryption-iv: of what Twilio encrypted
 *
 * Nothing else: no number, no name, no call SID.
 */
#ifndef TONICFS_STORAGE_CARD_H
#define TONICFS_STORAGE_CARD_H

#include "aws/s3.h"
#include "catalog/recording.h"
#include "util/times.h"

#define STORAGE_CARD_CALL_SIZE 33

struct storage_card {
	char sha256[65];                    /* "": not known */
	char call[STORAGE_CARD_CALL_SIZE];  /* "": no call */
	int64_t created_secs, started_secs; /* 0: not said */
	int64_t duration_secs;              /* -1: not said */
	bool is_voicemail;
	struct catalog_encryption encryption; /* cek "": none */
};

/* Of a recording: all but sha256. -errno of the catalog. */
int storage_card_of(struct catalog *catalog, const struct catalog_recording *recording,
		    struct storage_card *ret_card);
int storage_card_call(const struct sid *recording_sid, const struct sid *call_sid,
		      char ret_call[STORAGE_CARD_CALL_SIZE]);

/* As s3_put wants it. Points into the card and into itself: neither may move. */
#define STORAGE_CARD_PAIRS 9
struct storage_card_text {
	struct s3_metadata pairs[STORAGE_CARD_PAIRS];
	size_t count;
	char created[TIME_ISO8601_SIZE], started[TIME_ISO8601_SIZE], duration[24];
};
/* -E2BIG: more than S3 takes. */
int storage_card_write(const struct storage_card *card, struct storage_card_text *ret_text);

/* For s3_head_object_metadata; arg is a card that storage_card_init has made empty. What is no
 * value of ours is left out. */
void storage_card_init(struct storage_card *card);
void storage_card_read(void *arg, const char *name, const char *value);

#endif
