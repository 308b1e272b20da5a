/* migrate: what is believed to be a recording. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/content.h"
#include "util/cleanup.h"

#define HEAD_BYTES 44

static void put(uint8_t *at, uint32_t value, int n)
{
	for (int i = 0; i < n; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

/* 8 kHz, 16 bit. data_bytes: what the head says. */
static void wav_head(uint8_t *head, int channels, uint32_t data_bytes)
{
	memcpy(head, "RIFF....WAVEfmt ", 16);
	put(head + 4, data_bytes == UINT32_MAX ? UINT32_MAX : data_bytes + 36, 4);
	put(head + 16, 16, 4);
	put(head + 20, 1, 2);
	put(head + 22, (uint32_t)channels, 2);
	put(head + 24, 8000, 4);
	put(head + 28, 16000u * (uint32_t)channels, 4);
	put(head + 32, 2u * (uint32_t)channels, 2);
	put(head + 34, 16, 2);
	memcpy(head + 36, "data", 4);
	put(head + 40, data_bytes, 4);
}

struct take {
	int channels_stored, channels_asked;
	uint32_t said_bytes; /* in the WAV's head */
	size_t audio_bytes;  /* that come */
	int64_t announced_bytes, known_bytes, duration_secs;
	const char *etag;
};

/* As a transfer does it. *ret_content's hashes are finished. */
static int check(const struct take *take, struct content *ret_content, char *reason)
{
	struct catalog_recording recording = { .size_bytes = take->known_bytes,
					       .duration_secs = take->duration_secs };
	size_t n = HEAD_BYTES + take->audio_bytes;
	cleanup_free uint8_t *bytes = calloc(1, n);
	int err;

	assert_non_null(bytes);
	wav_head(bytes, take->channels_stored, take->said_bytes);
	reason[0] = '\0';
	assert_int_equal(content_init(ret_content), 0);
	err = content_check_head(ret_content, bytes, n, take->channels_asked, reason);
	if (err)
		return err;
	assert_int_equal(content_add(ret_content, bytes, n, false), 0);
	assert_int_equal(content_finish(ret_content), 0);
	return content_check_end(ret_content, &recording, take->announced_bytes, take->etag,
				 reason);
}

static void assert_believed(const struct take *take, bool wanted, const char *word)
{
	char reason[CONTENT_REASON_SIZE];
	struct content content;
	int err = check(take, &content, reason);

	content_release(&content);
	if (wanted && err)
		fail_msg("refused: %s", reason);
	if (!wanted) {
		assert_int_equal(err, -EBADMSG);
		if (!strstr(reason, word))
			fail_msg("\"%s\" is not in \"%s\"", word, reason);
	}
}

static const struct take good = { 2, 2, 64000, 64000, 64044, 64044, 2, NULL };

static void test_migrate_content__a_whole_recording_is_believed(void **state)
{
	struct take take = good;

	assert_believed(&take, true, NULL);
	take.announced_bytes = take.known_bytes = take.duration_secs = -1;
	assert_believed(&take, true, NULL);
	take.said_bytes = UINT32_MAX; /* as streaming writers leave it */
	assert_believed(&take, true, NULL);
	take.channels_asked = take.channels_stored = 1;
	take.said_bytes = 64000;
	assert_believed(&take, true, NULL);
}

static void test_migrate_content__a_recording_of_no_length_is_one(void **state)
{
	struct take take = { 2, 2, 0, 0, 44, 44, 0, NULL };

	assert_believed(&take, true, NULL);
}

static void test_migrate_content__a_downmix_is_refused(void **state)
{
	struct take take = good;

	take.channels_stored = 1;
	assert_believed(&take, false, "1 channel where 2");
	take.channels_stored = 2;
	take.channels_asked = 1;
	assert_believed(&take, false, "2 channels where 1");
}

static void test_migrate_content__what_is_cut_off_is_refused(void **state)
{
	struct take take = good;

	take.announced_bytes = 64045;
	assert_believed(&take, false, "64044 of 64045");
	take = good;
	take.known_bytes = 64046;
	assert_believed(&take, false, "of a file of 64046");
	take = good;
	take.audio_bytes = 63999; /* the head tells */
	take.announced_bytes = take.known_bytes = -1;
	assert_believed(&take, false, "cut off");
}

static void test_migrate_content__shorter_than_twilio_said_but_for_a_second_is_refused(void **state)
{
	struct take take = good;

	take.duration_secs = 3;
	assert_believed(&take, true, NULL);
	take.duration_secs = 4;
	assert_believed(&take, false, "2 of 4 seconds");
}

static void test_migrate_content__an_md5_that_twilio_gives_must_agree(void **state)
{
	char reason[CONTENT_REASON_SIZE], md5[33];
	struct take take = good;
	struct content content;

	assert_int_equal(check(&take, &content, reason), 0);
	memcpy(md5, content.md5_hex, sizeof md5);
	content_release(&content);
	take.etag = md5;
	assert_believed(&take, true, NULL);
	md5[0] = md5[0] == '0' ? '1' : '0';
	assert_believed(&take, false, "MD5");
	take.etag = "an-opaque-one";
	assert_believed(&take, true, NULL);
}

static void test_migrate_content__pages_and_nothing_are_no_audio(void **state)
{
	static const char page[] =
		"<?xml version='1.0'?><TwilioResponse><RestException><Code>20500</Code></RestException>";
	char reason[CONTENT_REASON_SIZE];
	struct content content;
	uint8_t head[HEAD_BYTES];

	assert_int_equal(content_init(&content), 0);
	assert_int_equal(content_check_head(&content, page, sizeof page - 1, 2, reason), -EBADMSG);
	assert_int_equal(content_check_head(&content, "", 0, 2, reason), -EBADMSG);
	wav_head(head, 2, 64000);
	assert_int_equal(content_check_head(&content, head, 30, 2, reason),
			 -EBADMSG); /* ends within its head */
	content_release(&content);
}

static void test_migrate_content__parts_have_the_etag_that_s3_gives_them(void **state)
{
	/* Of "aaaaa" and "bb" as parts: md5(md5("aaaaa") md5("bb")). */
	uint8_t digests[2 * CRYPTO_MD5_SIZE], all[CRYPTO_MD5_SIZE];
	char wanted[CRYPTO_HEX_SIZE(CRYPTO_MD5_SIZE) + 8],
		whole[CRYPTO_HEX_SIZE(CRYPTO_SHA256_SIZE)];
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	struct content content;

	assert_int_equal(crypto_md5("aaaaa", 5, digests), 0);
	assert_int_equal(crypto_md5("bb", 2, digests + CRYPTO_MD5_SIZE), 0);
	assert_int_equal(crypto_md5(digests, sizeof digests, all), 0);
	crypto_hex(all, sizeof all, wanted);
	strcat(wanted, "-2");
	assert_int_equal(crypto_sha256("aaaaabb", 7, sha256), 0);
	crypto_hex(sha256, sizeof sha256, whole);

	assert_int_equal(content_init(&content), 0);
	assert_int_equal(content_add(&content, "aaaaa", 5, true), 0);
	assert_int_equal(content_add(&content, "bb", 2, true), 0);
	assert_int_equal(content_finish(&content), 0);
	assert_string_equal(content.parts_etag, wanted);
	assert_string_equal(content.sha256_hex, whole);
	assert_int_equal(content.size_bytes, 7);
	content_release(&content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_migrate_content__a_whole_recording_is_believed),
		cmocka_unit_test(test_migrate_content__a_recording_of_no_length_is_one),
		cmocka_unit_test(test_migrate_content__a_downmix_is_refused),
		cmocka_unit_test(test_migrate_content__what_is_cut_off_is_refused),
		cmocka_unit_test(
			test_migrate_content__shorter_than_twilio_said_but_for_a_second_is_refused),
		cmocka_unit_test(test_migrate_content__an_md5_that_twilio_gives_must_agree),
		cmocka_unit_test(test_migrate_content__pages_and_nothing_are_no_audio),
		cmocka_unit_test(test_migrate_content__parts_have_the_etag_that_s3_gives_them),
	};

	return cmocka_run_group_tests_name("migrate_content", tests, NULL, NULL);
}
