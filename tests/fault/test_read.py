"""Reading while the network, S3 or Twilio misbehaves: the bytes are those that were recorded, or the read fails as it is
documented, within its deadline. Never other bytes, never a file that ends early.

What nobody can see: a byte that is altered in an answer that is otherwise right. Of a part of an object no checksum is
known, and TLS is what guards it on the way.
"""

import errno
import multiprocessing
import os
import random
import tempfile
import time
from pathlib import Path

import pytest
from conftest import prepare

from harness import PATIENCE, USER, Background, call, wait_for
from world import Company

SMALL_SECS, LARGE_SECS = 33, 300  # 1 MB; more than the 8 MiB up to which one request asks for all
READ_SECS = 6  # the deadline of a read here
STEP_BYTES = 128 * 1024


def sequential(size, _):
    return [(at, STEP_BYTES) for at in range(0, size, STEP_BYTES)] + [(size, 1)]


def scattered(size, dice):
    """Anywhere, and both ends."""
    places = [(dice.randrange(size), dice.choice([1, 4096, 50_000, STEP_BYTES, 700_000])) for _ in range(12)]
    return [*places, (size - 10, 100), (0, 44)]


PATTERNS = {"sequential": sequential, "scattered": scattered}


def read_like(path, content, pattern, seed):
    """Every byte compared; the kernel's pages are given up first. Run as the user."""
    fd = os.open(path, os.O_RDONLY)
    try:
        assert os.fstat(fd).st_size == len(content)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        for at, length in PATTERNS[pattern](len(content), random.Random(seed)):
            while part := os.pread(fd, length, at):
                assert content[at:at + len(part)] == part, f"other bytes between {at} and {at + len(part)}"
                at, length = at + len(part), length - len(part)
            assert not length or at == len(content), f"the file ends at {at} of {len(content)}"
    finally:
        os.close(fd)


def outcome(mount, recording, pattern, seed=1):
    """The errno's name that reading ends in, or "" where every byte was right. No answer within the deadline, and that of
    the kernel's second try, fails the test."""
    try:
        call(read_like, mount / recording.path, recording.content, pattern, seed, timeout=3 * READ_SECS)
    except OSError as error:
        return errno.errorcode[error.errno]
    return ""


class Library:
    """A company whose recordings have all been moved: a small and a large one for each pattern."""

    def __init__(self, company, proxy):
        self.company, self.proxy, self.tonic, self.twilio = company, proxy, company.tonic, company.twilio
        prepare(self.tonic)
        self.tonic("setting", "set", "read_timeout_msecs", READ_SECS * 1000 * PATIENCE)
        self.tonic.change_storage("acme", "--endpoint", proxy.url)
        self.to_be_changed = [self.twilio.call_with_recording(duration=LARGE_SECS) for _ in range(2)]
        self.wanted = [(self.twilio.call_with_recording(duration=secs), pattern)
                       for secs in (SMALL_SECS, LARGE_SECS) for pattern in PATTERNS]
        self.tonic("sync")
        self.company.migrate_all()
        for recording, _ in self.wanted:
            proxy.wholes[recording.sid] = recording.content

    def misbehave(self, name, **keywords):
        for recording, _ in self.wanted:
            self.proxy.misbehave(name, op="get", key=recording.sid, **keywords)

    def acted(self, name):
        return [entry for entry in self.proxy.requests(op="get") if entry.misbehaved == name]


@pytest.fixture(scope="module")
def library(binary, fuse, base, standins, s3, session_proxy):
    folder = Path(tempfile.mkdtemp(prefix="library-", dir=base))
    folder.chmod(0o755)
    bucket = s3.make_bucket()
    session_proxy.behave()
    standin, accounts = standins.take()
    yield Library(Company(USER.own(folder), standin, accounts, s3, bucket), session_proxy)
    session_proxy.wholes.clear()
    s3.remove_bucket(bucket)


@pytest.fixture(scope="module")
def shelf(library):
    """One mount for what leaves no trace behind."""
    with library.tonic.mount() as mount:
        yield mount


# Once or twice, and well again

HEALED = ("reset", "reset-answer", "truncate-answer", "lose-answer", "stall", "stall-answer", "slow-down", "too-many",
          "internal-error", "bad-gateway", "short-range", "whole-answer", "no-length", "chunked-answer", "cut-without-length",
          "page-200", "wrong-range", "short-object")


@pytest.mark.parametrize("name", HEALED)
def test_what_passes_is_not_noticed_by_a_reader(library, shelf, proxy, name):
    library.misbehave(name, count=1 if name.startswith("stall") else 2)
    for recording, pattern in library.wanted:
        assert outcome(shelf, recording, pattern) == "", f"{len(recording.content)} bytes, {pattern}"
    assert len(library.acted(name)) >= len(library.wanted)


@pytest.mark.parametrize("name", ["slow-down", "too-many"])
def test_a_busy_server_is_asked_more_often_than_a_broken_one(library, shelf, proxy, name):
    recording, pattern = library.wanted[0]
    proxy.misbehave(name, op="get", key=recording.sid, count=4)
    assert outcome(shelf, recording, pattern) == ""
    assert len(library.acted(name)) == 4


@pytest.mark.parametrize("name", ["whole-answer", "no-length", "chunked-answer"])
def test_a_server_that_is_always_so_is_read_all_the_same(library, shelf, proxy, name):
    library.misbehave(name)
    for recording, pattern in library.wanted:
        assert outcome(shelf, recording, pattern) == "", f"{len(recording.content)} bytes, {pattern}"
    assert library.acted(name)


def test_the_network_is_gone_while_somebody_reads(library, shelf, proxy):
    def read(listener):
        os.close(listener)  # which this process has inherited, and would keep
        read_like(shelf / recording.path, recording.content, "sequential", 1)

    recording, _ = library.wanted[2]
    library.misbehave("hold", count=1)
    reader = Background(read, proxy.listener.sockets[0].fileno())
    wait_for(lambda: library.acted("hold"), 10, "the first request")
    proxy.go()
    time.sleep(0.3)
    proxy.come_back()
    reader.result(timeout=3 * READ_SECS)


# For ever

REFUSED = {
    "reset": "EIO", "stall": "ETIMEDOUT", "slow-down": "EBUSY", "too-many": "EBUSY", "internal-error": "EIO",
    "bad-gateway": "EIO", "denied": "EACCES", "expired-token": "EACCES", "not-found": "EIO", "page-200": "EIO",
    "error-200": "EIO", "wrong-range": "EIO", "no-content-range": "EIO", "short-object": "EIO", "long-answer": "EIO",
    "long-chunks": "EIO", "other-object": "EIO",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_lasts_is_the_errno_that_is_documented(library, proxy, name):
    (small, _), _, _, (large, _) = library.wanted
    library.misbehave(name)
    with library.tonic.mount() as mount:
        assert outcome(mount, small, "sequential") == REFUSED[name]
        if REFUSED[name] != "EBUSY":  # which takes its time
            assert outcome(mount, large, "scattered") == REFUSED[name]
        # And as soon as it is over all is well: an origin that is left alone is asked again.
        proxy.behave()
        wait_for(lambda: outcome(mount, large, "scattered") == "", 20, "the end of it", step=0.3)
        assert outcome(mount, small, "sequential") == ""


@pytest.mark.parametrize("name", ["wrong-range", "no-content-range", "long-answer", "long-chunks", "other-object",
                                  "cut-without-length", "short-object", "truncate-answer"])
def test_in_the_middle_of_a_recording_it_is_no_byte_of_it(library, proxy, name):
    """Only some answers are so: what is read is right, and only another object may be an error."""
    recording, _ = library.wanted[2]
    library.proxy.misbehave(name, op="get", key=recording.sid, after=2, count=2)
    with library.tonic.mount() as mount:
        assert outcome(mount, recording, "sequential") in (("", "EIO", "ESTALE") if name == "other-object" else ("",))
    assert library.acted(name)


# Another object under the key

def change_under(path, content, changed, where):
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
    assert os.pread(fd, 4096, 0) == content[:4096]
    assert changed.wait(30)
    while True:  # what had been asked for ahead may have come before
        part = os.pread(fd, STEP_BYTES, where)
        assert content[where:where + len(part)] == part, f"other bytes at {where}"
        where = (where + STEP_BYTES) % len(content)


@pytest.mark.parametrize("number, place", [(0, 4096), (1, 8_000_000)], ids=["next", "far"])
def test_an_object_that_changes_while_it_is_open(library, proxy, number, place):
    """ESTALE for who has it open, EIO for who comes then; what was read before stays what it was."""
    recording, company = library.to_be_changed[number], library.company
    content = recording.content
    other = content[:44] + bytes(byte ^ 255 for byte in content[44:])
    changed = multiprocessing.Event()
    with library.tonic.mount() as mount:
        reader = Background(change_under, mount / recording.path, content, changed, place)
        wait_for(lambda: proxy.requests(op="get", key=recording.sid), 10, "the first request")
        company.s3.client.put_object(Bucket=company.bucket, Key=recording.key, Body=other)
        changed.set()
        with pytest.raises(OSError) as failed:
            reader.result()
        assert failed.value.errno == errno.ESTALE
        assert outcome(mount, recording, "scattered") == "EIO"
    with library.tonic.mount() as again:
        assert outcome(again, recording, "sequential") == "EIO"


def test_an_object_that_comes_back_as_it_was_is_read_again(library, shelf, proxy):
    recording, pattern = library.wanted[0]
    company = library.company
    company.s3.client.delete_object(Bucket=company.bucket, Key=recording.key)
    try:
        assert outcome(shelf, recording, pattern) == "EIO"
    finally:
        company.s3.client.put_object(Bucket=company.bucket, Key=recording.key, Body=recording.content)
    assert outcome(shelf, recording, pattern) == ""


# From Twilio

@pytest.fixture
def at_twilio(empty):
    """Nothing is moved; Twilio is asked for what is read."""
    prepare(empty.tonic)
    empty.tonic("setting", "set", "read_timeout_msecs", READ_SECS * 1000 * PATIENCE)
    wanted = [(empty.twilio.call_with_recording(duration=SMALL_SECS), pattern) for pattern in PATTERNS]
    wanted.append((empty.twilio.call_with_recording(duration=LARGE_SECS), "scattered"))
    empty.tonic("sync")
    with empty.mount() as mount:
        for recording, _ in wanted:
            mount.stat(recording.path)  # its size is known before anything goes wrong
        yield empty, mount, wanted


def test_what_passes_at_twilio_is_not_noticed_by_a_reader(at_twilio):
    company, mount, wanted = at_twilio
    for switch, value in (("reset_after", 300_000), ("stall_after", 200_000), ("truncate_after", 100_000), ("fail_media", 503),
                          ("fail_media", "429:0"), ("close_after_answer", True), ("error_page_200", "html"), ("short_body", 100),
                          ("empty_body", True), ("content_type", "text/html")):
        for recording, pattern in wanted:
            company.twilio.switch(switch, value, sid=recording.sid, count=1)
            assert outcome(mount, recording, pattern) == "", f"{switch}: {len(recording.content)} bytes, {pattern}"
        company.twilio.unswitch()


def test_twilio_is_asked_again_until_it_is_not_busy_any_more(at_twilio):
    company, mount, wanted = at_twilio
    recording, pattern = wanted[0]
    for value in (503, "429:0"):
        company.twilio.switch("fail_media", value, sid=recording.sid, count=4)
        assert outcome(mount, recording, pattern) == "", value


def test_a_size_that_cannot_be_is_eio(empty):
    """And it is learned as soon as Twilio says what can be."""
    prepare(empty.tonic)
    recording = empty.twilio.call_with_recording(duration=1)
    empty.twilio.switch("told_bytes", 1 << 46)
    empty.tonic("sync")
    with empty.mount() as mount:
        assert outcome(mount, recording, "sequential") == "EIO"
        empty.twilio.unswitch()
        wait_for(lambda: outcome(mount, recording, "sequential") == "", 20, "the size", step=0.3)


@pytest.mark.parametrize("switch, value, wanted_error", [
    ("short_body", 100, "EIO"), ("empty_body", True, "EIO"), ("content_type", "text/html", "EIO"), ("downmix_always", True, "EIO"),
    ("fail_media", 503, "EBUSY"), ("fail_media", 429, "EBUSY"), ("fail_media", 500, "EIO"), ("fail_media", 401, "EACCES"),
    ("reset_after", 0, "EIO"), ("truncate_after", 0, "EIO")])
def test_what_lasts_at_twilio_is_the_errno_that_is_documented(at_twilio, switch, value, wanted_error):
    company, mount, wanted = at_twilio
    for recording, pattern in wanted[1:2] if wanted_error == "EBUSY" else wanted[1:]:
        company.twilio.switch(switch, value, sid=recording.sid)
        assert outcome(mount, recording, pattern) == wanted_error
    company.twilio.unswitch()
    recording, pattern = wanted[1]
    wait_for(lambda: outcome(mount, recording, pattern) == "", 20, "the end of it", step=0.3)
