/* What is remembered of failures: the latest of each recording, until its bytes come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "audio/reasons.h"

static struct audio_reasons reasons;

static int setup(void **state)
{
	audio_reasons_init(&reasons);
	return 0;
}

static int teardown(void **state)
{
	audio_reasons_release(&reasons);
	return 0;
}

static void note(int64_t id, int64_t offset_bytes, const char *text)
{
	struct audio_reason reason = { .offset_bytes = offset_bytes, .at_secs = id };

	snprintf(reason.text, sizeof reason.text, "%s", text);
	audio_reasons_note(&reasons, id, &reason);
}

/* "": there is none. */
static const char *text_of(int64_t id)
{
	static struct audio_reason reason;

	return audio_reasons_get(&reasons, id, &reason) ? reason.text : "";
}

static void test_audio_reasons__each_recording_has_its_latest(void **state)
{
	assert_string_equal(text_of(1), "");
	note(1, 0, "first");
	note(2, 0, "other");
	note(1, 0, "second");
	assert_string_equal(text_of(1), "second");
	assert_string_equal(text_of(2), "other");
	assert_string_equal(text_of(3), "");
	assert_int_equal(atomic_load(&reasons.count), 2);
}

static void test_audio_reasons__the_oldest_gives_way(void **state)
{
	for (int64_t id = 1; id <= AUDIO_REASONS_LIMIT; id++)
		note(id, 0, "once");
	note(1, 0, "again");
	note(1000, 0, "new");
	assert_string_equal(text_of(1), "again");
	assert_string_equal(text_of(2), "");
	assert_string_equal(text_of(3), "once");
	assert_string_equal(text_of(1000), "new");
	/* A free place is taken first. */
	audio_reasons_clear(&reasons, 64, 0, 1);
	note(1001, 0, "newer");
	assert_string_equal(text_of(3), "once");
	assert_string_equal(text_of(64), "");
	assert_int_equal(atomic_load(&reasons.count), AUDIO_REASONS_LIMIT);
}

static void test_audio_reasons__only_the_bytes_that_did_not_come_clear_it(void **state)
{
	note(1, 100, "a byte");
	note(2, AUDIO_REASON_NO_OFFSET, "a size");
	audio_reasons_clear(&reasons, 1, 0, 100);
	audio_reasons_clear(&reasons, 1, 101, 200);
	audio_reasons_clear(&reasons, 1, 0, 0);
	audio_reasons_clear(&reasons, 3, 0, 200);
	assert_string_equal(text_of(1), "a byte");
	audio_reasons_clear(&reasons, 1, 100, 101);
	assert_string_equal(text_of(1), "");
	assert_string_equal(text_of(2), "a size");
	audio_reasons_clear(&reasons, 2, 0, 0);
	assert_string_equal(text_of(2), "");
	assert_int_equal(atomic_load(&reasons.count), 0);
}

static void test_audio_reasons__the_last_stays_known(void **state)
{
	struct audio_reason last;

	assert_false(audio_reasons_last(&reasons, &last));
	note(1, 0, "first");
	note(2, 0, "last");
	audio_reasons_clear(&reasons, 2, 0, 1);
	assert_true(audio_reasons_last(&reasons, &last));
	assert_string_equal(last.text, "last");
	note(3, 0, "after");
	assert_true(audio_reasons_last(&reasons, &last));
	assert_string_equal(last.text, "after");
}

/* Each text says which recording it is of. NULL: all was right. */
static void *note_and_read(void *arg)
{
	int64_t first = *(int64_t *)arg;
	struct audio_reason reason;
	char text[32];

	for (int64_t i = 0; i < 2000; i++) {
		int64_t id = first + i % 40;

		snprintf(text, sizeof text, "of %d", (int)id);
		note(id, 0, text);
		if (audio_reasons_get(&reasons, id, &reason) && strcmp(reason.text, text) != 0)
			return &reasons; /* another recording's */
		if (!audio_reasons_last(&reasons, &reason))
			return &reasons; /* no last one */
		snprintf(text, sizeof text, "of %d", (int)reason.at_secs);
		if (strcmp(reason.text, text) != 0)
			return &reasons; /* a torn one */
		audio_reasons_clear(&reasons, id - i % 3, 0, 1);
	}
	return NULL;
}

static void test_audio_reasons__threads_see_whole_ones(void **state)
{
	int64_t first[4] = { 1, 21, 41, 61 };
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, note_and_read, &first[i]), 0);
	for (int i = 0; i < 4; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	for (int64_t id = 1; id <= 100; id++)
		audio_reasons_clear(&reasons, id, 0, 1);
	assert_int_equal(atomic_load(&reasons.count), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_audio_reasons__each_recording_has_its_latest,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_audio_reasons__the_oldest_gives_way, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_audio_reasons__only_the_bytes_that_did_not_come_clear_it, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_audio_reasons__the_last_stays_known, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_audio_reasons__threads_see_whole_ones, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
