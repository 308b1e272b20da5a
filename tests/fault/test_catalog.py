"""The catalog's disk is full: a step that is not stored has not happened, and no work continues without it."""

import contextlib
import os
import subprocess

import pytest

from harness import PATIENCE, USER, wait_for

SIZE_BYTES = 4 << 20


@pytest.fixture
def small_disk(case):
    """The catalog on a file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("a file system of its own needs root")
    disk = case.tonic.make_dir("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES},uid={USER.uid},gid={USER.gid},mode=700", "tonicfs-test", disk],
                   check=True)
    for path in case.tonic.home.glob("catalog.db*"):
        target = disk / path.name
        target.write_bytes(path.read_bytes())
        target.chmod(0o600)
        USER.own(target)
    case.tonic.catalog = disk / "catalog.db"
    case.tonic.env["TONICFS_CATALOG"] = str(case.tonic.catalog)
    yield disk
    wait_for(lambda: subprocess.run(["umount", disk], check=False).returncode == 0, 10, "the disk is free")


def fill(disk):
    with open(disk / "filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass


@pytest.mark.parametrize("step", ["after-claim", "after-put", "after-verify", "after-stored", "after-mark-sent", "after-delete"])
def test_the_catalogs_disk_is_full(case, small_disk, started, step):
    case.record(1, 1, 1)
    process = case.start(f"{step}:sleep-1000")
    started.append(process)
    wait_for(lambda: case.proxy.requests() or step == "after-claim", 20, "the first request")
    fill(small_disk)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=2 * PATIENCE)
    case.check()
    (small_disk / "filler").unlink()
    process.wait(timeout=40 * PATIENCE)
    case.check()
    case.finish()


def test_a_full_disk_from_the_start(case, small_disk):
    case.record(1, 1)
    fill(small_disk)
    result = case.migrate(status=None)
    assert result.status != 0 and result.stderr
    assert not case.twilio.deletes()
    case.check()
    (small_disk / "filler").unlink()
    case.finish()
