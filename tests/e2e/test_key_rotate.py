"""Another key for the catalog: nothing but the key changes."""

import os
import signal
import stat

from harness import USER, call, run, sqlcipher, wait_for


def test_a_new_key_takes_the_place_of_the_old_one_and_all_else_stays(acme):
    tonic = acme.tonic
    acme.migrate_all("acme/autumn")
    old_key = tonic.key_file.read_text()
    with acme.mount() as mount:
        before = mount.tree(), mount.stat(acme.first.path), acme.status()
    tonic("key", "rotate")
    assert tonic.key_file.read_text() != old_key
    for path in (tonic.key_file, tonic.catalog):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    kept = tonic.file_with(old_key)
    assert "does not open" in tonic("--key-file", kept, "status", status=1).stderr
    assert acme.status() == before[2]
    later = acme.twilio.call_with_recording()
    tonic("sync")
    with acme.mount() as mount:
        assert sorted(mount.tree()) == sorted([*before[0], later.path])
        assert mount.sha256(acme.autumn[0].path) == acme.autumn[0].sha256
        assert (mount.stat(acme.first.path).st_ino, mount.stat(acme.first.path).st_mtime_ns) == (
            before[1].st_ino, before[1].st_mtime_ns)
    left = sorted(path.name for path in tonic.home.glob("catalog.db*"))
    assert left == ["catalog.db", "catalog.db.key", "catalog.db.keyid"]


def test_while_it_is_mounted_the_key_stays(acme):
    key = acme.tonic.key_file.read_text()
    with acme.mount() as mount:
        assert "another process" in acme.tonic("key", "rotate", status=1).stderr
        assert acme.tonic.key_file.read_text() == key
        assert mount.sha256(acme.first.path) == acme.first.sha256
        acme.tonic("sync")
    acme.tonic("key", "rotate")


def test_a_mount_that_was_unmounted_just_now_is_waited_for(tonic):
    tonic.init()
    key = tonic.key_file.read_text()
    with tonic.mount() as mount:
        os.kill(mount.pid, signal.SIGSTOP)
        run(["fusermount3", "-u", "--", mount.path], env=tonic.env)
        rotating = tonic.start("key", "rotate")
        try:
            wait_for(lambda: "waiting for the process" in rotating.output.read_text(), what="a word of what is waited for")
        finally:
            os.kill(mount.pid, signal.SIGCONT)
        assert rotating.wait(timeout=20) == 0, rotating.output.read_text()
        assert tonic.key_file.read_text() != key
        mount.wait_end()


def test_the_new_key_is_what_a_command_prints(tonic):
    tonic.init()
    secret = tonic.file_with("ab" * 32 + "\n")
    tonic("key", "rotate", "--new-key-command", f"cat {secret}")
    tonic.key_file.unlink()
    assert tonic("workspace", "list").status == 0
    assert call(sqlcipher, tonic.catalog, "ab" * 32, "SELECT count(*) FROM workspace")[-1] == (b"0",)
    # From the command to another key behind the same command, the old one being in a file meanwhile.
    old = tonic.file_with(secret.read_text())
    secret.write_text("cd" * 32)
    assert "does not open" in tonic("workspace", "list", status=1).stderr
    tonic("--key-file", old, "key", "rotate", "--new-key-command", f"cat {secret}")
    tonic("workspace", "list")


def test_a_key_that_cannot_be_changed_from_here_wants_to_know_where_the_new_one_goes(tonic):
    secret = tonic.file_with("ab" * 32 + "\n")
    tonic("init", "--key-command", f"cat {secret}")
    assert "--new-key-file" in tonic("key", "rotate", status=1).stderr
    new = tonic.fresh("key")
    result = tonic("key", "rotate", "--new-key-file", new)
    assert str(new) in result.stdout and "--key-file" in result.stdout
    assert stat.S_IMODE(os.stat(new).st_mode) == 0o600
    assert "does not open" in tonic("workspace", "list", status=1).stderr
    tonic("--key-file", new, "workspace", "list")
    assert new.read_text().strip() not in result.stdout + result.stderr


def test_a_systemd_credential_is_replaced_by_a_file(tonic):
    tonic.init()
    folder = tonic.make_dir("credentials")
    credential = USER.own(tonic.key_file.rename(folder / "tonicfs.key"))
    env = {**tonic.env, "CREDENTIALS_DIRECTORY": str(folder)}
    assert "credential" in tonic("key", "rotate", env=env, status=1).stderr
    new = tonic.fresh("home/key")
    tonic("key", "rotate", "--new-key-file", new, env=env)
    assert "does not open" in tonic("workspace", "list", env=env, status=1).stderr
    credential.write_text(new.read_text())
    tonic("workspace", "list", env=env)


def test_wrong_uses_change_nothing(tonic):
    tonic.init()
    files = tonic.key_file, tonic.home / "catalog.db.keyid"
    before = [path.read_bytes() for path in files], tonic.catalog.stat().st_ino
    tonic("key", "rotate", "--new-key-file", "/a", "--new-key-command", "b", status=2)
    tonic("key", "rotate", "--new-key-file", tonic.key_file, status=1)
    tonic("key", "rotate", "--new-key-command", "echo no key", status=1)
    tonic("key", "rotate", "--new-key-file", tonic.file_with("ab" * 32, mode=0o644), status=1)
    assert ([path.read_bytes() for path in files], tonic.catalog.stat().st_ino) == before
    assert sorted(path.name for path in tonic.home.glob("*")) == ["catalog.db", "catalog.db.key", "catalog.db.keyid"]
    tonic("workspace", "list")
