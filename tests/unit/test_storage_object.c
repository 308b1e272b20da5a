/* How many bytes a recording may have: neither fewer nor more than its duration allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/object.h"
#include "sync/sync-private.h"

#define MOST CATALOG_RECORDING_BYTES_LIMIT
#define DAY_SECS (24 * 3600)

static int64_t limit_of(int64_t duration_secs)
{
	const struct catalog_recording recording = { .duration_secs = duration_secs };

	return catalog_recording_limit_bytes(&recording);
}

static void test_storage__no_genuine_recording_is_too_long(void **state)
{
	/* Of two channels, with a second that Twilio's duration does not count; at 48 kHz, too. */
	for (int64_t secs = 1; secs <= DAY_SECS; secs = secs * 2 + 1) {
		int64_t limit = limit_of(secs);

		assert_true(limit == MOST || limit >= 44 + (secs + 1) * 32000 * 6);
		assert_true(limit >= 44 + (secs + 1) * 32000);
	}
	assert_in_range(limit_of(DAY_SECS), 44 + (int64_t)DAY_SECS * 32000, MOST);
	/* The duration is not known, or not measured: a WAV file of any length. */
	assert_int_equal(limit_of(-1), MOST);
	assert_int_equal(limit_of(0), MOST);
	assert_true(MOST > INT64_C(0xffffffff) + 8);
}

static void
test_storage__a_recording_is_no_longer_than_a_wav_file_and_its_duration_allow(void **state)
{
	assert_true(limit_of(60) < (int64_t)64 << 20);
	assert_int_equal(limit_of(INT64_MAX), MOST);
	assert_int_equal(limit_of(INT64_MIN), MOST);
	assert_int_equal(limit_of(MOST), MOST);
	for (int64_t secs = 1; secs < 20000; secs++)
		assert_true(limit_of(secs) <= limit_of(secs + 1) && limit_of(secs) <= MOST);
}

static void test_storage__an_object_that_is_too_short_or_too_long_is_not_the_recording(void **state)
{
	struct catalog_recording recording = { .duration_secs = 60 };

	assert_true(storage_object_may_be(&recording, 44 + 60 * 16000));
	assert_true(storage_object_may_be(&recording, 44 + 60 * 32000));
	assert_true(storage_object_may_be(&recording, limit_of(60)));
	assert_false(storage_object_may_be(&recording, limit_of(60) + 1));
	assert_false(storage_object_may_be(&recording, (int64_t)1 << 46));
	assert_false(storage_object_may_be(&recording, 44 + 58 * 16000));
	assert_false(storage_object_may_be(&recording, 0));
	assert_false(storage_object_may_be(&recording, -1));
	recording.is_encrypted = true;
	assert_true(storage_object_may_be(&recording, 1000));
	assert_false(storage_object_may_be(&recording, (int64_t)1 << 46));
	recording = (struct catalog_recording){ .duration_secs = INT64_MAX };
	assert_false(storage_object_may_be(&recording, MOST));
}

static void test_storage__a_duration_that_cannot_be_is_none(void **state)
{
	struct twilio_recording recording = { .source = "", .duration_secs = INT64_MAX };
	struct catalog_recording_input input;

	sync_convert_recording(&recording, &input);
	assert_int_equal(input.duration_secs, -1);
	recording.duration_secs = DAY_SECS;
	sync_convert_recording(&recording, &input);
	assert_int_equal(input.duration_secs, DAY_SECS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storage__no_genuine_recording_is_too_long),
		cmocka_unit_test(
			test_storage__a_recording_is_no_longer_than_a_wav_file_and_its_duration_allow),
		cmocka_unit_test(
			test_storage__an_object_that_is_too_short_or_too_long_is_not_the_recording),
		cmocka_unit_test(test_storage__a_duration_that_cannot_be_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
