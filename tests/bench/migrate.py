"""The migration's figures: its speed against curl's on the same delayed lines, its memory. Run by bench.py in a network
namespace; lines.py says who lives where.

How it is counted: from the first request for a recording until the last one is stored, verified; the deletes at
Twilio go on at their rate meanwhile and are not waited for. BENCH_RECORDINGS, BENCH_SWEEP, BENCH_CONNECTIONS scale it.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).parent)]

from bench import BINARY, end_on_signals, missed, note, report
from lines import TWILIO_HOST, Catalog, Lines, Server, curl, media_url
from standin.client import StandIn

RECORDINGS = int(os.environ.get("BENCH_RECORDINGS", 2000))
SWEEP = int(os.environ.get("BENCH_SWEEP", 300))
CONNECTIONS = [int(number) for number in os.environ.get("BENCH_CONNECTIONS", "8,16").split(",")]
SHAPES = os.environ.get("BENCH_SHAPES", "1000x31,100x625,1x62500")  # recordings x seconds, 32 kB each
SWEEP_NUMBERS = (4, 8, 16, 32, 64)


# tonicfs

class Migration(Catalog):
    """A catalog whose recordings are to be moved to a bucket, over the lines."""

    def __init__(self, lines, folder, standin, server, bucket, **settings):
        super().__init__(lines.enter(), folder / f"{bucket}.db", standin, server, bucket, **settings)

    def migrate(self, count):
        """Seconds until all are stored; the process's CPU milliseconds per recording; its peak memory in MB."""
        log = open(self.env["TONICFS_CATALOG"] + ".log", "wb")
        asked = self.standin.counters()["requests"]
        begin, begin_time, pause_secs = time.monotonic(), time.time(), 1
        process = subprocess.Popen([*self.enter, str(BINARY), "migrate", "--wait", "bench"], env=self.env,
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

def curl_down(lines, folder, standin, connections):
    account = standin.account
    transfers = [f'url = "{media_url(standin, row["sid"])}"\noutput = /dev/null\n' for row in standin.truth(with_hash=False)]
    return curl(lines.enter(), folder, transfers, connections, "--user", f"{account.sid}:{account.auth_token}").secs


def curl_up(lines, folder, server, size_bytes, connections):
    body = folder / "body"
    body.write_bytes(os.urandom(size_bytes))
    with server.bucket("curl") as bucket:
        transfers = [f'url = "{server.sign("put_object", Bucket=bucket, Key=str(number))}"\n'
                     f'upload-file = "{body}"\noutput = /dev/null\n' for number in range(RECORDINGS)]
        return curl(lines.enter(), folder, transfers, connections).secs


# The figures

def limits(number):
    return {"twilio_connections": number, "s3_connections": number, "migrate_workers": min(256, 2 * number)}


def recordings(count):
    """That many of 1 MB, kept ready once they have been asked for."""
    return StandIn(f"bulk:{count}:secs=31-31", host=TWILIO_HOST, cache_mb=count + 64)


def bench_sweep(lines, folder, server):
    best = None
    with recordings(SWEEP) as standin:
        curl_down(lines, folder, standin, 16)  # what is made for the first time is not measured
        for number in (*SWEEP_NUMBERS, 0):
            name = f"sweep-{number}"
            with server.bucket(name):
                catalog = Migration(lines, folder, standin, server, name, **(limits(number) if number else {}))
                catalog("workspace", "set", "bench", "keep_at_twilio=on")
                secs, cpu_msecs, _peak = catalog.migrate(SWEEP)
            note(f"{SWEEP} of 1 MB, {f'at most {number} connections' if number else 'adaptive'}: "
                 f"{SWEEP / secs:.1f} a second, {cpu_msecs:.2f} ms of CPU each")
            if number and (best is None or secs < best[1]):
                best = number, secs
    report(f"adaptive against the best number of connections, {best[0]}", secs / best[1], 1.25, "times as long")


def bench_speed(lines, folder, server, number):
    with recordings(RECORDINGS) as standin, server.bucket(f"speed-{number}") as bucket:
        curl_down(lines, folder, standin, 16)
        down = curl_down(lines, folder, standin, number)
        up = curl_up(lines, folder, server, 31 * 32000 + 44, number)
        note(f"curl with {number} connections: {RECORDINGS / down:.1f} a second down, {RECORDINGS / up:.1f} up")
        catalog = Migration(lines, folder, standin, server, bucket, **limits(number))
        secs, cpu_msecs, peak_mb = catalog.migrate(RECORDINGS)
        note(f"tonicfs with {number}: {RECORDINGS / secs:.1f} a second, {cpu_msecs:.2f} ms of CPU each, {peak_mb:.0f} MB")
        report(f"{RECORDINGS:,} recordings of 1 MB with {number} connections, against the slower of curl's two runs",
               secs / max(down, up), 1 / 0.8, "times as long")


def bench_memory(lines, folder, server):
    for shape in SHAPES.split(","):
        count, secs = map(int, shape.split("x"))
        with StandIn(f"bulk:{count}:secs={secs}-{secs}", host=TWILIO_HOST) as standin, server.bucket(f"shape-{secs}") as bucket:
            catalog = Migration(lines, folder, standin, server, bucket, migrate_workers=64)
            catalog("workspace", "set", "bench", "keep_at_twilio=on")
            _secs, _cpu, peak_mb = catalog.migrate(count)
        report(f"peak memory with 64 workers, {count:,} recordings of {secs * 32000 / 1e6:.0f} MB", peak_mb, 96, "MB")


def main():
    build, folder = Path(sys.argv[1]), Path(sys.argv[2])
    end_on_signals()
    with Lines(build) as lines, Server(folder) as server:
        bench_sweep(lines, folder, server)
        for number in CONNECTIONS:
            bench_speed(lines, folder, server, number)
        bench_memory(lines, folder, server)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
