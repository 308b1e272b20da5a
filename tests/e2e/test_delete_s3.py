"""delete_s3 on buckets with versioning, retention or legal hold."""

from datetime import UTC, datetime, timedelta

import pytest

from harness import wait_for
from world import PREFIX


def entries(s3, bucket, key):
    page = s3.client.list_object_versions(Bucket=bucket, Prefix=key)
    return [item for item in page.get("Versions", []) + page.get("DeleteMarkers", []) if item["Key"] == key]


def use(acme, bucket):
    acme.tonic.set_storage("acme", acme.s3, bucket, "--prefix", PREFIX)
    acme.bucket = bucket
    acme.set("delete_s3=on")


@pytest.fixture
def locked(acme):
    name = acme.s3.make_bucket() + "-lock"
    client = acme.s3.client
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    client.delete_bucket(Bucket=name.removesuffix("-lock"))
    use(acme, name)
    yield acme
    page = client.list_object_versions(Bucket=name)
    for item in page.get("Versions", []) + page.get("DeleteMarkers", []):
        client.delete_object(Bucket=name, Key=item["Key"], VersionId=item["VersionId"], BypassGovernanceRetention=True)
    client.delete_bucket(Bucket=name)


def test_every_version_is_deleted_and_nothing_else(acme):
    acme.s3.client.put_bucket_versioning(Bucket=acme.bucket, VersioningConfiguration={"Status": "Enabled"})
    use(acme, acme.bucket)
    acme.migrate_all(acme.first.path, acme.second.path)
    acme.s3.client.put_object(Bucket=acme.bucket, Key=acme.first.key, Body=b"a later version")
    acme.s3.client.delete_object(Bucket=acme.bucket, Key=acme.first.key)  # a marker besides
    acme.s3.client.put_object(Bucket=acme.bucket, Key=acme.first.key + ".txt", Body=b"somebody else's")
    assert len(entries(acme.s3, acme.bucket, acme.first.key)) == 3
    acme.tonic("rm", acme.first.path)
    wait_for(lambda: not entries(acme.s3, acme.bucket, acme.first.key), 15, "the versions to go")
    assert entries(acme.s3, acme.bucket, acme.first.key + ".txt")
    assert acme.s3.body(acme.bucket, acme.second.key) == acme.second.content


def test_a_retention_is_shown_with_its_date_and_nothing_is_lost(locked):
    until = datetime.now(UTC) + timedelta(days=30)
    locked.migrate_all(locked.first.path)
    locked.s3.client.put_object_retention(Bucket=locked.bucket, Key=locked.first.key,
                                          Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
    locked.tonic("rm", locked.first.path, status=None)
    problem, = locked.status()["problems"]
    assert f"{until:%Y-%m-%d}" in problem["reason"] and problem["next"].startswith(f"{until:%Y-%m-%d}")
    assert locked.s3.body(locked.bucket, locked.first.key) == locked.first.content
    assert locked.first.path not in locked.tonic("status", "acme").stdout
