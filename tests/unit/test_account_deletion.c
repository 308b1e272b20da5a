/* A DELETE that Twilio refuses: what the recording's metadata make of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "account/deletion.h"
#include "helper_http.h"
#include "helper_queue.h"
#include "helper_server.h"

#define NOT_COMPLETED "{\"code\":20409,\"message\":\"Only completed recordings can be deleted\"}"
#define NOT_FOUND "{\"code\":20404,\"message\":\"not found\"}"

/* A Twilio that has one recording. */
struct twilio {
	int delete_status, media_status;
	const char *status; /* in the metadata; NULL: 404 */
	unsigned deletes, media;
};

struct fixture {
	struct queue_fixture *queue;
	struct twilio twilio;
	struct helper_server *server;
	struct http *http;
	struct twilio_client *client;
	struct job_run run;
	struct job_result result;
	const char *note;
};

static enum helper_then answer(struct helper_server *server, int fd,
			       const struct helper_request *request, void *arg)
{
	struct twilio *twilio = arg;
	char body[256], sid[SID_SIZE];
	struct sid re = queue_sid(3, 1);

	sid_format(&re, "RE", sid);
	if (strncmp(request->head, "DELETE ", 7) == 0) {
		twilio->deletes++;
		helper_answer(fd, twilio->delete_status, NULL,
			      twilio->delete_status == 404   ? NOT_FOUND
			      : twilio->delete_status == 204 ? ""
							     : NOT_COMPLETED);
	} else if (!strstr(request->head, ".json")) {
		twilio->media++;
		helper_answer(fd, twilio->media_status, "Content-Type: audio/x-wav\r\n",
			      twilio->media_status == 200 ? "some bytes" : NOT_FOUND);
	} else if (twilio->status) {
		snprintf(body, sizeof body, "{\"sid\":\"%s\",\"status\":\"%s\",\"duration\":null}",
			 sid, twilio->status);
		helper_answer(fd, 200, NULL, body);
	} else {
		helper_answer(fd, 404, NULL, NOT_FOUND);
	}
	return HELPER_KEEP;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct twilio_settings settings = {
		.account_sid = "ACaaaabbbbccccddddeeeeffff00001111",
		.secret = "s3cret",
		.total_timeout_msecs = 5000,
	};
	struct catalog_removal removal;
	void *queue = NULL;

	assert_int_equal(queue_fixture_setup(&queue), 0);
	f->queue = queue;
	f->twilio.media_status = 404;
	f->server = helper_server_new(answer, &f->twilio);
	f->http = helper_http_new(NULL);
	settings.base_url = helper_server_url(f->server, "");
	assert_int_equal(twilio_client_new(f->http, &settings, &f->client), 0);

	queue_set_policy(f->queue, false, true, false);
	queue_add(f->queue, f->queue->workspace_id, 1, 1, QUEUE_NUMBER);
	assert_int_equal(catalog_remove_recording(f->queue->catalog, queue_get(f->queue, 1).id,
						  &removal),
			 0);
	f->run.job = queue_claim(f->queue, CATALOG_JOB_DELETE_TWILIO, "owner", 60000);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	void *queue = f->queue;

	twilio_client_free(f->client);
	http_free(f->http);
	helper_server_free(f->server);
	queue_fixture_teardown(&queue);
	free(f);
	return 0;
}

static int delete (struct fixture *f, int delete_status, const char *status)
{
	f->twilio.delete_status = delete_status;
	f->twilio.status = status;
	return account_delete_recording(f->queue->catalog, f->client, &f->run, &f->result,
					&f->note);
}

static void test_account__a_delete_that_works_asks_nothing_else(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(delete (f, 204, "completed"), 0);
	assert_string_equal(f->note, "");
	assert_int_equal(helper_server_requests(f->server), 1);
}

static void test_account__an_absent_recording_has_nothing_to_delete(void **state)
{
	static const char *const without_media[] = { "absent", "failed" };
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++)
		for (int status = 400; status <= 409; status += 9) {
			f->note = NULL;
			assert_int_equal(delete (f, status, without_media[i]), 0);
			assert_non_null(strstr(f->note, "no media"));
		}
	assert_int_equal(f->twilio.media, 4);
}

static void test_account__an_absent_recording_with_media_is_not_given_up(void **state)
{
	struct fixture *f = *state;

	f->twilio.media_status = 200;
	assert_true(delete (f, 409, "absent") < 0);
	assert_int_equal(f->result.outcome, JOB_OUTCOME_RETRY);
	assert_int_equal(f->result.max_attempts, 0);
}

static void test_account__media_that_cannot_be_asked_for_leaves_the_delete_owed(void **state)
{
	struct fixture *f = *state;

	f->twilio.media_status = 401;
	assert_true(delete (f, 409, "absent") < 0);
	assert_int_equal(f->result.outcome, JOB_OUTCOME_RETRY);
	assert_int_equal(f->result.max_attempts, 0);
}

static void test_account__what_is_not_completed_is_tried_later_without_end(void **state)
{
	static const char *const unfinished[] = { "in-progress", "paused", "stopped", "processing",
						  "of-tomorrow" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof unfinished / sizeof unfinished[0]; i++)
		for (int status = 400; status <= 409; status += 9) {
			assert_true(delete (f, status, unfinished[i]) < 0);
			assert_int_equal(f->result.outcome, JOB_OUTCOME_RETRY);
			assert_int_equal(f->result.max_attempts, 0);
			assert_non_null(strstr(f->result.reason, "not completed"));
		}
	assert_int_equal(f->twilio.media, 0);
}

static void test_account__a_completed_recording_whose_delete_is_refused_stays_owed(void **state)
{
	struct fixture *f = *state;

	assert_true(delete (f, 400, "completed") < 0);
	assert_int_equal(f->result.outcome, JOB_OUTCOME_RETRY);
	assert_int_equal(f->result.max_attempts, 0);
	assert_non_null(strstr(f->result.reason, "20409"));
}

static void test_account__refused_credentials_are_not_the_recordings_fault(void **state)
{
	struct fixture *f = *state;

	assert_true(delete (f, 401, "absent") < 0);
	assert_int_equal(f->result.outcome, JOB_OUTCOME_RETRY);
	assert_int_equal(helper_server_requests(f->server), 1);
}

static void test_account__nothing_found_is_believed_by_the_metadata_alone(void **state)
{
	struct fixture *f = *state;

	/* Even when a DELETE was sent before: it may have been refused. */
	f->run.job.was_sent = true;
	assert_true(delete (f, 404, "completed") < 0);
	assert_int_equal(f->result.outcome, JOB_OUTCOME_RETRY);
	assert_int_equal(delete (f, 404, NULL), 0);
	assert_string_equal(f->note, "");
	f->run.job.was_sent = false;
	assert_int_equal(delete (f, 404, "deleted"), 0);
	assert_non_null(strstr(f->note, "gone"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_account__a_delete_that_works_asks_nothing_else),
		TEST(test_account__an_absent_recording_has_nothing_to_delete),
		TEST(test_account__an_absent_recording_with_media_is_not_given_up),
		TEST(test_account__media_that_cannot_be_asked_for_leaves_the_delete_owed),
		TEST(test_account__what_is_not_completed_is_tried_later_without_end),
		TEST(test_account__a_completed_recording_whose_delete_is_refused_stays_owed),
		TEST(test_account__refused_credentials_are_not_the_recordings_fault),
		TEST(test_account__nothing_found_is_believed_by_the_metadata_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
