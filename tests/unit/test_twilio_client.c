/* The client against servers that do well or badly: the exact requests, paging, retries, clocks. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "helper_http.h"
#include "helper_server.h"
#include "twilio/twilio-private.h"
#include "util/times.h"

#define AC "ACaaaabbbbccccddddeeeeffff00001111"
#define RE1 "RE0123456789abcdef0123456789abcdef"
#define RE2 "RE1123456789abcdef0123456789abcdef"
#define CA1 "CAfedcba9876543210fedcba9876543210"
#define ROOT "/2010-04-01/Accounts/" AC

/* Answers of a script, in order of the requests; the last one stays. */
struct script {
	struct {
		int status;
		const char *headers, *body;
	} answers[16];
	unsigned count;
};

struct fixture {
	struct script script;
	struct helper_server *server;
	struct http *http;
	struct twilio_client *client;
	struct remote_error error;
	struct cancel cancel;
	size_t pages, elements;
	int verdict; /* of the callback */
};

static enum helper_then answer_script(struct helper_server *server, int fd,
				      const struct helper_request *request, void *arg)
{
	const struct script *script = arg;
	unsigned i = request->number < script->count ? request->number : script->count - 1;

	helper_answer(fd, script->answers[i].status, script->answers[i].headers,
		      script->answers[i].body);
	return HELPER_KEEP;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct twilio_settings settings = {
		.account_sid = AC,
		.user = "SK00000000000000000000000000000001",
		.secret = "s3cret",
		.total_timeout_msecs = 8000,
		.cancel = &f->cancel,
	};

	f->server = helper_server_new(answer_script, &f->script);
	f->http = helper_http_new(NULL);
	settings.base_url = helper_server_url(f->server, "/");
	assert_int_equal(twilio_client_new(f->http, &settings, &f->client), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	twilio_client_free(f->client);
	http_free(f->http);
	helper_server_free(f->server);
	free(f);
	return 0;
}

static void answer(struct fixture *f, int status, const char *headers, const char *body)
{
	f->script.answers[f->script.count].status = status;
	f->script.answers[f->script.count].headers = headers;
	f->script.answers[f->script.count++].body = body;
}

static int count_recordings(void *arg, const struct twilio_recording *recordings, size_t count)
{
	struct fixture *f = arg;

	assert_non_null(recordings);
	f->pages++;
	f->elements += count;
	return f->verdict;
}

static int count_calls(void *arg, const struct twilio_call *calls, size_t count)
{
	struct fixture *f = arg;

	assert_non_null(calls);
	f->pages++;
	f->elements += count;
	return f->verdict;
}

static void assert_line(struct fixture *f, unsigned number, const char *line)
{
	const char *head = helper_server_request(f->server, number)->head;

	if (strncmp(head, line, strlen(line)) != 0 ||
	    strncmp(head + strlen(line), " HTTP/1.1\r\n", 11) != 0)
		fail_msg("expected %s, got %.300s", line, head);
}

static int list(struct fixture *f)
{
	return twilio_list_recordings(f->client, NULL, false, count_recordings, f, &f->error);
}

static void test_twilio__a_list_asks_for_pages_of_1000_with_basic_authorization(void **state)
{
	struct fixture *f = *state;
	const struct helper_request *request;

	answer(f, 200, NULL, "{\"recordings\":[],\"next_page_uri\":null}");
	assert_int_equal(list(f), 0);
	assert_int_equal(f->error.kind, REMOTE_OK);
	assert_int_equal(f->pages, 0);
	assert_int_equal(helper_server_requests(f->server), 1);
	assert_line(f, 0, "GET " ROOT "/Recordings.json?PageSize=1000");
	request = helper_server_request(f->server, 0);
	/* printf SK00000000000000000000000000000001:s3cret | base64 */
	assert_string_equal(helper_header(request, "Authorization"),
			    "Basic U0swMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTpzM2NyZXQ=");
	assert_string_equal(helper_header(request, "Accept"), "application/json");
}

static void test_twilio__windows_filter_recordings_by_creation_and_calls_by_start(void **state)
{
	struct fixture *f = *state;
	const struct twilio_window both = { 1772352900, 1772409600 }, since = { 1772352900, 0 };

	answer(f, 200, NULL, "{\"recordings\":[],\"calls\":[],\"next_page_uri\":null}");
	assert_int_equal(
		twilio_list_recordings(f->client, &both, true, count_recordings, f, &f->error), 0);
	assert_line(
		f, 0,
		"GET " ROOT "/Recordings.json?PageSize=1000&IncludeSoftDeleted=true"
		"&DateCreated%3E=2026-03-01T08%3A15%3A00Z&DateCreated%3C=2026-03-02T00%3A00%3A00Z");
	assert_int_equal(twilio_list_calls(f->client, &since, count_calls, f, &f->error), 0);
	assert_line(f, 1,
		    "GET " ROOT "/Calls.json?PageSize=1000&StartTime%3E=2026-03-01T08%3A15%3A00Z");
}

static void test_twilio__pages_are_followed_to_the_end(void **state)
{
	struct fixture *f = *state;

	answer(f, 200, NULL,
	       "{\"recordings\":[{\"sid\":\"" RE1 "\"}],\"next_page_uri\":"
	       "\"" ROOT "/Recordings.json?PageSize=1000&Page=1&PageToken=PA%20x\"}");
	answer(f, 200, NULL,
	       "{\"recordings\":[],\"next_page_uri\":\"" ROOT "/Recordings.json?Page=2\"}");
	answer(f, 200, NULL,
	       "{\"recordings\":[{\"sid\":\"" RE1 "\"},{\"sid\":\"" RE2 "\"}],"
	       "\"next_page_uri\":null}");
	assert_int_equal(list(f), 0);
	assert_int_equal(f->pages, 2);
	assert_int_equal(f->elements, 3);
	assert_line(f, 1, "GET " ROOT "/Recordings.json?PageSize=1000&Page=1&PageToken=PA%20x");
	assert_line(f, 2, "GET " ROOT "/Recordings.json?Page=2");
}

static void test_twilio__a_cursor_that_comes_twice_ends_the_list(void **state)
{
	struct fixture *f = *state;

	answer(f, 200, NULL,
	       "{\"recordings\":[{\"sid\":\"" RE1 "\"}],\"next_page_uri\":"
	       "\"" ROOT "/Recordings.json?Page=1\"}");
	assert_int_equal(list(f), -EIO);
	assert_int_equal(f->error.kind, REMOTE_INVALID);
	assert_int_equal(helper_server_requests(f->server), 2);
	assert_int_equal(f->pages, 2);
}

static void test_twilio__a_next_page_on_another_host_is_refused(void **state)
{
	static const char *const uris[] = {
		"https://evil.example/2010-04-01/x",
		"//evil.example/x",
		"http://127.0.0.1:1/x",
		"x.json",
		"@evil.example/",
		"/\\\\evil.example/x",
		"http://user@127.0.0.1/",
		"/a b",
		"ftp://127.0.0.1/x",
	};
	static char bodies[sizeof uris / sizeof uris[0]][300];
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
		snprintf(bodies[i], sizeof bodies[i],
			 "{\"recordings\":[{\"sid\":\"%s\"}],\"next_page_uri\":\"%s\"}", RE1,
			 uris[i]);
		answer(f, 200, NULL, bodies[i]);
	}
	for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
		f->pages = 0;
		assert_int_equal(list(f), -EIO);
		assert_int_equal(f->error.kind, REMOTE_INVALID);
		assert_int_equal(f->pages, 1);
		assert_int_equal(helper_server_requests(f->server), i + 1);
	}
}

static void test_twilio__an_absolute_next_page_on_the_same_host_is_followed(void **state)
{
	struct fixture *f = *state;
	char body[300];

	snprintf(body, sizeof body,
		 "{\"recordings\":[],\"next_page_uri\":\"HTTP://127.0.0.1:%u/next?x=1\"}",
		 helper_server_port(f->server));
	answer(f, 200, NULL, body);
	answer(f, 200, NULL, "{\"recordings\":[],\"next_page_uri\":null}");
	assert_int_equal(list(f), 0);
	assert_line(f, 1, "GET /next?x=1");
}

static void test_twilio__a_base_url_with_a_path_keeps_it(void **state)
{
	struct fixture *f = *state;
	struct twilio_settings settings = { .account_sid = AC, .secret = "x" };
	struct twilio_client *client;

	answer(f, 200, NULL, "{\"recordings\":[],\"next_page_uri\":\"/2010-04-01/one\"}");
	answer(f, 200, NULL, "{\"recordings\":[],\"next_page_uri\":\"/proxy/to/2010-04-01/two\"}");
	answer(f, 200, NULL, "{\"recordings\":[],\"next_page_uri\":null}");
	settings.base_url = helper_server_url(f->server, "/proxy/to//");
	assert_int_equal(twilio_client_new(f->http, &settings, &client), 0);
	assert_int_equal(
		twilio_list_recordings(client, NULL, false, count_recordings, f, &f->error), 0);
	twilio_client_free(client);
	assert_line(f, 0, "GET /proxy/to" ROOT "/Recordings.json?PageSize=1000");
	assert_line(f, 1, "GET /proxy/to/2010-04-01/one");
	assert_line(f, 2, "GET /proxy/to/2010-04-01/two");
	/* Without an API key the account and its token sign in: printf AC…:x | base64 */
	assert_string_equal(helper_header(helper_server_request(f->server, 0), "Authorization"),
			    "Basic QUNhYWFhYmJiYmNjY2NkZGRkZWVlZWZmZmYwMDAwMTExMTp4");
}

static void test_twilio__settings_that_cannot_be_are_refused(void **state)
{
	static const char *const urls[] = { "api.twilio.com", "ftp://api.twilio.com",
					    "https://",       "https://u:p@api.twilio.com",
					    "https://h?x",    "https://h/ a" };
	struct fixture *f = *state;
	struct twilio_client *client;

	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		struct twilio_settings settings = { .account_sid = AC,
						    .secret = "x",
						    .base_url = urls[i] };

		assert_int_equal(twilio_client_new(f->http, &settings, &client), -EINVAL);
	}
	assert_int_equal(
		twilio_client_new(f->http,
				  &(struct twilio_settings){ .account_sid = "AC1", .secret = "x" },
				  &client),
		-EINVAL);
	assert_int_equal(twilio_client_new(f->http, &(struct twilio_settings){ .account_sid = AC },
					   &client),
			 -EINVAL);
}

static void test_twilio__busy_and_broken_servers_are_asked_again(void **state)
{
	struct fixture *f = *state;

	answer(f, 429, "Retry-After: 0\r\n", "{\"code\":20429}");
	answer(f, 503, NULL, "<html>");
	answer(f, 500, NULL, "{\"code\":20500}");
	answer(f, 200, NULL, "{\"recordings\":[{\"sid\":\"" RE1 "\"}],\"next_page_uri\":null}");
	assert_int_equal(list(f), 0);
	assert_int_equal(f->error.kind, REMOTE_OK);
	assert_int_equal(helper_server_requests(f->server), 4);
	assert_int_equal(f->elements, 1);
}

static void test_twilio__a_refused_key_is_not_tried_again(void **state)
{
	struct fixture *f = *state;

	answer(f, 401, NULL, "{\"code\":20003,\"message\":\"Authenticate\",\"status\":401}");
	assert_int_equal(list(f), -EACCES);
	assert_int_equal(f->error.kind, REMOTE_REJECTED);
	assert_int_equal(f->error.twilio_code, 20003);
	assert_int_equal(helper_server_requests(f->server), 1);
}

static void test_twilio__pages_before_a_failure_stand(void **state)
{
	struct fixture *f = *state;

	answer(f, 200, NULL,
	       "{\"recordings\":[{\"sid\":\"" RE1 "\"}],\"next_page_uri\":\"/next\"}");
	answer(f, 200, NULL, "<html>Log in</html>");
	assert_int_equal(list(f), -EIO);
	assert_int_equal(f->error.kind, REMOTE_INVALID);
	assert_int_equal(f->elements, 1);
}

static void test_twilio__a_callback_ends_the_list_with_its_own_value(void **state)
{
	struct fixture *f = *state;

	f->verdict = -ENOSPC;
	answer(f, 200, NULL,
	       "{\"recordings\":[{\"sid\":\"" RE1 "\"}],\"next_page_uri\":\"/next\"}");
	assert_int_equal(list(f), -ENOSPC);
	assert_int_equal(f->error.kind, REMOTE_OK);
	assert_int_equal(helper_server_requests(f->server), 1);
}

static void test_twilio__elements_without_a_sid_are_told_after_the_others(void **state)
{
	struct fixture *f = *state;

	answer(f, 200, NULL,
	       "{\"recordings\":[{},{\"sid\":\"" RE1 "\"}],\"next_page_uri\":\"/next\"}");
	answer(f, 200, NULL, "{\"recordings\":[{\"sid\":\"" RE2 "\"}],\"next_page_uri\":null}");
	assert_int_equal(list(f), -EIO);
	assert_int_equal(f->elements, 2);
	assert_non_null(strstr(f->error.message, "1 elements"));
}

static int expect_cut(void *arg, const struct twilio_call *calls, size_t count)
{
	struct fixture *f = arg;

	assert_int_equal(count, 3);
	assert_true(calls[0].is_cut && calls[1].is_cut && !calls[2].is_cut);
	assert_int_equal(strlen(calls[0].from), 256);
	assert_int_equal(strlen(calls[1].from), 255); /* no half of a character */
	assert_int_equal(strlen(calls[2].from), 256);
	f->elements += (unsigned)count;
	return 0;
}

static void test_twilio__a_field_that_a_caller_has_made_too_long_is_cut(void **state)
{
	struct fixture *f = *state;
	char body[2048], from[300];

	memset(from, '5', sizeof from);
	from[257] = '\0';
	snprintf(body, sizeof body,
		 "{\"calls\":[{\"sid\":\"" CA1 "\",\"from\":\"%s\"},{\"sid\":\"" CA1
		 "\",\"from\":\"%.255sü\"},{\"sid\":\"" CA1
		 "\",\"from\":\"%s\"}],\"next_page_uri\":null}",
		 from, from, from + 1);
	answer(f, 200, NULL, body);
	assert_int_equal(twilio_list_calls(f->client, NULL, expect_cut, f, &f->error), 0);
	assert_int_equal(f->elements, 3);
}

static void
test_twilio__a_recording_whose_key_material_is_too_long_is_told_after_the_others(void **state)
{
	struct fixture *f = *state;
	char body[1024], from[300];

	memset(from, '5', sizeof from);
	snprintf(body, sizeof body,
		 "{\"recordings\":[{\"sid\":\"" RE1 "\",\"encryption_details\":"
		 "{\"public_key_sid\":\"%.64s\"}}],\"next_page_uri\":null}",
		 from);
	answer(f, 200, NULL, body);
	assert_int_equal(list(f), -EIO);
	assert_int_equal(f->error.kind, REMOTE_INVALID);
	assert_non_null(
		strstr(f->error.message, "1 rows of a list left out, with an encryption field"));
}

static void test_twilio__a_page_of_more_than_8_mib_is_refused(void **state)
{
	struct fixture *f = *state;
	static char body[(8u << 20) +
			 100]; /* stays: the server may still send when the client has given up */

	memset(body, ' ', sizeof body - 1);
	memcpy(body, "{\"recordings\":[],\"next_page_uri\":null}", 38);
	answer(f, 200, NULL, body);
	assert_int_equal(list(f), -EFBIG);
	assert_int_equal(f->error.kind, REMOTE_INVALID);
	assert_int_equal(f->pages, 0);
}

static enum helper_then answer_new_cursors(struct helper_server *server, int fd,
					   const struct helper_request *request, void *arg)
{
	char body[256];

	(void)server, (void)arg;
	snprintf(body, sizeof body,
		 "{\"recordings\":[{\"sid\":\"" RE1 "\"}],\"next_page_uri\":\"" ROOT
		 "/Recordings.json?Page=%u\"}",
		 request->number + 1);
	helper_answer(fd, 200, NULL, body);
	return HELPER_KEEP;
}

static void test_twilio__a_list_without_an_end_ends(void **state)
{
	struct helper_server *server = helper_server_new(answer_new_cursors, NULL);
	struct fixture *f = *state;
	struct twilio_settings settings = { .account_sid = AC, .user = AC, .secret = "s" };
	struct twilio_client *client;

	settings.base_url = helper_server_url(server, "");
	assert_int_equal(twilio_client_new(f->http, &settings, &client), 0);
	assert_int_equal(client->pages_limit, 10000);
	client->pages_limit = 50;
	assert_int_equal(
		twilio_list_recordings(client, NULL, false, count_recordings, f, &f->error), -EIO);
	assert_int_equal(f->pages, 50);
	assert_non_null(strstr(f->error.message, "more than 50 pages"));
	twilio_client_free(client);
	helper_server_free(server);
}

static void test_twilio__a_cancelled_list_stops(void **state)
{
	struct fixture *f = *state;

	cancel_set(&f->cancel);
	answer(f, 200, NULL, "{\"recordings\":[],\"next_page_uri\":\"/next\"}");
	assert_int_equal(list(f), -ECANCELED);
	assert_int_equal(f->error.kind, REMOTE_CANCELLED);
	assert_int_equal(helper_server_requests(f->server), 0);
}

static void test_twilio__single_resources_are_asked_for_by_sid(void **state)
{
	struct fixture *f = *state;
	struct sid recording, call;

	sid_parse(RE1, "RE", &recording);
	sid_parse(CA1, "CA", &call);
	answer(f, 200, NULL, "{\"sid\":\"" RE1 "\",\"status\":\"deleted\"}");
	answer(f, 200, NULL, "{\"sid\":\"" CA1 "\"}");
	answer(f, 200, NULL, "{\"sid\":\"" RE2 "\"}");
	answer(f, 404, NULL, "{\"code\":20404}");
	assert_int_equal(
		twilio_fetch_recording(f->client, &recording, count_recordings, f, &f->error), 0);
	assert_line(f, 0, "GET " ROOT "/Recordings/" RE1 ".json?IncludeSoftDeleted=true");
	assert_int_equal(twilio_fetch_call(f->client, &call, count_calls, f, &f->error), 0);
	assert_line(f, 1, "GET " ROOT "/Calls/" CA1 ".json");
	assert_int_equal(f->elements, 2);
	/* another recording than the one asked for */
	assert_int_equal(twilio_fetch_recording(f->client, &recording, count_recordings, f,
						&f->error),
			 -EIO);
	assert_int_equal(f->error.kind, REMOTE_INVALID);
	assert_int_equal(twilio_fetch_recording(f->client, &recording, count_recordings, f,
						&f->error),
			 -ENOENT);
	assert_int_equal(f->error.kind, REMOTE_NOT_FOUND);
	assert_int_equal(f->elements, 2);
}

static void test_twilio__a_delete_takes_only_204_for_done(void **state)
{
	struct fixture *f = *state;
	struct sid sid;

	sid_parse(RE1, "RE", &sid);
	answer(f, 204, NULL, "");
	answer(f, 200, NULL, "<html>Welcome</html>");
	answer(f, 404, NULL, "{\"code\":20404}");
	answer(f, 302, "Location: /elsewhere\r\n", "");
	assert_int_equal(twilio_delete_recording(f->client, &sid, &f->error), 0);
	assert_line(f, 0, "DELETE " ROOT "/Recordings/" RE1 ".json");
	assert_int_equal(twilio_delete_recording(f->client, &sid, &f->error), -EIO);
	assert_int_equal(f->error.kind, REMOTE_INVALID);
	assert_int_equal(twilio_delete_recording(f->client, &sid, &f->error), -ENOENT);
	assert_int_equal(f->error.kind, REMOTE_NOT_FOUND);
	assert_int_equal(twilio_delete_recording(f->client, &sid, &f->error), -EIO);
	assert_int_equal(f->error.kind, REMOTE_INVALID);
	assert_int_equal(helper_server_requests(f->server), 4);
}

static void test_twilio__a_delete_of_what_is_not_completed_is_busy_at_once(void **state)
{
	struct fixture *f = *state;
	struct sid sid;

	sid_parse(RE1, "RE", &sid);
	answer(f, 409, NULL,
	       "{\"code\":20009,\"message\":\"Cannot delete this resource before it is complete\"}");
	assert_int_equal(twilio_delete_recording(f->client, &sid, &f->error), -EBUSY);
	assert_int_equal(f->error.kind, REMOTE_BUSY);
	assert_int_equal(helper_server_requests(f->server), 1);
}

static enum helper_then lose_first_answer(struct helper_server *server, int fd,
					  const struct helper_request *request, void *arg)
{
	(void)server, (void)arg;
	if (request->number == 0)
		return HELPER_RESET;
	helper_answer(fd, 404, NULL, "{\"code\":20404}");
	return HELPER_KEEP;
}

static void test_twilio__a_delete_whose_answer_was_lost_is_sent_again(void **state)
{
	struct fixture *f = *state;
	struct helper_server *server = helper_server_new(lose_first_answer, NULL);
	struct twilio_settings settings = { .account_sid = AC, .secret = "x" };
	struct twilio_client *client;
	struct sid sid;

	sid_parse(RE1, "RE", &sid);
	settings.base_url = helper_server_url(server, "");
	assert_int_equal(twilio_client_new(f->http, &settings, &client), 0);
	assert_int_equal(twilio_delete_recording(client, &sid, &f->error), -ENOENT);
	assert_int_equal(f->error.kind, REMOTE_NOT_FOUND);
	assert_int_equal(helper_server_requests(server), 2);
	twilio_client_free(client);
	helper_server_free(server);
}

static void test_twilio__the_servers_clock_is_taken_from_its_answers(void **state)
{
	struct fixture *f = *state;
	int64_t secs;

	assert_false(twilio_client_now(f->client, &secs));
	assert_in_range(secs, time_now_secs() - 2, time_now_secs() + 2);
	answer(f, 200, "Date: Sun, 01 Mar 2026 08:15:00 GMT\r\n",
	       "{\"recordings\":[],\"next_page_uri\":null}");
	assert_int_equal(list(f), 0);
	assert_true(twilio_client_now(f->client, &secs));
	assert_in_range(secs, 1772352899, 1772352910);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_server(test_twilio__a_list_asks_for_pages_of_1000_with_basic_authorization),
		with_server(test_twilio__windows_filter_recordings_by_creation_and_calls_by_start),
		with_server(test_twilio__pages_are_followed_to_the_end),
		with_server(test_twilio__a_cursor_that_comes_twice_ends_the_list),
		with_server(test_twilio__a_next_page_on_another_host_is_refused),
		with_server(test_twilio__an_absolute_next_page_on_the_same_host_is_followed),
		with_server(test_twilio__a_base_url_with_a_path_keeps_it),
		with_server(test_twilio__settings_that_cannot_be_are_refused),
		with_server(test_twilio__busy_and_broken_servers_are_asked_again),
		with_server(test_twilio__a_refused_key_is_not_tried_again),
		with_server(test_twilio__pages_before_a_failure_stand),
		with_server(test_twilio__a_callback_ends_the_list_with_its_own_value),
		with_server(test_twilio__elements_without_a_sid_are_told_after_the_others),
		with_server(test_twilio__a_field_that_a_caller_has_made_too_long_is_cut),
		with_server(
			test_twilio__a_recording_whose_key_material_is_too_long_is_told_after_the_others),
		with_server(test_twilio__a_page_of_more_than_8_mib_is_refused),
		with_server(test_twilio__a_list_without_an_end_ends),
		with_server(test_twilio__a_cancelled_list_stops),
		with_server(test_twilio__single_resources_are_asked_for_by_sid),
		with_server(test_twilio__a_delete_takes_only_204_for_done),
		with_server(test_twilio__a_delete_of_what_is_not_completed_is_busy_at_once),
		with_server(test_twilio__a_delete_whose_answer_was_lost_is_sent_again),
		with_server(test_twilio__the_servers_clock_is_taken_from_its_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
