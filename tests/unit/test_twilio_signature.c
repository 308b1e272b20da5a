/* X-Twilio-Signature against published values. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "twilio/signature.h"
#include "util/cleanup.h"

#define TOKEN "12345"
#define ADDRESS "https://mycompany.com/myapp.php?foo=1&bar=2"
#define ADDRESS_443 "https://mycompany.com:443/myapp.php?foo=1&bar=2"
#define FIELD(n, v) { n, v, sizeof n - 1, sizeof v - 1 }

static const struct twilio_field fields[] = {
	FIELD("To", "+18005551212"),
	FIELD("Caller", "+14158675309"),
	FIELD("Digits", "1234"),
	FIELD("From", "+14158675309"),
	FIELD("CallSid", "CA1234567890ABCDE"),
};
static const struct twilio_field empty_fields[] = {
	FIELD("Digits", ""),
	FIELD("CallSid", "CA1234567890ABCDE"),
	FIELD("EmptyParam", ""),
};

static void check(const char *url, const struct twilio_field *items, size_t count,
		  const char *expected)
{
	char signature[TWILIO_SIGNATURE_SIZE];

	assert_int_equal(twilio_signature(TOKEN, url, items, count, signature), 0);
	assert_string_equal(signature, expected);
	assert_int_equal(twilio_signature_check(TOKEN, url, items, count, signature), 0);
}

static void
test_twilio__a_form_is_signed_as_published_whatever_the_order_of_its_fields(void **state)
{
	check(ADDRESS, fields, ARRAY_SIZE(fields), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

static void test_twilio__an_address_with_its_port_is_signed_as_published(void **state)
{
	check(ADDRESS_443, fields, ARRAY_SIZE(fields), "kvajT1Ptam85bY51eRf/AJRuM3w=");
}

static void test_twilio__an_address_alone_is_signed_as_published(void **state)
{
	check(ADDRESS, NULL, 0, "zYQTYrRWXE7LtzbG4PfP7/bkkGo=");
}

static void test_twilio__empty_values_are_signed_as_published(void **state)
{
	check(ADDRESS, empty_fields, ARRAY_SIZE(empty_fields), "9HHp/OqQMEwdrVebHDdA/+tqjX8=");
}

static void test_twilio__the_default_port_may_be_signed_or_not(void **state)
{
	const struct {
		const char *ours, *theirs;
		int expected;
	} cases[] = {
		{ ADDRESS, ADDRESS_443, 0 },
		{ ADDRESS_443, ADDRESS, 0 },
		{ "http://a.example/x", "http://a.example:80/x", 0 },
		{ "http://a.example:80", "http://a.example", 0 },
		{ "https://[::1]:443/x", "https://[::1]/x", 0 },
		{ "https://[::1]/x", "https://[::1]:443/x", 0 },
		{ "https://a.example:8443/x", "https://a.example/x", 0 },
		{ "https://a.example/x", "https://a.example:8443/x", -EACCES },
		{ "https://a.example/x", "https://a.example:80/x", -EACCES },
		{ "http://a.example/x", "https://a.example/x", -EACCES },
		{ "https://a.example/x", "https://b.example/x", -EACCES },
		{ "https://a.example/x?a:1", "https://a.example/x?a", -EACCES },
	};
	char signature[TWILIO_SIGNATURE_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(twilio_signature(TOKEN, cases[i].theirs, fields, 5, signature), 0);
		assert_int_equal(twilio_signature_check(TOKEN, cases[i].ours, fields, 5, signature),
				 cases[i].expected);
	}
}

static void test_twilio__a_repeated_name_counts_each_value_once_and_in_order(void **state)
{
	const struct twilio_field repeated[] = {
		FIELD("B", "2"), FIELD("A", "z"), FIELD("B", "1"), FIELD("B", "2"), FIELD("A", "z"),
	};
	const struct twilio_field once[] = { FIELD("A", "zB1B2") };
	char expected[TWILIO_SIGNATURE_SIZE];

	assert_int_equal(twilio_signature(TOKEN, ADDRESS, once, 1, expected), 0);
	check(ADDRESS, repeated, ARRAY_SIZE(repeated), expected);
}

static void test_twilio__names_are_sorted_by_their_bytes_and_may_hold_any(void **state)
{
	const struct twilio_field bytes[] = {
		FIELD("b", "1"),      FIELD("\xc3\xa4", "2"), FIELD("B", "3"),
		FIELD("a\0b", "4\0"), FIELD("a", "5"),
	};
	const struct twilio_field sorted[] = { FIELD("B3a5a\0b4\0b1\xc3\xa4", "2") };
	char expected[TWILIO_SIGNATURE_SIZE];

	assert_int_equal(twilio_signature(TOKEN, ADDRESS, sorted, 1, expected), 0);
	check(ADDRESS, bytes, ARRAY_SIZE(bytes), expected);
}

static void test_twilio__every_other_signature_is_refused(void **state)
{
	const char *const wrong[] = {
		"",
		"RSOYDt4T1cUTdK1PDd93/VVr8B8",
		"RSOYDt4T1cUTdK1PDd93/VVr8B8==",
		"RSOYDt4T1cUTdK1PDd93/VVr8B9=",
		"SSOYDt4T1cUTdK1PDd93/VVr8B8=",
		"rsoydt4t1cutdk1pdd93/vvr8b8=",
		" RSOYDt4T1cUTdK1PDd93/VVr8B8=",
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(twilio_signature_check(TOKEN, ADDRESS, fields, 5, wrong[i]),
				 -EACCES);
	assert_int_equal(twilio_signature_check("12346", ADDRESS, fields, 5,
						"RSOYDt4T1cUTdK1PDd93/VVr8B8="),
			 -EACCES);
	assert_int_equal(twilio_signature_check(TOKEN, ADDRESS, fields, 4,
						"RSOYDt4T1cUTdK1PDd93/VVr8B8="),
			 -EACCES);
}

static void test_twilio__a_body_that_is_no_form_is_proved_by_its_hash_in_the_address(void **state)
{
	static const char body[] = "{\"property\": \"value\", \"boolean\": true}";
	static const char hash[] =
		"0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
	const char *const urls[] = {
		"https://a.example/x?bodySHA256=%s",
		"https://a.example/x?foo=1&bodySHA256=%s",
		"https://a.example/x?bodySHA256=%s&foo=1",
	};
	char url[256], signature[TWILIO_SIGNATURE_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		const char *at = strstr(urls[i], "%s");

		snprintf(url, sizeof url, "%.*s%s%s", (int)(at - urls[i]), urls[i], hash, at + 2);
		assert_int_equal(twilio_signature(TOKEN, url, NULL, 0, signature), 0);
		assert_int_equal(twilio_signature_check_body(TOKEN, url, body, sizeof body - 1,
							     signature),
				 0);
		assert_int_equal(twilio_signature_check_body(TOKEN, url, body, sizeof body - 2,
							     signature),
				 -EACCES);
		assert_int_equal(twilio_signature_check_body("other", url, body, sizeof body - 1,
							     signature),
				 -EACCES);
	}
	assert_int_equal(twilio_signature(TOKEN, ADDRESS, NULL, 0, signature), 0);
	assert_int_equal(twilio_signature_check_body(TOKEN, ADDRESS, body, sizeof body - 1,
						     signature),
			 -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_twilio__a_form_is_signed_as_published_whatever_the_order_of_its_fields),
		cmocka_unit_test(test_twilio__an_address_with_its_port_is_signed_as_published),
		cmocka_unit_test(test_twilio__an_address_alone_is_signed_as_published),
		cmocka_unit_test(test_twilio__empty_values_are_signed_as_published),
		cmocka_unit_test(test_twilio__the_default_port_may_be_signed_or_not),
		cmocka_unit_test(test_twilio__a_repeated_name_counts_each_value_once_and_in_order),
		cmocka_unit_test(test_twilio__names_are_sorted_by_their_bytes_and_may_hold_any),
		cmocka_unit_test(test_twilio__every_other_signature_is_refused),
		cmocka_unit_test(
			test_twilio__a_body_that_is_no_form_is_proved_by_its_hash_in_the_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
