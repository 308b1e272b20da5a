"""Optional features of S3 servers. Each is tried once a run in a bucket of its own. A test asks for a feature by
@pytest.mark.needs(NAME), and is skipped with the server's answer if the server does not have it."""

import json
from datetime import UTC, datetime, timedelta

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

RULE = {"Rules": [{"ID": "probe", "Filter": {"Prefix": "x/"}, "Status": "Enabled",
                   "Transitions": [{"Days": 365, "StorageClass": "DEEP_ARCHIVE"}]}]}
CORS = {"CORSRules": [{"AllowedOrigins": ["http://127.0.0.1:*"], "AllowedMethods": ["GET"]}]}


def signatures(s3, bucket):
    """It looks at them: not every stand-in for AWS does."""
    other = boto3.client("s3", endpoint_url=s3.endpoint, aws_access_key_id=s3.access_key, aws_secret_access_key="wrong",
                         region_name=s3.region, config=Config(s3={"addressing_style": "path"}))
    try:
        other.list_objects_v2(Bucket=bucket)
    except ClientError:
        return None
    return "a wrong secret key is accepted"


def users(s3, _):
    """Others than the one that is given, who may do what a bucket's policy says."""
    return None if s3.folder else "it is not the tests' own, and S3 itself has no way to make users"


def policies(s3, bucket):
    """A bucket's policy holds for its owner, too."""
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/x"}
    s3.client.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    try:
        s3.client.put_object(Bucket=bucket, Key="x", Body=b"x")
    except ClientError:
        return None
    return "the owner may do what the bucket's policy denies"


def list_uploads(s3, bucket):
    """Uploads are listed by a prefix of their keys, as S3 has it."""
    upload = s3.client.create_multipart_upload(Bucket=bucket, Key="a/b/x")["UploadId"]
    found = s3.client.list_multipart_uploads(Bucket=bucket, Prefix="a/").get("Uploads", [])
    s3.client.abort_multipart_upload(Bucket=bucket, Key="a/b/x", UploadId=upload)
    return None if found else "uploads are not listed by a prefix of their keys"


def cors(s3, bucket):
    s3.client.put_bucket_cors(Bucket=bucket, CORSConfiguration=CORS)


def classes(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="x", Body=b"x", StorageClass="DEEP_ARCHIVE")


def archive(s3, bucket):
    """Archived classes that must be restored before they can be read, as AWS has them."""
    classes(s3, bucket)
    try:
        s3.client.get_object(Bucket=bucket, Key="x")
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidObjectState":
            raise
    else:
        return "GET of an archived class answers"
    s3.client.restore_object(Bucket=bucket, Key="x", RestoreRequest={"Days": 1, "GlacierJobParameters": {"Tier": "Bulk"}})
    return None


def readable_archive(s3, bucket):
    """Archived classes that answer all the same."""
    classes(s3, bucket)
    s3.client.get_object(Bucket=bucket, Key="x")


def transitions(s3, bucket):
    s3.client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=RULE)


def no_transitions(s3, bucket):
    try:
        transitions(s3, bucket)
    except ClientError:
        return None
    return "it has the storage classes"


def checksums(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="x", Body=b"x", ChecksumAlgorithm="SHA256")
    head = s3.client.head_object(Bucket=bucket, Key="x", ChecksumMode="ENABLED")
    return None if head.get("ChecksumSHA256") else "x-amz-checksum-sha256 is not stored"


def encryption(s3, bucket):
    put = s3.client.put_object(Bucket=bucket, Key="x", Body=b"x", ServerSideEncryption="AES256")
    return None if put.get("ServerSideEncryption") == "AES256" else "SSE-S3 is ignored"


def encryption_ignored(s3, bucket):
    return None if encryption(s3, bucket) else "SSE-S3 works"


def kms_put(s3, bucket, **more):
    try:  # the name of a testing key, which a real KMS does not have
        return s3.client.put_object(Bucket=bucket, Key="x", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="testkey-1",
                                    **more)
    except ClientError:
        return s3.client.put_object(Bucket=bucket, Key="x", Body=b"x", ServerSideEncryption="aws:kms", **more)


def kms(s3, bucket):
    return None if kms_put(s3, bucket).get("ServerSideEncryption") == "aws:kms" else "SSE-KMS is ignored"


def testing_key(s3, bucket):
    """The named key of Ceph's testing backend, and only that one."""
    put = s3.client.put_object(Bucket=bucket, Key="x", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="testkey-1")
    return None if put.get("SSEKMSKeyId") == "testkey-1" else "SSE-KMS is ignored"


def bucket_key(s3, bucket):
    return None if kms_put(s3, bucket, BucketKeyEnabled=True).get("BucketKeyEnabled") else "a bucket key is ignored"


def object_lock(s3, _):
    name = s3.make_bucket()
    s3.client.delete_bucket(Bucket=name)
    s3.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    try:
        put = s3.client.put_object(Bucket=name, Key="x", Body=b"x")
        s3.client.put_object_retention(
            Bucket=name, Key="x", Retention={"Mode": "GOVERNANCE",
                                             "RetainUntilDate": datetime.now(UTC) + timedelta(days=1)})
        s3.client.delete_object(Bucket=name, Key="x", VersionId=put["VersionId"], BypassGovernanceRetention=True)
    finally:
        s3.remove_bucket(name)


def missing(s3, capability):
    bucket = s3.make_bucket()
    try:
        reason = globals()[capability](s3, bucket)
    except ClientError as error:
        reason = f"{error.response['Error']['Code']} from {error.operation_name}"
    finally:
        s3.remove_bucket(bucket)
    return reason and f"this S3 server has no {capability}: {reason}"
