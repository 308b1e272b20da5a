"""Reading: a file contains the recorded bytes and nothing else, from either origin."""

import hashlib
import os
import time

import pytest

from harness import Background, error_of, read_all, sha256_of, wait_for
from world import SPRING, another_bucket


def test_every_file_is_what_was_recorded(acme):
    with acme.mount() as mount:
        for recording in acme.twilio.files():
            assert mount.sha256(recording.path) == recording.sha256, recording.path


def test_two_channels_are_read_where_twilio_stores_two(acme):
    """A bare GET at the stand-in gives a downmix, as Twilio does; none may ever be seen."""
    assert acme.first.channels == 2
    with acme.mount() as mount:
        data = mount.read(acme.first.path)
    assert int.from_bytes(data[22:24], "little") == 2
    assert data == acme.first.content


def test_a_mono_recording_is_read_although_two_channels_are_asked_for_first(acme):
    assert acme.voicemail.channels == 1
    with acme.mount() as mount:
        assert mount.read(acme.voicemail.path) == acme.voicemail.content


@pytest.mark.parametrize("origin", ["twilio", "s3"])
def test_ranges_and_seeks_give_the_right_bytes(acme, origin):
    if origin == "s3":
        acme.migrate_all()
    recording = max(acme.twilio.files(), key=lambda item: len(item.content))
    size = len(recording.content)
    with acme.mount() as mount:
        for offset, length in [(size - 10, 10), (0, 44), (size // 2, 1000), (size - 1, 100), (size, 10), (size + 5000, 10),
                               (131072 - 1, 2), (1, size), (size // 3, 1)]:
            assert mount.read_range(recording.path, offset, length) == recording.content[offset:offset + length]


@pytest.mark.parametrize("origin", ["twilio", "s3"])
def test_several_readers_of_one_file_all_get_it(acme, origin):
    if origin == "s3":
        acme.migrate_all()
    recording = acme.long
    with acme.mount() as mount:
        readers = [Background(sha256_of, mount / recording.path) for _ in range(6)]
        assert {reader.result() for reader in readers} == {recording.sha256}


def test_a_file_is_not_fetched_once_per_reader(acme):
    recording = acme.long
    with acme.mount() as mount:
        readers = [Background(sha256_of, mount / recording.path) for _ in range(6)]
        assert {reader.result() for reader in readers} == {recording.sha256}
        sent = sum(entry["body_bytes"] for entry in acme.twilio.ledger(sid=recording.sid) if entry["operation"] == "media")
    assert sent < 4 * len(recording.content)


@pytest.mark.parametrize("switches", [
    {"range": "ignored"},
    {"length": "chunked"},
    {"length": "close"},
    {"head": False},
    {"etag": "none"},
    {"etag": "weak"},
    {"range": "ignored", "length": "chunked", "head": False, "etag": "none"},
    {"redirect_media": "same"},
    {"channels_says_one": True},
], ids=lambda switches: ",".join(f"{name}={value}" for name, value in switches.items()))
def test_reading_works_whatever_twilio_supports(acme, switches):
    for name, value in switches.items():
        acme.twilio.switch(name, value)
    with acme.mount() as mount:
        for recording in (acme.first, acme.voicemail, acme.long):
            assert mount.stat(recording.path).st_size == len(recording.content)
            assert mount.read(recording.path) == recording.content
            assert mount.read_range(recording.path, 1000, 5000) == recording.content[1000:6000]


@pytest.mark.parametrize("header", ["list", "fact", "streaming"])
def test_a_wav_header_may_be_longer_than_usual(acme, header):
    recording = acme.twilio.recording(acme.twilio.call(), wav_header=header)
    acme.tonic("sync")
    with acme.mount() as mount:
        assert mount.stat(recording.path).st_size == len(recording.content)
        assert mount.read(recording.path) == recording.content
        assert mount.migrate(recording.path) == "done"
    assert acme.s3.body(acme.bucket, recording.key) == recording.content


@pytest.mark.parametrize("page", ["xml", "html", "json"])
@pytest.mark.parametrize("as_audio", [False, True], ids=["as such", "as audio"])
def test_an_error_page_with_status_200_never_reaches_a_reader(acme, page, as_audio):
    with acme.mount() as mount:
        for recording in acme.twilio.files():
            mount.stat(recording.path)
        acme.twilio.switch("error_page_200", page)
        acme.twilio.switch("error_page_as_audio", as_audio)
        assert error_of(read_all, mount / acme.first.path, timeout=65) == "EIO"


def test_an_error_page_is_no_size_either(acme):
    acme.twilio.switch("error_page_200", "xml")
    with acme.mount() as mount:
        assert error_of(os.stat, mount / acme.first.path, timeout=30) in ("EIO", "ETIMEDOUT")


def test_a_body_that_is_cut_short_is_no_end_of_file(acme):
    with acme.mount() as mount:
        mount.stat(acme.long.path)
        acme.twilio.switch("truncate_after", 100_000, count=1)
        assert mount.sha256(acme.long.path, timeout=65) == acme.long.sha256


def test_a_recording_just_completed_is_waited_for(acme):
    """404 at first: the media has not arrived where it is read from."""
    acme.twilio.switch("media_404_first", 2)
    with acme.mount() as mount:
        assert mount.sha256(acme.first.path, timeout=65) == acme.first.sha256


def test_rejected_credentials_are_eacces(acme):
    acme.twilio.many(20)
    acme.tonic("sync")
    names = iter([recording.path for recording in acme.twilio.files()])  # each once: what was read stays in memory
    with acme.mount() as mount:
        acme.tonic("workspace", "set", "acme", "--secret-file", "-", stdin="wrong\n")
        wait_for(lambda: error_of(read_all, mount / next(names), timeout=65) == "EACCES", 6, step=0.5)


def test_a_file_that_twilio_encrypted_is_given_as_it_is(acme):
    recording = acme.twilio.recording(acme.twilio.call(to=SPRING), encrypted=True)
    acme.tonic("sync")
    with acme.mount() as mount:
        name, = [name for name in mount.files() if recording.sid in name]
        assert name.endswith(".wav.encrypted")
        assert mount.read(name) == recording.content


def test_a_recording_of_length_zero_can_be_read(acme):
    recording = acme.twilio.recording(acme.twilio.call(to=SPRING), duration=0)
    acme.tonic("sync")
    with acme.mount() as mount:
        assert mount.stat(recording.path).st_size == len(recording.content)
        assert mount.read(recording.path) == recording.content


def test_a_stuck_file_does_not_hold_up_others(acme):
    with acme.mount() as mount:
        for recording in acme.twilio.files():
            mount.stat(recording.path)
        acme.twilio.switch("stall_after", 50_000, sid=acme.long.sid)
        stuck = [Background(read_all, mount / acme.long.path) for _ in range(3)]
        time.sleep(0.5)
        began = time.monotonic()
        assert mount.sha256(acme.first.path, timeout=10) == acme.first.sha256
        assert time.monotonic() - began < 10
        for reader in stuck:
            reader.kill()


def test_a_reader_of_a_stuck_file_can_be_killed(acme):
    with acme.mount() as mount:
        mount.stat(acme.long.path)
        acme.twilio.switch("stall_after", 50_000, sid=acme.long.sid)
        mount.shell('timeout -s KILL 1 cat "$1" >/dev/null', mount / acme.long.path, status=None, timeout=35)


def test_reading_goes_on_while_the_recording_migrates(acme):
    def slowly(path):
        digest = hashlib.sha256()
        with open(path, "rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
            while part := file.read(65536):
                digest.update(part)
                time.sleep(0.08)
        return digest.hexdigest()
    with acme.mount() as mount:
        reader = Background(slowly, mount / acme.long.path)
        time.sleep(0.3)
        assert mount.migrate(acme.long.path) == "done"
        acme.wait_deleted_at_twilio(acme.long)
        assert reader.result(timeout=60) == acme.long.sha256


def test_after_the_migration_the_content_is_the_same_and_comes_from_s3(acme):
    acme.migrate_all()
    acme.twilio.stop()
    with acme.mount() as mount:
        for recording in acme.twilio.files():
            assert mount.sha256(recording.path) == recording.sha256


def test_an_object_altered_in_s3_is_no_recording(acme):
    acme.migrate_all()
    acme.s3.client.put_object(Bucket=acme.bucket, Key=acme.first.key, Body=b"RIFF" + bytes(len(acme.first.content) - 4))
    with acme.mount() as mount:
        assert error_of(read_all, mount / acme.first.path, timeout=65) == "EIO"


def test_an_object_that_is_gone_from_s3_is_eio(acme):
    acme.migrate_all()
    acme.s3.client.delete_object(Bucket=acme.bucket, Key=acme.first.key)
    with acme.mount() as mount:
        assert error_of(read_all, mount / acme.first.path, timeout=65) == "EIO"


def test_objects_stay_readable_in_the_bucket_that_the_workspace_had_before(acme):
    acme.migrate_all("acme/spring")
    with another_bucket(acme.s3) as second, acme.mount() as mount:
        assert mount.sha256(acme.first.path) == acme.first.sha256
        acme.tonic("storage", "set", "acme", "--bucket", second)
        # Copied by their owner, and gone from where they were; and one that is gone altogether.
        acme.s3.client.copy_object(Bucket=second, Key=acme.second.key,
                                   CopySource={"Bucket": acme.bucket, "Key": acme.second.key})
        acme.s3.client.delete_object(Bucket=acme.bucket, Key=acme.second.key)
        acme.s3.client.delete_object(Bucket=acme.bucket, Key=acme.voicemail.key)
        assert mount.read_range(acme.long.path, 100_000, 5000) == acme.long.content[100_000:105_000]
        with acme.mount() as again:
            for recording in (acme.first, acme.second, acme.long, acme.outbound):
                assert again.sha256(recording.path) == recording.sha256
            assert error_of(read_all, again / acme.voicemail.path) == "EIO"
        assert mount.sha256(acme.outbound.path) == acme.outbound.sha256


def test_virtual_host_style_works(acme):
    """The bucket as a part of the host name; *.localhost is loopback."""
    if "127.0.0.1" not in acme.s3.endpoint:
        pytest.skip("the S3 server given is not the tests' own")
    acme.tonic.change_storage("acme", "--endpoint", acme.s3.endpoint.replace("127.0.0.1", "localhost"),
               "--no-path-style")
    acme.migrate_all()
    with acme.mount() as mount:
        assert mount.sha256(acme.first.path) == acme.first.sha256
    assert acme.s3.body(acme.bucket, acme.first.key) == acme.first.content
