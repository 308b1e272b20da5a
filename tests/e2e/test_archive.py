"""Storage classes: learned by listing and shown; archived objects are refused at once, restored, read."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from test_attributes import get, put
from test_playback import fetch

from harness import call, error_of, read_all
from world import PREFIX


def move_to(acme, recording, storage_class):
    """As a lifecycle does it: the object stays what it is, in another class."""
    acme.s3.client.copy_object(Bucket=acme.bucket, Key=recording.key, StorageClass=storage_class, MetadataDirective="COPY",
                               CopySource={"Bucket": acme.bucket, "Key": recording.key})


def classes(acme):
    return {name: entry["recordings"] for name, entry in acme.status()["storage_classes"].items()}


@pytest.fixture
def archived(acme):
    """first and second are moved to S3 and then, by somebody else, to archived classes; a full sync has seen it."""
    acme.migrate_all(acme.first.path, acme.second.path, acme.voicemail.path)
    move_to(acme, acme.first, "DEEP_ARCHIVE")
    move_to(acme, acme.second, "GLACIER")
    acme.tonic("sync", "--full")
    return acme


@pytest.mark.needs("classes")
def test_the_class_of_every_object_is_learned_by_listing(acme):
    acme.migrate_all("acme/spring")
    number = len(acme.keys())
    assert classes(acme) == {"STANDARD": number}
    for recording in (acme.first, acme.second):
        move_to(acme, recording, "GLACIER_IR")
    acme.tonic("sync", "--full")
    assert classes(acme) == {"GLACIER_IR": 2, "STANDARD": number - 2}
    assert "in GLACIER_IR" in acme.tonic("status", "acme").stdout
    with acme.mount() as mount:
        assert mount.attr(acme.first.path, "storage_class") == "GLACIER_IR"
        assert mount.attr(acme.long.path, "storage_class") == "STANDARD"
        assert mount.read(acme.first.path) == acme.first.content
        assert error_of(get, mount / acme.first.path, "user.tonicfs.restore") == "ENODATA"
        assert error_of(get, mount / acme.stray.path, "user.tonicfs.storage_class") == "ENODATA"
        assert "user.tonicfs.storage_class" not in mount.attrs(acme.first.path)


@pytest.mark.needs("classes")
def test_bytes_and_numbers_by_class_follow_what_is_removed(acme):
    acme.migrate_all(acme.first.path, acme.second.path)
    sizes = len(acme.first.content) + len(acme.second.content)
    assert acme.status()["storage_classes"] == {"STANDARD": {"recordings": 2, "bytes": sizes}}
    acme.tonic("rm", acme.second.path)
    assert acme.status()["storage_classes"] == {"STANDARD": {"recordings": 1, "bytes": len(acme.first.content)}}


@pytest.mark.needs("archive")
def test_what_is_archived_fails_at_open_and_says_which_command_helps(archived):
    with archived.mount() as mount:
        for recording in (archived.first, archived.second):
            assert error_of(os.open, mount / recording.path, os.O_RDONLY) == "EREMOTE"
            assert mount.attr(recording.path, "restore") == "archived"
            assert mount.attr(recording.path, "why") == \
                f"archived in S3 ({mount.attr(recording.path, 'storage_class')}): 'tonicfs restore {recording.sid}' asks for it"
            assert error_of(get, mount / recording.path, "user.tonicfs.url") == "EREMOTE"
        assert f"tonicfs restore {archived.first.sid}" in mount.log and "DEEP_ARCHIVE" in mount.log
        assert archived.first.call.from_ not in mount.log
        assert mount.read(archived.voicemail.path) == archived.voicemail.content
        assert mount.stat(archived.first.path).st_size == len(archived.first.content)
        assert mount.attr("acme/spring", "restore") == "archived 2 restoring 0 restored 0 refused 0"


@pytest.mark.needs("archive")
def test_no_request_is_sent_for_what_is_archived(archived):
    """With another endpoint, where nobody answers: a request would wait."""
    archived.tonic.change_storage("acme", "--endpoint", "http://127.0.0.1:9")
    with archived.mount() as mount:
        assert error_of(os.open, mount / archived.first.path, os.O_RDONLY, timeout=5) == "EREMOTE"


@pytest.mark.needs("archive")
def test_a_restored_recording_reads_like_any_other(archived):
    with archived.mount() as mount:
        call(put, mount / archived.first.path, "user.tonicfs.restore", b"3 standard")

        def restored():
            return mount.attr(archived.first.path, "restore")
        value = wait_until(restored, "restored until ")
        until = datetime.fromisoformat(value.removeprefix("restored until "))
        assert timedelta(days=2) < until - datetime.now(UTC) < timedelta(days=5)
        assert mount.read(archived.first.path) == archived.first.content
        assert error_of(get, mount / archived.first.path, "user.tonicfs.why") == "ENODATA"
        assert fetch(mount.attr(archived.first.path, "url"))[2] == archived.first.content
        assert mount.attr(archived.first.path, "storage_class") == "DEEP_ARCHIVE"
        assert error_of(os.open, mount / archived.second.path, os.O_RDONLY) == "EREMOTE"
        assert mount.attr("acme/spring", "restore") == "archived 1 restoring 0 restored 1 refused 0"


def wait_until(read, beginning):
    from harness import wait_for
    return wait_for(lambda: read() if read().startswith(beginning) else None, 20, beginning)


@pytest.mark.needs("archive")
def test_the_command_restores_a_folder_and_asking_again_does_no_harm(archived):
    said = archived.tonic.json("restore", "acme/spring", "--days", "2", "--tier", "bulk")
    assert (said["asked"], said["refused"], said["postponed"]) == (2, 0, 0)
    assert said["restoring"] + said["restored"] == 2
    again = archived.tonic.json("restore", "acme/spring")
    assert again["asked"] == again["refused"] == 0 and again["restoring"] + again["restored"] == 2
    head = archived.s3.client.head_object(Bucket=archived.bucket, Key=archived.second.key)
    assert "ongoing-request" in head["Restore"]
    with archived.mount() as mount:
        wait_until(lambda: mount.attr(archived.second.path, "restore"), "restored until ")
        assert mount.read(archived.second.path) == archived.second.content


@pytest.mark.needs("archive")
def test_a_lifecycle_that_nobody_has_listed_yet_is_learned_by_the_read(acme):
    acme.migrate_all(acme.first.path)
    move_to(acme, acme.first, "GLACIER")
    with acme.mount() as mount:
        assert error_of(read_all, mount / acme.first.path) == "EREMOTE"
        wait_until(lambda: mount.attr(acme.first.path, "storage_class"), "GLACIER")
        assert error_of(os.open, mount / acme.first.path, os.O_RDONLY) == "EREMOTE"
        assert mount.attr(acme.first.path, "restore") == "archived"


@pytest.mark.needs("archive")
def test_while_twilio_has_its_copy_an_archived_recording_is_read_there(acme):
    acme.set("keep_at_twilio=on")
    acme.tonic.change_storage("acme", "--storage-class", "GLACIER")
    acme.tonic("migrate", acme.first.path, "--wait")
    with acme.mount() as mount:
        assert mount.attr(acme.first.path, "storage_class") == "GLACIER"
        assert mount.read(acme.first.path) == acme.first.content


@pytest.mark.needs("archive")
def test_twilio_s_copy_is_read_when_s3_is_found_to_have_archived_its_own(acme):
    acme.set("keep_at_twilio=on")
    acme.tonic("migrate", acme.first.path, "--wait")
    move_to(acme, acme.first, "GLACIER")
    with acme.mount() as mount:
        assert mount.read(acme.first.path) == acme.first.content
        assert mount.attr(acme.first.path, "storage_class") == "GLACIER"


@pytest.mark.needs("archive")
def test_new_recordings_may_go_straight_into_an_archive_and_are_verified_there(acme):
    acme.tonic.change_storage("acme", "--storage-class", "DEEP_ARCHIVE")
    acme.migrate_all(acme.first.path)
    with acme.mount() as mount:
        assert mount.attr(acme.first.path, "state") == "s3"
        assert error_of(os.open, mount / acme.first.path, os.O_RDONLY) == "EREMOTE"


@pytest.mark.needs("readable_archive")
def test_a_server_that_archives_nothing_is_read_as_it_answers(archived):
    """Ceph has the classes as names: a full sync tries one, and restore finds it out as well."""
    with archived.mount() as mount:
        assert mount.attr(archived.first.path, "storage_class") == "DEEP_ARCHIVE"
        assert mount.read(archived.first.path) == archived.first.content
    archived.tonic.change_storage("acme", "--storage-class", "GLACIER")
    said = archived.tonic.json("restore", "acme/spring")
    assert said["refused"] == 0 and said["not_archived"] >= 2


@pytest.mark.needs("readable_archive")
def test_restore_finds_out_that_nothing_needs_it(acme):
    acme.tonic.change_storage("acme", "--storage-class", "GLACIER")
    acme.migrate_all(acme.first.path)
    said = acme.tonic.json("restore", acme.first.path)
    assert (said["asked"], said["refused"], said["not_archived"]) == (0, 0, 1)
    with acme.mount() as mount:
        assert mount.read(acme.first.path) == acme.first.content


def test_restore_says_what_it_cannot_use(acme):
    for options in (["--days", "0"], ["--days", "366"], ["--days", "x"], ["--tier", "fast"]):
        acme.tonic("restore", "acme", *options, status=2)
    said = acme.tonic.json("restore", "acme")
    assert said["asked"] == 0 and said["not_archived"] == len(acme.twilio.files())
    with acme.mount() as mount:
        for value in (b"0", b"7 fast", b"367", b"soon"):
            assert error_of(put, mount / acme.first.path, "user.tonicfs.restore", value) == "EINVAL"
        assert error_of(put, mount / acme.first.path, "user.tonicfs.restore", b"7 bulk") == "ENODATA"
        assert error_of(get, mount / acme.first.path, "user.tonicfs.restore") == "ENODATA"
    with acme.mount("-o", "ro") as mount:
        assert error_of(put, mount / acme.first.path, "user.tonicfs.restore", b"7 bulk") == "EROFS"
    assert PREFIX
