"""Readers: programs that copy, one reader, many readers; and plain GETs to compare with."""

import hashlib
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from bench import Failed
from peers import SID

# Programs that go from file to file

def rsync(folder, target):
    return "rsync", "-a", f"{folder}/", target


def cp(folder, target):
    return "cp", "-r", folder, target


def tar(folder, _target):
    return "sh", "-c", 'tar cf - -C "$1" . | wc -c', "sh", folder  # GNU tar reads nothing for /dev/null


def check_hashes(paths, hashes):
    for sid, path in paths.items():
        if hashlib.sha256(path.read_bytes()).hexdigest() != hashes[sid]:
            raise Failed("a file's bytes are not what was recorded")
    if paths.keys() != hashes.keys():
        raise Failed(f"{len(paths)} of {len(hashes)} files were copied")


def files_below(folder):
    return {found[0]: path for path in folder.rglob("*.wav") if (found := SID.search(path.name))}


# In this process

def read_first(path, size_bytes):
    """What a reader gets who wants the first size_bytes, or None: all."""
    fd = os.open(path, os.O_RDONLY)
    try:
        parts, left = [], os.fstat(fd).st_size if size_bytes is None else size_bytes
        while left and (part := os.read(fd, min(left, 1 << 20))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def secs_of(action):
    begin = time.monotonic()
    result = action()
    return time.monotonic() - begin, result


def read_through(path):
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while file.readinto(buffer):
            pass


def read_again(path, times):
    return statistics.median(secs_of(lambda: read_through(path))[0] for _ in range(times))


def read_ranges(paths, places, buffers, readers):
    """So many threads, each with its share of the places."""
    failures = []

    def work(number):
        try:
            for (sid, first, size), buffer in list(zip(places, buffers))[number::readers]:
                fd = os.open(paths[sid], os.O_RDONLY)
                try:
                    done, view = 0, memoryview(buffer)
                    while done < size and (n := os.preadv(fd, [view[done:]], first + done)):
                        done += n
                finally:
                    os.close(fd)
                if done < size:
                    raise OSError("the file ended too early")
        except OSError as why:
            failures.append(why)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


# Beside the file systems

class Fetcher:
    """GETs on one connection of a process beside the file systems."""

    def __init__(self, enter, server):
        parts = urlsplit(server.endpoint)
        self.process = subprocess.Popen([*enter, sys.executable, Path(__file__).with_name("fetch.py"), parts.hostname,
                                         str(parts.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.process.kill()
        self.process.communicate()

    def secs(self, collection, sid, size_bytes):
        wanted = "-" if size_bytes is None else f"0-{size_bytes - 1}"
        self.process.stdin.write(f"{wanted} {collection.path_of_url(sid)}\n")
        self.process.stdin.flush()
        secs, size = self.process.stdout.readline().split()
        assert int(size) == (size_bytes or collection.sizes[sid])
        return float(secs)
