"""Faults of the upload and of the bucket."""

import os
import subprocess

import pytest

from harness import PATIENCE, wait_for

SMALL_OPS, LARGE_OPS = ("put", "head"), ("create", "part", "complete")
# What ends by itself: tried again by the very command that met it.
PASSING = ("reset", "reset-in-body", "stall", "slow-down", "too-many", "internal-error", "bad-gateway", "lose-answer",
           "stall-answer", "truncate-answer", "reset-answer")


@pytest.mark.parametrize("op", SMALL_OPS)
@pytest.mark.parametrize("name", PASSING)
def test_once_it_is_tried_again_by_itself(case, name, op):
    case.record(1, 1)
    case.proxy.misbehave(name, op=op, count=2)
    case.migrate()
    assert [entry for entry in case.proxy.requests() if entry.misbehaved == name]
    case.finish()


@pytest.mark.parametrize("op", LARGE_OPS)
@pytest.mark.parametrize("name", PASSING)
def test_once_in_a_large_recording(case, name, op):
    case.large()
    case.proxy.misbehave(name, op=op, count=1)
    case.migrate()
    assert [entry for entry in case.proxy.requests() if entry.misbehaved == name]
    case.finish()


def test_503_slow_down_of_everything(case):
    case.record(*[1] * 6)
    case.proxy.misbehave("slow-down", count=40)
    case.migrate()
    case.finish()


@pytest.mark.parametrize("answer", ["store-full", "quota", "denied", "expired-token"])
def test_a_no_is_said_and_nothing_lost(case, answer):
    recordings = case.record(1, 1)
    case.proxy.misbehave(answer, op="put")
    result = case.migrate(status=3)
    assert all(recording.sid in result.stderr for recording in recordings)
    assert not case.twilio.deletes() and not case.company.keys()
    case.check()
    case.finish()


@pytest.fixture
def quota(case):
    """The server's own quota of the bucket, where the server is our own."""
    conf = os.environ.get("FAULT_S3_CONF")
    if not conf:
        pytest.skip("the quota of a server that is not our own")

    def admin(*words):
        subprocess.run(["radosgw-admin", "-c", conf, "quota", *words, "--quota-scope=bucket", f"--bucket={case.company.bucket}"],
                       check=True, capture_output=True, timeout=60)

    def limit(objects):
        admin("set", f"--max-objects={objects}", "--max-size=-1")
        admin("enable")
    yield limit
    admin("disable")


def test_store_full_by_the_servers_own_quota(case, quota):
    case.record(*[1] * 6)
    case.tonic("setting", "set", "migrate_workers", 1)
    quota(2)
    result = case.migrate(status=3)
    assert "QuotaExceeded" in result.stderr
    assert 0 < len(case.company.keys()) < 6
    case.check()
    quota(-1)
    wait_for(lambda: case.migrate(status=None).status == 0, 60, "the quota is lifted", step=0.5)
    case.finish()


@pytest.mark.parametrize("op", ["put", "complete"])
def test_upload_accepted_but_the_object_is_not_there(case, op):
    case.large() if op == "complete" else case.record(1, 1)
    case.proxy.misbehave("swallow", op=op, count=1)
    case.migrate()
    case.finish()


def test_upload_accepted_for_ever_but_the_object_is_not_there(case):
    recordings = case.record(1, 1)
    case.proxy.misbehave("swallow", op="put")
    case.migrate(status=3)
    assert all(case.twilio.is_there(recording) for recording in recordings) and not case.twilio.deletes()
    case.check()
    case.finish()


@pytest.mark.parametrize("name", ["page-200", "error-200"])
@pytest.mark.parametrize("op", ["put", "head", "complete", "create", "part"])
def test_status_200_with_something_else(case, name, op):
    case.record(1) if op in SMALL_OPS else case.large()
    case.proxy.misbehave(name, op=op, count=1)
    case.migrate(status=None)
    case.check()
    case.finish()


def test_a_flipped_byte_in_the_upload_is_refused_by_the_store(case):
    case.record(1, 1)
    case.proxy.misbehave("flip-request", op="put", count=2)
    case.migrate()
    altered = [entry for entry in case.proxy.requests(op="put") if entry.misbehaved]
    assert len(altered) == 2 and all(entry.status in (400, 403) for entry in altered), altered
    case.finish()


def test_a_flipped_byte_in_a_part_is_refused_by_the_store(case):
    case.large()
    case.proxy.misbehave("flip-request", op="part", count=1)
    case.migrate()
    altered, = [entry for entry in case.proxy.requests(op="part") if entry.misbehaved]
    assert altered.status in (400, 403)
    case.finish()


def read_back(case):
    case.tonic("workspace", "set", "acme", "verify=readback")


@pytest.mark.parametrize("name", ["flip-answer", "truncate-answer", "reset-answer", "stall-answer", "reset", "slow-down",
                                  "page-200"])
def test_while_it_is_read_back(case, name):
    case.record(1, 1)
    read_back(case)
    case.proxy.misbehave(name, op="get", count=1)
    case.migrate(status=None)
    case.check()
    case.finish()


def test_not_found_after_it_was_stored(case):
    case.record(1, 1)
    case.proxy.misbehave("not-found", op="head", after=2, count=2)
    case.migrate()
    case.finish()


def test_wrong_key(case):
    case.record(1, 1)
    case.tonic.change_storage("acme", "--secret-file", "-", stdin="wrong\n")
    case.migrate(status=3)
    assert not case.twilio.deletes() and not case.company.keys()
    case.check()
    case.tonic.change_storage("acme", "--secret-file", "-", stdin=case.company.s3.secret_key + "\n")
    case.finish()


@pytest.mark.parametrize("secs", [3600, -3600])
def test_a_clock_that_is_an_hour_off_is_corrected_by_the_servers(case, secs):
    case.large()
    case.record(1, 1)
    case.migrate(TONICFS_FAULT_CLOCK_SECS=secs)
    refused = [entry for entry in case.proxy.requests() if entry.status == 403]
    assert refused, "the server has not minded"
    case.finish()


def test_the_network_is_gone_for_a_while(case):
    case.record(*[1] * 4)
    case.large()
    case.twilio.switch("bytes_per_sec", 3_000_000)
    process = case.start()
    wait_for(lambda: case.proxy.requests(op="part"), 20, "the first part")
    case.proxy.go()
    case.twilio.switch("refuse_connection")
    try:
        process.wait(timeout=3 * PATIENCE)
        raise AssertionError(f"it has given up:\n{process.output.read_text()}")
    except subprocess.TimeoutExpired:
        case.check()
    finally:
        case.twilio.unswitch()
        case.proxy.come_back()
    assert process.wait(timeout=30 * PATIENCE) == 0, process.output.read_text()
    case.finish()
