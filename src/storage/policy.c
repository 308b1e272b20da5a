#include "storage/policy.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "util/buf.h"

/* China and GovCloud have ARNs of their own. */
static const char *partition(const char *region)
{
	return strncmp(region, "cn-", 3) == 0	    ? "aws-cn"
	       : strncmp(region, "us-gov-", 7) == 0 ? "aws-us-gov"
						    : "aws";
}

static json_t *statement(const char *sid, const char *resource)
{
	return json_pack("{s:s, s:s, s:[], s:s}", "Sid", sid, "Effect", "Allow", "Action",
			 "Resource", resource);
}

static void allow(json_t *statement, const char *action)
{
	json_array_append_new(json_object_get(statement, "Action"), json_string(action));
}

static json_t *objects_statement(const struct catalog_storage *s,
				 const struct storage_policy_use *use, const char *arn)
{
	cleanup_buf struct buf resource = BUF_INIT;
	json_t *objects;

	buf_addf(&resource, "%s/%s*", arn, s->prefix);
	objects = buf_failed(&resource) ? NULL : statement("TonicfsObjects", buf_str(&resource));
	allow(objects, "s3:GetObject");
	allow(objects, "s3:PutObject");
	allow(objects, "s3:DeleteObject");
	allow(objects, "s3:AbortMultipartUpload");
	if (use->versions)
		allow(objects, "s3:DeleteObjectVersion");
	if (use->restore)
		allow(objects, "s3:RestoreObject");
	if (use->lock) {
		allow(objects, "s3:GetObjectRetention");
		allow(objects, "s3:GetObjectLegalHold");
	}
	return objects;
}

static json_t *list_statement(const struct catalog_storage *s, const struct storage_policy_use *use,
			      const char *arn)
{
	json_t *list = statement("TonicfsList", arn);
	cleanup_buf struct buf below = BUF_INIT;

	allow(list, "s3:ListBucket");
	if (use->versions)
		allow(list, "s3:ListBucketVersions");
	if (!s->prefix[0])
		return list;
	buf_addf(&below, "%s*", s->prefix);
	/* Asked for a key that is not there, S3 says so (404) only to whom it lets list: a request
	 * without a prefix, which a plain StringLike would refuse. */
	if (json_object_set_new(list, "Condition",
				json_pack("{s:{s:s}}", "StringLikeIfExists", "s3:prefix",
					  buf_str(&below))) < 0) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *bucket_statement(const struct storage_policy_use *use, const char *arn)
{
	json_t *bucket = statement("TonicfsBucket", arn);

	allow(bucket, "s3:ListBucketMultipartUploads");
	allow(bucket, "s3:GetBucketCORS");
	allow(bucket, "s3:PutBucketCORS");
	if (use->lock)
		allow(bucket, "s3:GetBucketObjectLockConfiguration");
	if (use->lifecycle) {
		allow(bucket, "s3:GetLifecycleConfiguration");
		allow(bucket, "s3:PutLifecycleConfiguration");
	}
	return bucket;
}

static json_t *key_statement(const struct catalog_storage *s)
{
	cleanup_buf struct buf arn = BUF_INIT;
	json_t *key;

	/* A key's id stands in an ARN, an alias does not: it is what the policy of the key itself
	 * is for. */
	if (strncmp(s->kms_key_id, "arn:", 4) == 0)
		buf_add_str(&arn, s->kms_key_id);
	else
		buf_addf(&arn, "arn:%s:kms:%s:*:key/%s", partition(s->region), s->region,
			 s->kms_key_id[0] && strncmp(s->kms_key_id, "alias/", 6) != 0
				 ? s->kms_key_id
				 : "*");
	key = buf_failed(&arn) ? NULL : statement("TonicfsKey", buf_str(&arn));
	allow(key, "kms:GenerateDataKey");
	allow(key, "kms:Decrypt");
	return key;
}

json_t *storage_policy(const struct catalog_storage *s, const struct storage_policy_use *use)
{
	cleanup_buf struct buf arn = BUF_INIT;
	json_t *statements = json_array(), *policy;
	int err;

	buf_addf(&arn, "arn:%s:s3:::%s", partition(s->region), s->bucket);
	err = buf_failed(&arn) ? -1 : 0;
	err |= json_array_append_new(statements, objects_statement(s, use, buf_str(&arn)));
	err |= json_array_append_new(statements, list_statement(s, use, buf_str(&arn)));
	err |= json_array_append_new(statements, bucket_statement(use, buf_str(&arn)));
	if (s->encryption == 2)
		err |= json_array_append_new(statements, key_statement(s));
	policy = json_pack("{s:s, s:o}", "Version", "2012-10-17", "Statement", statements);
	if (err) {
		json_decref(policy);
		return NULL;
	}
	return policy;
}
