"""Migration: moving, verification, and that nothing is deleted at Twilio before verification."""

import json
import os
import re
import signal
import time

import pytest

from harness import PATIENCE, error_of, run, wait_for
from world import SPRING, another_bucket


def assert_stored(acme, *recordings):
    for recording in recordings:
        assert acme.s3.body(acme.bucket, recording.key) == recording.content, recording.path


def assert_lossless(acme):
    """Every recording is at Twilio, or whole in the bucket: the one promise that no failure may break."""
    keys = set(acme.keys())
    for recording in acme.twilio.recordings:
        if recording.status == "completed" and not acme.twilio.is_there(recording) and not recording.gone:
            assert recording.key in keys, f"lost: {recording.path}"
            assert_stored(acme, recording)


def test_a_file_is_migrated_by_its_attribute(acme):
    with acme.mount() as mount:
        assert mount.migrate(acme.first.path) == "done"
        acme.wait_deleted_at_twilio(acme.first)
        wait_for(lambda: mount.attr(acme.first.path, "state") == "s3", 5)
        assert mount.attr(acme.second.path, "migrate") == "none"
    assert acme.keys() == [acme.first.key]
    assert_stored(acme, acme.first)


def test_a_campaign_is_migrated_by_its_attribute_with_counts(acme):
    with acme.mount() as mount:
        assert mount.migrate("acme/autumn") == "none 0 queued 0 running 0 done 3 failed 0"
    assert sorted(acme.keys()) == sorted(recording.key for recording in acme.twilio.files() if recording.folder == "autumn")


def test_a_workspace_is_migrated_by_its_attribute(acme):
    files = acme.twilio.files()
    with acme.mount() as mount:
        assert mount.migrate("acme") == f"none 0 queued 0 running 0 done {len(files)} failed 0"
        acme.wait_deleted_at_twilio(*files)
    assert_stored(acme, *files)


def test_migrate_with_wait_does_the_work_without_a_mount(acme):
    acme.migrate_all()
    assert_stored(acme, *acme.twilio.files())
    assert_lossless(acme)


def test_migrate_takes_files_campaigns_sids_and_paths_in_a_mount(acme):
    acme.tonic("migrate", acme.first.path, acme.second.sid, "--wait")
    with acme.mount() as mount:
        acme.tonic("migrate", mount / "acme/autumn", "--wait")
        mount.shell('cd "$1" && exec "$2" migrate "$3" --wait', mount / "acme/unassigned", acme.tonic.binary, acme.stray.name)
    moved = [acme.first, acme.second, *acme.autumn, acme.downmix, acme.stray]
    assert sorted(acme.keys()) == sorted(recording.key for recording in moved)


def test_migrate_says_how_many_as_json(acme):
    result = acme.tonic.json("migrate", "acme/autumn", "--wait")
    assert result["asked"] == 3 and result["migrate"]["done"] == 3 and result["migrate"]["failed"] == 0


def test_a_second_migration_has_nothing_to_do(acme):
    acme.migrate_all()
    puts = acme.twilio.ledger()[-1]["seq"]
    acme.migrate_all()
    assert not [entry for entry in acme.twilio.ledger(since=puts) if entry["operation"] == "media"]


def test_the_key_is_derived_from_the_recording_and_has_no_number_in_it(acme):
    acme.migrate_all()
    keys = acme.keys()
    assert sorted(keys) == sorted(recording.key for recording in acme.twilio.files())
    for key in keys:
        assert "+" not in key and "555999" not in key


def test_the_object_says_that_it_is_audio_and_has_no_number_in_its_metadata(acme):
    acme.migrate_all(acme.first.path)
    head = acme.s3.client.head_object(Bucket=acme.bucket, Key=acme.first.key)
    assert head["ContentType"] in ("audio/x-wav", "audio/wav")
    assert "555999" not in json.dumps(head["Metadata"]) and acme.first.call.sid not in json.dumps(head["Metadata"])


def test_a_downmix_is_never_what_is_stored(acme):
    acme.migrate_all("acme/autumn")
    body = acme.s3.body(acme.bucket, acme.downmix.key)
    assert body == acme.downmix.content and int.from_bytes(body[22:24], "little") == 2


def test_a_large_recording_arrives_whole(acme):
    big = acme.twilio.call_with_recording(duration=640)
    acme.tonic("sync")
    acme.migrate_all(big.path)
    assert len(big.content) > 20_000_000
    assert_stored(acme, big)


def test_an_encrypted_recording_keeps_what_is_needed_to_decrypt_it(acme):
    recording = acme.twilio.recording(acme.twilio.call(to=SPRING), encrypted=True)
    acme.tonic("sync")
    acme.migrate_all(recording.sid)
    assert_stored(acme, recording)
    metadata = json.dumps(acme.s3.client.head_object(Bucket=acme.bucket, Key=recording.key)["Metadata"])
    details = recording.row["encryption_details"]
    for value in details.values():
        assert value in metadata


# Twilio's delete

def test_twilio_is_asked_to_delete_only_what_was_verified_before(acme):
    """Whenever a DELETE arrives, the object is in the bucket already, whole."""
    acme.migrate_all()
    ledger = acme.twilio.ledger()
    for recording in acme.twilio.files():
        deletes = [entry for entry in ledger if entry["method"] == "DELETE" and entry["sid"] == recording.sid]
        assert [entry["status"] for entry in deletes] == [204]
        head = acme.s3.client.head_object(Bucket=acme.bucket, Key=recording.key)
        assert head["LastModified"].timestamp() <= deletes[0]["time"] + 1
        media = [entry for entry in ledger if entry["operation"] == "media" and entry["sid"] == recording.sid
                 and entry["status"] in (200, 206)]
        assert media and media[-1]["end_time"] <= deletes[0]["time"]


def test_no_delete_without_a_migration(acme):
    with acme.mount() as mount:
        for recording in acme.twilio.files():
            mount.read(recording.path)
    acme.tonic("sync")
    assert not acme.twilio.deletes()


def test_keep_at_twilio_keeps(acme):
    acme.set("keep_at_twilio=on")
    acme.migrate_all()
    with acme.mount() as mount:
        assert mount.attr(acme.first.path, "migrate") == "done"
        assert mount.attr(acme.first.path, "state") == "stored"
    assert not acme.twilio.deletes()
    assert_stored(acme, *acme.twilio.files())


def test_a_delete_that_fails_is_tried_again_and_does_not_undo_the_migration(acme):
    acme.twilio.switch("fail_delete", 500, sid=acme.first.sid, count=2)
    with acme.mount() as mount:
        assert mount.migrate(acme.first.path) == "done"
        acme.wait_deleted_at_twilio(acme.first)
    assert_stored(acme, acme.first)


def test_a_404_after_a_delete_that_was_sent_is_success(acme):
    """The answer to the first DELETE is lost; the second is told 404."""
    acme.twilio.switch("delete_answer", "lost", sid=acme.first.sid, count=1)
    with acme.mount() as mount:
        assert mount.migrate(acme.first.path) == "done"
        wait_for(lambda: mount.attr(acme.first.path, "state") == "s3", 20)


# What goes wrong on the way

@pytest.mark.parametrize("name, value", [
    ("error_page_200", "xml"), ("error_page_200", "html"), ("error_page_200", "json"), ("content_type", "text/html"),
    ("empty_body", True), ("short_body", 100), ("truncate_after", 20_000), ("reset_after", 20_000), ("flip_byte", -1),
    ("downmix_always", True), ("fail_media", 500)], ids=str)
def test_what_is_not_the_recording_is_never_stored(acme, name, value):
    with acme.mount() as mount:
        mount.stat(acme.first.path)  # learns the size, which the file must not lose
        acme.twilio.switch(name, value, sid=acme.first.sid)
        if name == "error_page_200":
            acme.twilio.switch("error_page_as_audio", sid=acme.first.sid)
        mount.set_attr(acme.first.path, "migrate", "now")
        time.sleep(2 * PATIENCE)
        assert mount.attr(acme.first.path, "state") in ("twilio", "uploading")
        assert acme.twilio.is_there(acme.first)
        assert acme.first.key not in acme.keys()


def test_a_failure_has_a_reason_and_can_be_asked_for_again(acme):
    acme.tonic.change_storage("acme", "--bucket", "tonicfs-no-such-bucket")
    with acme.mount() as mount:
        assert re.fullmatch(r"failed: .+", mount.migrate(acme.first.path, timeout=40))
        assert acme.twilio.is_there(acme.first)
        acme.tonic.change_storage("acme", "--bucket", acme.bucket)
        assert mount.migrate(acme.first.path) == "done"
    assert_stored(acme, acme.first)


def test_migrate_ends_with_status_3_where_some_failed_and_names_them(acme):
    acme.twilio.switch("error_page_200", "xml", sid=acme.first.sid)
    result = acme.tonic("migrate", "acme", "--wait", status=3, timeout=55)
    assert acme.first.sid in result.stderr + result.stdout
    assert_stored(acme, acme.second, acme.long)
    assert_lossless(acme)


@pytest.mark.needs("signatures")
def test_wrong_s3_credentials_lose_nothing(acme):
    acme.tonic.change_storage("acme", "--secret-file", "-", stdin="wrong\n")
    acme.migrate_all("acme/autumn", status=3)
    assert not acme.twilio.deletes() and not acme.keys()


def test_other_bytes_under_the_key_are_never_overwritten(acme):
    acme.s3.client.put_object(Bucket=acme.bucket, Key=acme.first.key, Body=b"somebody else's")
    acme.tonic("migrate", acme.first.path, "--wait", status=None, timeout=55)
    assert acme.s3.body(acme.bucket, acme.first.key) == b"somebody else's"
    assert acme.twilio.is_there(acme.first)


def test_equal_bytes_under_the_key_are_adopted(acme):
    """Another machine has migrated it, or this catalog was lost."""
    acme.s3.client.put_object(Bucket=acme.bucket, Key=acme.first.key, Body=acme.first.content)
    acme.migrate_all(acme.first.path)
    assert_stored(acme, acme.first)
    acme.wait_deleted_at_twilio(acme.first)


def test_cancel_takes_back_what_is_queued(acme):
    acme.twilio.switch("first_byte_msecs", 3000)
    with acme.mount() as mount:
        mount.set_attr("acme", "migrate", "now")
        mount.set_attr("acme", "migrate", "cancel")
        counts = re.fullmatch(r"none (\d+) queued (\d+) running (\d+) done (\d+) failed (\d+)", mount.attr("acme", "migrate"))
        assert counts[2] == "0"
        acme.twilio.unswitch()
        mount.wait_migrated("acme")
    assert_lossless(acme)


def test_progress_is_shown_while_it_runs(acme):
    acme.twilio.switch("bytes_per_sec", 200_000, sid=acme.long.sid)
    with acme.mount() as mount:
        mount.set_attr(acme.long.path, "migrate", "now")
        wait_for(lambda: re.fullmatch(r"running \d+%", mount.attr(acme.long.path, "migrate")), 10)
        acme.twilio.unswitch()
        assert mount.wait_migrated(acme.long.path) == "done"


def test_a_kill_in_the_middle_ends_in_the_same_state_as_none(acme):
    files = acme.twilio.files()
    acme.twilio.switch("bytes_per_sec", 300_000)
    for pause in (0.2, 0.7, 1.2):
        process = acme.tonic.start("migrate", "acme", "--wait")
        time.sleep(pause * PATIENCE)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=5)
        assert_lossless(acme)
    acme.twilio.unswitch()
    with acme.mount() as mount:
        mount.set_attr("acme", "migrate", "now")
        wait_for(lambda: mount.attr("acme", "migrate") == f"none 0 queued 0 running 0 done {len(files)} failed 0", 50, step=0.2)
        acme.wait_deleted_at_twilio(*files)
        for recording in files:
            assert mount.sha256(recording.path) == recording.sha256
    assert_stored(acme, *files)


def test_two_processes_migrate_without_doing_anything_twice(acme):
    processes = [acme.tonic.start("migrate", "acme", "--wait") for _ in range(2)]
    for process in processes:
        assert process.wait(timeout=40 * PATIENCE) == 0, process.output.read_text()
    acme.wait_cleanup()
    for recording in acme.twilio.files():
        assert len(acme.twilio.deletes(recording)) == 1
    assert_stored(acme, *acme.twilio.files())


def test_a_delete_that_is_owed_looks_at_the_bucket_where_the_object_is(acme):
    acme.twilio.switch("fail_delete", 500)
    acme.tonic("migrate", acme.first.path, "--wait", timeout=60)
    with another_bucket(acme.s3) as second:
        acme.tonic("storage", "set", "acme", "--bucket", second)
        acme.twilio.unswitch()
        acme.wait_cleanup()
        assert not acme.twilio.is_there(acme.first)
        assert acme.first.key in acme.keys() and not acme.s3.keys(second)


def test_migrate_new_migrates_what_a_sync_finds(acme):
    acme.set("migrate_new=on")
    new = acme.twilio.call_with_recording()
    with acme.mount() as mount:
        acme.tonic("sync")
        wait_for(lambda: new.path in mount.files(), 6)
        wait_for(lambda: mount.attr(new.path, "migrate") == "done", 15)
        assert mount.attr(acme.first.path, "migrate") == "none"
    assert_stored(acme, new)


# Invariant 2

def test_a_file_looks_the_same_before_and_after_a_migration_and_a_remount(acme):
    def look(mount):
        return {name: (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_mode)
                for name in mount.files() for status in [mount.stat(name)]}
    with acme.mount() as mount:
        before = look(mount)
        mount.migrate("acme")
        acme.wait_deleted_at_twilio(*acme.twilio.files())
        assert look(mount) == before
    acme.tonic("sync")
    with acme.mount() as mount:
        assert look(mount) == before


def test_rsync_has_nothing_to_do_after_a_migration(acme):
    copy = acme.tonic.make_dir("copy")

    def sync(mount):
        return run(["rsync", "-a", "--itemize-changes", "--stats", f"{mount.path}/acme/spring/", copy], env=acme.tonic.env,
                   timeout=40).stdout
    with acme.mount() as mount:
        first = sync(mount)
        assert first.count(">f+++++++++") == 6
        assert ">f" not in sync(mount)
        mount.migrate("acme")
        assert ">f" not in sync(mount)
    with acme.mount() as mount:
        assert ">f" not in sync(mount)
    assert (copy / acme.first.name).read_bytes() == acme.first.content


def test_a_migration_is_refused_where_the_mount_is_read_only(acme):
    with acme.mount("-o", "ro") as mount:
        assert error_of(os.setxattr, mount / acme.first.path, "user.tonicfs.migrate", b"now") == "EROFS"
        assert mount.attr(acme.first.path, "migrate") == "none"
