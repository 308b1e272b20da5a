"""Extended attributes: getfattr, the attributes that can be set, and the error of every wrong use."""

import os
import re
import signal
import socket

import pytest

from harness import Background, call, error_of
from world import PREFIX

STABLE_BEFORE = {"workspace", "campaign", "call_sid", "recording_sid", "kind", "direction", "from", "to", "started",
                 "duration"}
STABLE_AFTER = {"bucket", "key", "etag", "sha256", "encryption"}
NOT_LISTED = {"migrate", "state", "url", "storage_class", "restore", "retention"}


def short(names):
    return {name.removeprefix("user.tonicfs.") for name in names}


def get(path, name):
    return os.getxattr(path, name)


def put(path, name, value, flags=0):
    os.setxattr(path, name, value, flags)


@pytest.fixture
def mounted(acme):
    with acme.mount() as mount:
        mount.acme = acme
        yield mount


def test_the_attributes_of_a_recording_say_what_twilio_says(mounted):
    recording = mounted.acme.first
    wanted = {"workspace": "acme", "campaign": "spring", "call_sid": recording.call.sid, "recording_sid": recording.sid,
              "kind": "recording", "direction": "inbound", "from": recording.call.from_, "to": recording.call.to,
              "started": recording.call.start.strftime("%Y-%m-%dT%H:%M:%SZ"), "duration": "3", "state": "twilio",
              "migrate": "none"}
    assert {name: mounted.attr(recording.path, name) for name in wanted} == wanted


def test_no_value_can_drive_a_terminal(acme):
    evil = acme.twilio.call_with_recording(from_="\x1b]0;owned\x07\x9b31m\r+1555", to="+15550009998")
    acme.tonic("sync")
    with acme.mount() as mount:
        path = next(name for name in mount.files() if evil.sid in name)
        assert mount.attr(path, "from") == "?]0;owned??31m?+1555"
        for attribute in mount.attrs(path):
            assert call(get, mount / path, attribute).decode().isprintable()


def test_the_channels_are_those_that_are_stored(mounted):
    for recording, channels in ((mounted.acme.first, "2"), (mounted.acme.voicemail, "1"), (mounted.acme.downmix, "2")):
        mounted.read(recording.path)
        assert mounted.attr(recording.path, "channels") == channels


def test_a_voicemail_has_the_kind_voicemail(mounted):
    assert mounted.attr(mounted.acme.voicemail.path, "kind") == "voicemail"


def test_listxattr_shows_the_stable_ones_and_not_the_others(mounted):
    recording = mounted.acme.first
    shown = short(mounted.attrs(recording.path))
    assert STABLE_BEFORE <= shown and not shown & (NOT_LISTED | STABLE_AFTER)
    assert mounted.migrate(recording.path) == "done"
    shown = short(mounted.attrs(recording.path))
    assert STABLE_BEFORE | STABLE_AFTER <= shown and not shown & NOT_LISTED


def test_getfattr_d_shows_them_all_without_an_error(mounted):
    result = mounted.shell('getfattr -d --absolute-names "$1"', mounted / mounted.acme.first.path)
    assert f'user.tonicfs.recording_sid="{mounted.acme.first.sid}"' in result.stdout
    assert not result.stderr


def test_every_listed_attribute_can_be_read(mounted):
    for name in ("", "acme", "acme/spring", "acme/spring/calls.csv", mounted.acme.first.path):
        for attribute in mounted.attrs(name):
            call(get, mounted / name, attribute)


@pytest.mark.parametrize("name", sorted(STABLE_AFTER))
def test_what_a_migration_gives_is_enodata_before(mounted, name):
    assert error_of(get, mounted / mounted.acme.first.path, f"user.tonicfs.{name}") == "ENODATA"


def test_after_the_migration_bucket_key_etag_and_sha256_are_right(mounted):
    acme = mounted.acme
    mounted.migrate(acme.first.path)
    head = acme.s3.client.head_object(Bucket=acme.bucket, Key=acme.first.key)
    assert mounted.attr(acme.first.path, "bucket") == acme.bucket
    assert mounted.attr(acme.first.path, "key") == acme.first.key
    assert mounted.attr(acme.first.path, "key").startswith(PREFIX)
    assert mounted.attr(acme.first.path, "etag") == head["ETag"].strip('"')
    assert mounted.attr(acme.first.path, "sha256") == acme.first.sha256
    assert mounted.attr(acme.first.path, "state") in ("stored", "s3")


def test_a_wrong_value_for_migrate_is_einval(mounted):
    for value in (b"", b"NOW", b"yes", b"now ", b"x" * 1000, b"\0"):
        assert error_of(put, mounted / mounted.acme.first.path, "user.tonicfs.migrate", value) == "EINVAL", value


def test_an_attribute_of_ours_that_cannot_be_set_is_eperm(mounted):
    for name in ("workspace", "sha256", "state", "from"):
        assert error_of(put, mounted / mounted.acme.first.path, f"user.tonicfs.{name}", b"x") == "EPERM", name
        assert error_of(os.removexattr, mounted / mounted.acme.first.path, f"user.tonicfs.{name}") == "EPERM", name


def test_any_other_attribute_is_enotsup(mounted):
    path = mounted / mounted.acme.first.path
    assert error_of(put, path, "user.mine", b"x") in ("ENOTSUP", "EOPNOTSUPP")
    assert error_of(os.removexattr, path, "user.mine") in ("ENOTSUP", "EOPNOTSUPP", "ENODATA")


def test_an_attribute_that_is_not_there_is_enodata(mounted):
    for name in ("user.tonicfs.nonsense", "user.mine", "security.selinux"):
        assert error_of(get, mounted / mounted.acme.first.path, name) in ("ENODATA", "ENOTSUP", "EOPNOTSUPP"), name


def test_reading_an_attribute_needs_no_network(acme):
    with acme.mount() as mount:
        acme.twilio.stop()
        assert mount.attr(acme.first.path, "recording_sid") == acme.first.sid
        assert mount.attrs(acme.first.path)


def test_setting_migrate_does_not_change_ctime(mounted):
    before = mounted.stat(mounted.acme.first.path)
    mounted.migrate(mounted.acme.first.path)
    after = mounted.stat(mounted.acme.first.path)
    assert (before.st_ctime_ns, before.st_mtime_ns, before.st_ino) == (after.st_ctime_ns, after.st_mtime_ns, after.st_ino)


def test_the_attribute_of_a_folder_counts(mounted):
    pattern = r"none (\d+) queued (\d+) running (\d+) done (\d+) failed (\d+)"
    files = mounted.acme.twilio.files()
    for folder, number in (("acme/spring", len([item for item in files if item.folder == "spring"])), ("acme", len(files))):
        counts = re.fullmatch(pattern, mounted.attr(folder, "migrate"))
        assert counts and [int(count) for count in counts.groups()] == [number, 0, 0, 0, 0]


def test_what_is_no_recording_has_no_recordings_attributes(mounted):
    for name in ("acme", "acme/spring", "acme/spring/calls.csv"):
        assert error_of(get, mounted / name, "user.tonicfs.recording_sid") == "ENODATA"


def test_attributes_are_there_when_the_size_cannot_be_learned(acme):
    acme.twilio.switch("error_page_200", "xml", sid=acme.first.sid)
    with acme.mount() as mount:
        assert error_of(os.stat, mount / acme.first.path, timeout=30)
        assert mount.attr(acme.first.path, "state") == "twilio"
        mount.set_attr(acme.first.path, "migrate", "cancel")
        call(os.unlink, mount / acme.first.path)
        assert acme.first.path not in mount.files()


def test_attributes_that_wait_for_s3_hold_up_neither_removing_nor_the_end(acme):
    acme.migrate_all(acme.first.path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        acme.tonic.change_storage("acme", "--endpoint", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with acme.mount() as mount:
            waiting = [Background(get, mount / acme.first.path, "user.tonicfs.retention") for _ in range(12)]
            assert error_of(os.unlink, mount / acme.second.path, timeout=5) == ""
            assert mount.attr(acme.first.path, "state") == "s3"
            os.kill(mount.pid, signal.SIGTERM)
            mount.wait_end(15)  # the removal's note to the bucket has ten seconds
        for background in waiting:
            background.kill()
