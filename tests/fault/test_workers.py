"""Several processes at one queue, and a stopped process whose lease expires."""

import os
import signal

import pytest
from conftest import wait_stopped

from harness import PATIENCE

STEPS = ["after-claim", "after-head", "after-download", "after-put", "after-verify", "after-stored", "after-mark-sent",
         "after-delete", "after-cleanup"]
LARGE_STEPS = ["after-upload-create", "after-part", "before-complete", "after-complete"]
CHANGES = ("put", "create", "part", "complete", "abort", "delete")


def test_two_workers_on_one_job(case):
    recordings = case.record(*[1] * 8)
    processes = [case.start() for _ in range(2)]
    for process in processes:
        assert process.wait(timeout=40 * PATIENCE) == 0, process.output.read_text()
    case.finish()
    for recording in recordings:
        assert case.deletes(recording) == [204]
        assert len(list(case.proxy.requests(key=recording.sid, op="put"))) == 1


def stop_and_go_on(case, started, step, meanwhile=lambda: None):
    """One stops at the step; another finishes; the first goes on. What it asked for then: of S3, of Twilio."""
    slow = case.start(f"{step}:stop")
    started.append(slow)
    wait_stopped(slow)
    meanwhile()
    case.migrate()
    case.check()
    at, seen = len(case.proxy.requests()), case.twilio.ledger()[-1]["seq"]
    os.kill(slow.pid, signal.SIGCONT)
    assert slow.wait(timeout=30 * PATIENCE) == 0, slow.output.read_text()
    return case.proxy.requests()[at:], case.twilio.ledger(since=seen)


@pytest.mark.parametrize("step", STEPS)
def test_a_lease_that_ends_in_the_middle(case, started, step):
    recording = case.record(1)
    s3, twilio = stop_and_go_on(case, started, step)
    assert not [entry for entry in s3 if entry.op in CHANGES], s3
    assert not [entry for entry in twilio if entry["method"] == "DELETE"]
    assert len([status for status in case.deletes(recording) if status == 204]) == 1
    case.finish()


@pytest.mark.parametrize("step", LARGE_STEPS)
def test_a_lease_that_ends_in_the_middle_of_a_large_recording(case, started, step):
    case.large()
    s3, twilio = stop_and_go_on(case, started, step)
    # A part of an upload that the other has aborted is refused; nothing else is even tried.
    assert not [entry for entry in s3 if entry.op in CHANGES and entry.status == 200], s3
    assert not [entry for entry in twilio if entry["method"] == "DELETE"]
    case.finish()


def test_who_stood_still_does_not_abort_the_others_upload(case, started):
    case.large()
    slow = case.start("after-head:stop")
    started.append(slow)
    wait_stopped(slow)
    other = case.start("after-part:stop")
    started.append(other)
    wait_stopped(other)
    os.kill(slow.pid, signal.SIGCONT)
    os.kill(other.pid, signal.SIGCONT)
    for process in (slow, other):
        assert process.wait(timeout=40 * PATIENCE) == 0, process.output.read_text()
    case.finish()


def test_who_stood_still_before_the_delete_does_not_take_the_last_copy(case, started):
    """The bucket is emptied meanwhile: whoever goes on with the job finds that out, the other must not delete."""
    recording = case.record(1)
    slow = case.start("after-mark-sent:stop")
    started.append(slow)
    wait_stopped(slow)
    case.company.s3.client.delete_object(Bucket=case.company.bucket, Key=recording.key)
    case.proxy.misbehave("denied", op="put")
    case.migrate(status=None)
    os.kill(slow.pid, signal.SIGCONT)
    slow.wait(timeout=30 * PATIENCE)
    assert not case.twilio.deletes(recording) and case.twilio.is_there(recording)
    case.finish()
