/* SigV4 against the examples of "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API
 * Reference. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/sigv4.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define WHEN 1369353600 /* 20130524T000000Z */
#define HOST { "Host", "examplebucket.s3.amazonaws.com" }
#define DATE { "x-amz-date", "20130524T000000Z" }
#define EMPTY { "x-amz-content-sha256", SIGV4_EMPTY_SHA256 }
#define PUT_SHA256 "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"

static struct sigv4_input example(const char *method, const char *path, const char *sha256)
{
	return (struct sigv4_input){
		.access_key = "AKIAIOSFODNN7EXAMPLE",
		.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		.region = "us-east-1",
		.service = "s3",
		.time_secs = WHEN,
		.method = method,
		.path = path,
		.payload_sha256 = sha256,
	};
}

static void check(const struct sigv4_input *input, const char *signed_headers,
		  const char *signature)
{
	struct buf value = BUF_INIT, expected = BUF_INIT;

	buf_addf(
		&expected,
		"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
		"SignedHeaders=%s,Signature=%s",
		signed_headers, signature);
	assert_int_equal(sigv4_authorization(input, &value), 0);
	assert_string_equal(buf_str(&value), buf_str(&expected));
	buf_release(&value);
	buf_release(&expected);
}

static void test_aws__get_object_with_a_range_is_signed_as_published(void **state)
{
	const struct sigv4_pair headers[] = { HOST, { "Range", "bytes=0-9" }, EMPTY, DATE };
	struct sigv4_input input = example("GET", "/test.txt", SIGV4_EMPTY_SHA256);
	struct buf text = BUF_INIT;

	input.headers = headers;
	input.header_count = ARRAY_SIZE(headers);
	check(&input, "host;range;x-amz-content-sha256;x-amz-date",
	      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
	assert_int_equal(sigv4_canonical_request(&input, &text), 0);
	assert_string_equal(buf_str(&text),
			    "GET\n/test.txt\n\n"
			    "host:examplebucket.s3.amazonaws.com\n"
			    "range:bytes=0-9\n"
			    "x-amz-content-sha256:" SIGV4_EMPTY_SHA256 "\n"
			    "x-amz-date:20130524T000000Z\n\n"
			    "host;range;x-amz-content-sha256;x-amz-date\n" SIGV4_EMPTY_SHA256);
	buf_release(&text);
}

static void test_aws__put_object_with_a_dollar_is_signed_as_published(void **state)
{
	const struct sigv4_pair headers[] = {
		DATE,
		{ "x-amz-storage-class", "REDUCED_REDUNDANCY" },
		HOST,
		{ "x-amz-content-sha256", PUT_SHA256 },
		{ "Date", "Fri, 24 May 2013 00:00:00 GMT" },
	};
	struct sigv4_input input = example("PUT", "/test%24file.text", PUT_SHA256);

	input.headers = headers;
	input.header_count = ARRAY_SIZE(headers);
	check(&input, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
	      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void test_aws__a_subresource_without_a_value_is_signed_as_published(void **state)
{
	const struct sigv4_pair headers[] = { HOST, DATE, EMPTY };
	const struct sigv4_pair query[] = { { "lifecycle", "" } };
	struct sigv4_input input = example("GET", "/", SIGV4_EMPTY_SHA256);

	input.headers = headers;
	input.header_count = ARRAY_SIZE(headers);
	input.query = query;
	input.query_count = 1;
	check(&input, "host;x-amz-content-sha256;x-amz-date",
	      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

static void test_aws__a_list_is_signed_as_published_whatever_the_order_of_its_query(void **state)
{
	const struct sigv4_pair headers[] = { HOST, DATE, EMPTY };
	const struct sigv4_pair query[] = { { "prefix", "J" }, { "max-keys", "2" } };
	struct sigv4_input input = example("GET", "/", SIGV4_EMPTY_SHA256);

	input.headers = headers;
	input.header_count = ARRAY_SIZE(headers);
	input.query = query;
	input.query_count = 2;
	check(&input, "host;x-amz-content-sha256;x-amz-date",
	      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void test_aws__a_presigned_url_is_signed_as_published(void **state)
{
	const struct sigv4_pair headers[] = { HOST };
	struct sigv4_input input = example("GET", "/test.txt", SIGV4_UNSIGNED);
	struct buf query = BUF_INIT;

	input.headers = headers;
	input.header_count = 1;
	assert_int_equal(sigv4_presign(&input, 86400, &query), 0);
	assert_string_equal(
		buf_str(&query),
		"X-Amz-Algorithm=AWS4-HMAC-SHA256"
		"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
		"&X-Amz-Signature="
		"aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
	buf_release(&query);
}

static void test_aws__a_presigned_url_lives_a_week_at_most(void **state)
{
	const struct sigv4_pair headers[] = { HOST };
	struct sigv4_input input = example("GET", "/test.txt", SIGV4_UNSIGNED);
	struct buf query = BUF_INIT;

	input.headers = headers;
	input.header_count = 1;
	assert_int_equal(sigv4_presign(&input, 0, &query), -EINVAL);
	assert_int_equal(sigv4_presign(&input, 604801, &query), -EINVAL);
	assert_int_equal(sigv4_presign(&input, 604800, &query), 0);
	assert_non_null(strstr(buf_str(&query), "X-Amz-Expires=604800&"));
	buf_release(&query);
}

static void test_aws__a_presigned_url_carries_token_and_overrides_in_sorted_order(void **state)
{
	const struct sigv4_pair headers[] = { HOST };
	const struct sigv4_pair extra[] = { { "response-content-type", "audio/wav" },
					    { "A", "b c" } };
	struct sigv4_input input = example("GET", "/test.txt", SIGV4_UNSIGNED);
	struct buf query = BUF_INIT;

	input.headers = headers;
	input.header_count = 1;
	input.query = extra;
	input.query_count = 2;
	input.session_token = "tok/en=";
	assert_int_equal(sigv4_presign(&input, 60, &query), 0);
	assert_int_equal(strncmp(buf_str(&query), "A=b%20c&X-Amz-Algorithm=", 24), 0);
	assert_non_null(strstr(buf_str(&query),
			       "&X-Amz-Security-Token=tok%2Fen%3D&X-Amz-SignedHeaders=host"
			       "&response-content-type=audio%2Fwav&X-Amz-Signature="));
	buf_release(&query);
}

static void test_aws__header_values_are_trimmed_and_names_sorted(void **state)
{
	const struct sigv4_pair headers[] = { { "X-B", "  a   b\t c  " },
					      { "x-a", "" },
					      { "Host", "h" } };
	const struct sigv4_pair query[] = {
		{ "b", "2" }, { "b", "1" }, { "a-b", "" }, { "a", "/+ ~\xc3\xa4" }
	};
	struct sigv4_input input = example("PUT", "/", "hash");
	struct buf text = BUF_INIT;

	input.headers = headers;
	input.header_count = 3;
	input.query = query;
	input.query_count = 4;
	assert_int_equal(sigv4_canonical_request(&input, &text), 0);
	assert_string_equal(buf_str(&text),
			    "PUT\n/\na=%2F%2B%20~%C3%A4&a-b=&b=1&b=2\nhost:h\nx-a:\nx-b:a b c\n\n"
			    "host;x-a;x-b\nhash");
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws__get_object_with_a_range_is_signed_as_published),
		cmocka_unit_test(test_aws__put_object_with_a_dollar_is_signed_as_published),
		cmocka_unit_test(test_aws__a_subresource_without_a_value_is_signed_as_published),
		cmocka_unit_test(
			test_aws__a_list_is_signed_as_published_whatever_the_order_of_its_query),
		cmocka_unit_test(test_aws__a_presigned_url_is_signed_as_published),
		cmocka_unit_test(test_aws__a_presigned_url_lives_a_week_at_most),
		cmocka_unit_test(
			test_aws__a_presigned_url_carries_token_and_overrides_in_sorted_order),
		cmocka_unit_test(test_aws__header_values_are_trimmed_and_names_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
