"""kill -9 at every named step of a transfer: nothing is lost, and starting again ends where an undisturbed run does.

    make BUILD=build/fault CFLAGS='-O1 -g -DTONICFS_FAULTS' build/fault/tonicfs
    TONICFS_BINARY=build/fault/tonicfs build/venv/bin/python -m pytest -c /dev/null tests/fault
"""

import hashlib

import pytest

from harness import PATIENCE, wait_for

# A point, and which pass of it; the last four only a recording of several parts passes, once or more.
CASES = [(point, nth) for point in ("after-claim", "after-head", "after-download", "after-put", "after-verify",
                                    "after-stored", "after-mark-sent", "after-delete", "after-cleanup") for nth in (1, 2)]
CASES += [("after-upload-create", 1), ("after-part", 1), ("after-part", 2), ("before-complete", 1), ("after-complete", 1)]


def check(acme, at_end):
    """Every recording is whole in S3, or still at Twilio; the ledger has no DELETE before its object was there."""
    keys = set(acme.keys())
    for recording in acme.twilio.files():
        there = acme.twilio.is_there(recording)
        if recording.key in keys:
            body = acme.s3.body(acme.bucket, recording.key)
            assert hashlib.sha256(body).hexdigest() == recording.sha256, recording.path
        else:
            assert there, f"lost: {recording.path}"
        deletes = acme.twilio.deletes(recording)
        if deletes:
            head = acme.s3.client.head_object(Bucket=acme.bucket, Key=recording.key)
            assert head["LastModified"].timestamp() <= deletes[0]["time"] + 1
        if at_end:
            assert recording.key in keys and not there, recording.path


@pytest.mark.timeout(120 * PATIENCE)
@pytest.mark.parametrize("point, nth", CASES)
def test_a_kill_at_any_step_loses_nothing_and_leaves_nothing(acme, point, nth):
    acme.twilio.call_with_recording(duration=600)
    acme.tonic("sync")
    acme.tonic.env["TONICFS_FAULT"] = f"{point}:kill:{nth}"
    process = acme.tonic.start("migrate", "acme", "--wait")
    status = process.wait(timeout=60 * PATIENCE)
    del acme.tonic.env["TONICFS_FAULT"]
    assert status == -9, "the point was not passed: is this program built with TONICFS_FAULTS?"
    check(acme, at_end=False)
    acme.tonic("migrate", "acme", "--wait", timeout=60)
    acme.wait_cleanup()
    wait_for(lambda: acme.status()["twilio_deletes_queued"] == 0, 20, "Twilio's deletes")
    check(acme, at_end=True)
    assert not acme.s3.client.list_multipart_uploads(Bucket=acme.bucket).get("Uploads", [])
