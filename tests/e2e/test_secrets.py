"""No file, log or process list contains a secret or a caller's identity in the clear."""

import json
import os
import re
from pathlib import Path

import pytest

from harness import BINARY, USER, needs_root, run


def forbidden(acme):
    """Every number, call SID and secret of this test, each as bytes that must not be found."""
    words = {acme.twilio.token, acme.s3.secret_key, acme.tonic.key_file.read_text().strip()}
    for call in acme.twilio.calls:
        words |= {call.sid, call.sid[2:]}
        words |= {re.sub(r"\D", "", number) for number in (call.from_, call.to)}
    return {word.encode() for word in words if len(word) > 6}


def search(words, content):
    """The forbidden words that content has, also where SIDs stand as raw bytes."""
    found = {word for word in words if word in content}
    for word in words:
        if re.fullmatch(rb"[0-9a-f]{32,}", word) and bytes.fromhex(word.decode()) in content:
            found.add(word)
    return found


def work(acme, mount):
    """Everything that touches numbers and secrets: listing, reading, migrating, failing, deleting."""
    mount.read(acme.first.path)
    mount.read("acme/spring/calls.csv")
    mount.shell('getfattr -d --absolute-names "$1"', mount / acme.first.path)
    mount.migrate(acme.first.path)
    mount.shell('rm "$1"', mount / acme.second.path)
    acme.twilio.switch("fail_media", 500, sid=acme.stray.sid)
    mount.shell('timeout 3 cat "$1" >/dev/null', mount / acme.stray.path, status=None)
    acme.twilio.unswitch()
    acme.tonic("sync")


def test_the_files_on_disk_have_nothing_in_the_clear(acme):
    words = forbidden(acme) - {acme.tonic.key_file.read_text().strip().encode()}
    with acme.mount() as mount:
        work(acme, mount)
        checked = []
        for path in sorted(acme.tonic.home.rglob("*")):
            if path.is_file():
                checked.append(path.name)
                assert not search(words, path.read_bytes()), path
    assert {"catalog.db", "catalog.db-wal", "catalog.db-shm", "catalog.db.key"} <= set(checked)
    for path in acme.tonic.home.rglob("*"):
        if path.is_file():
            assert not search(words, path.read_bytes()), path


def test_the_search_would_find_what_is_there(acme):
    """This test of the tests: a number in a file, and a SID as raw bytes, are found."""
    words = forbidden(acme)
    call = acme.first.call
    assert search(words, b"x" + call.from_.encode())
    assert search(words, b"x" + bytes.fromhex(call.sid[2:]))


@pytest.mark.parametrize("level", [(), ("-v",)], ids=["default", "verbose"])
def test_the_log_has_nothing_in_it(acme, level):
    words = forbidden(acme)
    with acme.mount(before=level) as mount:
        work(acme, mount)
        log = mount.log
    assert not search(words, log.encode())
    assert "X-Amz-Signature" not in log and "Authorization" not in log and "Basic " not in log


@needs_root
def test_the_process_has_nothing_in_its_command_line_and_environment(acme):
    words = forbidden(acme)
    with acme.mount() as mount:
        work(acme, mount)
        for name in ("cmdline", "environ"):
            content = Path(f"/proc/{mount.pid}/{name}").read_bytes()
            assert content and not search(words, content), name


@needs_root
def test_nothing_is_left_in_temporary_folders(acme):
    words = forbidden(acme)
    with acme.mount() as mount:
        work(acme, mount)
        opened = []
        for number in os.listdir(f"/proc/{mount.pid}/fd"):
            target = os.readlink(f"/proc/{mount.pid}/fd/{number}")
            if target.startswith("/") and not target.startswith(("/dev/", "/proc/")):
                opened.append(target)
                assert target.startswith(str(acme.tonic.folder)), f"a file of another folder is open: {target}"
    assert opened
    for path in acme.tonic.folder.rglob("*"):
        if path.is_file() and path != acme.tonic.key_file:
            assert not search(words, path.read_bytes()), path


def test_object_keys_and_metadata_have_no_numbers(acme):
    words = forbidden(acme)
    acme.migrate_all()
    for key in acme.s3.keys(acme.bucket):
        head = acme.s3.client.head_object(Bucket=acme.bucket, Key=key)
        assert not search(words, (key + json.dumps(head["Metadata"])).encode()), key


def test_what_the_commands_print_has_no_secret(acme):
    secrets = {acme.twilio.token.encode(), acme.s3.secret_key.encode(), acme.tonic.key_file.read_text().strip().encode()}
    for words in (["workspace", "list"], ["workspace", "show", "acme"], ["storage", "show", "acme"], ["status"],
                  ["campaign", "list", "acme"], ["sync"]):
        for json_too in ([], ["--json"]):
            result = acme.tonic(*json_too, *words)
            assert not search(secrets, (result.stdout + result.stderr).encode()), words


def test_error_messages_have_no_numbers_and_no_secrets(acme):
    words = forbidden(acme)
    acme.twilio.switch("fail_media", 403)
    result = acme.tonic("migrate", "acme", "--wait", status=None, timeout=55)
    assert result.status != 0
    assert not search(words, (result.stdout + result.stderr).encode())


def test_a_crash_of_the_mount_leaves_no_core_with_secrets(acme):
    with acme.mount(foreground=False) as mount:
        limits = Path(f"/proc/{mount.pid}/limits").read_text()
        owner = os.stat(f"/proc/{mount.pid}/environ").st_uid
    core, = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    # A dump that is piped to a program has no limit: there it counts that the process is no longer its user's.
    assert core.split()[4:6] == ["0", "0"] and owner == 0


def test_every_command_can_neither_be_dumped_nor_have_tls_keys_written(tonic):
    found = tonic.home / "found"
    probe = tonic.file_with(f"""
        {{ grep '^Max core' /proc/$PPID/limits; stat -c %u /proc/$PPID/environ; echo "${{SSLKEYLOGFILE-unset}}"; }} >{found}
        echo {'ab' * 32}
    """)
    env = {**tonic.env, "SSLKEYLOGFILE": str(tonic.home / "tls")}
    for words in (["init", "--key-command", f". {probe}"], ["workspace", "list"], ["status"], ["setting", "list"],
                  ["key", "rotate", "--new-key-command", f". {probe}"]):
        tonic(*words, env=env, status=None)  # the last one: the catalog has this key already
        limit, owner, log = found.read_text().splitlines()
        assert limit.split()[4:6] == ["0", "0"] and (owner, log) == ("0", "unset"), words
        found.unlink()


@pytest.mark.skipif(not USER.is_other, reason="only root can take away the right to lock memory for good, and not from itself")
def test_that_memory_cannot_be_locked_is_said_once_and_by_us(tonic):
    tonic.init()

    def warnings(limit, *words):
        script = f'ulimit -l {limit} && exec "$@"'
        return run(["sh", "-c", script, "sh", BINARY, *words], env=tonic.env).stderr.splitlines()
    line, = warnings(0, "workspace", "list")
    assert line.startswith("tonicfs: warning: keys and tokens") and "lock memory" in line and "ulimit -l" in line
    assert not warnings(0, "help")
    # A wrong key is one line, too: the library has nothing to say.
    tonic.key_file.write_text("0123456789abcdef" * 4 + "\n")
    result = tonic("workspace", "list", status=1)
    assert len(result.stderr.splitlines()) == 1, result
