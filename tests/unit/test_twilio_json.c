/* Pages and resources as JSON: what the API describes, and what real services make of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "twilio/twilio-private.h"

#define RE1 "RE0123456789abcdef0123456789abcdef"
#define CA1 "CAfedcba9876543210fedcba9876543210"

static char space[4096]; /* parsing changes the text */

static int parse(const char *text, enum twilio_list_kind kind, struct twilio_page *page)
{
	assert_in_range(strlen(text), 0, sizeof space - 1);
	strcpy(space, text);
	return twilio_page_parse(space, strlen(text), kind, page);
}

static int parse_one(const char *text, enum twilio_list_kind kind, struct twilio_page *page)
{
	strcpy(space, text);
	return twilio_resource_parse(space, strlen(text), kind, page);
}

static void test_twilio__a_recording_is_read_whole(void **state)
{
	static const char text[] =
		"{\"recordings\":[{\"account_sid\":\"AC1\",\"api_version\":\"2010-04-01\","
		"\"sid\":\"" RE1 "\",\"call_sid\":\"" CA1 "\",\"conference_sid\":null,"
		"\"date_created\":\"Sun, 01 Mar 2026 10:15:00 +0200\","
		"\"date_updated\":\"Sun, 01 Mar 2026 08:16:00 +0000\","
		"\"start_time\":\"Sun, 01 Mar 2026 08:15:01 +0000\",\"duration\":\"47\",\"price\":\"-0.00250\","
		"\"channels\":2,\"source\":\"RecordVerb\",\"status\":\"completed\",\"error_code\":null,"
		"\"media_url\":\"https://api.twilio.com/x\",\"encryption_details\":null,"
		"\"subresource_uris\":{\"transcriptions\":\"/y\"}}],"
		"\"next_page_uri\":\"/2010-04-01/Accounts/AC/Recordings.json?Page=1&PageToken=PAx\",\"end\":0}";
	struct twilio_page page;
	const struct twilio_recording *r;
	char sid[SID_SIZE];

	assert_int_equal(parse(text, TWILIO_LIST_RECORDINGS, &page), 0);
	assert_int_equal(page.count, 1);
	assert_int_equal(page.skipped, 0);
	r = &page.recordings[0];
	sid_format(&r->sid, "RE", sid);
	assert_string_equal(sid, RE1);
	sid_format(&r->call_sid, "CA", sid);
	assert_string_equal(sid, CA1);
	assert_true(sid_is_zero(&r->conference_sid));
	assert_int_equal(r->date_created_secs, 1772352900);
	assert_int_equal(r->date_updated_secs, 1772352960);
	assert_int_equal(r->start_time_secs, 1772352901);
	assert_int_equal(r->duration_secs, 47);
	assert_int_equal(r->channels, 2);
	assert_int_equal(r->error_code, -1);
	assert_int_equal(r->status, TWILIO_RECORDING_COMPLETED);
	assert_string_equal(r->source, "RecordVerb");
	assert_string_equal(r->media_url, "https://api.twilio.com/x");
	assert_false(r->is_encrypted);
	assert_string_equal(page.next_page_uri,
			    "/2010-04-01/Accounts/AC/Recordings.json?Page=1&PageToken=PAx");
	twilio_page_release(&page);
}

static void test_twilio__nulls_and_absent_fields_are_empty(void **state)
{
	static const char *const texts[] = {
		"{\"recordings\":[{\"sid\":\"" RE1 "\"}],\"next_page_uri\":null}",
		"{\"recordings\":[{\"sid\":\"" RE1 "\",\"call_sid\":null,\"date_created\":null,"
		"\"duration\":null,\"channels\":null,\"source\":null,\"status\":null,\"media_url\":null,"
		"\"start_time\":null,\"error_code\":null,\"encryption_details\":null}]}",
		"{\"recordings\":[{\"sid\":\"" RE1 "\",\"call_sid\":[],\"date_created\":{},"
		"\"duration\":true,\"channels\":{},\"source\":5,\"status\":1.5,\"media_url\":false,"
		"\"start_time\":\"soon\",\"error_code\":\"many\",\"encryption_details\":[1]}]}",
		"{\"recordings\":[{\"sid\":\"" RE1 "\",\"call_sid\":\"CA12\",\"duration\":\"-4\","
		"\"channels\":99999999999,\"error_code\":-7,\"encryption_details\":{}}],"
		"\"next_page_uri\":\"\"}",
	};

	for (size_t i = 0; i < 4; i++) {
		struct twilio_page page;
		const struct twilio_recording *r;

		assert_int_equal(parse(texts[i], TWILIO_LIST_RECORDINGS, &page), 0);
		assert_int_equal(page.count, 1);
		assert_null(page.next_page_uri);
		r = &page.recordings[0];
		assert_true(sid_is_zero(&r->call_sid));
		assert_int_equal(r->date_created_secs, 0);
		assert_int_equal(r->start_time_secs, 0);
		assert_int_equal(r->duration_secs, -1);
		assert_int_equal(r->channels, -1);
		assert_int_equal(r->error_code, -1);
		assert_int_equal(r->status, TWILIO_RECORDING_UNKNOWN);
		assert_string_equal(r->source, "");
		assert_string_equal(r->media_url, "");
		assert_string_equal(r->encryption_cek, "");
		assert_false(r->is_encrypted);
		twilio_page_release(&page);
	}
}

static void test_twilio__numbers_come_as_strings_and_strings_as_numbers(void **state)
{
	static const char text[] =
		"{\"recordings\":[{\"sid\":\"" RE1 "\",\"duration\":12,\"channels\":\"2\","
		"\"error_code\":\"16113\",\"price\":-0.0025,"
		"\"tomorrow\":123456789012345678901234567890},"
		"{\"sid\":\"" RE1 "\",\"duration\":4.0},{\"sid\":\"" RE1
		"\",\"duration\":\"4.0\"}]}";
	struct twilio_page page;

	assert_int_equal(parse(text, TWILIO_LIST_RECORDINGS, &page), 0);
	assert_int_equal(page.count, 3);
	assert_int_equal(page.recordings[0].duration_secs, 12);
	assert_int_equal(page.recordings[0].channels, 2);
	assert_int_equal(page.recordings[0].error_code, 16113);
	assert_int_equal(page.recordings[1].duration_secs, 4);
	assert_int_equal(page.recordings[2].duration_secs, 4);
	twilio_page_release(&page);
}

static void test_twilio__every_status_has_its_name_and_tomorrows_is_unknown(void **state)
{
	static const struct {
		const char *name;
		enum twilio_recording_status status;
	} cases[] = {
		{ "in-progress", TWILIO_RECORDING_IN_PROGRESS },
		{ "paused", TWILIO_RECORDING_PAUSED },
		{ "stopped", TWILIO_RECORDING_STOPPED },
		{ "processing", TWILIO_RECORDING_PROCESSING },
		{ "completed", TWILIO_RECORDING_COMPLETED },
		{ "absent", TWILIO_RECORDING_ABSENT },
		{ "deleted", TWILIO_RECORDING_DELETED },
		{ "failed", TWILIO_RECORDING_FAILED },
		{ "archived-on-mars", TWILIO_RECORDING_UNKNOWN },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct twilio_page page;
		char text[200];

		snprintf(text, sizeof text, "{\"recordings\":[{\"sid\":\"%s\",\"status\":\"%s\"}]}",
			 RE1, cases[i].name);
		assert_int_equal(parse(text, TWILIO_LIST_RECORDINGS, &page), 0);
		assert_int_equal(page.recordings[0].status, cases[i].status);
		if (cases[i].status != TWILIO_RECORDING_UNKNOWN)
			assert_string_equal(twilio_recording_status_name(cases[i].status),
					    cases[i].name);
		twilio_page_release(&page);
	}
	assert_string_equal(twilio_recording_status_name(TWILIO_RECORDING_UNKNOWN), "unknown");
}

static void test_twilio__encryption_details_are_kept(void **state)
{
	static const char text[] =
		"{\"recordings\":[{\"sid\":\"" RE1 "\",\"encryption_details\":{"
		"\"encryption_public_key_sid\":\"CR1\",\"encryption_cek\":\"abc=\",\"encryption_iv\":\"iv\"}}]}";
	struct twilio_page page;

	assert_int_equal(parse(text, TWILIO_LIST_RECORDINGS, &page), 0);
	assert_true(page.recordings[0].is_encrypted);
	assert_string_equal(page.recordings[0].encryption_key_sid, "CR1");
	assert_string_equal(page.recordings[0].encryption_cek, "abc=");
	assert_string_equal(page.recordings[0].encryption_iv, "iv");
	twilio_page_release(&page);
}

static void test_twilio__calls_are_read_and_their_ends_known(void **state)
{
	static const char text[] =
		"{\"calls\":[{\"sid\":\"" CA1
		"\",\"parent_call_sid\":null,\"from\":\"+15551230001\","
		"\"to\":\"sip:bob@example.com\",\"direction\":\"inbound\",\"status\":\"completed\","
		"\"start_time\":\"Sun, 01 Mar 2026 08:15:00 +0000\",\"end_time\":null,\"duration\":\"9\","
		"\"date_created\":\"1 Mar 2026 08:14:00 GMT\",\"phone_number_sid\":\"PN1\","
		"\"caller_name\":\"\"},{\"sid\":\"" CA1 "\",\"parent_call_sid\":\"" CA1 "\","
		"\"status\":\"in-progress\"}]}";
	struct twilio_page page;

	assert_int_equal(parse(text, TWILIO_LIST_CALLS, &page), 0);
	assert_int_equal(page.count, 2);
	assert_true(sid_is_zero(&page.calls[0].parent_call_sid));
	assert_string_equal(page.calls[0].from, "+15551230001");
	assert_string_equal(page.calls[0].to, "sip:bob@example.com");
	assert_int_equal(page.calls[0].start_time_secs, 1772352900);
	assert_int_equal(page.calls[0].end_time_secs, 0);
	assert_int_equal(page.calls[0].date_created_secs, 1772352840);
	assert_int_equal(page.calls[0].duration_secs, 9);
	assert_true(twilio_call_is_finished(page.calls[0].status));
	assert_false(sid_is_zero(&page.calls[1].parent_call_sid));
	assert_false(twilio_call_is_finished(page.calls[1].status));
	assert_true(twilio_call_is_finished("busy"));
	assert_true(twilio_call_is_finished("failed"));
	assert_true(twilio_call_is_finished("no-answer"));
	assert_true(twilio_call_is_finished("canceled"));
	assert_false(twilio_call_is_finished("queued"));
	assert_false(twilio_call_is_finished(""));
	twilio_page_release(&page);
}

static void test_twilio__elements_without_a_sid_are_counted_and_hide_no_other(void **state)
{
	static const char text[] =
		"{\"recordings\":[null,{\"sid\":\"" RE1 "\"},7,{\"sid\":\"CA12\"},[],{},"
		"{\"sid\":null},{\"sid\":\"" RE1 "\"}]}";
	struct twilio_page page;

	assert_int_equal(parse(text, TWILIO_LIST_RECORDINGS, &page), 0);
	assert_int_equal(page.count, 2);
	assert_int_equal(page.skipped, 6);
	twilio_page_release(&page);
}

static void test_twilio__what_is_no_page_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"calls\":[]}",
		"{\"recordings\":null}",
		"{\"recordings\":{}}",
		"{\"recordings\":[]",
		"<html><body>Log in to the Wi-Fi</body></html>",
		"{\"recordings\":[],\"next_page_uri\":7}",
		"{\"recordings\":[]} trailing",
		"{\"recordings\":[{\"sid\":\"" RE1 "\",}]}",
		"{\"recordings\":[{\"a\" 1}]}",
		"{\"recordings\":[{\"a\":1 \"b\":2}]}",
		"{\"recordings\":[{},]}",
		"{\"recordings\":[{} {}]}",
		"{\"recordings\":[tru]}",
		"{\"recordings\":[\"\\x\"]}",
		"{\"recordings\":[\"\\u12g4\"]}",
		"{\"recordings\":[\"abc",
		"{\"recordings\":[\"abc\\",
		"{\"recordings\":[\"\\u12",
		"{\"recordings\":[-]}",
		"{\"recordings\":[1}",
		"{\"recordings",
		"{",
		"[",
		"\"",
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct twilio_page page;

		assert_int_equal(parse(texts[i], TWILIO_LIST_RECORDINGS, &page), -EIO);
		twilio_page_release(&page);
	}
}

static void test_twilio__half_a_surrogate_and_broken_utf8_cost_no_page(void **state)
{
	static const char text[] =
		"{\"calls\":[{\"sid\":\"" CA1
		"\",\"caller_name\":\"\\ud83d\",\"from\":\"+1555\\u0000x\",\"to\":\"\\u001b[31m\\u007f\\u009b\"},"
		"{\"sid\":\"" CA1 "\",\"caller_name\":\"\xff\xc3\x28\xed\xa0\x80 \\\\ud83d\"},"
		"{\"sid\":\"" CA1 "\",\"caller_name\":\"\\ud83d\\ude00\xf0\x9f\x98\x80\\\"\"}]}";
	struct twilio_page page;

	assert_int_equal(parse(text, TWILIO_LIST_CALLS, &page), 0);
	assert_int_equal(page.count, 3);
	assert_string_equal(page.calls[0].from, "+1555");
	assert_string_equal(page.calls[0].to, "?[31m??");
	assert_string_equal(page.calls[0].caller_name, "\xef\xbf\xbd");
	assert_string_equal(page.calls[1].caller_name, "?"
						       "?(?"
						       "?"
						       "? \\ud83d");
	assert_string_equal(page.calls[2].caller_name, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"");
	twilio_page_release(&page);
}

/* Every prefix of a page is an error, and none is read beyond its end (under ASan). */
static void test_twilio__a_page_that_is_cut_off_anywhere_is_refused(void **state)
{
	static const char text[] =
		"{\"recordings\":[{\"sid\":\"" RE1
		"\",\"a\":[1,{\"b\":null}],\"source\":\"\\ud83d\\ude00\\n\","
		"\"duration\":-1.5e3,\"encryption_details\":{\"encryption_iv\":\"\\u00e9\"}}],\"next_page_uri\":null}";
	struct twilio_page page;

	for (size_t n = 0; n < strlen(text); n++) {
		char *copy = malloc(n + 1);

		memcpy(copy, text, n);
		copy[n] = '\0';
		assert_int_equal(twilio_page_parse(copy, n, TWILIO_LIST_RECORDINGS, &page), -EIO);
		twilio_page_release(&page);
		free(copy);
	}
	assert_int_equal(parse(text, TWILIO_LIST_RECORDINGS, &page), 0);
	assert_string_equal(page.recordings[0].source, "\xf0\x9f\x98\x80?");
	assert_string_equal(page.recordings[0].encryption_iv, "\xc3\xa9");
	assert_int_equal(page.recordings[0].duration_secs, -1);
	twilio_page_release(&page);
}

static void test_twilio__a_page_of_brackets_ends(void **state)
{
	char text[3000] = "{\"recordings\":[";
	struct twilio_page page;

	memset(text + strlen(text), '[', 2900);
	assert_int_equal(parse(text, TWILIO_LIST_RECORDINGS, &page), -EIO);
	twilio_page_release(&page);
}

static void test_twilio__a_page_of_more_than_a_thousand_is_taken_whole(void **state)
{
	struct buf text = BUF_INIT;
	struct twilio_page page;

	buf_add_str(&text, "{\"calls\":[");
	for (int i = 0; i < 2500; i++)
		buf_addf(&text, "%s{\"sid\":\"CA%032x\",\"duration\":\"%d\"}", i ? "," : "", i + 1,
			 i);
	buf_add_str(&text, "]}");
	assert_int_equal(twilio_page_parse(text.data, text.len, TWILIO_LIST_CALLS, &page), 0);
	assert_int_equal(page.count, 2500);
	assert_int_equal(page.calls[0].duration_secs, 0);
	assert_int_equal(page.calls[2499].duration_secs, 2499);
	twilio_page_release(&page);
	buf_release(&text);
}

static void test_twilio__a_single_resource_is_a_page_of_one(void **state)
{
	static const char good[] = "{\"sid\":\"" RE1 "\",\"status\":\"deleted\"}";
	struct twilio_page page;

	assert_int_equal(parse_one(good, TWILIO_LIST_RECORDINGS, &page), 0);
	assert_int_equal(page.recordings[0].status, TWILIO_RECORDING_DELETED);
	twilio_page_release(&page);
	assert_int_equal(parse_one(good, TWILIO_LIST_CALLS, &page), -EIO);
	twilio_page_release(&page);
	assert_int_equal(parse_one("<p>", TWILIO_LIST_CALLS, &page), -EIO);
	twilio_page_release(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_twilio__a_recording_is_read_whole),
		cmocka_unit_test(test_twilio__nulls_and_absent_fields_are_empty),
		cmocka_unit_test(test_twilio__numbers_come_as_strings_and_strings_as_numbers),
		cmocka_unit_test(test_twilio__every_status_has_its_name_and_tomorrows_is_unknown),
		cmocka_unit_test(test_twilio__encryption_details_are_kept),
		cmocka_unit_test(test_twilio__calls_are_read_and_their_ends_known),
		cmocka_unit_test(test_twilio__elements_without_a_sid_are_counted_and_hide_no_other),
		cmocka_unit_test(test_twilio__what_is_no_page_is_refused),
		cmocka_unit_test(test_twilio__half_a_surrogate_and_broken_utf8_cost_no_page),
		cmocka_unit_test(test_twilio__a_page_that_is_cut_off_anywhere_is_refused),
		cmocka_unit_test(test_twilio__a_page_of_brackets_ends),
		cmocka_unit_test(test_twilio__a_page_of_more_than_a_thousand_is_taken_whole),
		cmocka_unit_test(test_twilio__a_single_resource_is_a_page_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
