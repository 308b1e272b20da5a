"""The base of the end-to-end tests: an ordinary user, the program, its mounts.

Everything that touches a mount runs in a process of its own, as an ordinary user and with a deadline: a mount that
hangs fails its test and never the suite.
"""

import contextlib
import ctypes
import ctypes.util
import errno
import hashlib
import json
import os
import pickle
import pwd
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TONICFS_BINARY", ROOT / "build" / "tonicfs")).resolve()
SANITIZED = BINARY.parts[-2] in ("asan", "tsan") or bool(os.environ.get("TONICFS_SANITIZED"))
PATIENCE = 3 if SANITIZED else 1  # sanitizers make everything slower
SANITIZER_REPORT = re.compile(r"(Address|Leak|Thread)Sanitizer|runtime error:")


# The user

class User:
    def __init__(self):
        self.is_other = os.geteuid() == 0
        if self.is_other:
            name = os.environ.get("TONICFS_TEST_USER") or "nobody"
            entry = pwd.getpwnam(name)
            if entry.pw_uid == 0:
                raise RuntimeError("the tests need a user that is not root (TONICFS_TEST_USER)")
        else:
            entry = pwd.getpwuid(os.geteuid())
        self.name, self.uid, self.gid = entry.pw_name, entry.pw_uid, entry.pw_gid

    def own(self, path):
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        return path

    def popen_args(self):
        if not self.is_other:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def become(self):
        if self.is_other:
            os.setgroups([])
            os.setgid(self.gid)
            os.setuid(self.uid)


USER = User()


class Result:
    def __init__(self, argv, status, stdout, stderr):
        self.argv, self.status, self.stdout, self.stderr = argv, status, stdout, stderr

    @property
    def json(self):
        return json.loads(self.stdout)

    def __repr__(self):
        return (f"$ {' '.join(map(str, self.argv))}\nexit status {self.status}\n"
                f"--- stdout\n{self.stdout[-3000:]}\n--- stderr\n{self.stderr[-3000:]}")


def environment(home, **more):
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(home), "LC_ALL": "C.UTF-8",
           "TZ": "UTC", "USER": USER.name, "LOGNAME": USER.name,
           "ASAN_OPTIONS": "exitcode=99:" + os.environ.get("ASAN_OPTIONS", ""),
           "TSAN_OPTIONS": f"exitcode=99:suppressions={ROOT}/tests/tsan.supp:" + os.environ.get("TSAN_OPTIONS", ""),
           "UBSAN_OPTIONS": "print_stacktrace=1:" + os.environ.get("UBSAN_OPTIONS", "")}
    env.update({key: str(value) for key, value in more.items()})
    return env


def run(argv, *, env, cwd="/", stdin="", timeout=30, status=0):
    """Runs a command as the user. `status`: the exit status that it must have, None for any."""
    argv = [str(word) for word in argv]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=env, cwd=cwd, text=True, errors="surrogateescape", start_new_session=True,
                               **USER.popen_args())
    try:
        out, err = process.communicate(stdin, timeout=timeout * PATIENCE)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        try:
            out, err = process.communicate(timeout=2)
        except subprocess.TimeoutExpired:
            out = err = "(not even ended by SIGKILL)"
        result = Result(argv, None, out, err)
        pytest.fail(f"no end after {timeout * PATIENCE} s:\n{result!r}")
    result = Result(argv, process.returncode, out, err)
    assert not SANITIZER_REPORT.search(err), f"{result!r}"
    if status is not None:
        assert result.status == status, f"wanted exit status {status}\n{result!r}"
    return result


# A mount's environment, descriptors and folder, and what it is that runs, are no other process's business.
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a process that must not be dumped")


class Hung(AssertionError):
    pass


def call(function, *args, timeout=20, **keywords):
    """Calls function(*args) in a child that is the user; its result, or its exception, comes back."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 0
        try:
            os.close(reader)
            signal.alarm(0)
            USER.become()
            try:
                answer = (True, function(*args, **keywords))
            except BaseException as error:  # all of it belongs to the caller
                answer = (False, error)
            try:
                data = pickle.dumps(answer)
            except Exception:
                data = pickle.dumps((False, AssertionError(repr(answer[1]))))
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(data)
        except BaseException:
            code = 1
        os._exit(code)
    os.close(writer)
    data, end = b"", time.monotonic() + timeout * PATIENCE
    try:
        while True:
            ready, _, _ = select.select([reader], [], [], max(0, end - time.monotonic()))
            if not ready:
                os.kill(child, signal.SIGKILL)
                raise Hung(f"{getattr(function, '__name__', function)}{args!r}: no answer in {timeout * PATIENCE} s")
            part = os.read(reader, 1 << 20)
            if not part:
                break
            data += part
    finally:
        os.close(reader)
        reap(child)
    if not data:
        raise AssertionError(f"{function!r}{args!r}: the child died")
    worked, answer = pickle.loads(data)
    if worked:
        return answer
    raise answer


def reap(child, secs=2):
    end = time.monotonic() + secs
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.005)


class Background:
    """call() that goes on while the test does something else; result() waits for it."""

    def __init__(self, function, *args):
        self.function, self.args = function, args
        self.reader, writer = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            try:
                os.close(self.reader)
                signal.alarm(0)
                USER.become()
                try:
                    answer = (True, function(*args))
                except BaseException as error:
                    answer = (False, error)
                with os.fdopen(writer, "wb") as pipe:
                    pipe.write(pickle.dumps(answer))
            finally:
                os._exit(0)
        os.close(writer)

    def kill(self):
        os.kill(self.child, signal.SIGKILL)
        os.close(self.reader)
        reap(self.child)

    def result(self, timeout=20):
        data, end = b"", time.monotonic() + timeout * PATIENCE
        try:
            while True:
                ready, _, _ = select.select([self.reader], [], [], max(0, end - time.monotonic()))
                if not ready:
                    os.kill(self.child, signal.SIGKILL)
                    raise Hung(f"{self.function!r}{self.args!r}: no answer in {timeout * PATIENCE} s")
                part = os.read(self.reader, 1 << 20)
                if not part:
                    break
                data += part
        finally:
            os.close(self.reader)
            reap(self.child)
        worked, answer = pickle.loads(data)
        if worked:
            return answer
        raise answer


def wait_for(condition, timeout=10, what="", step=0.05):
    """Calls condition until it gives something true; returns that."""
    end = time.monotonic() + timeout * PATIENCE
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            pytest.fail(f"not within {timeout * PATIENCE} s: {what or getattr(condition, '__name__', condition)}; last: {answer!r}")
        time.sleep(step)


def error_of(function, *args, **keywords):
    """The errno's name that a call as the user ends in ('' when it works)."""
    try:
        call(function, *args, **keywords)
    except OSError as error:
        return errno.errorcode[error.errno]
    return ""


# Small things done in the child

def read_all(path):
    with open(path, "rb", buffering=0) as file:
        parts = []
        while part := file.read(1 << 20):
            parts.append(part)
        return b"".join(parts)


def read_range(path, offset, size):
    fd = os.open(path, os.O_RDONLY)
    try:
        os.lseek(fd, offset, os.SEEK_SET)
        data = b""
        while len(data) < size and (part := os.read(fd, size - len(data))):
            data += part
        return data
    finally:
        os.close(fd)


def sha256_of(path):
    return hashlib.sha256(read_all(path)).hexdigest()


def walk(path):
    """Every path below, relative, folders with a slash at the end, in the order readdir gives."""
    found = []

    def visit(folder, prefix):
        with os.scandir(folder) as entries:
            listed = list(entries)
        for entry in listed:
            if entry.is_dir(follow_symlinks=False):
                found.append(prefix + entry.name + "/")
                visit(entry.path, prefix + entry.name + "/")
            else:
                found.append(prefix + entry.name)
    visit(str(path), "")
    return found


def sqlcipher(path, key, *statements):
    """What the database library itself says or does, without the program; rows as tuples of bytes."""
    library = ctypes.CDLL(ctypes.util.find_library("sqlcipher"))
    library.sqlite3_errmsg.restype = ctypes.c_char_p
    rows = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_char_p),
                      ctypes.POINTER(ctypes.c_char_p))
    def row(_, columns, values, __):
        rows.append(tuple(values[i] for i in range(columns)))
        return 0

    database = ctypes.c_void_p()
    assert library.sqlite3_open(os.fsencode(path), ctypes.byref(database)) == 0
    for statement in (f"PRAGMA key = \"x'{key}'\"", *statements):
        if library.sqlite3_exec(database, statement.encode(), row, None, None):
            raise AssertionError(f"{statement}: {library.sqlite3_errmsg(database).decode()}")
    library.sqlite3_close(database)
    return rows


# Mounts

def mountinfo(path):
    """The file system types mounted at path."""
    types = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            if left.split(" ")[4].encode().decode("unicode_escape") == str(path):
                types.append(right.split(" ")[0])
    return types


def processes_of(path, program=BINARY):
    """Processes of the program that serve the mount at path. A process may end while they are listed."""
    pids = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        # Not by /proc/PID/exe: that of a process that must not be dumped is for root.
        if str(path).encode() in words and Path(os.fsdecode(words[0])).resolve() == program:
            pids.append(int(entry))
    return pids


def process_start(pid):
    """When a process began, in the kernel's ticks: tells it from another of the same number. None: it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def force_unmount(path):
    for pid in processes_of(path):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    for _ in range(5):
        if not mountinfo(path):
            return
        subprocess.run(["fusermount3", "-u", "-z", "--", str(path)], timeout=20, capture_output=True,
                       check=False, **USER.popen_args())
        if mountinfo(path) and os.geteuid() == 0:
            subprocess.run(["umount", "-l", str(path)], timeout=20, capture_output=True, check=False)


class Mount:
    def __init__(self, tonic, path, log_path, process, pid):
        self.tonic, self.path, self.log_path, self.process, self.pid = tonic, path, log_path, process, pid

    def __truediv__(self, name):
        return self.path / name

    @property
    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def tree(self, below=""):
        return call(walk, self.path / below)

    def files(self, below=""):
        return [name for name in self.tree(below) if not name.endswith("/") and not name.endswith("calls.csv")]

    def names(self, below=""):
        return call(os.listdir, self.path / below)

    def stat(self, name):
        return call(os.lstat, self.path / name)

    def read(self, name, timeout=20):
        return call(read_all, self.path / name, timeout=timeout)

    def read_range(self, name, offset, size):
        return call(read_range, self.path / name, offset, size)

    def sha256(self, name, timeout=20):
        return call(sha256_of, self.path / name, timeout=timeout)

    def attr(self, name, attribute):
        return call(os.getxattr, self.path / name, "user.tonicfs." + attribute).decode()

    def attrs(self, name):
        return call(os.listxattr, self.path / name)

    def set_attr(self, name, attribute, value):
        call(os.setxattr, self.path / name, "user.tonicfs." + attribute, value.encode())

    def migrate(self, name, timeout=30):
        """Asks for a migration by the attribute and waits for its end; the attribute's last value."""
        self.set_attr(name, "migrate", "now")
        return self.wait_migrated(name, timeout)

    def wait_migrated(self, name, timeout=30):
        def ended():
            value = self.attr(name, "migrate")
            if value == "done" or value.startswith("failed"):
                return value
            counts = re.fullmatch(r"none (\d+) queued (\d+) running (\d+) done (\d+) failed (\d+)", value)
            return value if counts and counts[2] == "0" and counts[3] == "0" else None
        return wait_for(ended, timeout, f"the migration of {name}", step=0.1)

    def shell(self, script, *args, status=0, timeout=30):
        """sh -c, as the user, in the mount's parent folder."""
        return run(["sh", "-c", script, "sh", *args], env=self.tonic.env, cwd=self.path.parent, status=status,
                   timeout=timeout)

    def kill(self):
        """kill -9; the mountpoint is left as such a death leaves it."""
        os.kill(self.pid, signal.SIGKILL)
        wait_for(lambda: not is_running(self.pid), what="the end of the process")
        if self.process:
            self.process.wait(timeout=5)

    def unmount(self, timeout=20):
        run(["fusermount3", "-u", "--", self.path], env=self.tonic.env)
        self.wait_end(timeout)

    def wait_end(self, timeout=20):
        wait_for(lambda: not is_running(self.pid), timeout, "the end of the mount's process")
        if self.process:
            self.process.wait(timeout=5)

    def check_log(self):
        assert not SANITIZER_REPORT.search(self.log), self.log[-5000:]


class Tonic:
    """One catalog of one user, with the program to work on it."""

    def __init__(self, folder):
        self.folder, self.binary = folder, BINARY
        self.home = self.make_dir("home")
        self.catalog = self.home / "catalog.db"
        self.key_file = self.home / "catalog.db.key"
        self.env = environment(self.home, TONICFS_CATALOG=self.catalog)
        self.mounts = []
        self.secret_keys = {}  # of workspaces, as storage set reads them
        self.count = 0

    def make_dir(self, name):
        path = self.folder / name
        path.mkdir(mode=0o700)
        return USER.own(path)

    def fresh(self, stem):
        self.count += 1
        return self.folder / f"{stem}{self.count}"

    def file_with(self, content, mode=0o600, stem="file"):
        path = self.fresh(stem)
        path.write_text(content)
        path.chmod(mode)
        return USER.own(path)

    def __call__(self, *args, status=0, stdin="", timeout=30, env=None, cwd="/", check=False):
        """check: Twilio is asked about a workspace's credentials, as it is without --no-check."""
        if not check and (args[:2] == ("workspace", "add") or (args[:2] == ("workspace", "set") and "--secret-file" in args)):
            args = [*args[:2], "--no-check", *args[2:]]
        return run([BINARY, *args], env=env or self.env, cwd=cwd, stdin=stdin, timeout=timeout, status=status)

    def json(self, *args, **keywords):
        return self("--json", *args, **keywords).json

    def setting(self, name, value):
        """A setting of the catalog that no command changes yet: written with the database library itself."""
        key = self.key_file.read_text().strip()
        call(sqlcipher, self.catalog, key, f"INSERT INTO setting (name, value) VALUES ('{name}', '{value}')")

    def start(self, *args, stem="background"):
        """Starts the program and goes on; its output goes to a file, .output."""
        output = self.fresh(stem)
        with open(output, "wb") as file:
            process = subprocess.Popen([str(BINARY), *map(str, args)], stdin=subprocess.DEVNULL, stdout=file,
                                       stderr=file, env=self.env, cwd="/", start_new_session=True,
                                       **USER.popen_args())
        process.output = output
        return process

    @contextlib.contextmanager
    def mount(self, *options, path=None, foreground=True, before=(), env=None, timeout=15):
        """Mounts and always unmounts: by fusermount3 -u, and where that does not work by force, and then the test fails.
        `options` come after `mount DIR`, such as "-o", "ro"; `before` comes before the command, such as "-v"."""
        if path is None:
            path = self.make_dir(self.fresh("mount").name)
        log_path = self.fresh("log")
        process = None
        argv = [str(BINARY), *before, "mount", str(path), *(["-f"] if foreground else []), *map(str, options)]
        if foreground:
            with open(log_path, "wb") as log:
                process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           env=env or self.env, cwd="/", start_new_session=True,
                                           **USER.popen_args())
            pid = process.pid
        mount = Mount(self, path, log_path, process, None)
        self.mounts.append(path)
        try:
            if foreground:
                mount.pid = pid

                def is_up():
                    assert process.poll() is None, f"mount ended with {process.returncode}:\n{mount.log}"
                    # A dead mount may still be in the table: the new one says itself that it answers.
                    return "is mounted" in mount.log and "fuse.tonicfs" in mountinfo(path)
                wait_for(is_up, timeout, "the mount")
            else:
                run(argv, env=env or self.env, timeout=timeout)
                assert mountinfo(path) == ["fuse.tonicfs"], "the daemon reports success, and nothing is mounted"
                mount.pid = wait_for(lambda: processes_of(path), what="the daemon's process")[0]
            call(os.listdir, path)
            yield mount
        except BaseException:
            print(f"--- log of {' '.join(argv)}\n{mount.log[-8000:]}")
            raise
        finally:
            try:
                if mount.pid and is_running(mount.pid):
                    if mountinfo(path):
                        mount.unmount()
                    else:
                        mount.wait_end()
                mount.check_log()
                if process and process.returncode not in (None, 0, -signal.SIGKILL):
                    raise AssertionError(f"the mount's exit status is {process.returncode}:\n{mount.log[-4000:]}")
            finally:
                force_unmount(path)
                if process and process.poll() is None:
                    process.kill()

    # What most tests begin with

    def init(self):
        self("init")
        return self

    def add_workspace(self, name, account, standin):
        self("workspace", "add", name, "--account", account.sid, "--twilio-url", standin.base_url,
             "--secret-file", "-", stdin=account.auth_token + "\n")

    def set_storage(self, workspace, s3, bucket, *more):
        self.secret_keys[workspace] = s3.secret_key + "\n"
        self.change_storage(workspace, "--bucket", bucket, "--region", s3.region, "--access-key", s3.access_key,
                            "--endpoint", s3.endpoint, "--path-style", "--secret-file", "-", *more,
                            stdin=s3.secret_key + "\n")

    def change_storage(self, workspace, *options, stdin=""):
        """Settings that are used at once, good or bad: what `storage test` says of them is tested elsewhere."""
        if "--endpoint" in options and "--secret-file" not in options:  # another host wants the secret key again
            options, stdin = (*options, "--secret-file", "-"), self.secret_keys[workspace]
        self("storage", "set", workspace, *options, stdin=stdin)
        self("storage", "enable", workspace, "--untested")
