"""Many readers of one mount while everything is moved and some of it removed, over a network that loses a request now and
then: every byte is compared, and nothing is lost. FAULT_SEED is the first number, and FAULT_COUNT / 200 says how many;
make soak SEED=that COUNT=1 plays one again, as far as processes and sockets allow."""

import errno
import multiprocessing
import os
import random
import time

import pytest
from conftest import prepare

from harness import PATIENCE, Background, call, wait_for
from proof import check

SEED = int(os.environ.get("FAULT_SEED", "1"))
ROUNDS = max(1, int(os.environ.get("FAULT_COUNT", "200")) // 200)
LOAD_SECS = 7
DURATIONS = [1, 2, 3, 4] * 9 + [33] * 5 + [300] * 2
DOOMED = 8
STEP_BYTES = 128 * 1024
FAULTS = ("reset", "slow-down", "internal-error", "lose-answer", "truncate-answer", "reset-answer", "short-range", "chunked-answer")
PERCENT = 3
TWILIO_FAULTS = (("reset_after", 20_000), ("truncate_after", 40_000), ("fail_media", 503), ("close_after_answer", True))


class Reader:
    """Runs in a process of its own until the end is said; what it has read is compared at once."""

    def __init__(self, root, contents, doomed, dice):
        self.root, self.contents, self.doomed, self.dice = root, contents, doomed, dice
        self.bytes = self.files = self.gone = 0

    def open(self, path, read):
        """What is to be removed may be gone; nothing else, and no other error."""
        fd = None
        try:
            fd = os.open(self.root / path, os.O_RDONLY)
            if self.dice.random() < 0.7:
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            read(fd, path)
            self.files += 1
        except OSError as error:
            if error.errno != errno.ENOENT or path not in self.doomed:
                raise AssertionError(f"{path}: {error}") from None
            self.gone += 1
        finally:
            if fd is not None:
                os.close(fd)

    def take(self, fd, path, at, length):
        content = self.contents[path]
        length = min(length, len(content) - at)
        while length:
            part = os.pread(fd, min(length, STEP_BYTES), at)
            assert part, f"{path} ends at {at} of {len(content)}"
            assert content[at:at + len(part)] == part, f"{path}: other bytes between {at} and {at + len(part)}"
            at, length, self.bytes = at + len(part), length - len(part), self.bytes + len(part)

    def whole(self, fd, path):
        self.take(fd, path, 0, len(self.contents[path]))
        assert os.pread(fd, 1, len(self.contents[path])) == b""

    def ranges(self, fd, path):
        for _ in range(self.dice.randint(1, 8)):
            at = self.dice.randrange(len(self.contents[path]))
            self.take(fd, path, at, self.dice.choice([1, 4096, 100_000, 1_000_000]))

    def head(self, fd, path):
        self.take(fd, path, 0, self.dice.choice([44, 4096, 65_536]))

    def rounds(self, kind):
        paths = list(self.contents)
        if kind in ("in order", "by inode"):
            start = self.dice.randrange(len(paths))
            folder = os.path.dirname(paths[0])
            with os.scandir(self.root / folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name if kind == "in order" else entry.inode())
            there = [f"{folder}/{entry.name}" for entry in listed if f"{folder}/{entry.name}" in self.contents]
            for path in there[start:]:
                yield self.whole, path
        else:
            read = {"whole": self.whole, "ranges": self.ranges, "heads": self.head}[kind]
            for path in self.dice.sample(paths, 12):
                yield read, path

    def run(self, kind, is_over):
        while not is_over.is_set():
            for read, path in self.rounds(kind):
                self.open(path, read)
                if is_over.is_set():
                    break
        return self.files, self.bytes, self.gone


KINDS = ("whole", "ranges", "heads", "in order", "by inode", "ranges", "whole", "in order") * 2


def remove(mount, path):
    os.unlink(mount / path)


@pytest.mark.timeout(90 * PATIENCE)
@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_every_byte_is_right_while_all_of_it_is_moved(empty, proxy, seed):
    print(f"make soak SEED={seed} COUNT=1")
    company, dice, is_over = empty, random.Random(seed), multiprocessing.Event()
    prepare(company.tonic)
    company.tonic.change_storage("acme", "--endpoint", proxy.url)
    made = [company.twilio.call_with_recording(duration=secs) for secs in dice.sample(DURATIONS, len(DURATIONS))]
    company.tonic("sync")
    company.twilio.is_synced = True
    contents = {recording.path: recording.content for recording in made}
    doomed = dice.sample(made, DOOMED)
    with company.mount() as mount:
        # Sizes are known before anything goes wrong: who asks for one waits ten seconds at most.
        call(lambda: [os.stat(mount / path) for path in contents])
        paths = {recording.path for recording in doomed}
        readers = [Background(Reader(mount.path, contents, paths, random.Random(seed * 100 + number)).run, kind, is_over)
                   for number, kind in enumerate(KINDS)]
        began = time.monotonic()
        try:
            proxy.be_unreliable(seed, PERCENT, FAULTS)
            mount.set_attr("acme", "migrate", "now")
            for recording in doomed:
                time.sleep(dice.uniform(0, 2 * LOAD_SECS / 3 / DOOMED))
                switch, value = dice.choice(TWILIO_FAULTS)
                company.twilio.switch(switch, value, count=1)
                call(remove, mount.path, recording.path)
            mount.wait_migrated("acme", 40)
            time.sleep(max(0, LOAD_SECS - (time.monotonic() - began)))
        finally:
            is_over.set()
            done = [reader.result(timeout=40) for reader in readers]
        print("files, bytes, gone:", done)
        assert all(files and size for files, size, _ in done), done
        proxy.behave()
        company.twilio.unswitch()
        kept = [recording for recording in made if recording not in doomed]
        wait_for(lambda: not any(company.twilio.is_there(recording) for recording in kept), 20, "Twilio's deletes", step=0.2)
    check(company, proxy, doomed, at_end=False)
    check(company, proxy, kept, at_end=True)
