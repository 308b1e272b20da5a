"""The migration's figures: its speed against curl's on the same lines, its memory. Run by bench.py in a network namespace.

The servers live in this namespace, the clients (tonicfs, curl) in another; the lines between are delayed by delay.c. All
addresses are loopback's, so that plain http is allowed: the client's namespace routes them over the lines.
How it is counted: from the first request for a recording until the last one is stored, verified; the deletes at
Twilio go on at their rate meanwhile and are not waited for. BENCH_RECORDINGS, BENCH_SWEEP, BENCH_CONNECTIONS scale it.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).parent)]

import boto3  # noqa: E402
from botocore.config import Config  # noqa: E402

from bench import BINARY, environment, missed, note, report  # noqa: E402
from standin.client import StandIn  # noqa: E402

RECORDINGS = int(os.environ.get("BENCH_RECORDINGS", 2000))
SWEEP = int(os.environ.get("BENCH_SWEEP", 300))
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", 16))
SHAPES = os.environ.get("BENCH_SHAPES", "1000x31,100x625,1x62500")  # recordings x seconds, 32 kB each
SWEEP_NUMBERS = (4, 8, 16, 32, 64)
TWILIO_HOST, TWILIO_MSECS = "127.1.0.1", 100
S3_HOST, S3_MSECS = "127.0.0.1", 30
TIMEOUT_SECS = 3600


def run(*words, **keywords):
    return subprocess.run([str(word) for word in words], check=True, timeout=TIMEOUT_SECS, capture_output=True, text=True,
                          **keywords)


# The lines

class Lines:
    """The client's namespace and a delayed line to each server."""

    def __init__(self, build):
        self.build, self.stack = build, contextlib.ExitStack()

    def __enter__(self):
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
        return self

    def __exit__(self, *_exception):
        self.stack.close()

    def hold(self, argv, **keywords):
        process = subprocess.Popen(argv, **keywords)
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

    def stop(self):
        run(ROOT / "scripts" / "s3-server.sh", "stop", self.folder)

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


# tonicfs

class Catalog:
    """A catalog with one workspace of the stand-in's account and a bucket, synced."""

    def __init__(self, lines, folder, standin, server, bucket, **settings):
        self.lines, self.standin, self.env = lines, standin, environment(folder / f"{bucket}.db")
        account = standin.account
        self("init")
        self("workspace", "add", "bench", "--account", account.sid, "--twilio-url", standin.base_url, "--secret-file", "-",
             input=account.auth_token + "\n")
        self("storage", "set", "bench", "--bucket", bucket, "--region", "us-east-1", "--access-key", server.key,
             "--endpoint", server.endpoint, "--path-style", "--secret-file", "-", input=server.secret + "\n")
        self("storage", "test", "bench")
        for name, value in settings.items():
            self("setting", "set", name, value)
        self("sync")

    def __call__(self, *words, **keywords):
        return run(*self.lines.enter(), BINARY, *words, env=self.env, **keywords).stdout

    def migrate(self, count, sids=()):
        """Seconds until all are stored; the process's CPU milliseconds per recording; its peak memory in MB."""
        log = open(self.env["TONICFS_CATALOG"] + ".log", "wb")
        asked = self.standin.counters()["requests"]
        begin, begin_time, pause_secs = time.monotonic(), time.time(), 1
        process = subprocess.Popen([*self.lines.enter(), str(BINARY), "migrate", "--wait", *(sids or ["bench"])], env=self.env,
                                   stdout=log, stderr=log)
        looked, secs, peak_kb, ticks = begin, None, 0, 0
        proc = Path(f"/proc/{process.pid}")
        while process.poll() is None:
            try:
                status = (proc / "status").read_text()
                peak_kb = max(peak_kb, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
                ticks = sum(map(int, (proc / "stat").read_text().rsplit(")", 1)[1].split()[11:13]))
            except (FileNotFoundError, ProcessLookupError):
                break
            if secs is None and time.monotonic() - looked > pause_secs:  # a look costs, too
                looked = time.monotonic()
                counts = json.loads(self("--json", "status"))["workspaces"][0]["migrate"]
                if counts["done"] >= count and not counts["queued"] + counts["running"]:
                    secs = time.monotonic() - begin
                pause_secs = 1 if counts["done"] < 0.9 * count else 0.1
            time.sleep(0.1)
        secs = secs or time.monotonic() - begin
        first = next(entry for entry in self.standin.ledger(since=asked) if entry["operation"] == "media")
        secs -= first["time"] - begin_time
        log.close()
        if process.wait() not in (0,):
            sys.exit(f"migrate ended with {process.returncode}: {Path(log.name).read_text()[-2000:]}")
        return secs, ticks * 1000 / os.sysconf("SC_CLK_TCK") / count, peak_kb * 1024 / 1e6


# curl

def curl(lines, folder, urls, connections, *options, each=""):
    config = folder / "curl"
    config.write_text("\n".join(f'url = "{url}"\n{each}' for url in urls))
    begin = time.monotonic()
    run(*lines.enter(), "curl", "--silent", "--show-error", "--fail", "--parallel", "--parallel-max", connections,
        "--parallel-immediate", "--config", config, *options)
    return time.monotonic() - begin


def curl_down(lines, folder, standin, sids):
    account = standin.account
    urls = [f"{standin.base_url}/2010-04-01/Accounts/{account.sid}/Recordings/{sid}.wav?RequestedChannels=2" for sid in sids]
    return curl(lines, folder, urls, CONNECTIONS, "--user", f"{account.sid}:{account.auth_token}",
                each="output = /dev/null\n")


def curl_up(lines, folder, server, size_bytes):
    body = folder / "body"
    body.write_bytes(os.urandom(size_bytes))
    with server.bucket("curl") as bucket:
        urls = [server.client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": f"{number}"})
                for number in range(RECORDINGS)]
        return curl(lines, folder, urls, CONNECTIONS, each=f'upload-file = "{body}"\noutput = /dev/null\n')


# The figures

def limits(number):
    return {"twilio_connections": number, "s3_connections": number, "migrate_workers": min(256, 2 * number)}


def bench_speed(lines, folder, server):
    with StandIn(f"bulk:{RECORDINGS}:secs=31-31", host=TWILIO_HOST, cache_mb=RECORDINGS + 64) as standin:
        sids = [row["sid"] for row in standin.truth(with_hash=False)]
        curl_down(lines, folder, standin, sids)  # what is made for the first time is not measured
        best = None
        for number in (*SWEEP_NUMBERS, 0):
            name = f"sweep-{number}"
            with server.bucket(name):
                catalog = Catalog(lines, folder, standin, server, name, **(limits(number) if number else {}))
                catalog("workspace", "set", "bench", "keep_at_twilio=on")
                secs, cpu_msecs, _peak = catalog.migrate(SWEEP, sids[:SWEEP])
            note(f"{SWEEP} of 1 MB, {f'at most {number} connections' if number else 'adaptive'}: "
                 f"{SWEEP / secs:.1f} a second, {cpu_msecs:.2f} ms of CPU each")
            if number and (best is None or secs < best[1]):
                best = number, secs
        report(f"adaptive against the best number of connections, {best[0]}", secs / best[1], 1.25, "times as long")
        down = curl_down(lines, folder, standin, sids)
        up = curl_up(lines, folder, server, 31 * 32000 + 44)
        note(f"curl with {CONNECTIONS} connections: {RECORDINGS / down:.1f} a second down, {RECORDINGS / up:.1f} up")
        with server.bucket("speed") as bucket:
            catalog = Catalog(lines, folder, standin, server, bucket, **limits(CONNECTIONS))
            secs, cpu_msecs, peak_mb = catalog.migrate(RECORDINGS)
        note(f"tonicfs with {CONNECTIONS}: {RECORDINGS / secs:.1f} a second, {cpu_msecs:.2f} ms of CPU each, {peak_mb:.0f} MB")
        report(f"{RECORDINGS:,} recordings of 1 MB with {CONNECTIONS} connections, against the slower of curl's two runs",
               secs / max(down, up), 1 / 0.8, "times as long")


def bench_memory(lines, folder, server):
    for shape in SHAPES.split(","):
        count, secs = map(int, shape.split("x"))
        with StandIn(f"bulk:{count}:secs={secs}-{secs}", host=TWILIO_HOST) as standin, server.bucket(f"shape-{secs}") as bucket:
            catalog = Catalog(lines, folder, standin, server, bucket, migrate_workers=64)
            catalog("workspace", "set", "bench", "keep_at_twilio=on")
            _secs, _cpu, peak_mb = catalog.migrate(count)
        report(f"peak memory with 64 workers, {count:,} recordings of {secs * 32000 / 1e6:.0f} MB", peak_mb, 96, "MB")


def main():
    build, folder = Path(sys.argv[1]), Path(sys.argv[2])
    with Lines(build) as lines:
        server = Server(folder)
        try:
            bench_speed(lines, folder, server)
            bench_memory(lines, folder, server)
        finally:
            server.stop()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
