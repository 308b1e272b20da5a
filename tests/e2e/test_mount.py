"""Mounting, unmounting, dying, coming back; several mounts and processes on one catalog."""

import contextlib
import os
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from bench.idle import Idle
from harness import (
    BINARY,
    PATIENCE,
    SANITIZER_REPORT,
    USER,
    Background,
    call,
    error_of,
    is_running,
    mountinfo,
    needs_root,
    processes_of,
    read_all,
    sha256_of,
    wait_for,
)
from world import SPRING


def test_the_daemon_reports_success_only_when_the_tree_answers(acme):
    with acme.mount(foreground=False) as mount:
        assert "acme" in mount.names()
        assert mount.sha256(acme.first.path) == acme.first.sha256


@needs_root
def test_the_daemon_lets_go_of_the_terminal_and_of_the_folder(acme):
    with acme.mount(foreground=False) as mount:
        assert os.readlink(f"/proc/{mount.pid}/cwd") == "/"
        for number in (0, 1, 2):
            assert os.readlink(f"/proc/{mount.pid}/fd/{number}").startswith("/dev/null")
        assert os.getsid(mount.pid) == mount.pid


def test_a_daemon_that_cannot_mount_says_why(acme):
    assert "/nonexistent/folder" in acme.tonic("mount", "/nonexistent/folder", status=1).stderr


def test_a_file_is_no_mountpoint(acme):
    path = acme.tonic.file_with("x")
    assert str(path) in acme.tonic("mount", path, status=1).stderr


def test_a_catalog_inside_the_mountpoint_is_refused(acme):
    assert "catalog" in acme.tonic("mount", acme.tonic.home, status=1).stderr
    assert not mountinfo(acme.tonic.home)


@pytest.mark.parametrize("foreground", [True, False], ids=["foreground", "daemon"])
def test_sigterm_unmounts_cleanly(acme, foreground):
    with acme.mount(foreground=foreground) as mount:
        os.kill(mount.pid, signal.SIGTERM)
        mount.wait_end(12)
        assert not mountinfo(mount.path)
        assert os.listdir(mount.path) == []
        if foreground:
            assert mount.process.returncode == 0


def test_fusermount_ends_the_process(acme):
    with acme.mount(foreground=False) as mount:
        mount.unmount()
        assert not is_running(mount.pid) and not mountinfo(mount.path)


def test_ctrl_c_ends_a_mount_in_the_foreground(acme):
    with acme.mount() as mount:
        os.kill(mount.pid, signal.SIGINT)
        mount.wait_end(12)
        assert not mountinfo(mount.path) and mount.process.returncode == 0


def test_sigterm_in_the_middle_of_a_transfer_puts_it_back(acme):
    acme.twilio.switch("bytes_per_sec", 30_000, sid=acme.long.sid)
    with acme.mount() as mount:
        mount.set_attr(acme.long.path, "migrate", "now")
        wait_for(lambda: mount.attr(acme.long.path, "migrate").startswith("running"), 10)
        began = time.monotonic()
        os.kill(mount.pid, signal.SIGTERM)
        mount.wait_end(15)
        assert time.monotonic() - began < 13 * PATIENCE
    acme.twilio.unswitch()
    with acme.mount() as mount:
        assert mount.wait_migrated(acme.long.path) == "done"
    assert acme.s3.body(acme.bucket, acme.long.key) == acme.long.content


def test_after_a_kill_the_stale_mountpoint_can_be_mounted_again(acme):
    with acme.mount() as mount:
        mount.read(acme.first.path)
        mount.kill()
        assert error_of(os.listdir, mount.path) == "ENOTCONN"
        with acme.mount(path=mount.path) as again:
            assert again.sha256(acme.first.path) == acme.first.sha256
            assert len(mountinfo(mount.path)) == 1
        assert not mountinfo(mount.path)


def test_after_a_kill_of_the_daemon_the_next_daemon_mounts(acme):
    with acme.mount(foreground=False) as mount:
        mount.kill()
        with acme.mount(path=mount.path, foreground=False) as again:
            assert "acme" in again.names()


def test_a_second_mount_on_a_live_mountpoint_is_refused(acme):
    with acme.mount() as mount:
        assert str(mount.path) in acme.tonic("mount", mount.path, status=1).stderr
        assert len(mountinfo(mount.path)) == 1


def test_two_mounts_of_one_catalog_serve_the_same(acme):
    with acme.mount() as one, acme.mount() as two:
        assert one.tree() == two.tree()
        assert one.sha256(acme.first.path) == two.sha256(acme.first.path)


def test_what_one_mount_removes_leaves_the_other(acme):
    with acme.mount() as one, acme.mount() as two:
        assert acme.first.path in two.files()
        two.stat(acme.first.path)
        call(os.unlink, one / acme.first.path)
        wait_for(lambda: acme.first.path not in two.files(), 5)
        wait_for(lambda: error_of(os.stat, two / acme.first.path) == "ENOENT", 5)


def test_new_calls_appear_in_a_mounted_tree_within_5_seconds_of_a_sync(acme):
    with acme.mount() as mount:
        mount.files()
        new = acme.twilio.call_with_recording()
        acme.tonic("sync")
        wait_for(lambda: new.path in mount.files(), 5)
        assert mount.sha256(new.path) == new.sha256
        wait_for(lambda: new.call.sid in mount.read("acme/spring/calls.csv").decode(), 5)


def test_a_new_campaign_and_workspace_appear_within_5_seconds(acme):
    with acme.mount() as mount:
        assert "winter" not in mount.names("acme")
        acme.tonic("campaign", "add", "acme", "winter", "--number", "+15550100077")
        wait_for(lambda: "winter" in mount.names("acme"), 5)
        acme.add_workspace("other")
        wait_for(lambda: "other" in mount.names(), 5)


def test_a_folder_s_mtime_moves_on_when_something_appears(acme):
    with acme.mount() as mount:
        before = mount.stat("acme/spring").st_mtime_ns
        acme.twilio.call_with_recording()
        acme.tonic("sync")
        wait_for(lambda: mount.stat("acme/spring").st_mtime_ns > before, 5)


def test_an_open_file_that_is_removed_elsewhere_does_not_hang(acme):
    with acme.mount() as one, acme.mount() as two:
        reader = Background(read_all, one / acme.long.path)
        call(os.unlink, two / acme.long.path)
        try:
            assert reader.result(timeout=40) == acme.long.content
        except OSError as error:
            assert error.errno


@pytest.mark.skipif(not USER.is_other, reason="needs root, who may make a mount namespace")
def test_an_unmount_ends_the_process_though_another_namespace_has_a_copy(acme):
    """As a container has that was started while it was mounted; the kernel tells of no unmount then."""
    with acme.mount() as mount:
        # Not a slave of ours, which an unmount here would reach.
        other = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo made; exec sleep 600"],
                                 stdout=subprocess.PIPE)
        try:
            assert other.stdout.readline() == b"made\n"
            mount.unmount(timeout=10)
            assert "still mounted in another mount namespace" in mount.log
        finally:
            other.kill()
            other.wait(timeout=5)


def read_and_say_when_open(path, mark):
    with open(path, "rb") as file:
        mark.touch()
        return file.read()


def test_a_file_that_is_open_at_a_lazy_unmount_is_read_to_its_end(acme):
    recording, mark = acme.long, acme.tonic.make_dir("marks") / "open"
    with acme.mount() as mount:
        acme.twilio.switch("bytes_per_sec", 700_000, sid=recording.sid)
        reader = Background(read_and_say_when_open, mount / recording.path, mark)
        wait_for(mark.exists, what="the reader")
        mount.shell('fusermount3 -u -z -- "$1"', mount.path)
        assert reader.result(timeout=30) == recording.content
        mount.wait_end(timeout=10)


def test_an_empty_catalog_can_be_mounted(tonic):
    tonic.init()
    with tonic.mount() as mount:
        assert mount.names() == []
        assert mount.stat("").st_nlink >= 2


def test_a_mount_says_what_it_is_in_mountinfo(acme):
    with acme.mount() as mount:
        assert mountinfo(mount.path) == ["fuse.tonicfs"]


def test_options_of_the_kernel_are_passed_on(acme):
    with acme.mount("-o", "noexec,nosuid,nodev") as mount:
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            line, = [line for line in file if line.split(" ")[4] == str(mount.path)]
        assert {"noexec", "nosuid", "nodev"} <= set(line.split(" ")[5].split(","))


def own_catalog(tonic, uid, gid):
    for path in (tonic.home, *tonic.home.iterdir()):
        os.chown(path, uid, gid)


@contextlib.contextmanager
def mounted_by_root(acme, options):
    """Only root may let others in without a line in /etc/fuse.conf; and root's catalogs are root's."""
    path, log = acme.tonic.make_dir(acme.tonic.fresh("mount").name), acme.tonic.fresh("log")
    own_catalog(acme.tonic, 0, 0)
    with open(log, "wb") as out:
        process = subprocess.Popen([BINARY, "mount", path, "-f", "-o", options], env=acme.tonic.env, cwd="/",
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        wait_for(lambda: "is mounted" in log.read_text() or process.poll() is not None, 15, "the mount")
        assert process.poll() is None, log.read_text()
        yield path
    finally:
        process.terminate()
        status = process.wait(timeout=20)
        own_catalog(acme.tonic, USER.uid, USER.gid)
        assert status == 0, log.read_text()
    assert not SANITIZER_REPORT.search(log.read_text())


@pytest.mark.skipif(not USER.is_other, reason="needs root, who mounts, and an ordinary user, who looks in")
def test_with_allow_other_another_user_may_read_and_no_more(acme):
    acme.set("delete_twilio=on")
    acme.migrate_all(acme.long.path)
    with mounted_by_root(acme, "allow_other,umask=022") as path:
        file = path / acme.first.path
        names = call(os.listdir, path / "acme/spring")
        assert {item.name for item in acme.twilio.files() if item.folder == "spring"} | {"calls.csv"} == set(names)
        assert call(sha256_of, file) == acme.first.sha256
        status = call(os.lstat, file)
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o644, 0)
        assert stat.S_IMODE(call(os.lstat, file.parent).st_mode) == 0o755
        assert call(os.getxattr, file, "user.tonicfs.migrate") == b"none"
        assert os.getxattr(path / acme.long.path, "user.tonicfs.url").startswith(b"http")
        refused = {
            "url": error_of(os.getxattr, path / acme.long.path, "user.tonicfs.url"),
            "unlink": error_of(os.unlink, file),
            "rmdir": error_of(os.rmdir, path / "acme/autumn"),
            "migrate": error_of(os.setxattr, file, "user.tonicfs.migrate", b"now"),
            "migrate all": error_of(os.setxattr, path / "acme", "user.tonicfs.migrate", b"now"),
            "write": error_of(os.open, file, os.O_RDWR),
        }
        assert refused == dict.fromkeys(refused, "EACCES")
        assert os.listdir(path / "acme/spring"), "the owner may all the same"
        os.unlink(path / acme.second.path)
        assert acme.second.name not in call(os.listdir, path / "acme/spring")
    assert not acme.twilio.deletes(acme.first)


@pytest.mark.skipif(not USER.is_other, reason="needs root, who mounts, and an ordinary user, who is kept out")
def test_with_allow_other_the_owners_group_is_let_in_and_no_others(acme):
    with mounted_by_root(acme, "allow_other") as path:
        assert stat.S_IMODE(os.lstat(path / acme.first.path).st_mode) == 0o640
        assert stat.S_IMODE(os.lstat(path / "acme/spring").st_mode) == 0o750
        assert error_of(os.listdir, path) == "EACCES"
        assert error_of(read_all, path / acme.first.path) == "EACCES"


@pytest.mark.skipif(not USER.is_other, reason="needs root, who mounts, and an ordinary user, who is kept out")
def test_a_umask_keeps_others_out_and_the_owner_in(acme):
    with mounted_by_root(acme, "allow_other,umask=077") as path:
        assert error_of(os.listdir, path) == "EACCES"
        assert error_of(read_all, path / acme.first.path) == "EACCES"
        assert sha256_of(path / acme.first.path) == acme.first.sha256


def test_allow_other_is_refused_or_granted_as_fuse_conf_says(acme):
    conf = Path("/etc/fuse.conf")
    if conf.exists() and "user_allow_other" in conf.read_text().split("\n"):
        with acme.mount("-o", "allow_other") as mount:
            assert mount.sha256(acme.first.path) == acme.first.sha256
    else:
        path = acme.tonic.make_dir(acme.tonic.fresh("mount").name)
        assert "user_allow_other" in acme.tonic("mount", path, "-o", "allow_other", status=1).stderr
        assert not mountinfo(path)


def test_an_unknown_option_is_wrong_usage(acme):
    path = acme.tonic.make_dir("mount")
    assert "nonsense" in acme.tonic("mount", path, "-o", "nonsense", status=2).stderr
    assert not mountinfo(path)


def test_a_mount_starts_while_twilio_and_s3_are_unreachable(acme):
    acme.twilio.stop()
    acme.tonic.change_storage("acme", "--endpoint", "http://127.0.0.1:9")
    began = time.monotonic()
    with acme.mount(foreground=False) as mount:
        assert time.monotonic() - began < 3 * PATIENCE
        assert mount.names("acme/spring")


def test_a_lost_network_is_an_error_within_its_deadline_and_then_works_again(acme):
    acme.tonic.setting("read_timeout_msecs", 4000)  # else it takes a minute
    with acme.mount() as mount:
        mount.stat(acme.second.path)
        os.kill(acme.standin.process.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            # Well before the minute that is usual.
            assert error_of(read_all, mount / acme.second.path, timeout=20) == "ETIMEDOUT"
            assert time.monotonic() - began > 3
        finally:
            os.kill(acme.standin.process.pid, signal.SIGCONT)
        # The short time-out is that of the next reads too, and Twilio has to catch up with what it was asked meanwhile.
        wait_for(lambda: error_of(read_all, mount / acme.second.path) == "", 40, "a read that works again", step=0.2)
        assert mount.sha256(acme.second.path) == acme.second.sha256


def test_a_mount_of_another_catalog_beside_it_is_separate(acme):
    other = type(acme.tonic)(acme.tonic.make_dir("second"))
    other.init()
    with acme.mount() as one, other.mount() as two:
        assert one.names() and not two.names()


def test_mount_tonicfs_is_how_fstab_mounts(acme):
    """mount.fuse3 calls the program as `tonicfs SOURCE DIR -o OPTIONS`; mount.tonicfs is the same by its own name."""
    helper = acme.tonic.folder / "mount.tonicfs"
    helper.symlink_to(acme.tonic.binary)
    path = acme.tonic.make_dir("fstab")
    result = subprocess.run(
        [helper, "tonicfs", path, "-o", f"rw,catalog={acme.tonic.catalog}"], env=acme.tonic.env, capture_output=True,
        text=True, timeout=20, check=False, **__import__("harness").USER.popen_args())
    try:
        assert result.returncode == 0, result.stderr
        assert "acme" in call(os.listdir, path)
    finally:
        for pid in processes_of(path):
            os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not mountinfo(path), 12)
    assert SPRING


def test_programs_that_are_refused_cannot_open_recordings(acme):
    with acme.mount("-o", "refuse=updatedb:head") as mount:
        mount.shell('head -c 4 "$1" >/dev/null', str(mount / acme.first.path), status=1)
        assert "Permission denied" in mount.shell('head -c 4 "$1" 2>&1 || true', str(mount / acme.first.path)).stdout
        mount.shell('head -c 4 "$1"', str(mount / f"acme/{acme.first.folder}/calls.csv"))
        mount.shell('cat "$1" >/dev/null', str(mount / acme.first.path))


def test_an_idle_mount_sleeps(acme):
    """The main thread's wakeups are left out: whatever else is mounted on this machine wakes it."""
    with acme.mount() as mount:
        mount.read(acme.first.path)

        def is_asleep():
            idle = Idle(mount.pid, 5)
            return idle.threads <= 24 and idle.wakeups.total() - idle.wakeups["tonicfs"] <= 2 * 5

        wait_for(is_asleep, 30)
