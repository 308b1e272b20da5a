/* The metadata of a recording's object: made, written and parsed. */
#include "storage/card.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/crypto.h"

#define METADATA_LIMIT_BYTES 2048 /* S3's limit, names and values together */
#define VOICEMAIL "voicemail"

int storage_card_call(const struct sid *recording_sid, const struct sid *call_sid,
		      char ret_call[STORAGE_CARD_CALL_SIZE])
{
	char text[2 * SID_SIZE];
	uint8_t digest[CRYPTO_SHA256_SIZE];
	int err;

	sid_format(recording_sid, "RE", text);
	sid_format(call_sid, "CA", text + SID_LENGTH);
	err = crypto_sha256(text, strlen(text), digest);
	if (err == 0)
		crypto_hex(digest, (STORAGE_CARD_CALL_SIZE - 1) / 2, ret_call);
	return err;
}

void storage_card_init(struct storage_card *card)
{
	*card = (struct storage_card){ .duration_secs = -1 };
}

int storage_card_of(struct catalog *catalog, const struct catalog_recording *recording,
		    struct storage_card *ret_card)
{
	struct catalog_call call;
	int err = 0;

	storage_card_init(ret_card);
	ret_card->created_secs = recording->date_created_secs;
	ret_card->started_secs = recording->start_secs;
	ret_card->duration_secs = recording->duration_secs;
	ret_card->is_voicemail = recording->kind == CATALOG_KIND_VOICEMAIL;
	if (recording->call_id)
		err = catalog_recording_call(catalog, recording->id, &call);
	if (recording->call_id && err == 0)
		err = storage_card_call(&recording->sid, &call.sid, ret_card->call);
	if (err == 0 && recording->is_encrypted)
		err = catalog_recording_encryption(catalog, recording->id, &ret_card->encryption);
	return err;
}

/* ---- writing ---- */

static void add(struct storage_card_text *text, const char *name, const char *value)
{
	if (*value)
		text->pairs[text->count++] = (struct s3_metadata){ name, value };
}

int storage_card_write(const struct storage_card *card, struct storage_card_text *ret_text)
{
	struct storage_card_text *text = ret_text;
	size_t bytes = 0;

	*text = (struct storage_card_text){ .count = 0 };
	if (card->created_secs > 0)
		time_format_iso8601(card->created_secs, text->created);
	if (card->started_secs > 0)
		time_format_iso8601(card->started_secs, text->started);
	if (card->duration_secs >= 0)
		snprintf(text->duration, sizeof text->duration, "%lld",
			 (long long)card->duration_secs);
	add(text, "sha256", card->sha256);
	add(text, "created", text->created);
	add(text, "started", text->started);
	add(text, "duration", text->duration);
	add(text, "kind", card->is_voicemail ? VOICEMAIL : "");
	add(text, "call", card->call);
	add(text, "encryption-key-sid", card->encryption.key_sid);
	add(text, "encryption-cek", card->encryption.cek);
	add(text, "encryption-iv", card->encryption.iv);
	for (size_t i = 0; i < text->count; i++)
		bytes += strlen("x-amz-meta-") + strlen(text->pairs[i].name) +
			 strlen(text->pairs[i].value);
	return bytes > METADATA_LIMIT_BYTES ? -E2BIG : 0;
}

/* ---- reading ---- */

/* A value that does not fit is malformed. */
static void take(char *space, size_t size, const char *value)
{
	snprintf(space, size, "%s", strlen(value) < size ? value : "");
}

static void take_hex(char *space, size_t size, const char *value)
{
	if (strlen(value) == size - 1 && strspn(value, "0123456789abcdef") == size - 1)
		take(space, size, value);
}

static void take_time(int64_t *secs, const char *value)
{
	if (time_parse_iso8601(value, secs) < 0 || *secs < 0)
		*secs = 0;
}

void storage_card_read(void *arg, const char *name, const char *value)
{
	struct storage_card *card = arg;

	if (strcasecmp(name, "sha256") == 0) {
		take_hex(card->sha256, sizeof card->sha256, value);
	} else if (strcasecmp(name, "call") == 0) {
		take_hex(card->call, sizeof card->call, value);
	} else if (strcasecmp(name, "created") == 0) {
		take_time(&card->created_secs, value);
	} else if (strcasecmp(name, "started") == 0) {
		take_time(&card->started_secs, value);
	} else if (strcasecmp(name, "duration") == 0) {
		if (*value && strspn(value, "0123456789") == strlen(value) && strlen(value) < 10)
			card->duration_secs = strtoll(value, NULL, 10);
	} else if (strcasecmp(name, "kind") == 0) {
		card->is_voicemail = strcmp(value, VOICEMAIL) == 0;
	} else if (strcasecmp(name, "encryption-key-sid") == 0) {
		take(card->encryption.key_sid, sizeof card->encryption.key_sid, value);
	} else if (strcasecmp(name, "encryption-cek") == 0) {
		take(card->encryption.cek, sizeof card->encryption.cek, value);
	} else if (strcasecmp(name, "encryption-iv") == 0) {
		take(card->encryption.iv, sizeof card->encryption.iv, value);
	}
}
