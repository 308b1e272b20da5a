"""The figures of reading over a network: tonicfs beside s3fs and rclone on one S3 server. Run by bench.py in a network namespace.

Each row has a limit from the same run, in turn with the file systems, so that all meet the same weather: curl, a GET on an open
connection, a file system in memory. Every mount begins with cold caches; what was read is compared with what was recorded,
outside the clock. lines.py says who lives where.

BENCH_READ_ROWS=1,4  BENCH_READ_PEERS=s3fs or none  BENCH_READ_ROUNDS  BENCH_READ_FILES: a part of it.
"""

import contextlib
import functools
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).parent)]

from bench import Failed, drop_caches, end_on_signals, missed, note, serving
from collection import AtTwilio, Collection
from lines import S3_MSECS, TWILIO_MSECS, Lines, Server, curl, timed
from peers import PEERS, Tonicfs, cpu_secs_of
from readers import Fetcher, check_hashes, cp, files_below, read_again, read_first, read_ranges, read_through, rsync, secs_of, tar
from table import SLOW_SECS, Row, print_costs, print_head, print_row

ROUNDS = int(os.environ.get("BENCH_READ_ROUNDS", 3))
FILES = int(os.environ.get("BENCH_READ_FILES", 500))
PEER_NAMES = [name for name in os.environ.get("BENCH_READ_PEERS", "s3fs,rclone").split(",") if name not in ("", "none")]
ROWS = os.environ.get("BENCH_READ_ROWS", "1,2,3,4,5,6,7,8,9,10").split(",")

SMALL_SECS, MIDDLE_SECS, LARGE_SECS = 31, 94, 3125  # 1, 3 and 100 MB
MIDDLE_FILES, LARGE_FILES = 20, 3
CONNECTIONS_S3, CONNECTIONS_TWILIO = 32, 16  # curl's, as many as tonicfs has when it reads ahead
HEAD_BYTES = 65536
SINGLE_READS, COLD_READS, AGAIN_READS = 15, 5, 5
READERS, RANGES_EACH, RANGE_BYTES = 64, 4, 1_000_000
SEED = 7


class Bench:
    def __init__(self, build, folder, lines, server, stack):
        self.build, self.folder, self.server, self.stack, self.far, self.near = build, folder, server, stack, lines.enter(), []
        self.target = Path(tempfile.mkdtemp(prefix="tonicfs-bench-", dir="/dev/shm"))  # no disk is in the way
        stack.callback(shutil.rmtree, self.target, ignore_errors=True)
        self.tonicfs = Tonicfs(folder, server)
        self.systems = [self.tonicfs, *(PEERS[name](folder, server) for name in PEER_NAMES)]
        self.names = [system.name for system in self.systems]
        self.rows = []

    # Recordings, made when a row wants them

    def collect(self, bucket, count, secs, seed):
        begin = time.monotonic()
        collection = Collection(self.folder, self.server, bucket, count, secs, seed)
        self.stack.callback(collection.close)
        note(f"{count} recordings of {secs * 32000 / 1e6:.0f} MB moved to a bucket in {time.monotonic() - begin:.0f} s")
        return collection

    @functools.cached_property
    def small(self):
        return self.collect("small", FILES, SMALL_SECS, 1)

    @functools.cached_property
    def middle(self):
        return self.collect("middle", MIDDLE_FILES, MIDDLE_SECS, 2)

    @functools.cached_property
    def large(self):
        return self.collect("large", LARGE_FILES, LARGE_SECS, 3)

    # How all are measured

    def attempt(self, row, system, action):
        """What one file system does for a row; its failure is the row's."""
        if row.is_done_with(system.name):
            return
        try:
            action()
        except (Failed, OSError, subprocess.SubprocessError) as why:
            text = " ".join(f"{why} {getattr(why, 'stderr', '') or ''}".split())
            row.fails(system.name, text[:400])

    def done(self, *rows):
        for row in rows:
            print_row(row, self.names)
        self.rows += rows

    def empty_target(self):
        for path in self.target.iterdir():
            shutil.rmtree(path)
        path = self.target / "copy"
        path.mkdir()
        return path

    def curl_copy(self, enter, collection, connections, *options):
        target = self.empty_target()
        transfers = [f'url = "{collection.url(sid)}"\noutput = "{target / sid}.wav"\n' for sid in collection.sizes]
        took = curl(enter, self.folder, transfers, connections, *options)
        check_hashes(files_below(target), collection.hashes)
        return took

    def copy(self, row, system, collection, enter, command):
        """A copy of all recordings by a program that goes from file to file."""
        target = self.empty_target()
        with system.mounted(collection, enter) as mount:
            took = timed(*command(mount.folder, target))
            row.took(system.name, took.secs)
            row.cost(system.name, mount.cost(), collection.size_bytes)
            check_hashes(mount.paths if command is tar else files_below(target), collection.hashes)
        return took

    # The rows

    def copies(self, name, title, command):
        row = Row(name, f"{title} of {FILES} x 1 MB, {S3_MSECS} ms", "s", ("at least", 0.8), self.small.size_bytes)
        for _ in range(ROUNDS):
            row.limit.append(self.curl_copy(self.far, self.small, CONNECTIONS_S3).secs)
            for system in self.systems:
                self.attempt(row, system, lambda: self.copy(row, system, self.small, self.far, command))
        self.done(row)

    def copy_near(self):
        row = Row("2", f"rsync -a of {FILES} x 1 MB, 0 ms", "s", ("at most", 1), self.small.size_bytes)
        programs = {name: [] for name in ("curl", "rsync from memtree", *(f"rsync from {name}" for name in self.names))}
        path, listing = self.folder / "memtree", self.small.write_list(self.folder / "list")
        with open(listing, encoding="utf-8") as stdin, serving([self.build / "memtree", path], path, stdin=stdin) as memtree:
            for _ in range(ROUNDS):
                by_curl = self.curl_copy(self.near, self.small, CONNECTIONS_S3)
                drop_caches()
                by_rsync = timed(*rsync(path, self.empty_target()))
                row.limit.append(by_curl.secs + by_rsync.secs)
                programs["curl"].append(by_curl)
                programs["rsync from memtree"].append(by_rsync)
                for system in self.systems:
                    self.attempt(row, system, lambda: programs[f"rsync from {system.name}"].append(
                        self.copy(row, system, self.small, self.near, rsync)))
            cost = cpu_secs_of(memtree) / ROUNDS
        self.done(row)
        for name, all_ in programs.items():
            if all_:
                note(f"{name}: {statistics.median(took.secs for took in all_):.2f} s, the program's own CPU "
                     f"{statistics.median(took.cpu_secs for took in all_):.2f} s")
        note(f"memtree's CPU: {cost:.2f} s each time")

    def singles(self, name, title, size_bytes):
        """One read of another file each, by turns; everywhere the folder was listed and one whole file read before. What the
        connections have brought matters: how fast a server sends on one grows with it."""
        sids = self.middle.in_order(SEED)
        row = Row(name, f"{title}, {S3_MSECS} ms", "ms", ("at most", 1.2), size_bytes or self.middle.sizes[sids[0]])
        with contextlib.ExitStack() as stack:
            fetcher, mounts = stack.enter_context(Fetcher(self.far, self.server)), {}
            for system in self.systems:
                def begin():
                    mounts[system] = mount = stack.enter_context(system.mounted(self.middle, self.far))
                    files_below(mount.folder)
                    for path in mount.paths.values():
                        os.stat(path)
                    read_first(mount.paths[sids[0]], None)
                self.attempt(row, system, begin)
            fetcher.secs(self.middle, sids[0], None)
            for mount in mounts.values():
                mount.count_from_here()
            for sid in sids[1:SINGLE_READS + 1]:
                row.limit.append(fetcher.secs(self.middle, sid, size_bytes))
                for system in self.systems:
                    def read():
                        secs, data = secs_of(lambda: read_first(mounts[system].paths[sid], size_bytes))
                        if data != self.middle.content(sid)[:size_bytes]:
                            raise Failed("the bytes are not what was recorded")
                        row.took(system.name, secs)
                        time.sleep(0.05)
                    self.attempt(row, system, read)
            for system, mount in mounts.items():
                if system.name not in row.failures:
                    row.cost(system.name, mount.cost(), SINGLE_READS * row.size_bytes)
        self.done(row)

    def first_cold(self):
        """The path is known, and nothing else."""
        row = Row("5", f"the same right after the mount, {S3_MSECS} ms", "ms", ("at most", 1.2), HEAD_BYTES)
        for sid in self.middle.in_order(SEED)[:max(COLD_READS, ROUNDS)]:
            with Fetcher(self.far, self.server) as fetcher:
                row.limit.append(fetcher.secs(self.middle, sid, HEAD_BYTES))
            for system in self.systems:
                def read():
                    with system.mounted(self.middle, self.far) as mount:
                        secs, data = secs_of(lambda: read_first(mount.paths[sid], HEAD_BYTES))
                        row.took(system.name, secs)
                        row.cost(system.name, mount.cost(), HEAD_BYTES)
                    if data != self.middle.content(sid)[:HEAD_BYTES]:
                        raise Failed("the bytes are not what was recorded")
                self.attempt(row, system, read)
        self.done(row)

    def curl_ranges(self, ranges, connections):
        """ranges: (SID, first, size) of each transfer."""
        transfers = [f'fail\nurl = "{self.large.url(sid)}"\noutput = /dev/null\nrange = {first}-{first + size - 1}\n'
                     for sid, first, size in ranges]
        return curl(self.far, self.folder, ["next\n".join(transfers)], connections).secs

    def sequential(self):
        """A large file from its first byte to its last, and again."""
        sid = self.large.in_order(SEED)[0]
        size = self.large.sizes[sid]
        first = Row("7", f"a file of 100 MB, sequential, {S3_MSECS} ms", "MB/s", ("at least", 0.9), size)
        again = Row("8", "reading it again", "MB/s", ("at least", 0.9), size)
        step = -(-size // 8)
        parts = [(sid, begin, min(step, size - begin)) for begin in range(0, size, step)]
        by_one, by_eight = [], []
        path, listing = self.folder / "memtree", self.large.write_list(self.folder / "list")
        with open(listing, encoding="utf-8") as stdin, serving([self.build / "memtree", path], path, stdin=stdin):
            in_memory = path / self.large.names[sid].rsplit("/", 1)[1]
            for _ in range(ROUNDS):
                by_one.append(self.curl_ranges([(sid, 0, size)], 1))
                by_eight.append(self.curl_ranges(parts, 8))
                drop_caches()
                read_through(in_memory)
                again.limit.append(read_again(in_memory, AGAIN_READS))
                for system in self.systems:
                    def read():
                        with system.mounted(self.large, self.far) as mount:
                            file = mount.paths[sid]
                            first.took(system.name, timed("dd", f"if={file}", "of=/dev/null", "bs=1M").secs)
                            first.cost(system.name, mount.cost(), size)
                            mount.count_from_here()
                            again.took(system.name, read_again(file, AGAIN_READS))
                            again.cost(system.name, mount.cost(), AGAIN_READS * size)
                            check_hashes({sid: file}, {sid: self.large.hashes[sid]})
                    self.attempt(first, system, read)
        again.failures = first.failures
        first.limit = min(by_one, by_eight, key=statistics.median)
        self.done(first, again)
        note(f"curl with one connection: {first.show(by_one)}, with eight: {first.show(by_eight)}")

    def at_random(self):
        """Many readers, each with ranges of its own; no byte is read twice."""
        places = [(sid, first, RANGE_BYTES) for sid, size in sorted(self.large.sizes.items())
                  for first in range(0, size - RANGE_BYTES, RANGE_BYTES)]
        random.Random(SEED).shuffle(places)
        places = places[:READERS * RANGES_EACH]
        buffers = [bytearray(b"\1" * RANGE_BYTES) for _ in places]
        row = Row("9", f"{READERS} readers of random 1 MB ranges, {S3_MSECS} ms", "MB/s", ("at least", 0.8),
                  len(places) * RANGE_BYTES)
        for _ in range(ROUNDS):
            row.limit.append(self.curl_ranges(places, READERS))
            for system in self.systems:
                def read():
                    with system.mounted(self.large, self.far) as mount:
                        row.took(system.name, secs_of(lambda: read_ranges(mount.paths, places, buffers, READERS))[0])
                        row.cost(system.name, mount.cost(), row.size_bytes)
                    for (sid, first, size), buffer in zip(places, buffers):
                        if buffer != self.large.content(sid)[first:first + size]:
                            raise Failed("the bytes are not what was recorded")
                self.attempt(row, system, read)
        self.done(row)

    def copy_from_twilio(self):
        row = Row("10", f"tar of {FILES} x 1 MB still at Twilio, {TWILIO_MSECS} ms", "s", ("at least", 0.8),
                  self.small.size_bytes)
        collection, account = AtTwilio(self.small, self.folder), self.small.standin.account
        for _ in range(ROUNDS):
            row.limit.append(self.curl_copy(self.far, collection, CONNECTIONS_TWILIO, "--user",
                                            f"{account.sid}:{account.auth_token}").secs)
            self.attempt(row, self.tonicfs, lambda: self.copy(row, self.tonicfs, collection, self.far, tar))
        self.done(row)

    def all_rows(self):
        return {
            "1": lambda: self.copies("1", "rsync -a", rsync),
            "2": self.copy_near,
            "3": lambda: (self.copies("3a", "cp -r", cp), self.copies("3b", "tar", tar)),
            "4": lambda: self.singles("4", "first 64 KB of a 3 MB file, folder listed", HEAD_BYTES),
            "5": self.first_cold,
            "6": lambda: self.singles("6", "a whole 3 MB file", None),
            "7": self.sequential,
            "8": self.sequential,
            "9": self.at_random,
            "10": self.copy_from_twilio,
        }

    def run(self):
        rows = self.all_rows()
        unknown = set(ROWS) - set(rows)
        if unknown:
            sys.exit(f"no such row: {', '.join(unknown)}")
        control = Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
        note(f"TCP goes by {control}")
        note(f"medians of {ROUNDS} runs by turns, of {SINGLE_READS} reads in rows 4 and 6, of {max(COLD_READS, ROUNDS)} mounts in "
             f"row 5; who takes longer than {SLOW_SECS} s is run once, but for tonicfs")
        print_head(self.names)
        for measure in dict.fromkeys(rows[name] for name in ROWS):
            measure()
        print_costs(self.rows, self.names)


def main():
    build, folder = Path(sys.argv[1]), Path(sys.argv[2])
    end_on_signals()
    with contextlib.ExitStack() as stack:
        lines = stack.enter_context(Lines(build))
        server = stack.enter_context(Server(folder))
        Bench(build, folder, lines, server, stack).run()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
