"""The fixtures of the end-to-end tests, for a program with fault points, and the proxy before S3."""

import importlib.util
import os
import signal
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent)]

spec = importlib.util.spec_from_file_location("e2e_conftest", HERE.parent / "e2e" / "conftest.py")
e2e_conftest = importlib.util.module_from_spec(spec)
sys.modules["e2e_conftest"] = e2e_conftest
spec.loader.exec_module(e2e_conftest)
globals().update({name: value for name, value in vars(e2e_conftest).items() if not name.startswith("__")})

from harness import BINARY, PATIENCE, wait_for
from proof import check
from proxy import Proxy

HURRY = 20 // PATIENCE  # pauses and leases are so many times shorter
# Those of the network stay what they are for users, but for what a test waits for.
SETTINGS = {"stall_timeout_msecs": 1000 * PATIENCE, "connect_timeout_msecs": 1000 * PATIENCE, "twilio_deletes_per_sec": 1000}


@pytest.fixture(scope="session", autouse=True)
def with_fault_points(binary):
    assert b"TONICFS_FAULT_HURRY" in Path(BINARY).read_bytes(), f"{BINARY} is not built with -DTONICFS_FAULTS; see make fault"


@pytest.fixture(scope="session")
def session_proxy(s3):
    with Proxy(s3.endpoint) as running:
        yield running


@pytest.fixture
def proxy(session_proxy):
    session_proxy.behave()
    session_proxy.forget()
    yield session_proxy
    session_proxy.behave()


def prepare(tonic, hurry=HURRY):
    """Short waits."""
    tonic.env["TONICFS_FAULT_HURRY"] = str(hurry)
    for name, value in SETTINGS.items():
        tonic("setting", "set", name, value)


class Case:
    """A company whose bucket is reached through the proxy, and a few recordings that are to be moved."""

    def __init__(self, company, proxy):
        self.company, self.proxy, self.tonic, self.twilio = company, proxy, company.tonic, company.twilio
        prepare(self.tonic)
        self.tonic.change_storage("acme", "--endpoint", proxy.url)
        self.twilio.is_synced = True
        self.paths = ["acme"]  # what migrate is asked for

    def record(self, *durations, **keywords):
        """Recordings of so many seconds, known to the catalog; the only one, or all."""
        made = [self.twilio.call_with_recording(duration=secs, **keywords) for secs in durations]
        self.tonic("sync")
        return made[0] if len(made) == 1 else made

    def large(self):
        """Of more than one part."""
        return self.record(300)

    def start(self, fault=None, **env):
        """migrate --wait in the background."""
        more = {"TONICFS_FAULT": fault} if fault else {}
        more.update({name: str(value) for name, value in env.items()})
        before = dict(self.tonic.env)
        self.tonic.env.update(more)
        try:
            return self.tonic.start("migrate", *self.paths, "--wait")
        finally:
            self.tonic.env.clear()
            self.tonic.env.update(before)

    def migrate(self, *before, status=0, timeout=40, **env):
        return self.tonic(*before, "migrate", *self.paths, "--wait", status=status, timeout=timeout,
                          env={**self.tonic.env, **{name: str(value) for name, value in env.items()}})

    def stop(self, process):
        """As by Ctrl-C."""
        process.send_signal(signal.SIGINT)
        process.wait(timeout=15 * PATIENCE)

    def check(self):
        check(self.company, self.proxy, at_end=False)

    def finish(self):
        """With all well again one more run ends where an undisturbed one does."""
        self.proxy.behave()
        self.twilio.unswitch()
        self.migrate()
        check(self.company, self.proxy, at_end=True)

    def deletes(self, recording):
        return [entry["status"] for entry in self.twilio.deletes(recording)]


@pytest.fixture
def case(empty, proxy):
    return Case(empty, proxy)


@pytest.fixture
def started():
    """Processes that a test may stop: they go on, and end, whatever becomes of it."""
    processes = []
    yield processes
    for process in processes:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGCONT)
            process.kill()
            process.wait(timeout=5)


def wait_stopped(process, timeout=30):
    def is_stopped():
        assert process.poll() is None, f"ended with {process.returncode}: {process.output.read_text()}"
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    wait_for(is_stopped, timeout, "the fault point that stops the process")
