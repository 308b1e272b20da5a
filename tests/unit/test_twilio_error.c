/* Error answers: which kind, which errno, and what may be said of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "twilio/twilio-private.h"

#define XML(code, message) \
	"<?xml version='1.0' encoding='UTF-8'?>\n<TwilioResponse><RestException><Code>" code \
	"</Code><Message>" message "</Message><MoreInfo>x</MoreInfo>" \
	"<Status>404</Status></RestException></TwilioResponse>"

static void test_twilio__status_and_code_decide_the_kind(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum remote_kind kind;
		int error, code;
	} cases[] = {
		{ 200, "", REMOTE_OK, 0, 0 },
		{ 204, "", REMOTE_OK, 0, 0 },
		{ 400, "{\"code\":16113,\"message\":\"mono\"}", REMOTE_REJECTED, -EIO, 16113 },
		{ 400, XML("16113", "mono"), REMOTE_REJECTED, -EIO, 16113 },
		{ 400, "{\"code\":\"16113\"}", REMOTE_REJECTED, -EIO, 16113 },
		{ 400, XML("21501", "still processing"), REMOTE_BUSY, -EBUSY, 21501 },
		{ 401, "{\"code\":20003}", REMOTE_REJECTED, -EACCES, 20003 },
		{ 403, "<html>Forbidden</html>", REMOTE_REJECTED, -EACCES, 0 },
		{ 404, XML("20404", "gone"), REMOTE_NOT_FOUND, -ENOENT, 20404 },
		{ 404, "", REMOTE_NOT_FOUND, -ENOENT, 0 },
		{ 408, "", REMOTE_TRANSIENT, -ETIMEDOUT, 0 },
		{ 409, "{\"code\":20009}", REMOTE_BUSY, -EBUSY, 20009 },
		{ 429, "{\"code\":20429}", REMOTE_BUSY, -EBUSY, 20429 },
		{ 429, "", REMOTE_BUSY, -EBUSY, 0 },
		{ 500, "{\"code\":20500}", REMOTE_TRANSIENT, -EIO, 20500 },
		{ 502, "<html>", REMOTE_TRANSIENT, -EIO, 0 },
		{ 503, "<html>", REMOTE_BUSY, -EBUSY, 0 },
		{ 504, "", REMOTE_TRANSIENT, -ETIMEDOUT, 0 },
		{ 302, "", REMOTE_INVALID, -EIO, 0 },
		{ 400, "{\"code\":1e300}", REMOTE_REJECTED, -EIO, 0 },
		{ 400, "{\"code\":", REMOTE_REJECTED, -EIO, 0 },
		{ 400, "<TwilioResponse><RestException><Code>21501</Code><Mess", REMOTE_BUSY,
		  -EBUSY, 21501 },
		{ 400, "<Other><RestException><Code>21501</Code></RestException></Other>",
		  REMOTE_REJECTED, -EIO, 0 },
		{ 400,
		  "<!DOCTYPE a [<!ENTITY b '21501'>]><TwilioResponse><RestException><Code>&b;</Code>"
		  "</RestException></TwilioResponse>",
		  REMOTE_REJECTED, -EIO, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct remote_error error;

		twilio_judge(cases[i].status, 1500, cases[i].body, strlen(cases[i].body), &error);
		assert_int_equal(error.kind, cases[i].kind);
		assert_int_equal(error.error, cases[i].error);
		assert_int_equal(error.twilio_code, cases[i].code);
		assert_int_equal(error.status, cases[i].status);
		assert_int_equal(error.retry_after_msecs, error.kind == REMOTE_OK ? -1 : 1500);
	}
}

static void test_twilio__no_number_or_sid_stays_in_a_message(void **state)
{
	static const char body[] =
		"{\"code\":20404,\"message\":\"The requested resource /2010-04-01/Accounts/"
		"AC0123456789abcdef0123456789abcdef/Calls/CA0123456789abcdef0123456789abcdef.json for "
		"+1 (555) 123-45-67 was not found\",\"status\":404}";
	struct remote_error error;

	twilio_judge(404, -1, body, strlen(body), &error);
	assert_non_null(strstr(error.message, "The requested resource"));
	assert_null(strstr(error.message, "CA01"));
	assert_null(strstr(error.message, "0123"));
	assert_null(strstr(error.message, "555"));
	assert_null(strstr(error.message, "67"));
}

static void test_twilio__scrubbing_keeps_words_and_fits(void **state)
{
	char text[32], tiny[8];

	twilio_scrub("call +15551234567 at 10:15\n\x01 ok", text, sizeof text);
	assert_string_equal(text, "call +*** at ##:##   ok");
	twilio_scrub("abcdefghijklmnop", tiny, sizeof tiny);
	assert_true(strlen(tiny) < sizeof tiny);
	assert_int_equal(strncmp(tiny, "abc", 3), 0);
	twilio_scrub("", tiny, sizeof tiny);
	assert_string_equal(tiny, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_twilio__status_and_code_decide_the_kind),
		cmocka_unit_test(test_twilio__no_number_or_sid_stays_in_a_message),
		cmocka_unit_test(test_twilio__scrubbing_keeps_words_and_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
