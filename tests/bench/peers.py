"""The file systems that read the same objects: tonicfs, s3fs and rclone, each mounted with cold caches.

The peers see the bucket as it is, tonicfs its own tree; a recording is found in each by its SID. A peer gets what its
documentation recommends for many small files that nobody else changes.
"""

import contextlib
import os
import re
import shutil
import threading
import time
from pathlib import Path

from bench import BINARY, Failed, drop_caches, serving

TIMEOUT_SECS = 300  # of all that is done in one mount

S3FS_OPTIONS = ("use_path_request_style,sigv4,listobjectsv2,ro,kernel_cache,complement_stat,enable_noobj_cache,"
                "stat_cache_expire=3600,max_stat_cache_size=1000000,multireq_max=32,parallel_count=32,multipart_size=8")
RCLONE_OPTIONS = ("--vfs-cache-mode full --vfs-cache-max-age 1h --vfs-fast-fingerprint --vfs-read-chunk-size 8M --buffer-size 16M "
                  "--dir-cache-time 1h --attr-timeout 1h --poll-interval 0 --use-server-modtime --no-checksum --read-only "
                  "--transfers 32 --checkers 32")

SID = re.compile(r"RE[0-9a-f]{32}")


def cpu_secs_of(process):
    return time.clock_gettime(~process.pid << 3 | 2)  # the clock that clock_getcpuclockid(3) has of another


class Mounted:
    """A file system that answers: its folder of recordings, its process, what it has cost."""

    def __init__(self, system, root, process, collection):
        self.process = process
        self.paths = {sid: root / path for sid, path in system.paths(collection).items()}
        self.folder = root / system.folder(collection)
        self.begin = 0

    def count_from_here(self):
        self.begin = cpu_secs_of(self.process)

    def cost(self):
        """CPU seconds since it was started, or count_from_here; the peak of its memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        return cpu_secs_of(self.process) - self.begin, peak_kb * 1024 / 1e6


class System:
    """A file system; words() and env() are its command and its environment."""

    def __init__(self, folder, server):
        self.work, self.server = folder, server

    def paths(self, collection):
        return collection.keys

    def folder(self, collection):
        return "recordings"

    def env(self, collection):
        return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}

    @contextlib.contextmanager
    def mounted(self, collection, enter):
        root, cache = self.work / self.name, self.work / f"{self.name}-cache"
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir()
        if not drop_caches():
            raise Failed("the kernel's caches cannot be dropped")
        with serving([*enter, *self.words(collection, root, cache)], root, self.env(collection)) as process:
            timer = threading.Timer(TIMEOUT_SECS, process.kill)  # whoever reads gets an error then
            timer.start()
            try:
                os.statvfs(root)
                yield Mounted(self, root, process, collection)
            except (Exception, Failed) as why:
                if timer.is_alive():
                    raise
                raise Failed(f"not done within {TIMEOUT_SECS} s") from why
            finally:
                timer.cancel()


class Tonicfs(System):
    name = "tonicfs"

    def paths(self, collection):
        return collection.names

    def folder(self, collection):
        return "bench/unassigned"

    def env(self, collection):
        return collection.catalog.env

    def words(self, _collection, root, _cache):
        return [BINARY, "mount", "-f", root]


class S3fs(System):
    name = "s3fs"

    def words(self, collection, root, cache):
        secret = self.work / "s3fs.passwd"
        secret.touch(0o600)
        secret.write_text(f"{self.server.key}:{self.server.secret}\n")
        return ["s3fs", collection.bucket, root, "-f", "-o", f"url={self.server.endpoint},passwd_file={secret},tmpdir={cache}",
                "-o", S3FS_OPTIONS]


class Rclone(System):
    name = "rclone"

    def env(self, collection):
        return {**super().env(collection), "RCLONE_CONFIG": str(self.work / "rclone.conf"), "RCLONE_S3_PROVIDER": "Ceph",
                "RCLONE_S3_ENDPOINT": self.server.endpoint, "RCLONE_S3_ACCESS_KEY_ID": self.server.key,
                "RCLONE_S3_SECRET_ACCESS_KEY": self.server.secret, "RCLONE_S3_FORCE_PATH_STYLE": "true"}

    def words(self, collection, root, cache):
        (self.work / "rclone.conf").touch()
        return ["rclone", "mount", f":s3:{collection.bucket}", root, "--cache-dir", cache, *RCLONE_OPTIONS.split()]


PEERS = {peer.name: peer for peer in (S3fs, Rclone)}
