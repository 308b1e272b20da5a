/* Lifecycle rules: what is sent, what of a document stays, and that no DELETE goes to a bucket
 * unproven. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/lifecycle.h"
#include "helper_s3.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define ROOT(inside) \
	XML "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" inside \
	    "</LifecycleConfiguration>"
#define OLD_LOGS \
	"<Rule>\n  <ID>old &amp; gone</ID><Filter><And><Prefix>logs/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And>" \
	"</Filter><Status>Enabled</Status><!-- kept --><Expiration><Days>30</Days></Expiration><Unknown x=\"1\"/></Rule>"
#define OURS(days) \
	"<Rule><ID>tonicfs-1</ID><Filter><Prefix>p/recordings/</Prefix></Filter><Status>Enabled</Status>" \
	"<Transition><Days>" days \
	"</Days><StorageClass>GLACIER_IR</StorageClass></Transition></Rule>"

static const struct s3_lifecycle_rule ours = {
	.id = "tonicfs-1",
	.prefix = "p/recordings/",
	.is_enabled = true,
	.transitions = { { 90, "GLACIER_IR" } },
	.transition_count = 1,
};

static void edit(const char *document, const struct s3_lifecycle_rule *rule, const char *expected,
		 size_t expected_left, bool expected_found)
{
	cleanup_buf struct buf edited = BUF_INIT;
	size_t left;
	bool found;

	assert_int_equal(s3_lifecycle_edit(document, strlen(document), "tonicfs-1", rule, &edited,
					   &left, &found),
			 0);
	assert_string_equal(buf_str(&edited), expected);
	assert_int_equal(left, expected_left);
	assert_int_equal(found, expected_found);
}

static void test_aws__a_rule_is_put_behind_the_others_whose_bytes_stay(void **state)
{
	edit(ROOT(OLD_LOGS), &ours, ROOT(OLD_LOGS OURS("90")), 2, false);
}

static void test_aws__our_rule_is_replaced_wherever_it_stands(void **state)
{
	edit(ROOT(OURS("30") OLD_LOGS), &ours, ROOT(OLD_LOGS OURS("90")), 2, true);
	edit(ROOT(OLD_LOGS OURS("30") OLD_LOGS), &ours, ROOT(OLD_LOGS OLD_LOGS OURS("90")), 3,
	     true);
}

static void test_aws__our_rule_alone_is_taken_out(void **state)
{
	edit(ROOT(OLD_LOGS OURS("30")), NULL, ROOT(OLD_LOGS), 1, true);
	edit(ROOT(OLD_LOGS), NULL, ROOT(OLD_LOGS), 1, false);
	edit(ROOT(OURS("30")), NULL, ROOT(""), 0, true);
}

static void test_aws__a_first_rule_makes_the_document(void **state)
{
	static const char made[] =
		"<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" OURS(
			"90") "</LifecycleConfiguration>";

	edit("", &ours, made, 1, false);
	edit("<LifecycleConfiguration/>", &ours, made, 1, false);
}

static void test_aws__what_is_no_lifecycle_document_is_not_edited(void **state)
{
	static const char *const documents[] = {
		"<html><body>Welcome</body></html>",
		"<LifecycleConfiguration><Rule>",
		"<a:LifecycleConfiguration xmlns:a=\"x\"><a:Rule/></a:LifecycleConfiguration>",
		"<!DOCTYPE x [<!ENTITY e \"e\">]><LifecycleConfiguration></LifecycleConfiguration>",
		"{}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		cleanup_buf struct buf edited = BUF_INIT;
		size_t left;
		bool found;

		assert_int_equal(s3_lifecycle_edit(documents[i], strlen(documents[i]), "tonicfs-1",
						   &ours, &edited, &left, &found),
				 -EBADMSG);
	}
}

static int keep_rule(void *arg, const struct s3_lifecycle_rule *rule)
{
	*(struct s3_lifecycle_rule *)arg = *rule;
	return 0;
}

static void test_aws__a_rule_is_read_with_its_transitions(void **state)
{
	struct s3_lifecycle_rule rule;

	assert_int_equal(
		s3_lifecycle_each(ROOT(OURS("90")), strlen(ROOT(OURS("90"))), keep_rule, &rule), 0);
	assert_memory_equal(&rule, &ours, sizeof ours);
	assert_int_equal(
		s3_lifecycle_each(ROOT(OLD_LOGS), strlen(ROOT(OLD_LOGS)), keep_rule, &rule), 0);
	assert_string_equal(rule.id, "old & gone");
	assert_string_equal(rule.prefix, "logs/");
	assert_int_equal(rule.expiration_days, 30);
	assert_int_equal(rule.transition_count, 0);
}

static void test_aws__a_change_is_sent_with_its_hashes_and_aws_s_minimum_size(void **state)
{
	static const struct helper_answer answers[] = {
		{ 200, "x-amz-transition-default-minimum-object-size: varies_by_storage_class\r\n",
		  ROOT(OLD_LOGS) },
		{ 200, NULL, "" },
	};
	cleanup_buf struct buf document = BUF_INIT;
	struct s3_lifecycle lifecycle = { .document = &document };
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, answers, 2, NULL);
	assert_int_equal(s3_lifecycle_get(s3.client, &lifecycle, &error), 0);
	assert_string_equal(buf_str(&document), ROOT(OLD_LOGS));
	assert_string_equal(lifecycle.minimum_size, "varies_by_storage_class");
	buf_reset(&document);
	buf_add_str(&document, "hello world");
	assert_int_equal(s3_lifecycle_put(s3.client, &lifecycle, &error), 0);
	assert_string_equal(helper_s3_request_line(&s3, 0), "GET /bucket?lifecycle= HTTP/1.1");
	helper_s3_check_request(
		&s3, 1,
		"PUT /bucket?lifecycle= HTTP/1.1\n"
		"x-amz-content-sha256: b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9\n"
		"x-amz-date: DATE\n"
		"x-amz-transition-default-minimum-object-size: varies_by_storage_class\n"
		"Content-MD5: XrY7u+Ae7tCTyyK7j1rNww==\nContent-Type: application/xml\n"
		"Authorization: SignedHeaders=content-md5;content-type;host;x-amz-content-sha256;x-amz-date;"
		"x-amz-transition-default-minimum-object-size\nContent-Length: 11\n");
	helper_s3_stop(&s3);
}

static unsigned deletes_of(struct helper_s3 *s3)
{
	unsigned n = 0;

	for (unsigned i = 0; i < helper_server_requests(s3->server); i++)
		n += strncmp(helper_s3_request_line(s3, i), "DELETE ", 7) == 0;
	return n;
}

/* What a server says that does not know the sub-resource, or has none of it. */
static void test_aws__no_delete_goes_to_a_bucket_before_its_rules_were_seen(void **state)
{
	static const struct helper_answer answers[] = {
		{ 404, NULL, "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>" },
		{ 404, NULL, "<Error><Code>NoSuchBucket</Code></Error>" },
		{ 501, NULL, "<Error><Code>NotImplemented</Code></Error>" },
		{ 400, NULL, "<Error><Code>MalformedXML</Code></Error>" },
		{ 403, NULL, "<Error><Code>AccessDenied</Code></Error>" },
		{ 405, NULL, "" },
		{ 200, NULL, "" },
		{ 200, NULL, "<html>Welcome</html>" },
		{ 200, NULL, "<ListBucketResult><Name>bucket</Name></ListBucketResult>" },
		{ 200, NULL, "<LifecycleConfiguration></LifecycleConfiguration>" },
		{ 200, NULL, "<LifecycleConfiguration><Rule>" },
		{ 204, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct remote_error error;
		struct helper_s3 s3;

		helper_s3_start(&s3, &answers[i], 1, NULL);
		s3_lifecycle_delete(s3.client, &error);
		assert_int_equal(deletes_of(&s3), 0);
		assert_true(helper_server_requests(s3.server) >= 1);
		helper_s3_stop(&s3);
	}
}

static void test_aws__rules_that_were_seen_are_deleted_as_a_sub_resource(void **state)
{
	static const struct helper_answer answers[] = {
		{ 200, NULL, ROOT(OURS("90")) },
		{ 204, NULL, NULL },
	};
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, answers, 2, NULL);
	assert_int_equal(s3_lifecycle_delete(s3.client, &error), 0);
	assert_int_equal(helper_server_requests(s3.server), 2);
	assert_string_equal(helper_s3_request_line(&s3, 1), "DELETE /bucket?lifecycle= HTTP/1.1");
	helper_s3_stop(&s3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws__a_rule_is_put_behind_the_others_whose_bytes_stay),
		cmocka_unit_test(test_aws__our_rule_is_replaced_wherever_it_stands),
		cmocka_unit_test(test_aws__our_rule_alone_is_taken_out),
		cmocka_unit_test(test_aws__a_first_rule_makes_the_document),
		cmocka_unit_test(test_aws__what_is_no_lifecycle_document_is_not_edited),
		cmocka_unit_test(test_aws__a_rule_is_read_with_its_transitions),
		cmocka_unit_test(test_aws__a_change_is_sent_with_its_hashes_and_aws_s_minimum_size),
		cmocka_unit_test(test_aws__no_delete_goes_to_a_bucket_before_its_rules_were_seen),
		cmocka_unit_test(test_aws__rules_that_were_seen_are_deleted_as_a_sub_resource),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
