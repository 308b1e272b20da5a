"""Object Lock: a delete that the bucket forbids is refused if the lock is known, and the entry stays."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from test_attributes import get
from test_delete_s3 import locked  # noqa: F401 (a fixture)

from harness import error_of

pytestmark = pytest.mark.needs("object_lock")


def retain(acme, recording, days=30):
    until = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
    acme.s3.client.put_object_retention(Bucket=acme.bucket, Key=recording.key,
                                        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
    return until


def hold(acme, recording, status):
    acme.s3.client.put_object_legal_hold(Bucket=acme.bucket, Key=recording.key, LegalHold={"Status": status})


def test_retention_and_legal_hold_are_shown_and_what_they_forbid_is_eperm(locked):  # noqa: F811
    locked.migrate_all(locked.first.path, locked.second.path)
    with locked.mount() as mount:
        assert error_of(get, mount / locked.first.path, "user.tonicfs.retention") == "ENODATA"
        until = retain(locked, locked.first)
        assert mount.attr(locked.first.path, "retention") == f"governance until {until:%Y-%m-%dT%H:%M:%SZ}"
        hold(locked, locked.second, "ON")
        assert mount.attr(locked.second.path, "retention") == "legal hold"
        assert "user.tonicfs.retention" not in mount.attrs(locked.first.path)
        for recording in (locked.first, locked.second):
            assert error_of(os.unlink, mount / recording.path) == "EPERM"
            assert mount.read(recording.path) == recording.content
        said = locked.tonic("rm", locked.first.path, status=1).stderr
        assert "retention" in said
        assert "retention" in locked.tonic("rm", "acme/spring", status=1).stderr
        assert mount.stat(locked.first.path) and mount.stat(locked.voicemail.path)
        assert locked.status()["states"]["deleted"] == 0
        hold(locked, locked.second, "OFF")
        assert error_of(get, mount / locked.second.path, "user.tonicfs.retention") == "ENODATA"
        assert error_of(os.unlink, mount / locked.second.path) == ""


def test_without_delete_s3_a_retention_is_in_nobody_s_way(locked):  # noqa: F811
    locked.set("delete_s3=off")
    locked.migrate_all(locked.first.path)
    retain(locked, locked.first)
    with locked.mount() as mount:
        assert mount.attr(locked.first.path, "retention").startswith("governance until ")
        assert error_of(os.unlink, mount / locked.first.path) == ""
    assert locked.s3.body(locked.bucket, locked.first.key) == locked.first.content


def test_the_bucket_s_own_retention_is_known_from_the_upload_on(locked):  # noqa: F811
    locked.s3.client.put_object_lock_configuration(
        Bucket=locked.bucket, ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 10}}})
    locked.migrate_all(locked.first.path)
    with locked.mount() as mount:
        assert error_of(os.unlink, mount / locked.first.path) == "EPERM"
        assert mount.read(locked.first.path) == locked.first.content
