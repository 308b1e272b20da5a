"""The tree: names, attributes and order of its entries, and calls.csv."""

import csv
import errno
import io
import os
import re
import stat
import subprocess
import unicodedata
from datetime import timedelta

import pytest

from harness import USER, call, error_of, run, wait_for
from world import SPRING, START


def test_the_tree_is_workspace_campaign_recording(acme):
    with acme.mount() as mount:
        found = mount.tree()
    folders = [name for name in found if name.endswith("/")]
    assert sorted(folders) == ["acme/", "acme/autumn/", "acme/spring/", "acme/unassigned/"]
    assert sorted(name for name in found if name.endswith("calls.csv")) == [
        f"acme/{campaign}/calls.csv" for campaign in ("autumn", "spring", "unassigned")]
    files = [name for name in found if name.endswith(".wav")]
    assert sorted(files) == sorted(recording.path for recording in acme.twilio.files())


def test_sorted_by_name_is_sorted_by_time_and_readdir_is_in_that_order(acme):
    with acme.mount() as mount:
        names = [name for name in mount.names("acme/spring") if name.endswith(".wav")]
        times = [mount.stat(f"acme/spring/{name}").st_mtime for name in names]
    assert names == sorted(names) and times == sorted(times)


def test_a_voicemail_is_named_so(acme):
    with acme.mount() as mount:
        names = [name for name in mount.names("acme/spring") if name.endswith(".voicemail.wav")]
    assert [acme.voicemail.name] == names


def test_the_party_in_a_name_is_the_other_one(acme):
    with acme.mount() as mount:
        assert any(f"_{acme.outbound.call.to}_" in name for name in mount.names("acme/spring"))


def test_modes_and_owner_are_the_users(acme):
    with acme.mount() as mount:
        for name in ["", *mount.tree()]:
            status = mount.stat(name)
            wanted = stat.S_IFDIR | 0o700 if not name or name.endswith("/") else stat.S_IFREG | 0o600
            if name.endswith("calls.csv"):
                assert stat.S_IMODE(status.st_mode) in (0o400, 0o600)
            else:
                assert status.st_mode == wanted, name
            assert (status.st_uid, status.st_gid) == (USER.uid, USER.gid), name


def test_mtime_and_ctime_are_the_calls_start_and_size_is_exact(acme):
    with acme.mount() as mount:
        for recording in acme.twilio.files():
            status = mount.stat(recording.path)
            assert status.st_mtime == status.st_ctime == recording.call.start.timestamp()
            assert status.st_size == len(recording.content)


def test_inodes_are_unique_and_the_same_in_the_next_mount(acme):
    def look():
        with acme.mount() as mount:
            return {name: mount.stat(name).st_ino for name in mount.tree()}
    first = look()
    assert len(set(first.values())) == len(first)
    assert look() == first


def test_a_readdir_does_not_wait_for_sizes(acme):
    acme.twilio.switch("first_byte_msecs", 30_000)
    with acme.mount() as mount:
        assert len(call(os.listdir, mount / "acme/spring", timeout=3)) > 3


def test_df_shows_the_recordings_bytes_and_no_lack_of_inodes(acme):
    with acme.mount() as mount:
        files = acme.twilio.files()
        size = sum(call(os.stat, mount / recording.path).st_size for recording in files)
        assert size == sum(len(recording.content) for recording in files)

        def is_learned():
            status = call(os.statvfs, mount.path)
            return status.f_blocks == -(-size // status.f_frsize)
        wait_for(is_learned, what="the recordings' bytes in statvfs")
        used, available, inodes, inodes_used, percent = mount.shell(
            "df --block-size=1 --output=used,avail,itotal,iused,ipcent \"$1\" | tail -n 1", mount.path).stdout.split()
        assert 0 <= int(used) - size < 4096 and available == "0"
        assert int(inodes) > int(inodes_used) == len(files) and int(percent.rstrip("%")) <= 1


def test_statfs_and_ls_work_while_twilio_is_gone(acme):
    acme.twilio.stop()
    with acme.mount() as mount:
        call(os.statvfs, mount.path, timeout=3)
        assert len(call(os.listdir, mount / "acme/spring", timeout=3)) > 3


def test_a_stat_of_an_unknown_size_fails_with_a_cause_and_then_at_once(acme):
    acme.twilio.stop()
    name = acme.twilio.files()[0].path
    with acme.mount() as mount:
        assert error_of(os.stat, mount / name, timeout=15) in ("EHOSTUNREACH", "ETIMEDOUT")
        assert error_of(os.stat, mount / name, timeout=2) in ("EHOSTUNREACH", "ETIMEDOUT")


def open_for(path, flags):
    os.close(os.open(path, flags, 0o644))


@pytest.mark.parametrize("name", ["recording", "calls.csv"])
def test_opening_for_writing_is_erofs(acme, name):
    path = acme.first.path if name == "recording" else "acme/spring/calls.csv"
    with acme.mount() as mount:
        for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND):
            assert error_of(open_for, mount / path, flags) == "EROFS"


def test_whatever_would_change_the_tree_is_erofs(acme):
    with acme.mount() as mount:
        file = mount / acme.first.path
        attempts = {
            "create": (open_for, file.parent / "new", os.O_CREAT | os.O_WRONLY),
            "mkdir": (os.mkdir, file.parent / "new"),
            "mkdir at the top": (os.mkdir, mount / "new"),
            "rename": (os.rename, file, file.parent / "new.wav"),
            "rename a folder": (os.rename, mount / "acme/spring", mount / "acme/summer"),
            "link": (os.link, file, file.parent / "new.wav"),
            "symlink": (os.symlink, "x", file.parent / "new"),
            "mknod": (os.mknod, file.parent / "new"),
            "truncate": (os.truncate, file, 0),
            "chmod": (os.chmod, file, 0o644),
            "utimes": (os.utime, file, (1, 1)),
        }
        assert {name: error_of(*attempt) for name, attempt in attempts.items()} == dict.fromkeys(attempts, "EROFS")


def test_what_is_not_there_is_enoent(acme):
    with acme.mount() as mount:
        for name in ("nobody", "acme/nothing", "acme/spring/nothing.wav", acme.first.path.replace("spring", "autumn")):
            assert error_of(os.stat, mount / name) == "ENOENT"


@pytest.mark.skipif(not USER.is_other, reason="needs two users: root and an ordinary one")
def test_another_user_not_even_root_sees_the_tree(acme):
    with acme.mount() as mount:
        result = subprocess.run(["ls", mount.path], capture_output=True, text=True, timeout=10, check=False)
    assert result.returncode and os.strerror(errno.EACCES) in result.stderr


def test_find_and_du_and_ls_see_the_same(acme):
    with acme.mount() as mount:
        files = acme.twilio.files()
        assert int(mount.shell('find "$1" -name "*.wav" -type f -size +0 | wc -l', mount.path).stdout) == len(files)
        shown = mount.shell('ls -l "$1"', mount / "acme/spring").stdout
        for recording in files:
            if recording.folder == "spring":
                assert f" {len(recording.content)} " in shown


def test_names_can_be_without_numbers(acme):
    with acme.mount("-o", "names=sid") as mount:
        names = [name for name in mount.tree() if name.endswith(".wav")]
        assert len(names) == len(acme.twilio.files())
        assert not [name for name in names if "+" in name]
        recording = acme.first
        name, = [name for name in names if recording.sid in name]
        assert mount.sha256(name) == recording.sha256


def test_no_number_leaves_a_mount_whose_names_have_none(acme):
    numbers = {number.lstrip("+") for item in acme.twilio.parent_calls() for number in (item.from_, item.to) if number.startswith("+")}
    with acme.mount("-o", "names=sid") as mount:
        mount.migrate(acme.first.path.replace(acme.first.name, next(
            name for name in mount.names(f"acme/{acme.first.folder}") if acme.first.sid in name)))
        said = []
        for name in ["", *mount.tree()]:
            for attribute in [*mount.attrs(name), "user.tonicfs.from", "user.tonicfs.to"]:
                error = error_of(os.getxattr, mount / name, attribute)
                said.append(name + " " + (error or call(os.getxattr, mount / name, attribute).decode()))
            if name.endswith("calls.csv"):
                said.append(mount.read(name).decode())
                assert mount.stat(name).st_size == len(mount.read(name))
                files = {file for row in rows(mount, os.path.dirname(name)) for file in row["files"].split()}
                assert files | {"calls.csv"} == set(mount.names(os.path.dirname(name)))
        assert numbers and not [text for text in said for number in numbers if number in text]
        first = next(name for name in mount.files() if acme.first.sid in name)
        assert not {"user.tonicfs.from", "user.tonicfs.to"} & set(mount.attrs(first))


def test_a_campaign_added_later_takes_its_calls_out_of_unassigned(acme):
    stray = acme.stray
    with acme.mount() as mount:
        inode = mount.stat(stray.path).st_ino
        acme.tonic("campaign", "add", "acme", "winter", "--number", stray.call.to)
        moved = stray.path.replace("unassigned", "winter")
        from harness import wait_for
        wait_for(lambda: moved in mount.files(), 5)
        assert mount.stat(moved).st_ino == inode
        wait_for(lambda: error_of(os.stat, mount / stray.path) == "ENOENT", 5)


# calls.csv

def rows(mount, folder):
    data = mount.read(f"{folder}/calls.csv")
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def test_calls_csv_has_a_row_for_every_call_of_the_campaign(acme):
    with acme.mount() as mount:
        for folder in ("spring", "autumn", "unassigned"):
            wanted = [call for call in acme.twilio.parent_calls() if call.folder == folder]
            assert sorted(row["call_sid"] for row in rows(mount, f"acme/{folder}")) == sorted(call.sid for call in wanted)


def test_calls_csv_says_what_twilio_says(acme):
    with acme.mount() as mount:
        row, = [row for row in rows(mount, "acme/spring") if row["call_sid"] == acme.first.call.sid]
    assert row["started_utc"] == acme.first.call.start.strftime("%Y-%m-%d %H:%M:%S")
    assert row["duration"] == str(acme.first.call.duration)
    assert row["direction"] == acme.first.call.direction
    assert (row["from"], row["to"], row["status"]) == (acme.first.call.from_, acme.first.call.to, "completed")
    assert row["recording_sids"] == acme.first.sid and row["files"] == acme.first.name
    assert (row["recording_durations"], row["recording_kinds"], row["recording_states"]) == ("3", "recording", "available")


def test_calls_csv_does_not_change_when_its_recordings_are_moved(acme):
    with acme.mount() as mount:
        path = f"acme/{acme.first.folder}/calls.csv"
        before, content = mount.stat(path), mount.read(path)
        mount.migrate(f"acme/{acme.first.folder}")
        after = mount.stat(path)
        assert mount.read(path) == content and after.st_size == len(content)
        assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)


def test_a_call_without_a_recording_is_in_calls_csv(acme):
    with acme.mount() as mount:
        row, = [row for row in rows(mount, "acme/spring") if row["call_sid"] == acme.unrecorded.sid]
    assert row["recording_sids"] == "" and row["files"] == ""


def test_calls_csv_is_rfc_4180_with_crlf_and_its_size_is_its_length(acme):
    with acme.mount() as mount:
        data = mount.read("acme/spring/calls.csv")
        assert mount.stat("acme/spring/calls.csv").st_size == len(data)
    assert data.endswith(b"\r\n")
    assert data.count(b"\n") == data.count(b"\r\n")


def test_a_cell_never_begins_like_a_formula(acme):
    evil = ["=HYPERLINK(\"http://evil\",\"x\")", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "\r=1",
            'quo"te,comma', "line\nbreak", "x;=1+1", "\n=1+1", "  =1+1", "\uff1d1+1", "\uff0b1", "\u3000=1", "\x1b[31m\x9b2J"]
    calls = [acme.twilio.call(from_=text, to=SPRING)
             for minute, text in enumerate(evil)]
    acme.tonic("sync")
    with acme.mount() as mount:
        shown = {row["call_sid"]: row["from"] for row in rows(mount, "acme/spring")}
        for row in rows(mount, "acme/spring"):
            for cell in row.values():
                assert not any(unicodedata.category(letter) == "Cc" for letter in cell), cell
                for piece in cell.split(";"):
                    if unicodedata.normalize("NFKC", piece).strip()[:1] in ("=", "@", "+", "-"):
                        assert piece == cell and cell[1:].isdigit(), cell
    for entry, text in zip(calls, evil, strict=True):
        assert re.sub(r"[\x00-\x1f\x9b]", "?", text) in shown[entry.sid].replace("'", "") or text in shown[entry.sid]


def test_an_ordinary_number_stays_as_it_is_in_calls_csv(acme):
    with acme.mount() as mount:
        assert acme.first.call.from_ in [row["from"] for row in rows(mount, "acme/spring")]


def test_unlinking_calls_csv_works_and_it_is_back(acme):
    with acme.mount() as mount:
        call(os.unlink, mount / "acme/spring/calls.csv")
        assert "calls.csv" in mount.names("acme/spring")
        assert rows(mount, "acme/spring")


def test_a_listing_under_way_neither_skips_nor_repeats_when_calls_appear(empty):
    empty.twilio.many(300)
    empty.tonic("sync")
    for minute in range(0, 300, 3):
        empty.twilio.call_with_recording(start=START + timedelta(minutes=minute, seconds=30), duration=1)

    def slow_listing(path, more):
        names = []
        with os.scandir(path) as entries:
            for number, entry in enumerate(entries):
                names.append(entry.name)
                if number == 20:
                    more()
        return names
    with empty.mount() as mount:
        old = set(mount.names("acme/spring"))
        listing = call(slow_listing, mount / "acme/spring",
                       lambda: subprocess.run(["true"], check=False), timeout=30)
        assert sorted(listing) == sorted(old)
        program, env = empty.tonic.binary, empty.tonic.env
        listing = call(slow_listing, mount / "acme/spring",
                       lambda: subprocess.run([program, "sync", "--full"], env=env, check=True, timeout=30), timeout=60)
        assert len(listing) == len(set(listing)), "an entry was repeated"
        assert old <= set(listing), "an entry was skipped"


def test_the_tree_is_fine_for_tar(acme):
    with acme.mount() as mount:
        copy = acme.tonic.make_dir("copy")
        mount.shell('tar -C "$1" -cf - . | tar -C "$2" -xf -', mount / "acme/spring", copy, timeout=40)
        assert (copy / acme.first.name).read_bytes() == acme.first.content
        assert run(["diff", "-r", mount / "acme/spring", copy], env=acme.tonic.env).stdout == ""
