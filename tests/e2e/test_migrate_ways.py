"""Migration under every behaviour of Twilio that is not documented, and with concurrent changes."""

import os
import signal
import time

import pytest

from harness import PATIENCE
from wire import Wire, error, page

PART_BYTES = 8 << 20


def assert_moved(acme, *recordings):
    """Byte for byte in the bucket, gone at Twilio, and in that order."""
    for recording in recordings or acme.twilio.files():
        assert acme.s3.body(acme.bucket, recording.key) == recording.content, recording.path
        head = acme.s3.client.head_object(Bucket=acme.bucket, Key=recording.key)
        deletes = acme.twilio.deletes(recording)
        assert deletes and head["LastModified"].timestamp() <= deletes[0]["time"] + 1
        assert not acme.twilio.is_there(recording)


def uploads(acme):
    return acme.s3.client.list_multipart_uploads(Bucket=acme.bucket).get("Uploads", [])


@pytest.mark.parametrize("name, value", [
    ("length", "chunked"), ("length", "close"), ("etag", "opaque"), ("etag", "weak"), ("etag", "none"),
    ("media_404_first", 2), ("max_concurrency", 2), ("redirect_media", "same"), ("bare_get", "downmix"),
    ("channels_says_one", True), ("refuse_delete_status", 400)], ids=str)
def test_each_way_that_twilio_may_behave_ends_in_the_same(acme, name, value):
    acme.twilio.switch(name, value)
    acme.twilio.call_with_recording(duration=5, channels=1)
    acme.twilio.call_with_recording(duration=300)
    acme.tonic("sync")
    acme.migrate_all()
    assert len(acme.keys()) == len(acme.twilio.files())
    assert_moved(acme)


@pytest.mark.parametrize("header", ["list", "fact", "streaming"])
def test_a_wav_head_of_any_length_is_understood(acme, header):
    recording = acme.twilio.recording(acme.twilio.call(duration=4), duration=4, wav_header=header)
    acme.tonic("sync")
    acme.migrate_all(recording.sid)
    assert_moved(acme, recording)


def test_a_recording_of_no_length_is_moved(acme):
    recording = acme.twilio.recording(acme.twilio.call(duration=0), duration=0)
    acme.tonic("sync")
    acme.migrate_all(recording.sid)
    assert_moved(acme, recording)


def test_reading_back_is_another_way_to_verify(acme):
    big = acme.twilio.call_with_recording(duration=300)
    acme.tonic("sync")
    acme.set("verify=readback")
    acme.migrate_all(acme.first.path, big.path)
    assert_moved(acme, acme.first, big)


def test_what_is_denied_while_it_is_read_back_and_not_listed_is_moved_again(acme):
    """As S3 says of an object that has vanished, to a user who may list under the prefix only."""
    said = []

    def answer(line):
        if len(said) == 0 and line.startswith("GET") and line.endswith(acme.first.key):
            said.append(line)
            return error(403, "AccessDenied")
        if len(said) == 1 and "list-type=2" in line and acme.first.sid in line:
            said.append(line)
            return page(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        return None
    with Wire(acme.s3.endpoint, answer) as wire:
        acme.tonic.change_storage("acme", "--endpoint", wire.endpoint)
        acme.set("verify=readback")
        acme.migrate_all(acme.first.path)
    assert len(said) == 2
    assert_moved(acme, acme.first)


def test_an_upload_that_a_crash_left_is_aborted(acme):
    big = acme.twilio.call_with_recording(duration=300)
    acme.tonic("sync")
    left = acme.s3.client.create_multipart_upload(Bucket=acme.bucket, Key=big.key)
    acme.s3.client.upload_part(Bucket=acme.bucket, Key=big.key, UploadId=left["UploadId"], PartNumber=1,
                               Body=big.content[:PART_BYTES])
    assert len(uploads(acme)) == 1
    acme.migrate_all(big.path)
    assert_moved(acme, big)
    assert not uploads(acme)


def test_what_was_deleted_at_twilio_is_believed_gone_only_where_s3_has_it_not(acme):
    acme.twilio.delete(acme.first)
    acme.twilio.delete(acme.second)
    acme.s3.client.put_object(Bucket=acme.bucket, Key=acme.second.key, Body=acme.second.content)
    acme.tonic("migrate", acme.first.sid, acme.second.sid, "--wait", timeout=40, status=None)
    assert acme.keys() == [acme.second.key]
    assert acme.status()["states"]["missing"] == 1
    with acme.mount() as mount:
        assert acme.first.path not in mount.files()
        assert mount.attr(acme.second.path, "state") == "s3"
        assert mount.sha256(acme.second.path) == acme.second.sha256


def test_an_object_that_vanished_before_the_delete_is_moved_again(acme):
    """Somebody empties the bucket while a delete waits: the last copy is not deleted."""
    acme.twilio.switch("fail_delete", 500)
    acme.tonic("migrate", acme.first.path, "--wait", timeout=40)
    assert acme.keys() == [acme.first.key]
    acme.s3.client.delete_object(Bucket=acme.bucket, Key=acme.first.key)
    acme.twilio.unswitch()
    with acme.mount() as mount:
        end = time.monotonic() + 20 * PATIENCE
        while mount.attr(acme.first.path, "state") != "twilio" and time.monotonic() < end:
            time.sleep(0.2)
        assert mount.attr(acme.first.path, "state") == "twilio"
        assert mount.sha256(acme.first.path) == acme.first.sha256
    assert acme.twilio.is_there(acme.first)


def test_an_interrupted_migration_puts_back_what_it_has_not_done(acme):
    acme.twilio.switch("bytes_per_sec", 20_000)  # the long one takes 72 s, on any machine more than the wait and the grace
    process = acme.tonic.start("migrate", "acme", "--wait")
    time.sleep(1.5 * PATIENCE)
    began = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    process.wait(timeout=20 * PATIENCE)
    assert time.monotonic() - began < 13 * PATIENCE
    counts = acme.status()["migrate"]
    assert counts["running"] == 0 and counts["failed"] == 0 and counts["queued"] >= 1
    acme.twilio.unswitch()
    acme.migrate_all()
    assert_moved(acme)
