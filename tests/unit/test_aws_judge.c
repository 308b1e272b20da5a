/* What an answer of S3 means: its code decides, else its status. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/s3-private.h"

static void judge(int status, const char *body, struct remote_error *ret_error)
{
	struct http_response response = { .status = status, .content_length = -1 };

	s3_judge(&response, body, body ? strlen(body) : 0, ret_error);
}

static void test_aws__the_code_decides_and_not_the_status_alone(void **state)
{
	static const struct {
		int status;
		const char *code;
		enum remote_kind kind;
		int error;
	} cases[] = {
		{ 403, "AccessDenied", REMOTE_REJECTED, -EACCES },
		{ 403, "InvalidAccessKeyId", REMOTE_REJECTED, -EACCES },
		{ 403, "SignatureDoesNotMatch", REMOTE_REJECTED, -EACCES },
		{ 403, "InvalidObjectState", REMOTE_REJECTED, -EREMOTE },
		{ 400, "ExpiredToken", REMOTE_REJECTED, -EACCES },
		{ 400, "KMS.DisabledException", REMOTE_REJECTED, -EACCES },
		{ 404, "NoSuchKey", REMOTE_NOT_FOUND, -ENOENT },
		{ 404, "NoSuchVersion", REMOTE_NOT_FOUND, -ENOENT },
		{ 404, "NoSuchBucket", REMOTE_REJECTED, -ENOENT },
		{ 404, "NoSuchUpload", REMOTE_REJECTED, -ENOENT },
		{ 412, "PreconditionFailed", REMOTE_REJECTED, -ESTALE },
		{ 409, "ConditionalRequestConflict", REMOTE_BUSY, -EBUSY },
		{ 409, "SomethingNew", REMOTE_REJECTED, -EIO },
		{ 503, "SlowDown", REMOTE_BUSY, -EBUSY },
		{ 400, "SlowDown", REMOTE_BUSY, -EBUSY },
		{ 429, "TooManyRequests", REMOTE_BUSY, -EBUSY },
		{ 400, "RequestTimeout", REMOTE_TRANSIENT, -ETIMEDOUT },
		{ 400, "BadDigest", REMOTE_TRANSIENT, -EIO },
		{ 500, "InternalError", REMOTE_TRANSIENT, -EIO },
		{ 501, "NotImplemented", REMOTE_REJECTED, -EOPNOTSUPP },
		{ 301, "PermanentRedirect", REMOTE_REJECTED, -EINVAL },
		{ 418, "SomethingNew", REMOTE_REJECTED, -EIO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf body = BUF_INIT;
		struct remote_error error;

		buf_addf(
			&body,
			"<?xml version=\"1.0\"?>\n<Error xmlns=\"x\"><Code>%s</Code><Message>why</Message>"
			"<SignatureProvided>5ec4e7</SignatureProvided></Error>",
			cases[i].code);
		judge(cases[i].status, buf_str(&body), &error);
		if (error.kind != cases[i].kind || error.error != cases[i].error)
			fail_msg("%d %s: %s %d", cases[i].status, cases[i].code,
				 remote_kind_name(error.kind), error.error);
		assert_int_equal(error.status, cases[i].status);
		assert_string_equal(error.code, cases[i].code);
		assert_non_null(strstr(error.message, "why"));
		assert_null(strstr(error.message, "5ec4e7"));
		buf_release(&body);
	}
}

static void test_aws__without_a_code_the_status_decides(void **state)
{
	static const char *const bodies[] = {
		"",
		"<html><body><h1>Service</h1></body></html>",
		"<Error>",
		"{\"Code\":\"AccessDenied\"}",
		"\x01\x02",
		"<!DOCTYPE a [<!ENTITY b \"c\">]><Error><Code>NoSuchKey</Code></Error>",
		"<Wrong><Code>NoSuchKey</Code></Wrong>",
		"<Other><Error><Code>NoSuchKey</Code></Error></Other>",
	};
	static const struct {
		int status;
		enum remote_kind kind;
		int error;
	} cases[] = {
		{ 301, REMOTE_REJECTED, -EINVAL },     { 304, REMOTE_INVALID, -EIO },
		{ 400, REMOTE_REJECTED, -EIO },        { 401, REMOTE_REJECTED, -EACCES },
		{ 403, REMOTE_REJECTED, -EACCES },     { 404, REMOTE_NOT_FOUND, -ENOENT },
		{ 408, REMOTE_TRANSIENT, -ETIMEDOUT }, { 412, REMOTE_REJECTED, -ESTALE },
		{ 429, REMOTE_BUSY, -EBUSY },          { 500, REMOTE_TRANSIENT, -EIO },
		{ 502, REMOTE_TRANSIENT, -EIO },       { 503, REMOTE_BUSY, -EBUSY },
		{ 504, REMOTE_TRANSIENT, -EIO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t n = 0; n < ARRAY_SIZE(bodies); n++) {
			struct remote_error error;

			judge(cases[i].status, bodies[n], &error);
			if (error.kind != cases[i].kind || error.error != cases[i].error)
				fail_msg("%d [%s]: %s %d", cases[i].status, bodies[n],
					 remote_kind_name(error.kind), error.error);
			assert_string_equal(error.code, "");
		}
}

static void test_aws__a_document_that_breaks_off_after_its_code_still_tells(void **state)
{
	struct remote_error error;

	judge(403, "<Error><Code>InvalidObjectState</Code><Message>The operation is", &error);
	assert_int_equal(error.error, -EREMOTE);
}

static void test_aws__what_a_lock_forbids_is_not_permitted(void **state)
{
	static const char *const bodies[] = {
		"<Error><Code>AccessDenied</Code><Message>forbidden by object lock</Message></Error>",
		"<Error><Code>AccessDenied</Code><Message>Access Denied because object protected by object lock.</Message></Error>",
		"<Error><Code>InvalidRequest</Code><Message>Object is WORM protected and cannot be overwritten</Message></Error>",
		"<Error><Code>ObjectLocked</Code></Error>",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct remote_error error;

		judge(i == 2 ? 400 : 403, bodies[i], &error);
		assert_int_equal(error.kind, REMOTE_REJECTED);
		assert_int_equal(error.error, -EPERM);
	}
}

static void test_aws__messages_are_one_printable_line(void **state)
{
	struct remote_error error;

	judge(400, "<Error><Code>A\nB\xc3\xa4</Code><Message>line\r\nline\x1b[1m</Message></Error>",
	      &error);
	assert_null(strpbrk(error.message, "\r\n\x1b"));
	judge(400,
	      "<Error><Code>A\nB</Code><Message>line&#10;line &amp; \xc3\xa4</Message></Error>",
	      &error);
	assert_string_equal(error.code, "A B");
	assert_string_equal(error.message, "S3 answered 400 A B: line line &   ");
}

static void test_aws__the_region_of_a_bucket_elsewhere_and_the_pause_are_told(void **state)
{
	struct http_header headers[] = { { "x-amz-bucket-region", "eu-central-1" },
					 { "Retry-After", "7" } };
	struct http_response response = { .status = 301, .headers = headers, .header_count = 2 };
	struct remote_error error;

	s3_judge(&response, NULL, 0, &error);
	assert_non_null(strstr(error.message, "eu-central-1"));
	assert_int_equal(error.retry_after_msecs, 7000);
}

static void test_aws__success_needs_no_document(void **state)
{
	struct remote_error error;

	judge(200, "anything", &error);
	assert_int_equal(error.kind, REMOTE_OK);
	judge(206, NULL, &error);
	assert_int_equal(error.kind, REMOTE_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws__the_code_decides_and_not_the_status_alone),
		cmocka_unit_test(test_aws__without_a_code_the_status_decides),
		cmocka_unit_test(test_aws__a_document_that_breaks_off_after_its_code_still_tells),
		cmocka_unit_test(test_aws__what_a_lock_forbids_is_not_permitted),
		cmocka_unit_test(test_aws__messages_are_one_printable_line),
		cmocka_unit_test(test_aws__the_region_of_a_bucket_elsewhere_and_the_pause_are_told),
		cmocka_unit_test(test_aws__success_needs_no_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
