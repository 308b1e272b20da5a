"""Recordings to read: made by the stand-in, moved to a bucket by tonicfs; their paths in each file system, and their contents."""

import contextlib
import functools
import os
import random
from urllib.parse import urlsplit

from bench import Failed
from lines import TWILIO_HOST, Catalog, media_url
from peers import SID, Tonicfs
from standin.client import StandIn


class Collection:
    """count recordings of so many seconds (32 kB each), and what belongs to them:

    catalog  that tonicfs reads by        bucket  that they are in
    names    {SID: path in tonicfs's mount}        keys  {SID: path in the bucket}        sizes, hashes  {SID: …}
    """

    def __init__(self, folder, server, bucket, count, secs, seed):
        self.folder, self.server, self.bucket, self.stack = folder, server, bucket, contextlib.ExitStack()
        self.standin = self.stack.enter_context(StandIn(f"bulk:{count}:secs={secs}-{secs}", seed=seed, host=TWILIO_HOST,
                                                        cache_mb=count * secs * 32 // 1000 + 64))
        try:
            self.fill()
        except BaseException:
            self.stack.close()
            raise

    def fill(self):
        truth = self.standin.truth()
        self.sizes = {row["sid"]: row["size"] for row in truth}
        self.hashes = {row["sid"]: row["sha256"] for row in truth}
        self.server.client.create_bucket(Bucket=self.bucket)
        self.catalog = Catalog([], self.folder / f"{self.bucket}.db", self.standin, self.server, self.bucket)
        self.catalog("workspace", "set", "bench", "keep_at_twilio=on")
        self.catalog("migrate", "--wait", "bench")
        self.keys = {}
        for page in self.server.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            self.keys |= {found[0]: entry["Key"] for entry in page["Contents"] if (found := SID.search(entry["Key"]))}
        self.names = {}
        with Tonicfs(self.folder, self.server).mounted(self, []) as mount:
            self.names = {found[0]: f"bench/unassigned/{name}" for name in os.listdir(mount.folder) if (found := SID.search(name))}
        for what in (self.keys, self.names):
            if what.keys() != self.sizes.keys():
                raise Failed(f"{len(what)} of {len(self.sizes)} recordings are where they should be")

    def close(self):
        self.stack.close()

    def in_order(self, seed):
        """The SIDs in a random order, the same in each run."""
        sids = sorted(self.sizes)
        random.Random(seed).shuffle(sids)
        return sids

    @property
    def size_bytes(self):
        return sum(self.sizes.values())

    @functools.cache
    def url(self, sid):
        return self.server.sign("get_object", Bucket=self.bucket, Key=self.keys[sid])

    def path_of_url(self, sid):
        parts = urlsplit(self.url(sid))
        return f"{parts.path}?{parts.query}"

    @functools.cache
    def content(self, sid):
        return self.standin.media(sid)

    def write_list(self, file):
        """As memtree wants to be told."""
        file.write_text("".join(f"{name.rsplit('/', 1)[1]}\t{self.sizes[sid]}\n" for sid, name in self.names.items()))
        return file


class AtTwilio:
    """The same recordings by another catalog, which knows of no bucket."""

    bucket = None

    def __init__(self, collection, folder):
        self.standin, self.names, self.sizes, self.hashes = (collection.standin, collection.names, collection.sizes,
                                                             collection.hashes)
        self.size_bytes = collection.size_bytes
        self.catalog = Catalog([], folder / "twilio.db", self.standin)
        self.catalog("sync", "--sizes", "bench")

    def url(self, sid):
        return media_url(self.standin, sid)
