/* Builds the IAM policy as a JSON document, statement by statement. */
#include "storage/policy.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/buf.h"

/* China and GovCloud have their own ARNs. */
static const char *partition(const char *region)
{
	return strncmp(region, "cn-", 3) == 0       ? "aws-cn"
	       : strncmp(region, "us-gov-", 7) == 0 ? "aws-us-gov"
						    : "aws";
}

struct policy {
	const struct catalog_storage *storage;
	const struct storage_policy_use *use;
	const char *prefix; /* as a pattern */
	json_t *statements;
	bool failed;
};

/* Escapes the characters that have a meaning in patterns. */
static void add_literal(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_addf(out, strchr("*?$", *text) ? "${%c}" : "%c", *text);
}

static bool is_key_arn(const char *key_id)
{
	return strncmp(key_id, "arn:", 4) == 0 && strstr(key_id, ":key/");
}

/* Adds a statement; the policy owns it. */
static json_t *statement(struct policy *policy, const char *sid)
{
	json_t *added = json_pack("{s:s, s:s, s:[], s:[]}", "Sid", sid, "Effect", "Allow", "Action",
				  "Resource");

	policy->failed |= json_array_append_new(policy->statements, added) < 0;
	return added;
}

static void allow(struct policy *policy, json_t *statement, const char *action)
{
	policy->failed |= json_array_append_new(json_object_get(statement, "Action"),
						json_string(action)) < 0;
}

static void on(struct policy *policy, json_t *statement, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void on(struct policy *policy, json_t *statement, const char *format, ...)
{
	cleanup_buf struct buf resource = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&resource, format, args);
	va_end(args);
	policy->failed |= buf_failed(&resource) ||
			  json_array_append_new(json_object_get(statement, "Resource"),
						json_string(buf_str(&resource))) < 0;
}

/* keys NULL: the bucket itself; otherwise objects in it, below the prefix. */
static void on_bucket(struct policy *policy, json_t *statement, const char *keys)
{
	const struct catalog_storage *s = policy->storage;

	on(policy, statement, "arn:%s:s3:::%s%s%s%s", partition(s->region), s->bucket,
	   keys ? "/" : "", keys ? policy->prefix : "", keys ? keys : "");
}

static void condition(struct policy *policy, json_t *statement, const char *test, const char *key,
		      const char *value)
{
	json_t *all = json_object_get(statement, "Condition");

	if (!all)
		policy->failed |=
			json_object_set_new(statement, "Condition", all = json_object()) < 0;
	policy->failed |= json_object_set_new(all, test, json_pack("{s:s}", key, value)) < 0;
}

static void objects_statements(struct policy *policy)
{
	const struct storage_policy_use *use = policy->use;
	json_t *objects = statement(policy, "TonicfsObjects"), *deletes;

	allow(policy, objects, "s3:GetObject");
	allow(policy, objects, "s3:PutObject");
	allow(policy, objects, "s3:AbortMultipartUpload");
	if (use->restore)
		allow(policy, objects, "s3:RestoreObject");
	if (use->lock) {
		allow(policy, objects, "s3:GetObjectRetention");
		allow(policy, objects, "s3:GetObjectLegalHold");
	}
	on_bucket(policy, objects, "recordings/*");
	on_bucket(policy, objects, "tonicfs/*");

	/* The connection test deletes its own object. */
	deletes = statement(policy, "TonicfsDelete");
	allow(policy, deletes, "s3:DeleteObject");
	on_bucket(policy, deletes, "tonicfs/test/*");
	if (use->delete) {
		allow(policy, deletes, "s3:DeleteObjectVersion");
		on_bucket(policy, deletes, "recordings/*");
	}
}

static void list_statement(struct policy *policy)
{
	json_t *list = statement(policy, "TonicfsList");
	cleanup_buf struct buf below = BUF_INIT;

	allow(policy, list, "s3:ListBucket");
	if (policy->use->delete)
		allow(policy, list, "s3:ListBucketVersions");
	on_bucket(policy, list, NULL);
	if (!*policy->prefix)
		return;
	buf_addf(&below, "%s*", policy->prefix);
	policy->failed |= buf_failed(&below);
	condition(policy, list, "StringLike", "s3:prefix", buf_str(&below));
}

static void bucket_statement(struct policy *policy)
{
	const struct storage_policy_use *use = policy->use;
	json_t *bucket = statement(policy, "TonicfsBucket");

	allow(policy, bucket, "s3:ListBucketMultipartUploads");
	if (use->cors) {
		allow(policy, bucket, "s3:GetBucketCORS");
		allow(policy, bucket, "s3:PutBucketCORS");
	}
	if (use->lock)
		allow(policy, bucket, "s3:GetBucketObjectLockConfiguration");
	if (use->lifecycle) {
		allow(policy, bucket, "s3:GetLifecycleConfiguration");
		allow(policy, bucket, "s3:PutLifecycleConfiguration");
	}
	on_bucket(policy, bucket, NULL);
}

/* The key may be used through S3 only. A key's id is part of an ARN; an alias is not, and becomes a
 * condition. */
static void key_statement(struct policy *policy)
{
	const struct catalog_storage *s = policy->storage;
	const char *region = *s->region ? s->region : "us-east-1", *key_id = s->kms_key_id,
		   *alias = strstr(key_id, "alias/");
	json_t *key = statement(policy, "TonicfsKey");
	cleanup_buf struct buf via = BUF_INIT;

	allow(policy, key, "kms:GenerateDataKey");
	allow(policy, key, "kms:Decrypt");
	if (is_key_arn(key_id))
		on(policy, key, "%s", key_id);
	else
		on(policy, key, "arn:%s:kms:%s:*:key/%s", partition(region), region,
		   *key_id && !strchr(key_id, '/') ? key_id : "*");
	buf_addf(&via, "s3.%s.amazonaws.com%s", region,
		 strcmp(partition(region), "aws-cn") == 0 ? ".cn" : "");
	policy->failed |= buf_failed(&via);
	condition(policy, key, "StringEquals", "kms:ViaService", buf_str(&via));
	if (alias)
		condition(policy, key, "ForAnyValue:StringEquals", "kms:ResourceAliases", alias);
}

json_t *storage_policy(const struct catalog_storage *s, const struct storage_policy_use *use)
{
	struct policy policy = { .storage = s, .use = use, .statements = json_array() };
	cleanup_buf struct buf prefix = BUF_INIT;
	json_t *document;

	add_literal(&prefix, s->prefix);
	policy.failed = buf_failed(&prefix);
	policy.prefix = buf_str(&prefix);
	objects_statements(&policy);
	list_statement(&policy);
	bucket_statement(&policy);
	if (s->encryption == 2)
		key_statement(&policy);
	document = json_pack("{s:s, s:o}", "Version", "2012-10-17", "Statement", policy.statements);
	if (policy.failed) {
		json_decref(document);
		return NULL;
	}
	return document;
}
