"""Fixtures of the end-to-end tests: a real S3 server, Twilio's stand-in, the program as an ordinary user."""

import contextlib
import glob
import json
import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import boto3
from botocore.client import Config

import capabilities
import harness
from harness import BINARY, PATIENCE, ROOT, USER, Tonic
from standin.client import StandIn
from world import Company

TEST_SECS = 60  # of one test, where it names no other limit


def pytest_collection_modifyitems(items):
    for item in items:
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TEST_SECS * PATIENCE))


def pytest_configure(config):
    """A run that is told to end (timeout, CI) still unmounts and stops its servers."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("SIGTERM", returncode=143))


def clean_up_after_the_dead():
    """Runs that were killed leave mounts and servers behind; each folder names its process, and so do the servers."""
    for path in Path("/var/tmp").glob("tonicfs-e2e-*"):
        try:
            owner, began = (path / "owner").read_text().split()
            if path.stat().st_uid != os.geteuid() or harness.process_start(int(owner)) == began:
                continue
        except (OSError, ValueError):
            continue
        with contextlib.suppress(OSError, ValueError):
            pid = int((path / "standin.pid").read_text())
            if b"twilio_standin.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        if (path / "s3").exists():
            subprocess.run([ROOT / "scripts" / "s3-server.sh", "stop", path / "s3"], timeout=60, check=False)
        for mountpoint in mounts_below(path):
            harness.force_unmount(mountpoint)
        if not mounts_below(path):
            shutil.rmtree(path, ignore_errors=True)


def mounts_below(path):
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return [line.split(" ")[4] for line in file if line.split(" ")[4].startswith(f"{path}/")]


@pytest.fixture(scope="session")
def base():
    """A folder that the user can reach; everything of this run is below it, and gone afterwards."""
    clean_up_after_the_dead()
    path = Path(tempfile.mkdtemp(prefix="tonicfs-e2e-", dir="/var/tmp"))
    (path / "owner").write_text(f"{os.getpid()} {harness.process_start(os.getpid())}")
    path.chmod(0o755)
    yield path
    left = mounts_below(path)
    for mountpoint in left:
        harness.force_unmount(mountpoint)
    if os.environ.get("TONICFS_TEST_KEEP"):
        print(f"kept: {path}")
    else:
        shutil.rmtree(path, ignore_errors=True)
    assert not left, f"mounts were left behind: {left}"


@pytest.fixture(scope="session")
def fuse():
    """/dev/fuse, open to the user: where root runs the suite it is made so (mode 0666, as udev does)."""
    if not os.path.exists("/dev/fuse"):
        pytest.fail("no /dev/fuse here: the end-to-end tests need FUSE")
    if USER.is_other and stat.S_IMODE(os.stat("/dev/fuse").st_mode) & 0o006 != 0o006:
        print("/dev/fuse is root's alone: chmod 0666 for the tests' user")
        os.chmod("/dev/fuse", 0o666)


# S3

class S3:
    """The server and boto3's client to it, the independent witness of what is in a bucket."""

    def __init__(self, endpoint, access_key, secret_key, region, folder=None):
        self.folder = folder  # of scripts/s3-server.sh, where it is our own
        self.endpoint, self.access_key, self.secret_key, self.region = endpoint, access_key, secret_key, region
        self.known = {}
        self.client = boto3.client(
            "s3", endpoint_url=endpoint, aws_access_key_id=access_key, aws_secret_access_key=secret_key,
            region_name=region,
            config=Config(s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=20,
                          retries={"max_attempts": 2}, request_checksum_calculation="when_required",
                          response_checksum_validation="when_required"))

    def make_user(self):
        """Keys of another user, who may do nothing yet: what a bucket's policy allows him is his all. Needs "users"."""
        access_key, secret_key = secrets.token_hex(10), secrets.token_hex(20)
        name = "user-" + secrets.token_hex(4)
        subprocess.run(["radosgw-admin", "-c", self.folder / "cluster" / "ceph.conf", "user", "create", f"--uid={name}",
                        f"--display-name={name}", f"--access-key={access_key}", f"--secret-key={secret_key}"],
                       check=True, capture_output=True, timeout=60)
        return name, access_key, secret_key

    def has(self, capability):
        """Whether the server has what not every one does: see capabilities.py."""
        return self.lacks(capability) is None

    def lacks(self, capability):
        """None, or why a test of the capability cannot be made on this server."""
        if capability not in self.known:
            self.known[capability] = capabilities.missing(self, capability)
        return self.known[capability]

    def need(self, *wanted):
        """Skips the test where the server lacks one of them, and says which and how that shows."""
        for capability in wanted:
            if self.lacks(capability):
                pytest.skip(self.lacks(capability))

    def keys(self, bucket, prefix=""):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def body(self, bucket, key):
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def make_bucket(self):
        name = "tonicfs-" + secrets.token_hex(6)
        if self.region in ("", "us-east-1"):
            self.client.create_bucket(Bucket=name)
        else:
            self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": self.region})
        return name

    def remove_bucket(self, name):
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=name)
        for page in pages:
            for item in page.get("Versions", []) + page.get("DeleteMarkers", []):
                self.client.delete_object(Bucket=name, Key=item["Key"], VersionId=item["VersionId"])
        self.client.delete_bucket(Bucket=name)


@pytest.fixture(scope="session")
def s3(base):
    """The server that TONICFS_TEST_S3_ENDPOINT names, else one of our own for this run."""
    given = os.environ.get("TONICFS_TEST_S3_ENDPOINT")
    if given:
        yield S3(given, os.environ["TONICFS_TEST_S3_ACCESS_KEY"], os.environ["TONICFS_TEST_S3_SECRET_KEY"],
                 os.environ.get("TONICFS_TEST_S3_REGION", "us-east-1"))
        return
    script, folder = ROOT / "scripts" / "s3-server.sh", base / "s3"
    started = subprocess.run([script, "start", folder], capture_output=True, text=True, timeout=150, check=False)
    assert started.returncode == 0, started.stderr
    env = dict(line.split("=", 1) for line in (folder / "env").read_text().splitlines())
    try:
        yield S3(env["S3_ENDPOINT"], env["S3_ACCESS_KEY"], env["S3_SECRET_KEY"], env["S3_REGION"], folder)
    finally:
        subprocess.run([script, "stop", folder], timeout=60, check=False)


@pytest.fixture(autouse=True)
def needed(request):
    """@pytest.mark.needs("archive"): the test asks something of the S3 server that not every one has."""
    for mark in request.node.iter_markers("needs"):
        request.getfixturevalue("s3").need(*mark.args)


@pytest.fixture
def bucket(s3):
    name = s3.make_bucket()
    yield name
    s3.remove_bucket(name)


# The program

@pytest.fixture(scope="session")
def binary():
    if not BINARY.exists():
        pytest.fail(f"{BINARY} is not there: build it first, or name another in TONICFS_BINARY")
    if harness.run(["test", "-x", BINARY], env=harness.environment("/"), status=None).status:
        pytest.fail(f"{BINARY}: {USER.name} may not run it; the folders above it must be open to others")
    return BINARY


@pytest.fixture
def folder(base, request):
    path = Path(tempfile.mkdtemp(prefix=request.node.name[:40].translate(str.maketrans("[]/ ", "----")) + "-", dir=base))
    path.chmod(0o755)
    yield USER.own(path)
    for mountpoint in glob.glob(f"{path}/mount*"):
        if harness.mountinfo(mountpoint):
            harness.force_unmount(mountpoint)
    if not os.environ.get("TONICFS_TEST_KEEP"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def tonic(binary, fuse, folder):
    """A user with an empty home, no catalog yet."""
    return Tonic(folder)


class StandIns:
    """One stand-in for many tests: each gets two accounts that nobody has used, and its switches are its own. A test
    may stop or stall it: the next one gets another."""

    def __init__(self, scenario, pid_file):
        self.scenario, self.pid_file, self.running, self.used = scenario, pid_file, None, 0

    def take(self):
        if self.running and (self.running.process.poll() is not None or self.used + 2 > len(self.running.accounts)):
            self.stop()
        if not self.running:
            self.running, self.used = StandIn(self.scenario).start(), 0
            self.pid_file.write_text(str(self.running.process.pid))
        self.running.unswitch()
        self.running.clear_ledger()
        self.used += 2
        return self.running, self.running.accounts[self.used - 2:self.used]

    def stop(self):
        if self.running:
            self.running.__exit__()
            self.running = None


@pytest.fixture(scope="session")
def standins(base):
    path = base / "accounts.json"
    path.write_text(json.dumps({"accounts": [{"workspace": f"account{number}"} for number in range(400)]}))
    running = StandIns(path, base / "standin.pid")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def bulk_standin():
    with StandIn("bulk:2500:secs=1-2") as running:
        yield running


@pytest.fixture
def empty(binary, fuse, folder, standins, s3, bucket):
    """The company before its first call."""
    standin, accounts = standins.take()
    return Company(folder, standin, accounts, s3, bucket)


@pytest.fixture
def bulk(binary, fuse, folder, bulk_standin, s3, bucket):
    """A company with 2,500 recordings, more than two pages of a list."""
    bulk_standin.unswitch()
    return Company(folder, bulk_standin, bulk_standin.accounts, s3, bucket, "bulk")


@pytest.fixture
def acme(empty):
    """The company with its calls, synced."""
    return empty.fill()
