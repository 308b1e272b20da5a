"""init, keys, and catalogs that are damaged, foreign or too new."""

import os
import re
import shlex
import stat
import subprocess

import pytest

import harness
from harness import USER, call, run


def contents(tonic):
    return {path.name: path.read_bytes() for path in sorted(tonic.home.iterdir()) if path.is_file()}


def unchanged(tonic, before):
    """Nothing was written, but for the -wal and -shm that a reader may leave empty."""
    after = contents(tonic)
    for name in set(before) | set(after):
        if name.endswith("-shm") or (name.endswith("-wal") and not after.get(name)):
            continue
        assert before.get(name) == after.get(name), f"{name} was changed"


def sqlcipher(*arguments):
    return call(harness.sqlcipher, *arguments)


def test_init_makes_a_catalog_and_a_key_that_only_the_user_can_read(tonic):
    tonic("init")
    for path in (tonic.catalog, tonic.key_file):
        mode = path.stat()
        assert stat.S_IMODE(mode.st_mode) == 0o600 and mode.st_uid == USER.uid, path
    assert re.fullmatch(r"[0-9a-f]{64}\s*", tonic.key_file.read_text())


def test_init_warns_that_a_key_beside_the_catalog_is_copied_with_it(tonic):
    said = tonic("init").stdout
    for word in ("Warning", "beside the catalog", "copied home folder", "--key-file", "--key-command", "systemd credential"):
        assert word in " ".join(said.split()), word
    other = tonic.home / "other.db"
    assert tonic.json("--catalog", other, "init")["key_is_beside_catalog"] is True
    elsewhere = tonic.make_dir("keys") / "key"
    assert "Warning" not in tonic("--catalog", tonic.home / "a.db", "--key-file", elsewhere, "init").stdout
    assert "Warning" not in tonic("--catalog", tonic.home / "b.db", "init", "--key-command", f"cat {elsewhere}").stdout
    assert tonic.json("--catalog", tonic.home / "c.db", "--key-file", elsewhere, "init")["key_is_beside_catalog"] is False


def test_init_makes_missing_folders_with_mode_0700(tonic):
    catalog = tonic.home / "a" / "b" / "catalog.db"
    tonic("--catalog", catalog, "init")
    assert stat.S_IMODE(catalog.parent.stat().st_mode) == 0o700
    assert catalog.exists()


def test_the_catalog_is_not_readable_without_its_key(tonic):
    tonic.init()
    assert not tonic.catalog.read_bytes().startswith(b"SQLite format 3")
    key = tonic.key_file.read_text().strip()
    assert sqlcipher(tonic.catalog, key, "PRAGMA user_version")
    with pytest.raises(AssertionError):
        sqlcipher(tonic.catalog, "0" * 64, "SELECT count(*) FROM sqlite_master")


def test_two_inits_make_different_keys(tonic):
    tonic("init")
    tonic("--catalog", tonic.home / "other.db", "init")
    assert tonic.key_file.read_text() != (tonic.home / "other.db.key").read_text()


def test_a_second_init_fails_and_changes_nothing(tonic):
    tonic.init()
    before = contents(tonic)
    assert tonic("init", status=1).stderr
    unchanged(tonic, before)


def test_init_does_not_overwrite_a_key_that_is_there(tonic):
    tonic.key_file.write_text("1" * 64 + "\n")
    USER.own(tonic.key_file)
    tonic.key_file.chmod(0o600)
    tonic("init", status=None)
    assert tonic.key_file.read_text() == "1" * 64 + "\n"


@pytest.mark.parametrize("option", ["option", "variable"])
def test_the_key_file_can_be_elsewhere(tonic, option):
    other = tonic.make_dir("keys") / "key"
    env = {**tonic.env, "TONICFS_KEY_FILE": str(other)} if option == "variable" else tonic.env
    words = [] if option == "variable" else ["--key-file", other]
    tonic(*words, "init", env=env)
    assert other.exists() and not tonic.key_file.exists()
    tonic(*words, "workspace", "list", env=env)
    assert tonic("workspace", "list", status=1).stderr


def test_a_wrong_key_is_called_a_wrong_key_and_nothing_is_written(tonic):
    tonic.init()
    tonic.key_file.write_text("0123456789abcdef" * 4 + "\n")
    before = contents(tonic)
    assert "key" in tonic("workspace", "list", status=1).stderr.lower()
    unchanged(tonic, before)


def test_a_key_file_that_others_can_read_is_refused(tonic):
    tonic.init()
    tonic.key_file.chmod(0o644)
    assert str(tonic.key_file) in tonic("workspace", "list", status=1).stderr


@pytest.mark.parametrize("key", ["", "abc", "z" * 64, "0" * 63, "0" * 65])
def test_a_key_file_that_holds_no_key_is_an_error(tonic, key):
    tonic.init()
    tonic.key_file.write_text(key)
    before = contents(tonic)
    assert tonic("workspace", "list", status=1).stderr
    unchanged(tonic, before)


def test_a_missing_key_file_is_an_error_that_names_it(tonic):
    tonic.init()
    tonic.key_file.unlink()
    assert tonic.key_file.name in tonic("workspace", "list", status=1).stderr


def test_a_missing_catalog_is_an_error_that_names_it_and_init(tonic):
    error = tonic("workspace", "list", status=1).stderr
    assert str(tonic.catalog) in error and "init" in error
    assert not tonic.catalog.exists()


def assert_own_words(error):
    """One line of the program's own, and none of a library's."""
    assert re.fullmatch(r"tonicfs: .*\n", error), error
    assert not re.search("hmac|codec|malformed|logic error|cleaning|input/output", error, re.I), error


@pytest.mark.parametrize("damage", ["first page", "every page", "cut", "empty", "text"])
def test_a_damaged_catalog_is_an_error_and_nothing_is_written(tonic, damage):
    tonic.init()
    for name in ("-wal", "-shm"):
        path = tonic.home / (tonic.catalog.name + name)
        if path.exists():
            path.unlink()
    content = bytearray(tonic.catalog.read_bytes())
    if damage == "first page":
        content[100:200] = bytes(100)
    elif damage == "every page":
        for at in range(300, len(content), 512):
            content[at] ^= 0xff
    elif damage == "cut":
        del content[1000:]
    elif damage == "empty":
        del content[:]
    else:
        content = bytearray(b"this is no catalog\n" * 500)
    tonic.catalog.write_bytes(content)
    before = contents(tonic)
    error = tonic("workspace", "list", status=1).stderr
    assert str(tonic.catalog) in error
    assert "wrong key" not in error.lower(), "damage must not be taken for a wrong key"
    assert_own_words(error)
    unchanged(tonic, before)


def test_a_page_that_is_damaged_is_told_in_the_program_s_own_words(tonic):
    tonic.init()
    tonic("workspace", "add", "acme", "--account", "AC" + "1" * 32, "--secret-file", "-", stdin="token\n")
    tonic("campaign", "add", "acme", "spring", "--number", "+15550100001")
    content, told = tonic.catalog.read_bytes(), set()
    commands = [["key", "rotate"], ["workspace", "list"],
                ["workspace", "add", "other", "--account", "AC" + "2" * 32, "--secret-file", tonic.file_with("token")],
                ["campaign", "add", "acme", "autumn", "--number", "+15550100002"]]
    for page in (1, 3, 6):
        for words in commands:
            damaged = bytearray(content)
            damaged[page * 4096 + 50] ^= 0xff
            for name in ("-wal", "-shm"):
                (tonic.home / (tonic.catalog.name + name)).unlink(missing_ok=True)
            tonic.catalog.write_bytes(damaged)
            result = tonic(*words, status=None)
            if result.status:
                assert_own_words(result.stderr)
                assert "damaged" in result.stderr and "put a copy of it in its place" in result.stderr
                told.add(" ".join(map(str, words[:2])))
    assert told == {"key rotate", "workspace list", "workspace add", "campaign add"}, "the pages are of no use to the test"


def test_a_catalog_of_a_newer_version_is_refused_and_not_written(tonic):
    tonic.init()
    key = tonic.key_file.read_text().strip()
    sqlcipher(tonic.catalog, key, "PRAGMA user_version = 9999", "PRAGMA wal_checkpoint(TRUNCATE)")
    before = contents(tonic)
    assert "newer" in tonic("workspace", "list", status=1).stderr
    unchanged(tonic, before)


def test_a_mount_of_a_catalog_of_a_newer_version_is_refused(tonic):
    tonic.init()
    key = tonic.key_file.read_text().strip()
    sqlcipher(tonic.catalog, key, "PRAGMA user_version = 9999", "PRAGMA wal_checkpoint(TRUNCATE)")
    path = tonic.make_dir("mount")
    assert "newer" in tonic("mount", path, status=1).stderr


def test_a_key_command_gives_the_key(tonic):
    secret = tonic.file_with("ab" * 32 + "\n", stem="vault")
    tonic("init", "--key-command", f"cat {secret}")
    assert not tonic.key_file.exists()
    tonic("workspace", "list")
    secret.write_text("cd" * 32 + "\n")
    assert "key" in tonic("workspace", "list", status=1).stderr.lower()


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_may_write_is_refused_with_what_to_run(tonic, mode):
    ran = tonic.make_dir("elsewhere") / "ran"
    tonic("init", "--key-command", f"touch {ran}; echo {'ab' * 32}")
    ran.unlink()
    tonic.home.chmod(mode)
    error = tonic("workspace", "list", status=1).stderr
    assert str(tonic.home) in error and not ran.exists(), "the command may be another user's"
    assert tonic("--catalog", tonic.home / "other.db", "init", status=1).stderr
    assert not list(tonic.home.glob("other.db*"))
    remedy = shlex.split(error.rpartition("run: ")[2])
    assert remedy[0] == "chmod"
    run(remedy, env=tonic.env)
    tonic("workspace", "list")


@pytest.mark.parametrize("name", ["catalog.db.key", "catalog.db.key-command"])
def test_a_key_that_others_may_write_is_refused_with_what_to_run(tonic, name):
    tonic("init", *(["--key-command", f"echo {'ab' * 32}"] if name.endswith("command") else []))
    (tonic.home / name).chmod(0o622 if name.endswith("command") else 0o620)
    error = tonic("workspace", "list", status=1).stderr
    run(shlex.split(error.rpartition("run: ")[2]), env=tonic.env)
    tonic("workspace", "list")


def test_a_key_command_that_fails_is_an_error_with_its_status(tonic):
    secret = tonic.file_with("ab" * 32 + "\n", stem="vault")
    tonic("init", "--key-command", f"cat {secret}")
    secret.unlink()
    assert tonic("workspace", "list", status=1).stderr


def test_the_key_can_be_a_systemd_credential(tonic):
    tonic.init()
    credentials = tonic.make_dir("credentials")
    moved = credentials / "tonicfs.key"
    moved.write_text(tonic.key_file.read_text())
    moved.chmod(0o600)
    USER.own(moved)
    tonic.key_file.unlink()
    assert tonic("workspace", "list", status=1).stderr
    tonic("workspace", "list", env={**tonic.env, "CREDENTIALS_DIRECTORY": str(credentials)})


def test_the_catalog_is_named_by_the_option_before_the_variable(tonic):
    other = tonic.home / "other.db"
    tonic("--catalog", other, "init")
    assert other.exists() and not tonic.catalog.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system can only be mounted by root")
def test_a_full_disk_while_the_catalog_is_written_is_an_error_and_loses_nothing(tonic):
    disk = tonic.make_dir("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=2m,mode=0700,uid={USER.uid},gid={USER.gid}", "tmpfs", disk],
                   check=True, timeout=10)
    try:
        catalog, filler = disk / "catalog.db", disk / "filler"
        tonic("--catalog", catalog, "init")
        secret = tonic.file_with("token\n")

        def add(number, status):
            return tonic("--catalog", catalog, "workspace", "add", f"workspace {number}", "--account",
                         f"AC{number:032x}", "--secret-file", secret, status=status)
        add(1, 0)
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1024))
            except OSError:
                pass
        refused = 0
        for number in range(2, 10):
            refused += add(number, None).status != 0
        assert refused, "the disk is full, and every workspace was accepted"
        filler.unlink()
        add(99, 0)
        names = tonic("--catalog", catalog, "workspace", "list").stdout
        assert "workspace 1" in names and "workspace 99" in names
        key = (disk / "catalog.db.key").read_text().strip()
        assert sqlcipher(catalog, key, "PRAGMA integrity_check")[-1] == (b"ok",)
    finally:
        subprocess.run(["umount", "-l", disk], check=True, timeout=10)
