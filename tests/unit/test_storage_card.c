/* What an object's metadata say of its recording, written and read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/card.h"

static void test_storage__a_card_is_read_as_it_was_written(void **state)
{
	struct storage_card card, again;
	struct storage_card_text text;
	const struct sid recording = { { 3 } }, call = { { 4, 5 } };

	storage_card_init(&card);
	assert_int_equal(storage_card_write(&card, &text), 0);
	assert_int_equal(text.count, 0);

	memset(card.sha256, 'a', 64);
	assert_int_equal(storage_card_call(&recording, &call, card.call), 0);
	card.created_secs = 1772360101;
	card.started_secs = 1772360100;
	card.duration_secs = 61;
	card.is_voicemail = true;
	strcpy(card.encryption.key_sid, "CR1");
	strcpy(card.encryption.cek, "cek==");
	strcpy(card.encryption.iv, "iv==");
	assert_int_equal(storage_card_write(&card, &text), 0);
	assert_int_equal(text.count, STORAGE_CARD_PAIRS);
	storage_card_init(&again);
	for (size_t i = 0; i < text.count; i++) {
		assert_null(strstr(text.pairs[i].value, "0405000000"));
		storage_card_read(&again, text.pairs[i].name, text.pairs[i].value);
	}
	assert_memory_equal(&again, &card, sizeof card);
}

static void test_storage__what_is_no_value_of_a_card_is_left_out(void **state)
{
	struct storage_card card, empty;

	storage_card_init(&card);
	storage_card_init(&empty);
	storage_card_read(&card, "sha256", "xyz");
	storage_card_read(&card, "call", "0123");
	storage_card_read(&card, "started", "yesterday");
	storage_card_read(&card, "created", "");
	storage_card_read(&card, "duration", "-3");
	storage_card_read(&card, "duration", "99999999999999999999");
	storage_card_read(&card, "kind", "song");
	storage_card_read(&card, "colour", "blue");
	assert_memory_equal(&card, &empty, sizeof card);
}

static void test_storage__a_key_that_is_too_long_for_metadata_is_refused(void **state)
{
	struct storage_card card;
	struct storage_card_text text;

	storage_card_init(&card);
	memset(card.encryption.cek, 'k', sizeof card.encryption.cek - 1);
	assert_int_equal(storage_card_write(&card, &text), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storage__a_card_is_read_as_it_was_written),
		cmocka_unit_test(test_storage__what_is_no_value_of_a_card_is_left_out),
		cmocka_unit_test(test_storage__a_key_that_is_too_long_for_metadata_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
