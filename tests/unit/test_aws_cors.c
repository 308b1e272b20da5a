/* CORS rules: read and written without a loss, merged; and what else is asked of a bucket, request
 * by request. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/bucket.h"
#include "aws/cors.h"
#include "helper_s3.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEAD "<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
#define THEIRS \
	"<CORSRule><ID>a &amp; b</ID><AllowedOrigin>https://a.example</AllowedOrigin><AllowedOrigin>*.b</AllowedOrigin>" \
	"<AllowedMethod>PUT</AllowedMethod><AllowedMethod>POST</AllowedMethod><AllowedHeader>x-*</AllowedHeader>" \
	"<MaxAgeSeconds>0</MaxAgeSeconds><ExposeHeader>ETag</ExposeHeader></CORSRule>"
#define PLAIN \
	"<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>DELETE</AllowedMethod></CORSRule>"

static void parse(const char *text, struct s3_cors *ret_cors)
{
	assert_int_equal(s3_cors_parse(text, strlen(text), ret_cors), 0);
}

static void assert_format(const struct s3_cors *cors, const char *expected)
{
	cleanup_buf struct buf text = BUF_INIT;

	assert_int_equal(s3_cors_format(cors, &text), 0);
	assert_string_equal(buf_str(&text), expected);
}

static void test_aws__cors_rules_are_written_as_they_were_read(void **state)
{
	static const char text[] = HEAD THEIRS PLAIN "</CORSConfiguration>";
	cleanup_cors struct s3_cors cors;

	parse(text, &cors);
	assert_int_equal(cors.count, 2);
	assert_format(&cors, text);
}

static void test_aws__a_rule_of_ours_comes_behind_the_others_and_is_replaced_in_place(void **state)
{
	static const char *const first[] = { "http://localhost:*", "http://127.0.0.1:*" },
				 *const second[] = { "https://c" };
	cleanup_cors struct s3_cors cors;

	parse(HEAD THEIRS PLAIN "</CORSConfiguration>", &cors);
	assert_int_equal(s3_cors_set_reading(&cors, "tonicfs", first, 2), 0);
	assert_int_equal(cors.count, 3);
	assert_true(s3_cors_lets_read(&cors, "http://localhost:*"));
	assert_true(s3_cors_lets_read(&cors, "http://localhost:8080"));
	assert_int_equal(s3_cors_set_reading(&cors, "tonicfs", second, 1), 0);
	assert_false(s3_cors_lets_read(&cors, "http://localhost:8080"));
	assert_format(
		&cors, HEAD THEIRS PLAIN
		"<CORSRule><ID>tonicfs</ID><AllowedOrigin>https://c</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
		"<AllowedMethod>HEAD</AllowedMethod><AllowedHeader>*</AllowedHeader><MaxAgeSeconds>3000</MaxAgeSeconds>"
		"<ExposeHeader>Accept-Ranges</ExposeHeader><ExposeHeader>Content-Length</ExposeHeader>"
		"<ExposeHeader>Content-Range</ExposeHeader><ExposeHeader>Content-Type</ExposeHeader>"
		"<ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>");
}

static void test_aws__what_is_not_known_of_a_rule_is_not_lost_but_refused(void **state)
{
	static const char *const texts[] = {
		HEAD
		"<CORSRule><AllowedOrigin>*</AllowedOrigin><NewThing>1</NewThing></CORSRule></CORSConfiguration>",
		HEAD "<Other/></CORSConfiguration>",
	};
	static const char
		junk[] = "<html><body/></html>",
		age[] = HEAD
		"<CORSRule><MaxAgeSeconds>-1</MaxAgeSeconds></CORSRule></CORSConfiguration>";
	struct s3_cors cors;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(s3_cors_parse(texts[i], strlen(texts[i]), &cors), -ENOTSUP);
	assert_true(s3_cors_parse(junk, strlen(junk), &cors) < 0);
	assert_int_equal(s3_cors_parse(age, strlen(age), &cors), -EBADMSG);
	assert_int_equal(s3_cors_parse("", 0, &cors), -EBADMSG);
	assert_int_equal(cors.count, 0);
}

static void test_aws__who_may_read(void **state)
{
	static const struct {
		const char *rule, *origin;
		bool may;
	} cases[] = {
		{ "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod>"
		  "<AllowedHeader>*</AllowedHeader>",
		  "https://a", true },
		{ "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod>"
		  "<AllowedHeader>Range</AllowedHeader>",
		  "http://localhost:*", true },
		{ "<AllowedOrigin>https://*.a.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
		  "<AllowedMethod>HEAD</AllowedMethod><AllowedHeader>*</AllowedHeader>",
		  "https://x.a.example", true },
		{ "<AllowedOrigin>https://*.a.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
		  "<AllowedMethod>HEAD</AllowedMethod><AllowedHeader>*</AllowedHeader>",
		  "https://*", false },
		{ "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader>",
		  "https://a", false },
		{ "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod>",
		  "https://a", false },
		{ "<AllowedOrigin>https://a</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
		  "<AllowedMethod>HEAD</AllowedMethod><AllowedHeader>*</AllowedHeader>",
		  "https://ab", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf text = BUF_INIT;
		cleanup_cors struct s3_cors cors;

		buf_addf(&text, HEAD "<CORSRule>%s</CORSRule></CORSConfiguration>", cases[i].rule);
		parse(buf_str(&text), &cors);
		if (s3_cors_lets_read(&cors, cases[i].origin) != cases[i].may)
			fail_msg("case %zu", i);
	}
}

static void test_aws__cors_is_asked_for_and_put_with_its_md5(void **state)
{
	static const struct helper_answer answers[] = {
		{ 200, NULL, HEAD PLAIN "</CORSConfiguration>" },
		{ 200, NULL, "" },
		{ 404, NULL, "<Error><Code>NoSuchCORSConfiguration</Code></Error>" },
		{ 501, NULL, "<Error><Code>NotImplemented</Code></Error>" },
	};
	cleanup_cors struct s3_cors cors = { NULL, 0 };
	struct s3_cors none;
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, answers, 4, NULL);
	assert_int_equal(s3_get_cors(s3.client, &cors, &error), 0);
	assert_int_equal(s3_put_cors(s3.client, &cors, &error), 0);
	helper_s3_check_request(
		&s3, 0,
		"GET /bucket?cors= HTTP/1.1\nx-amz-content-sha256: " EMPTY "\nx-amz-date: DATE\n"
		"Authorization: SignedHeaders=host;x-amz-content-sha256;x-amz-date\n");
	assert_string_equal(helper_s3_request_line(&s3, 1), "PUT /bucket?cors= HTTP/1.1");
	assert_string_equal(helper_server_request(s3.server, 1)->body,
			    HEAD PLAIN "</CORSConfiguration>");
	assert_string_equal(helper_header(helper_server_request(s3.server, 1), "Content-MD5"),
			    "WIZO7laIJDOtLxHjgimh6A==");
	assert_int_equal(s3_get_cors(s3.client, &none, &error), 0);
	assert_int_equal(none.count, 0);
	assert_int_equal(s3_get_cors(s3.client, &none, &error), -EOPNOTSUPP);
	helper_s3_stop(&s3);
}

/* ---- asking ---- */

static void test_aws__who_asks_without_a_key_sends_nothing_of_it(void **state)
{
	static const struct helper_answer answers[] = {
		{ 403, "x-amz-bucket-region: eu-west-3\r\nDate: Sun, 01 Mar 2026 10:15:00 GMT\r\n",
		  "<Error><Code>AccessDenied</Code></Error>" },
		{ 206, "x-amz-version-id: v\r\n", "A" },
		{ 200, "Access-Control-Allow-Origin: https://a\r\n", "" },
	};
	struct s3_settings settings = { .bucket = "bucket", .session_token = "tok" };
	struct s3_answer answer;
	struct helper_s3 s3;

	helper_s3_start(&s3, answers, 3, &settings);
	assert_int_equal(s3_ask_bucket(s3.client, true, "p/", &answer), 0);
	assert_int_equal(answer.status, 403);
	assert_string_equal(answer.region, "eu-west-3");
	assert_int_equal(answer.date_secs, 1772360100);
	assert_int_equal(answer.error.error, -EACCES);
	helper_s3_check_request(&s3, 0,
				"GET /bucket?list-type=2&max-keys=1&prefix=p%2F HTTP/1.1\n");
	assert_int_equal(s3_ask_object(s3.client, true, "k", &answer), 0);
	assert_string_equal(answer.version, "v");
	helper_s3_check_request(&s3, 1, "GET /bucket/k HTTP/1.1\nRange: bytes=0-0\n");
	assert_int_equal(s3_ask_preflight(s3.client, "k", "https://a", &answer), 0);
	assert_string_equal(answer.allow_origin, "https://a");
	helper_s3_check_request(
		&s3, 2,
		"OPTIONS /bucket/k HTTP/1.1\nOrigin: https://a\nAccess-Control-Request-Method: GET\n"
		"Access-Control-Request-Headers: range\n");
	helper_s3_stop(&s3);
}

static void test_aws__the_right_region_is_read_from_the_error(void **state)
{
	static const struct helper_answer answer = {
		400, NULL,
		"<Error><Code>AuthorizationHeaderMalformed</Code><Region>ap-south-1</Region></Error>"
	};
	struct s3_answer got;
	struct helper_s3 s3;

	helper_s3_start(&s3, &answer, 1, NULL);
	assert_int_equal(s3_ask_bucket(s3.client, false, NULL, &got), 0);
	assert_string_equal(got.region, "ap-south-1");
	assert_string_equal(got.error.code, "AuthorizationHeaderMalformed");
	helper_s3_stop(&s3);
}

static void test_aws__a_page_for_people_is_known_by_its_type_or_its_beginning(void **state)
{
	static const struct helper_answer answers[] = {
		{ 200, "Content-Type: text/html; charset=utf-8\r\n", "hello" },
		{ 200, NULL, "\n <!DOCTYPE HTML><html></html>" },
		{ 200, "Content-Type: application/xml\r\n", "<ListBucketResult/>" },
	};
	struct s3_answer answer;
	struct helper_s3 s3;

	helper_s3_start(&s3, answers, 3, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		assert_int_equal(s3_ask_bucket(s3.client, false, NULL, &answer), 0);
		assert_int_equal(answer.is_html, i < 2);
	}
	helper_s3_stop(&s3);
}

static void test_aws__versioning_and_lock_are_read(void **state)
{
	static const struct helper_answer answers[] = {
		{ 200, NULL,
		  "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>" },
		{ 200, NULL, "<VersioningConfiguration/>" },
		{ 200, NULL,
		  "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
		  "<Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule></ObjectLockConfiguration>" },
		{ 404, NULL, "<Error><Code>ObjectLockConfigurationNotFoundError</Code></Error>" },
		{ 403, NULL, "<Error><Code>AccessDenied</Code></Error>" },
	};
	struct remote_error error;
	struct s3_lock lock;
	struct helper_s3 s3;
	char status[16];

	helper_s3_start(&s3, answers, 5, NULL);
	assert_int_equal(s3_get_versioning(s3.client, status, &error), 0);
	assert_string_equal(status, "Suspended");
	assert_int_equal(s3_get_versioning(s3.client, status, &error), 0);
	assert_string_equal(status, "");
	assert_int_equal(s3_get_lock(s3.client, &lock, &error), 0);
	assert_true(lock.is_enabled && lock.days == 30);
	assert_string_equal(lock.mode, "COMPLIANCE");
	assert_int_equal(s3_get_lock(s3.client, &lock, &error), 0);
	assert_false(lock.is_enabled);
	assert_int_equal(s3_get_lock(s3.client, &lock, &error), -EACCES);
	assert_string_equal(helper_s3_request_line(&s3, 0), "GET /bucket?versioning= HTTP/1.1");
	assert_string_equal(helper_s3_request_line(&s3, 2), "GET /bucket?object-lock= HTTP/1.1");
	helper_s3_stop(&s3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws__cors_rules_are_written_as_they_were_read),
		cmocka_unit_test(
			test_aws__a_rule_of_ours_comes_behind_the_others_and_is_replaced_in_place),
		cmocka_unit_test(test_aws__what_is_not_known_of_a_rule_is_not_lost_but_refused),
		cmocka_unit_test(test_aws__who_may_read),
		cmocka_unit_test(test_aws__cors_is_asked_for_and_put_with_its_md5),
		cmocka_unit_test(test_aws__who_asks_without_a_key_sends_nothing_of_it),
		cmocka_unit_test(test_aws__the_right_region_is_read_from_the_error),
		cmocka_unit_test(test_aws__a_page_for_people_is_known_by_its_type_or_its_beginning),
		cmocka_unit_test(test_aws__versioning_and_lock_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
