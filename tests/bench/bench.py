"""The benchmarks behind run.sh. A line per figure: `name: measured / limit = ratio (ok|MISSED)`."""

import contextlib
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).parent)]

from idle import Idle, memory_mb_of

from standin.client import StandIn

BINARY = Path(os.environ.get("TONICFS_BINARY", ROOT / "build" / "tonicfs")).resolve()
SMALL, LARGE = int(os.environ.get("BENCH_SMALL", 100_000)), int(os.environ.get("BENCH_LARGE", 1_000_000))
ROUNDS = 5
IDLE_SETTLE_SECS, IDLE_SECS = 10, 30

missed = []


def report(name, measured, limit, unit):
    ratio = measured / limit
    is_kept = ratio <= 1
    if not is_kept:
        missed.append(name)
    print(f"{name}: {measured:.3g} / {limit:g} {unit} = {ratio:.2f} ({'ok' if is_kept else 'MISSED'})", flush=True)


def note(text):
    print(f"  {text}", flush=True)


def drop_caches():
    """Page cache, dentries and inodes of the whole machine; False where only root could."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except PermissionError:
        return False
    time.sleep(1)  # the file systems are told to forget 100,000 inodes
    return True


def is_mounted(path):
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return any(line.split(" ")[4] == str(path) for line in file)


def unmount(path):
    for words in (["fusermount3", "-u"], ["fusermount3", "-u", "-z"], ["umount", "-l"]):
        if not is_mounted(path):
            return
        subprocess.run([*words, str(path)], timeout=30, capture_output=True, check=False)


def end_on_signals():
    """The first one ends the program; what is then cleaned up is not interrupted."""
    def end(number, _frame):
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: None)
        sys.exit(f"ended by {signal.Signals(number).name}")

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, end)


class Failed(SystemExit):
    """What ends a benchmark unless it is caught."""


@contextlib.contextmanager
def serving(argv, path, env=None, stdin=subprocess.DEVNULL, timeout=60):
    """A file system's process in the foreground, until the block ends."""
    path.mkdir(exist_ok=True)
    log = path.with_name(path.name + ".log")
    with open(log, "wb") as file:
        # In a group of its own: at a Ctrl-C it goes on until its readers are gone.
        process = subprocess.Popen([str(word) for word in argv], stdin=stdin, stdout=file, stderr=file, env=env,
                                   process_group=0)
    try:
        end = time.monotonic() + timeout
        while not is_mounted(path):
            if process.poll() is not None:
                raise Failed(f"{argv[0]} ended with {process.returncode}:\n{log.read_text()}")
            if time.monotonic() > end:
                raise Failed(f"{argv[0]}: nothing mounted within {timeout} s")
            time.sleep(0.01)
        yield process
    finally:
        unmount(path)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=5)


def find(path, expected):
    """`find PATH -size +0 | wc -l`: how long, in seconds."""
    begin = time.monotonic()
    answer = subprocess.run(["sh", "-c", 'find "$1" -size +0 | wc -l', "sh", str(path)],
                            capture_output=True, text=True, timeout=600, check=True)
    secs = time.monotonic() - begin
    if answer.stderr or int(answer.stdout) < expected:
        sys.exit(f"find: {answer.stdout.strip()} of {expected} entries; {answer.stderr[:500]}")
    return secs


def environment(catalog):
    return {**os.environ, "TONICFS_CATALOG": str(catalog), "HOME": str(catalog.parent)}


def fill(build, folder, count):
    catalog = folder / f"catalog-{count}.db"
    begin = time.monotonic()
    subprocess.run([build / "fill", catalog, str(count)], timeout=3600, check=True)
    note(f"a catalog of {count:,} recordings: filled in {time.monotonic() - begin:.1f} s, "
         f"{catalog.stat().st_size / 1e6:.0f} MB")
    return catalog


def list_of(path, target):
    """The tree as memtree wants to be told, folders first."""
    with open(target, "w", encoding="utf-8") as file:
        for folder, folders, names in os.walk(path):
            prefix = "" if folder == str(path) else os.path.relpath(folder, path) + "/"
            for name in folders:
                file.write(f"{prefix}{name}/\t0\n")
            for name in names:
                file.write(f"{prefix}{name}\t{os.lstat(os.path.join(folder, name)).st_size}\n")


def bench_find(build, folder):
    """a tree of 100,000 recordings against the same tree in memory"""
    catalog = fill(build, folder, SMALL)
    ours, theirs, listing = folder / "tonicfs", folder / "memtree", folder / "list"
    first, second = {ours: [], theirs: []}, {ours: [], theirs: []}
    with serving([BINARY, "mount", "-f", ours], ours, environment(catalog)):
        list_of(ours, listing)
        with open(listing, encoding="utf-8") as stdin, serving([build / "memtree", theirs], theirs, stdin=stdin):
            # Alternating, so that both meet the same weather; the first round warms up what is no cache of the tree.
            for turn in range(ROUNDS + 1):
                for path in (theirs, ours):
                    if not drop_caches():
                        sys.exit("find needs root, to drop the kernel's caches")
                    cold, warm = find(path, SMALL), find(path, SMALL)
                    if turn:
                        first[path].append(cold)
                        second[path].append(warm)
    for name, times in (("first find", first), ("second find, from the kernel's cache", second)):
        mine, reference = statistics.median(times[ours]), statistics.median(times[theirs])
        note(f"{name}: tonicfs {mine:.2f} s, in memory {reference:.2f} s")
        report(f"{name} over {SMALL:,} recordings, against the same tree in memory", mine / reference, 2.0, "times")


def bench_mount(build, folder):
    """from the start to a tree that answers, and memory, with 1,000,000 recordings"""
    catalog = fill(build, folder, LARGE)
    path = folder / "mount"
    path.mkdir()
    probe = path / "bench" / "campaign-1" / "calls.csv"
    for kind in ("warm", "cold"):
        times = []
        for _ in range(ROUNDS):
            if kind == "cold" and not drop_caches():
                break
            begin = time.monotonic()
            try:
                subprocess.run([BINARY, "mount", path], env=environment(catalog), timeout=60, check=True,
                               stdin=subprocess.DEVNULL)
                os.stat(probe)
                times.append((time.monotonic() - begin) * 1000)
            finally:
                unmount(path)
            time.sleep(0.5)
        if times:
            report(f"mount to the first answer, {LARGE:,} recordings, {kind} page cache",
                   statistics.median(times), 300, "ms")
    with serving([BINARY, "mount", "-f", path], path, environment(catalog)) as process:
        secs = find(path, LARGE)
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak_mb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1000
        note(f"find over {LARGE:,}: {secs:.1f} s")
        report(f"peak memory after a find over {LARGE:,} recordings", peak_mb, 200, "MB")


def bench_idle(build, folder):
    """a mount that has nothing to do: wakeups, threads, memory"""
    catalog = fill(build, folder, SMALL)
    path = folder / "mount"
    with serving([BINARY, "mount", "-f", path], path, environment(catalog)) as process:
        find(path, SMALL)
        time.sleep(IDLE_SETTLE_SECS)
        idle = Idle(process.pid, IDLE_SECS)
        resident_mb = memory_mb_of(process.pid, "VmRSS")
        note(f"VmHWM {memory_mb_of(process.pid, 'VmHWM'):.1f} MB, RssAnon {memory_mb_of(process.pid, 'RssAnon'):.1f} MB")
    for line in idle.table():
        note(line)
    report(f"wakeups of all threads in {IDLE_SECS} s", idle.wakeups_per_sec, 2, "a second")
    report("threads", idle.threads, 24, "threads")
    report(f"resident memory after a find over {SMALL:,} recordings", resident_mb, 18.5, "MB")


def own_cpu_secs(argv, env, stdin="", timeout=900):
    """User and system time of a command and what it began; its exit status must be 0."""
    process = subprocess.Popen([str(word) for word in argv], env=env, text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        out, err = process.communicate(stdin, timeout=timeout)
    finally:
        process.kill()
        process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        sys.exit(f"{' '.join(map(str, argv))}: exit status {process.returncode}\n{out[-2000:]}\n{err[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bench_sync(_build, folder):
    """our own CPU time while calls and recordings are learned"""
    catalog = folder / "catalog.db"
    env = environment(catalog)
    with StandIn(f"bulk:{SMALL}") as standin:
        account = standin.account
        own_cpu_secs([BINARY, "init"], env)
        own_cpu_secs([BINARY, "workspace", "add", "bulk", "--account", account.sid, "--twilio-url", standin.base_url,
                      "--secret-file", "-"], env, account.auth_token + "\n")
        for name, numbers in account.campaigns.items():
            own_cpu_secs([BINARY, "campaign", "add", "bulk", name,
                          *(word for number in numbers for word in ("--number", number))], env)
        begin = time.monotonic()
        cpu_secs = own_cpu_secs([BINARY, "sync"], env)
        note(f"sync of {SMALL:,} calls with a recording each: {time.monotonic() - begin:.1f} s, "
             f"of which {cpu_secs:.1f} s are ours")
        status = subprocess.run([BINARY, "--json", "status"], env=env, capture_output=True, text=True, timeout=60,
                                check=True)
        if str(SMALL) not in status.stdout:
            sys.exit(f"sync did not learn of {SMALL} recordings:\n{status.stdout[:2000]}")
    report(f"own CPU per recording in a sync of {SMALL:,}", cpu_secs * 1000 / SMALL, 0.2, "ms")


def bench_migrate(build, folder):
    """recordings to the bucket, 30 ms away, from Twilio, 100 ms away; what the queue costs"""
    catalog = fill(build, folder, SMALL)
    cpu_msecs = float(subprocess.run([build / "queue", catalog, "64"], capture_output=True, text=True, timeout=1800,
                                     check=True).stdout)
    report(f"CPU of the queue per recording, {SMALL:,} queued: asked for, claimed, stored", cpu_msecs, 0.2, "ms")
    run_apart("migrate", build, folder)


def bench_read(build, folder):
    """reading over a network, beside other file systems"""
    run_apart("read", build, folder)


def run_apart(name, build, folder):
    """Another program's figures, in a namespace for the servers; the client's is made in it."""
    if os.geteuid():
        sys.exit(f"{name} needs root, for network namespaces with a delay between them")
    process = subprocess.Popen(["unshare", "--net", sys.executable, Path(__file__).with_name(f"{name}.py"), build, folder])
    try:
        status = process.wait()
    except BaseException:
        process.terminate()  # it has mounts and servers to end
        process.wait()
        raise
    if status:
        missed.append(name)


BENCHES = {"find": bench_find, "mount": bench_mount, "sync": bench_sync, "idle": bench_idle, "migrate": bench_migrate,
           "read": bench_read}


def main():
    build, names = Path(sys.argv[1]).resolve(), sys.argv[2:] or list(BENCHES)
    unknown = set(names) - set(BENCHES)
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(unknown)} (there are {', '.join(BENCHES)})")
    end_on_signals()
    for name in names:
        print(f"{name}: {BENCHES[name].__doc__}", flush=True)
        folder = Path(tempfile.mkdtemp(prefix="tonicfs-bench-", dir="/var/tmp"))
        try:
            BENCHES[name](build, folder)
        finally:
            # Never through a mount that would not go: what is removed in one is removed for good.
            left = [path for path in folder.iterdir() if is_mounted(path)]
            if left:
                print(f"still mounted, left as it is: {left}")
            else:
                shutil.rmtree(folder, ignore_errors=True)
    if missed:
        print(f"{len(missed)} missed")
        sys.exit(1)


if __name__ == "__main__":
    main()
