"""The base of the benchmarks over a network: delayed lines between two namespaces, the servers, a catalog, curl.

The servers live in this process's namespace, the clients (tonicfs, curl, the peers) in another; the lines between are
delayed by delay.c. All addresses are loopback's, so that plain http is allowed: the client's namespace routes them over
the lines. A client that is to have no delay is run beside the servers: with no words to enter a namespace.
"""

import contextlib
import os
import resource
import subprocess
import sys
import time
from typing import NamedTuple

import boto3
from botocore.config import Config

from bench import BINARY, ROOT, environment

TWILIO_HOST, TWILIO_MSECS = "127.1.0.1", 100
S3_HOST, S3_MSECS = "127.0.0.1", 30
TIMEOUT_SECS = 3600


class Took(NamedTuple):
    secs: float
    cpu_secs: float  # of the command and of what it began
    out: str


def run(*words, **keywords):
    try:
        return subprocess.run([str(word) for word in words], check=True, timeout=TIMEOUT_SECS, capture_output=True, text=True,
                              **keywords)
    except subprocess.CalledProcessError as why:
        why.add_note(why.stderr[-2000:])
        raise


def timed(*words, **keywords):
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    out = run(*words, **keywords).stdout
    secs, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(secs, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, out)


class Lines:
    """The client's namespace and a delayed line to each server."""

    def __init__(self, build):
        self.build, self.stack = build, contextlib.ExitStack()

    def __enter__(self):
        try:
            self.open()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_exception):
        self.stack.close()

    def open(self):
        self.holder = self.hold(["unshare", "--net", "sleep", "infinity"])
        mine = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == mine:
            time.sleep(0.02)
        for words in ([], self.enter()):
            run(*words, "ip", "link", "set", "lo", "up")
            run(*words, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet")
        # Loopback's addresses are local before any rule is asked, unless that comes later.
        run(*self.enter(), "ip", "rule", "add", "pref", "10", "lookup", "local")
        run(*self.enter(), "ip", "rule", "del", "pref", "0")
        self.add("twilio", 1, TWILIO_HOST, TWILIO_MSECS)
        self.add("s3", 2, S3_HOST, S3_MSECS)

    def hold(self, argv, **keywords):
        process = subprocess.Popen(argv, process_group=0, **keywords)  # a Ctrl-C is for who reads over it
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def enter(self):
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]

    def add(self, name, number, host, round_trip_msecs):
        device = f"tonic-{name}"
        line = self.hold([str(self.build / "delay"), device, str(self.holder.pid), str(os.getpid()),
                          str(round_trip_msecs / 2)], stdout=subprocess.PIPE, text=True)
        if line.stdout.readline() != "ready\n":
            sys.exit(f"no line to {name}: is there /dev/net/tun?")
        for words, end in ((self.enter(), 1), ([], 2)):
            run(*words, "ip", "address", "add", f"10.77.{number}.{end}/24", "dev", device)
            run(*words, "ip", "link", "set", device, "up", "txqueuelen", "10000")
        table = str(100 + number)
        run(*self.enter(), "ip", "rule", "add", "pref", str(number), "to", host, "lookup", table)
        run(*self.enter(), "ip", "route", "add", host, "dev", device, "src", f"10.77.{number}.1", "table", table)


class Server:
    """The gateway, and boto3's client to it, from beside it."""

    def __init__(self, folder):
        self.folder = folder / "s3"
        self.folder.mkdir()
        text = run(ROOT / "scripts" / "s3-server.sh", "start", self.folder).stdout
        values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        self.endpoint, self.key, self.secret = values["S3_ENDPOINT"], values["S3_ACCESS_KEY"], values["S3_SECRET_KEY"]
        self.client = boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id=self.key,
                                   aws_secret_access_key=self.secret,
                                   config=Config(s3={"addressing_style": "path"}, signature_version="s3v4"))

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        run(ROOT / "scripts" / "s3-server.sh", "stop", self.folder)

    def sign(self, operation, **params):
        """A URL that is good for an hour."""
        return self.client.generate_presigned_url(operation, Params=params)

    @contextlib.contextmanager
    def bucket(self, name):
        """It is emptied afterwards: the gateway's store is memory."""
        self.client.create_bucket(Bucket=name)
        try:
            yield name
        finally:
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=name):
                for entry in page.get("Contents", ()):
                    self.client.delete_object(Bucket=name, Key=entry["Key"])


class Catalog:
    """A catalog with one workspace, `bench`, of the stand-in's account, synced; with a bucket where one is given.

    enter: words that run a command where tonicfs is to live.
    """

    def __init__(self, enter, file, standin, server=None, bucket=None, **settings):
        self.enter, self.standin, self.env = enter, standin, environment(file)
        account = standin.account
        self("init")
        self("workspace", "add", "bench", "--account", account.sid, "--twilio-url", standin.base_url, "--secret-file", "-",
             input=account.auth_token + "\n")
        if bucket:
            self("storage", "set", "bench", "--bucket", bucket, "--region", "us-east-1", "--access-key", server.key,
                 "--endpoint", server.endpoint, "--path-style", "--secret-file", "-", input=server.secret + "\n")
            self("storage", "test", "bench")
        for name, value in settings.items():
            self("setting", "set", name, value)
        self("sync")

    def __call__(self, *words, **keywords):
        return run(*self.enter, BINARY, *words, env=self.env, **keywords).stdout


def media_url(standin, sid):
    return f"{standin.base_url}/2010-04-01/Accounts/{standin.account.sid}/Recordings/{sid}.wav?RequestedChannels=2"


def curl(enter, folder, transfers, connections, *options):
    """transfers: of each what curl's configuration has to say."""
    config = folder / "curl"
    config.write_text("\n".join(transfers))
    return timed(*enter, "curl", "--silent", "--show-error", "--fail", "--parallel", "--parallel-max", connections,
                 "--parallel-immediate", "--config", config, *options)
