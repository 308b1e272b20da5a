"""unmount, and refused mountpoints. An empty catalog is enough."""

import contextlib
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from harness import USER, Background, call, error_of, is_running, mountinfo, run, wait_for


@pytest.fixture
def user(tonic):
    return tonic.init()


@contextlib.contextmanager
def program(user, script, path):
    """A shell script that runs while the test goes on; $1 is the path."""
    process = subprocess.Popen(["sh", "-c", script, "sh", path], env=user.env, cwd="/", **USER.popen_args())
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


def is_stopped(pid):
    """All of its threads."""
    return all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in Path(f"/proc/{pid}/task").iterdir())


def test_unmount_ends_when_the_mount_s_process_has_ended(user):
    with user.mount(foreground=False) as mount:
        result = user("unmount", mount.path)
        assert not is_running(mount.pid) and not mountinfo(mount.path)
        assert not result.stderr
        user("key", "rotate")


def test_a_port_is_taken_over_from_a_mount_that_was_unmounted_just_now(user):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with user.mount("--listen", address) as first, user.mount():
        os.kill(first.pid, signal.SIGSTOP)
        run(["fusermount3", "-u", "--", first.path], env=user.env)
        path = user.make_dir("third")
        second = user.start("mount", path, "-f", "--listen", address)
        try:
            wait_for(lambda: "waiting for the process" in second.output.read_text(), what="a word of what is waited for")
            os.kill(first.pid, signal.SIGCONT)
            wait_for(lambda: "is mounted" in second.output.read_text(), what="the second mount")
        finally:
            os.kill(first.pid, signal.SIGCONT)
            user("unmount", path)
            assert second.wait(timeout=10) == 0
        first.wait_end()


def test_unmount_as_json_says_which_process_it_was(user):
    with user.mount(foreground=False) as mount:
        assert user.json("unmount", mount.path) == {"mountpoint": str(mount.path), "process": mount.pid, "ended": True}


def test_a_mount_in_use_stays_and_the_program_is_named(user):
    with user.mount(foreground=False) as mount:
        with program(user, 'cd "$1" && exec sleep 60', mount.path) as holder:
            wait_for(lambda: os.readlink(f"/proc/{holder.pid}/cwd") == str(mount.path), what="a program in the mount")
            result = user("unmount", mount.path, status=1)
            assert f"process {holder.pid}" in result.stderr and "--lazy" in result.stderr
            assert mountinfo(mount.path) and is_running(mount.pid)
            user("unmount", mount.path, "--lazy")
            assert not mountinfo(mount.path) and is_running(mount.pid)
        mount.wait_end()


def test_a_file_that_is_open_in_the_mount_is_named(user):
    user("workspace", "add", "acme", "--account", "AC" + "1" * 32, "--secret-file", "-", stdin="token\n")
    user("campaign", "add", "acme", "spring", "--number", "+15550100001")
    with user.mount(foreground=False) as mount:
        path = mount / "acme/spring/calls.csv"
        with program(user, 'exec sleep 60 <"$1"', path) as holder:
            wait_for(lambda: os.readlink(f"/proc/{holder.pid}/fd/0") == str(path), what="an open file")
            result = user("unmount", mount.path, status=1)
            assert str(path) in result.stderr and "sleep" in result.stderr
        user("unmount", mount.path)


def test_a_process_that_cannot_be_looked_into_is_counted(user):
    held = user.file_with("")

    def stand_in(folder):  # having changed its user, it is protected as programs with secrets are
        os.chdir(folder)
        while os.path.exists(held):
            signal.sigtimedwait([], 0.02)
    if not USER.is_other:
        pytest.skip("needs root, who becomes an ordinary user")
    with user.mount(foreground=False) as mount:
        holder = Background(stand_in, mount.path)
        try:
            wait_for(lambda: os.readlink(f"/proc/{holder.child}/cwd") == str(mount.path), what="a program in the mount")
            result = user("unmount", mount.path, status=1)
            unseen, = re.findall(r"(\d+) of your processes", result.stderr)
            assert int(unseen) >= 1 and "cannot be looked into" in result.stderr
        finally:
            held.unlink()
            holder.result()


def test_a_mount_that_hangs_is_taken_away_and_its_process_said_to_be_left(user):
    with user.mount(foreground=False) as mount:
        os.kill(mount.pid, signal.SIGSTOP)
        wait_for(lambda: is_stopped(mount.pid), what="a stopped process")
        try:
            result = user("unmount", mount.path, status=3)
            assert "did not answer" in result.stderr and not mountinfo(mount.path)
        finally:
            os.kill(mount.pid, signal.SIGCONT)
        mount.wait_end()


def test_a_dead_mount_is_taken_away(user):
    with user.mount(foreground=False) as mount:
        mount.kill()
        assert error_of(os.listdir, mount.path) in ("ENOTCONN", "ECONNABORTED")
        user("unmount", mount.path)
        assert not mountinfo(mount.path)


def test_what_is_no_mountpoint_of_ours_is_said(user):
    user("workspace", "add", "acme", "--account", "AC" + "1" * 32, "--secret-file", "-", stdin="token\n")
    assert str(user.home) in user("unmount", user.home, status=1).stderr
    with user.mount() as mount:
        assert f"unmount {mount.path}\n" in user("unmount", mount.path / "acme", status=1).stderr
    user("unmount", user.home, "--timeout", "soon", status=2)


def test_a_word_before_a_folder_does_not_mount_it(user):
    path = user.make_dir("folder")
    for word in ("staus", "mout", "xyzzy", "./catalog.db"):
        user(word, path, status=2)
        assert not mountinfo(path)


def test_a_folder_with_something_in_it_is_hidden_only_when_asked_for(user):
    path = user.make_dir("full")
    (path / "precious").write_text("x")
    result = user("mount", path, status=1)
    assert str(path) in result.stderr and "nonempty" in result.stderr
    assert not mountinfo(path)
    with user.mount("-o", "nonempty", path=path) as mount:
        assert "precious" not in mount.names()
        # A dead mount is cleared away first; what it hid is no less hidden by the next.
        mount.kill()
        assert "not empty" in user("mount", path, status=1).stderr
        assert call(os.listdir, path) == ["precious"]
