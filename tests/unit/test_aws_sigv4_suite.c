/*
 * SigV4 against AWS's own "Signature Version 4 Test Suite", by its cases' names. Not in here: the
 * cases of normalize-path but get-space, because S3 signs a path as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/sigv4.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/crypto.h"

#define WHEN 1440938160 /* 20150830T123600Z */
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define TOKEN \
	"AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpS" \
	"PfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQD" \
	"YwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+sc" \
	"qKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

#define ADDRESS { "Host", "example.amazonaws.com" }
#define DATE { "X-Amz-Date", "20150830T123600Z" }
#define PLAIN "host;x-amz-date"
#define PLAIN_LINES "host:example.amazonaws.com\nx-amz-date:20150830T123600Z\n"

struct example {
	const char *name, *method, *path;
	struct sigv4_pair query[3], headers[5]; /* both end with a name of NULL */
	const char *body;
	const char *canonical; /* query, headers */
	const char *signed_headers, *signature;
};

static const struct example examples[] = {
	{ "get-vanilla",
	  "GET",
	  "/",
	  {},
	  { ADDRESS, DATE },
	  "",
	  "\n" PLAIN_LINES,
	  PLAIN,
	  "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
	{ "get-vanilla-query",
	  "GET",
	  "/",
	  {},
	  { ADDRESS, DATE },
	  "",
	  "\n" PLAIN_LINES,
	  PLAIN,
	  "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
	{ "get-vanilla-empty-query-key",
	  "GET",
	  "/",
	  { { "Param1", "value1" } },
	  { ADDRESS, DATE },
	  "",
	  "Param1=value1\n" PLAIN_LINES,
	  PLAIN,
	  "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb" },
	{ "get-vanilla-query-order-key-case",
	  "GET",
	  "/",
	  { { "Param2", "value2" }, { "Param1", "value1" } },
	  { ADDRESS, DATE },
	  "",
	  "Param1=value1&Param2=value2\n" PLAIN_LINES,
	  PLAIN,
	  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
	{ "get-vanilla-query-order-key",
	  "GET",
	  "/",
	  { { "Param1", "value2" }, { "Param1", "Value1" } },
	  { ADDRESS, DATE },
	  "",
	  "Param1=Value1&Param1=value2\n" PLAIN_LINES,
	  PLAIN,
	  "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1" },
	{ "get-vanilla-query-order-value",
	  "GET",
	  "/",
	  { { "Param1", "value2" }, { "Param1", "value1" } },
	  { ADDRESS, DATE },
	  "",
	  "Param1=value1&Param1=value2\n" PLAIN_LINES,
	  PLAIN,
	  "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694" },
	{ "get-vanilla-query-unreserved",
	  "GET",
	  "/",
	  { { UNRESERVED, UNRESERVED } },
	  { ADDRESS, DATE },
	  "",
	  UNRESERVED "=" UNRESERVED "\n" PLAIN_LINES,
	  PLAIN,
	  "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
	{ "get-vanilla-utf8-query",
	  "GET",
	  "/",
	  { { "\xe1\x88\xb4", "bar" } },
	  { ADDRESS, DATE },
	  "",
	  "%E1%88%B4=bar\n" PLAIN_LINES,
	  PLAIN,
	  "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
	{ "get-utf8",
	  "GET",
	  "/%E1%88%B4",
	  {},
	  { ADDRESS, DATE },
	  "",
	  "\n" PLAIN_LINES,
	  PLAIN,
	  "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
	{ "get-unreserved",
	  "GET",
	  "/" UNRESERVED,
	  {},
	  { ADDRESS, DATE },
	  "",
	  "\n" PLAIN_LINES,
	  PLAIN,
	  "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
	{ "get-space",
	  "GET",
	  "/example%20space/",
	  {},
	  { ADDRESS, DATE },
	  "",
	  "\n" PLAIN_LINES,
	  PLAIN,
	  "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
	{ "get-header-key-duplicate",
	  "GET",
	  "/",
	  {},
	  { ADDRESS, { "My-Header1", "value2,value2,value1" }, DATE },
	  "",
	  "\nhost:example.amazonaws.com\nmy-header1:value2,value2,value1\n"
	  "x-amz-date:20150830T123600Z\n",
	  "host;my-header1;x-amz-date",
	  "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
	{ "get-header-value-order",
	  "GET",
	  "/",
	  {},
	  { ADDRESS, { "My-Header1", "value4,value1,value3,value2" }, DATE },
	  "",
	  "\nhost:example.amazonaws.com\nmy-header1:value4,value1,value3,value2\n"
	  "x-amz-date:20150830T123600Z\n",
	  "host;my-header1;x-amz-date",
	  "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01" },
	{ "get-header-value-trim",
	  "GET",
	  "/",
	  {},
	  { ADDRESS, { "My-Header1", " value1" }, { "My-Header2", " \"a   b   c\"" }, DATE },
	  "",
	  "\nhost:example.amazonaws.com\nmy-header1:value1\nmy-header2:\"a b c\"\n"
	  "x-amz-date:20150830T123600Z\n",
	  "host;my-header1;my-header2;x-amz-date",
	  "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
	{ "post-vanilla",
	  "POST",
	  "/",
	  {},
	  { ADDRESS, DATE },
	  "",
	  "\n" PLAIN_LINES,
	  PLAIN,
	  "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "post-header-key-case",
	  "POST",
	  "/",
	  {},
	  { ADDRESS, DATE },
	  "",
	  "\n" PLAIN_LINES,
	  PLAIN,
	  "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "post-header-key-sort",
	  "POST",
	  "/",
	  {},
	  { ADDRESS, DATE, { "My-Header1", "value1" } },
	  "",
	  "\nhost:example.amazonaws.com\nmy-header1:value1\nx-amz-date:20150830T123600Z\n",
	  "host;my-header1;x-amz-date",
	  "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" },
	{ "post-header-value-case",
	  "POST",
	  "/",
	  {},
	  { ADDRESS, { "My-Header1", "VALUE1" }, DATE },
	  "",
	  "\nhost:example.amazonaws.com\nmy-header1:VALUE1\nx-amz-date:20150830T123600Z\n",
	  "host;my-header1;x-amz-date",
	  "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d" },
	{ "post-vanilla-query",
	  "POST",
	  "/",
	  { { "Param1", "value1" } },
	  { ADDRESS, DATE },
	  "",
	  "Param1=value1\n" PLAIN_LINES,
	  PLAIN,
	  "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },
	{ "post-vanilla-empty-query-value",
	  "POST",
	  "/",
	  { { "Param1", "value1" } },
	  { ADDRESS, DATE },
	  "",
	  "Param1=value1\n" PLAIN_LINES,
	  PLAIN,
	  "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },
	{ "post-x-www-form-urlencoded",
	  "POST",
	  "/",
	  {},
	  { { "Content-Type", "application/x-www-form-urlencoded" }, ADDRESS, DATE },
	  "Param1=value1",
	  "\ncontent-type:application/x-www-form-urlencoded\n" PLAIN_LINES,
	  "content-type;host;x-amz-date",
	  "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" },
	{ "post-x-www-form-urlencoded-parameters",
	  "POST",
	  "/",
	  {},
	  { { "Content-Type", "application/x-www-form-urlencoded; charset=utf8" }, ADDRESS, DATE },
	  "Param1=value1",
	  "\ncontent-type:application/x-www-form-urlencoded; charset=utf8\n" PLAIN_LINES,
	  "content-type;host;x-amz-date",
	  "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe" },
	{ "post-sts-header-after",
	  "POST",
	  "/",
	  {},
	  { ADDRESS, DATE },
	  "",
	  "\n" PLAIN_LINES,
	  PLAIN,
	  "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "post-sts-header-before",
	  "POST",
	  "/",
	  {},
	  { ADDRESS, DATE, { "X-Amz-Security-Token", TOKEN } },
	  "",
	  "\n" PLAIN_LINES "x-amz-security-token:" TOKEN "\n",
	  "host;x-amz-date;x-amz-security-token",
	  "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead" },
};

static size_t pair_count(const struct sigv4_pair *pairs, size_t most)
{
	size_t count = 0;

	while (count < most && pairs[count].name)
		count++;
	return count;
}

static struct sigv4_input input_of(const struct example *e, const char *sha256)
{
	return (struct sigv4_input){
		.access_key = "AKIDEXAMPLE",
		.secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		.region = "us-east-1",
		.service = "service",
		.time_secs = WHEN,
		.method = e->method,
		.path = e->path,
		.query = e->query,
		.query_count = pair_count(e->query, ARRAY_SIZE(e->query)),
		.headers = e->headers,
		.header_count = pair_count(e->headers, ARRAY_SIZE(e->headers)),
		.payload_sha256 = sha256,
	};
}

static void check(const struct example *e)
{
	cleanup_buf struct buf canonical = BUF_INIT, expected = BUF_INIT, value = BUF_INIT;
	char sha256[CRYPTO_HEX_SIZE(CRYPTO_SHA256_SIZE)];
	uint8_t digest[CRYPTO_SHA256_SIZE];
	struct sigv4_input input;

	print_message("%s\n", e->name);
	assert_int_equal(crypto_sha256(e->body, strlen(e->body), digest), 0);
	crypto_hex(digest, sizeof digest, sha256);
	input = input_of(e, sha256);
	buf_addf(&expected, "%s\n%s\n%s\n%s\n%s", e->method, e->path, e->canonical,
		 e->signed_headers, sha256);
	assert_int_equal(sigv4_canonical_request(&input, &canonical), 0);
	assert_string_equal(buf_str(&canonical), buf_str(&expected));
	buf_reset(&expected);
	buf_addf(&expected,
		 "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,"
		 "SignedHeaders=%s,Signature=%s",
		 e->signed_headers, e->signature);
	assert_int_equal(sigv4_authorization(&input, &value), 0);
	assert_string_equal(buf_str(&value), buf_str(&expected));
}

static void test_aws__each_case_of_the_suite_is_signed_as_published(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		check(&examples[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws__each_case_of_the_suite_is_signed_as_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
