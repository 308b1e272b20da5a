/* The IAM policy: for every combination of settings what it allows, where, and under which condition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "storage/policy.h"
#include "util/cleanup.h"

#define KEY_ARN "arn:aws:kms:eu-central-1:123456789012:key/abc"

static bool has(const json_t *array, const char *text)
{
	size_t i;
	json_t *item;

	json_array_foreach(array, i,
			   item) if (strcmp(json_string_value(item), text) == 0) return true;
	return false;
}

/* The one statement that allows the action; NULL: none does. */
static const json_t *grant(const json_t *document, const char *action)
{
	const json_t *found = NULL;
	size_t i;
	json_t *statement;

	json_array_foreach(json_object_get(document, "Statement"), i,
			   statement) if (has(json_object_get(statement, "Action"), action))
	{
		assert_null(found);
		found = statement;
	}
	return found;
}

static void check_allowed(const json_t *document, const char *action, bool is_wanted)
{
	if ((grant(document, action) != NULL) != is_wanted)
		fail_msg("%s is %s", action, is_wanted ? "not allowed" : "allowed");
}

static void check_on(const json_t *document, const char *action, size_t count, ...)
{
	const json_t *resources = json_object_get(grant(document, action), "Resource");
	va_list args;

	assert_int_equal(json_array_size(resources), count);
	va_start(args, count);
	for (size_t i = 0; i < count; i++) {
		const char *wanted = va_arg(args, const char *);

		if (!has(resources, wanted))
			fail_msg("%s is not allowed on %s", action, wanted);
	}
	va_end(args);
}

static const char *condition(const json_t *document, const char *action, const char *test,
			     const char *key)
{
	const json_t *all = json_object_get(grant(document, action), "Condition");

	return json_string_value(json_object_get(json_object_get(all, test), key));
}

static void check_objects(const json_t *document, const char *prefix, bool is_deleting)
{
	char recordings[100], own[100], test[100];

	snprintf(recordings, sizeof recordings, "arn:aws:s3:::calls/%srecordings/*", prefix);
	snprintf(own, sizeof own, "arn:aws:s3:::calls/%stonicfs/*", prefix);
	snprintf(test, sizeof test, "arn:aws:s3:::calls/%stonicfs/test/*", prefix);
	check_on(document, "s3:GetObject", 2, recordings, own);
	check_on(document, "s3:PutObject", 2, recordings, own);
	check_on(document, "s3:AbortMultipartUpload", 2, recordings, own);
	if (is_deleting)
		check_on(document, "s3:DeleteObject", 2, test, recordings);
	else
		check_on(document, "s3:DeleteObject", 1, test);
	check_allowed(document, "s3:DeleteObjectVersion", is_deleting);
}

static void check_list(const json_t *document, const char *prefix, bool is_deleting)
{
	const char *below = condition(document, "s3:ListBucket", "StringLike", "s3:prefix");

	check_on(document, "s3:ListBucket", 1, "arn:aws:s3:::calls");
	if (*prefix)
		assert_string_equal(below, "phone/*");
	else
		assert_null(below);
	check_allowed(document, "s3:ListBucketVersions", is_deleting);
	if (is_deleting)
		assert_ptr_equal(grant(document, "s3:ListBucket"),
				 grant(document, "s3:ListBucketVersions"));
}

static void test_storage__the_policy_allows_what_the_settings_do_and_no_more(void **state)
{
	for (unsigned i = 0; i < 3 << 6; i++) {
		struct catalog_storage storage = { .bucket = "calls",
						   .region = "eu-central-1",
						   .encryption = (int)(i >> 6),
						   .kms_key_id = KEY_ARN };
		const struct storage_policy_use use = { .delete = i & 1,
							.cors = i & 2,
							.lifecycle = i & 4,
							.restore = i & 8,
							.lock = i & 16 };
		const char *prefix = i & 32 ? "phone/" : "";
		json_t *document;
		char *text;

		strcpy(storage.prefix, prefix);
		document = storage_policy(&storage, &use);
		assert_non_null(document);
		check_objects(document, prefix, use.delete);
		check_list(document, prefix, use.delete);
		check_on(document, "s3:ListBucketMultipartUploads", 1, "arn:aws:s3:::calls");
		check_allowed(document, "s3:GetBucketCORS", use.cors);
		check_allowed(document, "s3:PutBucketCORS", use.cors);
		check_allowed(document, "s3:GetLifecycleConfiguration", use.lifecycle);
		check_allowed(document, "s3:PutLifecycleConfiguration", use.lifecycle);
		check_allowed(document, "s3:RestoreObject", use.restore);
		check_allowed(document, "s3:GetObjectRetention", use.lock);
		check_allowed(document, "s3:GetObjectLegalHold", use.lock);
		check_allowed(document, "s3:GetBucketObjectLockConfiguration", use.lock);
		check_allowed(document, "kms:Decrypt", storage.encryption == 2);
		check_allowed(document, "kms:GenerateDataKey", storage.encryption == 2);
		text = json_dumps(document, JSON_COMPACT);
		assert_null(strstr(text, ":*\""));
		assert_null(strstr(text, "\"*\""));
		free(text);
		json_decref(document);
	}
}

static void test_storage__a_kms_key_may_be_used_by_its_arn_or_through_s3_only(void **state)
{
	static const struct {
		const char *region, *key_id, *resource, *via, *alias;
	} cases[] = {
		{ "eu-central-1", KEY_ARN, KEY_ARN, "s3.eu-central-1.amazonaws.com", NULL },
		{ "eu-central-1", "1234", "arn:aws:kms:eu-central-1:*:key/1234",
		  "s3.eu-central-1.amazonaws.com", NULL },
		{ "us-gov-west-1", "alias/calls", "arn:aws-us-gov:kms:us-gov-west-1:*:key/*",
		  "s3.us-gov-west-1.amazonaws.com", "alias/calls" },
		{ "cn-north-1", "arn:aws-cn:kms:cn-north-1:123456789012:alias/calls",
		  "arn:aws-cn:kms:cn-north-1:*:key/*", "s3.cn-north-1.amazonaws.com.cn",
		  "alias/calls" },
		{ "", "", "arn:aws:kms:us-east-1:*:key/*", "s3.us-east-1.amazonaws.com", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct catalog_storage storage = { .bucket = "calls", .encryption = 2 };
		const struct storage_policy_use use = { .cors = true };
		const char *alias;
		json_t *document;

		strcpy(storage.region, cases[i].region);
		strcpy(storage.kms_key_id, cases[i].key_id);
		document = storage_policy(&storage, &use);
		check_on(document, "kms:Decrypt", 1, cases[i].resource);
		assert_ptr_equal(grant(document, "kms:Decrypt"),
				 grant(document, "kms:GenerateDataKey"));
		assert_string_equal(condition(document, "kms:Decrypt", "StringEquals",
					      "kms:ViaService"),
				    cases[i].via);
		alias = condition(document, "kms:Decrypt", "ForAnyValue:StringEquals",
				  "kms:ResourceAliases");
		if (cases[i].alias)
			assert_string_equal(alias, cases[i].alias);
		else
			assert_null(alias);
		json_decref(document);
	}
}

static void test_storage__a_prefix_is_no_pattern(void **state)
{
	struct catalog_storage storage = { .bucket = "calls", .prefix = "a*b?$c/" };
	const struct storage_policy_use use = { .cors = true };
	json_t *document = storage_policy(&storage, &use);

	check_on(document, "s3:GetObject", 2, "arn:aws:s3:::calls/a${*}b${?}${$}c/recordings/*",
		 "arn:aws:s3:::calls/a${*}b${?}${$}c/tonicfs/*");
	assert_string_equal(condition(document, "s3:ListBucket", "StringLike", "s3:prefix"),
			    "a${*}b${?}${$}c/*");
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storage__a_prefix_is_no_pattern),
		cmocka_unit_test(test_storage__the_policy_allows_what_the_settings_do_and_no_more),
		cmocka_unit_test(test_storage__a_kms_key_may_be_used_by_its_arn_or_through_s3_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
