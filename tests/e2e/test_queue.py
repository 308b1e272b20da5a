"""The queue as users see it: paused, resumed, retried, watched, disabled, worked by several processes."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest

from harness import BINARY, PATIENCE, USER, error_of, wait_for
from world import PREFIX

COUNTS = re.compile(r"none (\d+) queued (\d+) running (\d+) done (\d+) failed (\d+)(?: paused (\d+))?")


def counts(mount, folder="acme"):
    none, queued, running, done, failed, paused = (int(number or 0) for number in COUNTS.fullmatch(mount.attr(folder, "migrate")).groups())
    return {"none": none, "queued": queued, "running": running, "done": done, "failed": failed, "paused": paused}


def assert_stored(acme, *recordings):
    for recording in recordings:
        assert acme.s3.body(acme.bucket, recording.key) == recording.content, recording.path


def disable(acme):
    acme.tonic("storage", "disable", "acme")


def enable(acme):
    acme.tonic("storage", "enable", "acme", "--untested")


def ask(acme, what, *paths):
    return acme.tonic.json("migrate", *(paths or ["acme"]), f"--{what}")


def test_asking_again_says_how_many_are_under_way_already(acme):
    files = acme.twilio.files()
    assert "Queued: 1; in S3 already: 0\n" in acme.tonic("migrate", acme.first.path).stdout
    assert f"Queued: {len(files) - 1}; under way already: 1; in S3 already: 0\n" in acme.tonic("migrate", "acme").stdout
    assert acme.tonic.json("migrate", "acme")["under_way_already"] == len(files)


# Paused, resumed

def test_what_is_paused_waits_through_a_restart_until_it_is_resumed(acme):
    files = acme.twilio.files()
    acme.twilio.switch("first_byte_msecs", 20_000)
    with acme.mount() as mount:
        mount.set_attr("acme", "migrate", "now")
        wait_for(lambda: counts(mount)["running"] > 0)
        mount.set_attr("acme", "migrate", "pause")
        # Transfers under way are told, and put theirs back.
        wait_for(lambda: counts(mount)["running"] == 0, 10)
        assert mount.attr("acme", "migrate") == f"none 0 queued 0 running 0 done 0 failed 0 paused {len(files)}"
        assert mount.attr(acme.first.path, "migrate") == "paused"
    acme.twilio.unswitch()
    with acme.mount() as mount:
        assert acme.tonic.json("migrate", acme.first.path)["asked"] == 0  # asking does not resume
        assert ask(acme, "resume", acme.second.path)["resumed"] == 1
        assert mount.wait_migrated(acme.second.path) == "done"
        assert acme.status()["migrate"]["paused"] == len(files) - 1
        assert mount.attr(acme.first.path, "migrate") == "paused"
        assert acme.keys() == [acme.second.key]
        mount.set_attr("acme", "migrate", "resume")
        mount.wait_migrated("acme")
    assert_stored(acme, *files)


def test_a_pause_is_shown_and_can_be_cancelled(acme):
    acme.tonic("migrate", "acme/autumn")
    assert ask(acme, "pause") == {"paused": 3, "migrate": {"none": 6, "queued": 0, "running": 0, "paused": 3, "done": 0, "failed": 0}}
    waited = acme.tonic("migrate", "acme/autumn", "--wait", status=3)
    assert "paused: 3" in waited.stdout and "--resume" in waited.stdout
    assert re.search(r"^ +paused +3$", acme.tonic("status").stdout, re.M)
    assert ask(acme, "cancel", acme.autumn[0].path)["cancelled"] == 1
    acme.tonic("migrate", "acme", "--resume", "--wait")
    assert sorted(acme.keys()) == sorted([acme.autumn[1].key, acme.downmix.key])


@pytest.mark.parametrize("words", [("--pause", "--wait"), ("--cancel", "--wait"), ("--pause", "--resume"), ("--retry", "--cancel")],
                         ids="".join)
def test_what_does_not_go_together_is_wrong_usage(acme, words):
    assert "go" in acme.tonic("migrate", "acme", *words, status=2).stderr


def test_a_mount_that_is_read_only_pauses_nothing(acme):
    with acme.mount("-o", "ro") as mount:
        for value in (b"pause", b"resume", b"retry"):
            assert error_of(os.setxattr, mount / "acme", "user.tonicfs.migrate", value) == "EROFS"


# Failed, tried again

def test_failures_are_shown_by_reason_and_tried_again(acme):
    acme.tonic.change_storage("acme", "--bucket", "tonicfs-no-such-bucket")
    failed = acme.tonic("migrate", "acme/autumn", "--wait", status=3, timeout=40)
    assert re.search(r"^  3 migrations failed: S3 ", failed.stderr, re.M)
    assert "failed: 3" in failed.stdout and "--retry" in failed.stdout
    status = acme.status()
    reason, = status["reasons"]
    assert (reason["job"], reason["count"], reason["next"]) == ("migrate", 3, None)
    assert len(reason["recording_sids"]) == 3 and status["problems_count"] == 3 == len(status["problems"])
    limited, = acme.tonic.json("status", "acme", "--limit", "1")["workspaces"]
    assert limited["problems_count"] == 3 and len(limited["problems"]) == 1
    assert re.search(r"^  3 migrations failed: S3 ", acme.tonic("status").stdout, re.M)
    acme.tonic.change_storage("acme", "--bucket", acme.bucket)
    assert acme.tonic("migrate", "acme", "--retry", "--wait").stdout.startswith("Stored: 3 recordings, ")
    assert len(acme.keys()) == 3 and acme.status()["migrate"] == {"none": 6, "queued": 0, "running": 0, "paused": 0, "done": 3, "failed": 0}


def test_a_delete_that_failed_is_in_status_and_is_tried_again_when_asked(acme):
    acme.twilio.switch("fail_delete", 500)
    acme.tonic("migrate", acme.first.path, "--wait", timeout=40)
    status = acme.status()
    problem, = status["reasons"]
    assert problem["job"] == "delete_at_twilio_after_migration" and problem["count"] == 1 and problem["next"]
    assert status["twilio_deletes_queued"] == 1 and status["states"]["stored"] == 1
    assert re.search(r"^  1 delete at Twilio after the migration retried (soon|in)", acme.tonic("status").stdout, re.M)
    with acme.mount() as mount:
        wait_for(lambda: [reason for reason in acme.status()["reasons"] if reason["attempts"] >= 2], 20, step=0.3)
        acme.twilio.unswitch()
        # It has a pause of five seconds and more by now.
        mount.set_attr("acme", "migrate", "retry")
        wait_for(lambda: mount.attr(acme.first.path, "state") == "s3", 5)
    assert acme.status()["reasons"] == []


# keep_at_twilio

def test_keep_at_twilio_takes_back_deletes_and_off_again_they_go_on(acme):
    acme.twilio.switch("fail_delete", 503)
    acme.tonic("migrate", "acme/autumn", "--wait", timeout=40)
    assert acme.status()["twilio_deletes_queued"] == 3
    acme.set("keep_at_twilio=on")
    assert acme.status()["twilio_deletes_queued"] == 0 and acme.status()["states"]["stored"] == 3
    assert re.search(r"^ +and kept at Twilio +3$", acme.tonic("status").stdout, re.M)
    acme.twilio.unswitch()
    acme.twilio.standin.clear_ledger()
    with acme.mount() as mount:
        assert mount.migrate(acme.first.path) == "done"
        assert not acme.twilio.deletes()
        acme.set("keep_at_twilio=off")
        acme.wait_deleted_at_twilio(acme.first, acme.downmix, *acme.autumn)
        wait_for(lambda: acme.status()["states"]["s3"] == 4)
    assert_stored(acme, acme.first, acme.downmix, *acme.autumn)


# Disabled, enabled

def test_a_disabled_bucket_ends_a_wait_and_enabled_it_goes_on(acme):
    acme.twilio.switch("first_byte_msecs", 1500)
    acme.tonic.setting("migrate_workers", "2")
    process = acme.tonic.start("migrate", "acme", "--wait")
    wait_for(lambda: acme.status()["migrate"]["running"] > 0)
    disable(acme)
    assert process.wait(timeout=30 * PATIENCE) == 3, process.output.read_text()
    assert "storage enable" in process.output.read_text()
    status = acme.status()
    assert status["migrate"]["running"] == 0 and status["storage"] == {"configured": True, "enabled": False, "bucket": acme.bucket}
    assert status["migrate"]["done"] + status["migrate"]["queued"] == len(acme.twilio.files()) and status["migrate"]["queued"]
    assert "disabled" in acme.tonic("status").stdout
    assert "disabled" in acme.tonic("migrate", "acme", status=1).stderr
    acme.twilio.unswitch()
    with acme.mount() as mount:
        for recording in acme.twilio.files():  # wherever it is by now
            assert mount.sha256(recording.path) == recording.sha256
        assert counts(mount)["queued"] == status["migrate"]["queued"]
        enable(acme)
        mount.wait_migrated("acme")
    assert_stored(acme, *acme.twilio.files())


def test_what_came_while_the_bucket_was_disabled_is_moved_when_it_is_enabled(acme):
    acme.set("migrate_new=on")
    disable(acme)
    new = acme.twilio.call_with_recording()
    acme.tonic("sync")
    with acme.mount() as mount:
        assert mount.attr(new.path, "migrate") == "none"
        enable(acme)
        assert mount.wait_migrated(new.path) == "done"
        assert counts(mount) == {"none": 9, "queued": 0, "running": 0, "done": 1, "failed": 0, "paused": 0}
    assert acme.keys() == [new.key]


def test_migrate_new_is_for_what_a_mounts_poll_finds_and_not_for_what_is_there(acme):
    acme.set("migrate_new=on", "poll=10s")
    new = acme.twilio.call_with_recording()
    with acme.mount() as mount:
        wait_for(lambda: new.path in mount.files(), 25, step=0.2)
        assert mount.wait_migrated(new.path) == "done"
        assert counts(mount)["none"] == 9
    assert acme.keys() == [new.key]


# Watched

def test_wait_shows_a_bar_on_a_terminal(acme):
    acme.twilio.switch("bytes_per_sec", 200_000)
    controller, terminal = pty.openpty()
    process = subprocess.Popen([str(BINARY), "migrate", "acme", "--wait"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=terminal, env=acme.tonic.env, cwd="/", start_new_session=True, **USER.popen_args())
    os.close(terminal)
    shown = b""
    while select.select([controller], [], [], 40 * PATIENCE)[0]:
        try:
            part = os.read(controller, 65536)
        except OSError:  # its end
            break
        shown += part
    out, _ = process.communicate(timeout=10)
    os.close(controller)
    assert process.returncode == 0, shown
    lines = [line for line in shown.decode().split("\r") if "%" in line]
    assert re.match(r"(\[[#-]+\] )? *\d+%  \d of 9  [0-9.]+ .?B of [0-9.]+ .?B  [0-9.]+ .?B/s", lines[0]), lines[0]
    assert any(int(re.search(r"(\d+)%", line)[1]) > 0 for line in lines)
    assert all(len(line) < 80 for line in lines)
    assert re.match(rb"Stored: 9 recordings, [0-9.]+ MB in \d+:\d\d \([0-9.]+ .?B/s\)\nIn S3: 9\n", out)


def test_wait_gives_one_json_document_at_the_end(acme):
    result = acme.tonic("--json", "migrate", acme.first.path, acme.second.path, "--wait")
    assert result.stderr == ""
    report = result.json
    assert (report["asked"], report["stored"], report["interrupted"]) == (2, 2, False)
    assert report["stored_bytes"] == len(acme.first.content) + len(acme.second.content)
    assert report["migrate"] == {"none": 0, "queued": 0, "running": 0, "paused": 0, "done": 2, "failed": 0}
    assert report["reasons"] == [] == report["failures"] and report["seconds"] >= 0


def test_ctrl_c_stops_in_order_and_says_how_to_go_on(acme):
    acme.twilio.switch("first_byte_msecs", 60_000, sid=acme.long.sid)
    process = acme.tonic.start("migrate", "acme", "--wait")
    wait_for(lambda: acme.status()["migrate"]["done"] == 8, 20)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=15 * PATIENCE) == 3, process.output.read_text()
    output = process.output.read_text()
    assert "Ctrl-C again ends at once" in output and "the same command again" in output and "still queued: 1" in output
    assert acme.status()["states"]["uploading"] == 0  # put back, not left
    acme.twilio.unswitch()
    acme.tonic("migrate", "acme", "--wait")
    assert_stored(acme, *acme.twilio.files())


def test_a_second_ctrl_c_ends_at_once_and_loses_nothing(acme):
    acme.twilio.switch("first_byte_msecs", 60_000)
    process = acme.tonic.start("migrate", "acme", "--wait")
    wait_for(lambda: acme.status()["migrate"]["running"] > 0)
    os.kill(process.pid, signal.SIGINT)
    wait_for(lambda: "Ctrl-C again" in process.output.read_text())
    began = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=9 * PATIENCE) == -signal.SIGINT
    assert time.monotonic() - began < 9 * PATIENCE
    assert all(acme.twilio.is_there(recording) for recording in acme.twilio.files())


def test_status_says_where_everything_is(acme):
    fresh = acme.tonic("status").stdout
    assert fresh.startswith("acme\n") and acme.bucket in fresh and "last poll of Twilio" in fresh
    acme.migrate_all("acme/autumn")
    acme.tonic("migrate", acme.first.path)
    text = acme.tonic("status").stdout
    assert re.search(r"^  recordings at Twilio +6 +\d+\.\d MB$", text, re.M)
    assert re.search(r"^    queued +1$", text, re.M)
    assert re.search(r"^  recordings in S3 +3 +\d+\.\d kB$", text, re.M)
    status = acme.status()
    assert status["bytes"]["s3"] == sum(len(recording.content) for recording in [acme.downmix, *acme.autumn])
    assert json.dumps(status["last_poll"]) != "null" and status["storage"]["enabled"]
    with acme.mount("-o", "ro") as mount:
        assert {name: counts(mount)[name] for name in status["migrate"]} == status["migrate"]


def test_status_shows_campaigns_and_recordings_by_their_paths(acme):
    acme.migrate_all("acme/autumn")
    acme.tonic("migrate", acme.first.path)
    text = acme.tonic("status", "acme/autumn", acme.first.path, acme.downmix.sid, "acme").stdout
    folder, queued, stored, workspace = re.split(r"^(?=\S)", text, flags=re.M)[1:]
    assert folder.startswith("acme/autumn\n") and re.search(r"^  recordings in S3 +3 ", folder, re.M)
    assert queued.startswith(f"acme/spring/{acme.first.sid}\n") and "at Twilio\n" in queued and "queued\n" in queued
    assert stored.startswith(f"acme/autumn/{acme.downmix.sid}\n") and "in S3\n" in stored and "STANDARD" in stored
    assert workspace.startswith("acme\n") and "+1555" not in text
    document = acme.tonic.json("status", "acme/autumn", acme.downmix.sid)
    assert not document["workspaces"]
    folder, stored = document["paths"]
    assert (folder["path"], folder["states"]["s3"], folder["calls"]) == ("acme/autumn", 3, 3)
    assert (stored["state"], stored["size_bytes"]) == ("s3", len(acme.downmix.content))
    partly = acme.tonic.json("status", "acme/autumn", "acme/nobody", status=3)
    assert len(partly["paths"]) == 1 and "acme/nobody" in partly["error"] and partly["code"] == 3
    assert acme.tonic.json("status", "acme/nobody", "nobody", status=1)["code"] == 1


# Several processes

def test_two_waits_and_a_mount_upload_and_delete_each_recording_once(acme):
    acme.s3.client.put_bucket_versioning(Bucket=acme.bucket, VersioningConfiguration={"Status": "Enabled"})
    acme.twilio.many(40, to="+15550100002")
    acme.tonic("sync", "--full")
    files = acme.twilio.files()
    with acme.mount() as mount:
        processes = [acme.tonic.start("migrate", "acme", "--wait") for _ in range(2)]
        mount.set_attr("acme", "migrate", "now")
        for process in processes:
            assert process.wait(timeout=40 * PATIENCE) == 0, process.output.read_text()
        assert mount.attr("acme", "migrate") == f"none 0 queued 0 running 0 done {len(files)} failed 0"
        wait_for(lambda: acme.status()["states"]["s3"] == len(files), 20, step=0.2)
    versions = acme.s3.client.list_object_versions(Bucket=acme.bucket, Prefix=f"{PREFIX}recordings/")["Versions"]
    assert sorted(version["Key"] for version in versions) == sorted(recording.key for recording in files)
    deletes = [entry["sid"] for entry in acme.twilio.deletes()]
    assert sorted(deletes) == sorted(recording.sid for recording in files)
    assert_stored(acme, *files)
