/* A callback that comes again, from Twilio or from somebody who has read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "catalog/callback.h"
#include "helper_queue.h"
#include "hook/form.h"
#include "hook/hook-private.h"

#define URL "https://hooks.example.com/twilio/recording"

/* A callback of recording `number` with this status: the answer's. */
static int post(struct queue_fixture *f, struct replays *replays, unsigned number,
		const char *recording_status, const char *token)
{
	const struct sid account = queue_sid(1, 1), recording = queue_sid(3, number);
	char account_text[SID_SIZE], sid_text[SID_SIZE], body[300], sent[300],
		signature[TWILIO_SIGNATURE_SIZE];
	struct form form;

	sid_format(&account, "AC", account_text);
	sid_format(&recording, "RE", sid_text);
	snprintf(body, sizeof body, "AccountSid=%s&RecordingSid=%s&RecordingStatus=%s",
		 account_text, sid_text, recording_status);
	strcpy(sent, body);
	assert_int_equal(form_parse(body, strlen(body), &form), 0);
	assert_int_equal(twilio_signature(token, URL, form.fields, form.count, signature), 0);
	return callback_handle(f->catalog, replays, URL,
			       &(struct callback_request){ .uri = HOOK_PATH,
							   .host = "",
							   .signature = signature,
							   .body = sent,
							   .body_len = strlen(sent) });
}

/* How many are to be asked for; they are done then. */
static size_t work(struct queue_fixture *f)
{
	struct catalog_callback_batch batch;
	int64_t next;

	if (catalog_callback_claim(f->catalog, "test", 60000, &batch, &next) == -ENOENT)
		return 0;
	for (size_t i = 0; i < batch.count; i++)
		assert_int_equal(catalog_callback_done(f->catalog, "test",
						       &batch.items[i].recording_sid),
				 0);
	return batch.count;
}

static void test_hook__a_replay_is_answered_and_leaves_nothing_to_do(void **state)
{
	struct queue_fixture *f = *state;
	struct replays *replays = replays_new();

	/* Nobody knows the recording, before and after: Twilio has none of that name. */
	assert_int_equal(post(f, replays, 1, "completed", "not the token"), 403);
	assert_int_equal(post(f, replays, 1, "completed", "a secret"), 204);
	assert_int_equal(work(f), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(post(f, replays, 1, "completed", "a secret"), 204);
	assert_int_equal(work(f), 0);
	/* Another word of the same recording is no replay, nor is another recording. */
	assert_int_equal(post(f, replays, 1, "processed", "a secret"), 204);
	assert_int_equal(post(f, replays, 2, "completed", "a secret"), 204);
	assert_int_equal(work(f), 2);
	assert_int_equal(post(f, replays, 1, "completed", "not the token"), 403);
	replays_free(replays);
}

static void test_hook__what_the_catalog_knows_is_not_asked_for_after_a_restart(void **state)
{
	static const unsigned at_twilio = 1, moved = 2, removed = 3;
	struct queue_fixture *f = *state;
	struct catalog_removal removal;

	queue_add(f, f->workspace_id, at_twilio, 3, QUEUE_NUMBER);
	queue_store(f, moved);
	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, removed).id, &removal),
			 0);
	for (unsigned number = at_twilio; number <= removed; number++) {
		struct replays *replays = replays_new();

		assert_int_equal(post(f, replays, number, "completed", "a secret"), 204);
		assert_int_equal(work(f), 0);
		replays_free(replays);
	}
}

static void test_hook__signatures_are_remembered_within_bounds(void **state)
{
	struct replays *replays = replays_new();
	unsigned left = 0;
	char text[20];

	for (unsigned i = 0; i < 40000; i++) {
		snprintf(text, sizeof text, "%u", i);
		assert_false(replays_has(replays, text));
		replays_add(replays, text);
		assert_true(replays_has(replays, text));
	}
	for (unsigned i = 0; i < 40000; i++) {
		snprintf(text, sizeof text, "%u", i);
		left += replays_has(replays, text);
	}
	assert_in_range(left, 16000, 16384);
	replays_free(replays);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_hook__##name, queue_fixture_setup, \
					queue_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_replay_is_answered_and_leaves_nothing_to_do),
		TEST(what_the_catalog_knows_is_not_asked_for_after_a_restart),
		cmocka_unit_test(test_hook__signatures_are_remembered_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
