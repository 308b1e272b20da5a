"""Encryption at rest: requested by every write, shown as the server confirmed it."""

import base64

import boto3
import pytest
from botocore.exceptions import ClientError


def use(acme, *options):
    acme.tonic.change_storage("acme", *options)
    acme.migrate_all(acme.first.path, acme.long.path)


def shown(acme, recording):
    with acme.mount() as mount:
        assert mount.read(recording.path) == recording.content
        return mount.attr(recording.path, "encryption")


def kms_key(acme):
    """The testing key of the server's own, else a new one of its KMS."""
    try:
        acme.s3.client.put_object(Bucket=acme.bucket, Key="probe", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId="testkey-1")
        return "testkey-1"
    except ClientError:
        kms = boto3.client("kms", endpoint_url=acme.s3.endpoint, region_name=acme.s3.region,
                           aws_access_key_id=acme.s3.access_key, aws_secret_access_key=acme.s3.secret_key)
        return kms.create_key()["KeyMetadata"]["Arn"]


def test_nothing_asked_for_is_shown_as_the_server_says_it(acme):
    acme.migrate_all(acme.first.path)
    head = acme.s3.client.head_object(Bucket=acme.bucket, Key=acme.first.key)
    assert shown(acme, acme.first) == head.get("ServerSideEncryption", "none")


@pytest.mark.needs("encryption")
def test_sse_s3_is_confirmed(acme):
    use(acme, "--encryption", "sse-s3")
    assert acme.s3.client.head_object(Bucket=acme.bucket, Key=acme.long.key)["ServerSideEncryption"] == "AES256"
    assert shown(acme, acme.long) == "AES256"


@pytest.mark.needs("encryption_ignored")
def test_a_server_that_ignores_it_is_not_believed_to_encrypt(acme):
    use(acme, "--encryption", "sse-s3")
    assert shown(acme, acme.first) == "none"


@pytest.mark.needs("kms")
def test_sse_kms_with_its_key_is_confirmed_and_the_bytes_are_proven_by_reading_them(acme):
    key = kms_key(acme)
    use(acme, "--encryption", f"sse-kms:{key}")
    for recording in (acme.first, acme.long):
        head = acme.s3.client.head_object(Bucket=acme.bucket, Key=recording.key)
        assert head["ServerSideEncryption"] == "aws:kms" and key in head["SSEKMSKeyId"]
        bucket_key = " bucket-key" if head.get("BucketKeyEnabled") else ""
        assert shown(acme, recording) == f"aws:kms {head['SSEKMSKeyId']}{bucket_key}"


@pytest.mark.needs("bucket_key")
def test_the_bucket_key_is_asked_for(acme):
    use(acme, "--encryption", f"sse-kms:{kms_key(acme)}")
    head = acme.s3.client.head_object(Bucket=acme.bucket, Key=acme.first.key)
    assert head["BucketKeyEnabled"] is True
    assert shown(acme, acme.first).endswith(" bucket-key")


@pytest.mark.needs("checksums")
def test_the_checksum_that_the_server_stored_is_the_content_s(acme):
    acme.migrate_all(acme.first.path)
    head = acme.s3.client.head_object(Bucket=acme.bucket, Key=acme.first.key, ChecksumMode="ENABLED")
    assert base64.b64decode(head["ChecksumSHA256"]).hex() == acme.first.sha256
