"""Readers that are interrupted and killed in the middle of a read, again and again: the mount's process survives, does not
touch closed files (ASan and TSan would see it; `make tsan` runs this too), and keeps answering."""

import contextlib
import os
import random
import signal
import time

from harness import Background, call, wait_for

SECS = 4
READERS = 16
HERE_BYTES = 100_000  # the rest does not come
TAIL_BYTES = 400_000  # not asked for: a request that lacks only these is not ended with its reader


class Interrupted(Exception):
    pass


class Alarm:
    """Raises Interrupted soon after it was set, once. Signals go on until it is reset: the first may come just before
    the system call that it is to interrupt."""

    def __init__(self):
        self.is_set = False
        signal.signal(signal.SIGALRM, self.ring)

    def ring(self, *_):
        if self.is_set:
            self.is_set = False
            raise Interrupted

    def set(self, secs):
        self.is_set = True
        signal.setitimer(signal.ITIMER_REAL, secs, 0.02)

    def reset(self):
        self.is_set = False
        signal.setitimer(signal.ITIMER_REAL, 0)


def read_and_be_interrupted(path, seed, secs):
    """Opens, reads past the page cache, is interrupted within a few milliseconds, closes; until the time is over."""
    dice, end, count = random.Random(seed), time.monotonic() + secs, 0
    size = os.stat(path).st_size - TAIL_BYTES
    alarm = Alarm()
    while time.monotonic() < end:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
        try:
            alarm.set(dice.uniform(0.0001, 0.002))
            while True:
                os.pread(fd, 4096, dice.randrange(HERE_BYTES if dice.random() < 0.8 else size))
        except Interrupted:
            count += 1
        finally:
            alarm.reset()
            os.close(fd)
    return count


def read_for_ever(path, seed):
    dice = random.Random(seed)
    size = os.stat(path).st_size - TAIL_BYTES
    while True:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
        with contextlib.closing(os.fdopen(fd, "rb", buffering=0)):
            for _ in range(dice.randint(1, 20)):
                os.pread(fd, 4096, dice.randrange(size))


def head_of(path):
    with open(path, "rb") as file:
        return file.read(4096)


def test_readers_that_are_interrupted_and_killed_leave_the_mount_well(acme):
    recording = acme.long
    with acme.mount() as mount:
        path = mount / recording.path
        acme.twilio.switch("stall_after", HERE_BYTES, sid=recording.sid)
        interrupted = [Background(read_and_be_interrupted, path, seed, SECS) for seed in range(READERS)]
        killed, end = 0, time.monotonic() + SECS
        while time.monotonic() < end:
            doomed = [Background(read_for_ever, path, killed + number) for number in range(4)]
            time.sleep(random.uniform(0.01, 0.05))
            for reader in doomed:
                reader.kill()
                killed += 1
        counts = [reader.result(timeout=SECS + 20) for reader in interrupted]
        print("interrupted", counts, "killed", killed)
        assert all(counts) and killed
        acme.twilio.unswitch()
        assert call(head_of, mount / acme.first.path) == acme.first.content[:4096]
        wait_for(lambda: mount.read(recording.path, timeout=60) == recording.content, 30, "all of it, once it comes again")
        assert mount.process.poll() is None
