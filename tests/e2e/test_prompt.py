"""Prompts for secrets on a terminal: without echo, and the terminal is restored afterwards."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time

import pytest

from harness import BINARY, PATIENCE, USER, wait_for


class Terminal:
    """The program with a terminal of its own; what it shows is in .shown."""

    def __init__(self, tonic, *args):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        assert self.echoes
        self.shown = b""
        self.process = subprocess.Popen(
            [str(BINARY), *map(str, args)], stdin=self.slave, stdout=self.slave, stderr=self.slave, env=tonic.env, cwd="/",
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **USER.popen_args())

    @property
    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def take(self, secs):
        while select.select([self.master], [], [], secs)[0]:
            self.shown += os.read(self.master, 4096)
            secs = 0

    def wait_for_prompt(self):
        def is_asking():
            self.take(0.05)
            return b": " in self.shown and not self.echoes
        wait_for(is_asking, 10, "the prompt")

    def type(self, text):
        os.write(self.master, text.encode())

    def wait_end(self):
        end = time.monotonic() + 20 * PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it goes on: {self.shown!r}"
            self.take(0.05)
        self.take(0.05)
        return self.process.returncode

    def is_as_before(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(timeout=10)
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal(tonic):
    opened = []

    def open_with(*args):
        opened.append(Terminal(tonic, *args))
        return opened[-1]
    tonic.init()
    yield open_with
    for each in opened:
        each.close()


SECRET = "5ecre7-of-the-te57"


def ask(terminal):
    asking = terminal("workspace", "add", "acme", "--account", "AC" + "2" * 32, "--no-check")
    asking.wait_for_prompt()
    return asking


def test_a_secret_is_asked_for_without_echo(tonic, terminal):
    asking = ask(terminal)
    asking.type(SECRET)
    asking.take(0.3)
    asking.type("\n")
    assert asking.wait_end() == 0, asking.shown
    assert SECRET.encode() not in asking.shown and asking.is_as_before()
    assert tonic("workspace", "show", "acme").status == 0


def test_what_was_typed_is_what_is_used(empty):
    account = empty.accounts[1]
    asking = Terminal(empty.tonic, "workspace", "add", "other", "--account", account.sid, "--twilio-url",
                      empty.standin.base_url)
    try:
        asking.wait_for_prompt()
        asking.type(account.auth_token + "\n")
        assert asking.wait_end() == 0, asking.shown
        assert account.auth_token.encode() not in asking.shown
    finally:
        asking.close()
    empty.tonic("sync", "other")


@pytest.mark.parametrize("end", ["ctrl-c", "ctrl-backslash", "SIGTERM", "SIGHUP"])
def test_whatever_ends_the_question_the_echo_is_back(tonic, terminal, end):
    asking = ask(terminal)
    asking.type(SECRET)
    number = {"ctrl-c": signal.SIGINT, "ctrl-backslash": signal.SIGQUIT}.get(end) or signal.Signals[end]
    if end.startswith("ctrl"):
        asking.type({"ctrl-c": "\x03", "ctrl-backslash": "\x1c"}[end])
    else:
        os.kill(asking.process.pid, number)
    assert asking.wait_end() == -number, asking.shown
    assert asking.is_as_before() and SECRET.encode() not in asking.shown
    assert tonic.json("workspace", "list") == []


def test_ctrl_z_does_not_leave_a_mute_terminal_behind(terminal):
    asking = ask(terminal)
    asking.type(SECRET + "\x1a\n")
    assert asking.wait_end() == 0, "it was not stopped, and the line is the secret"
    assert asking.is_as_before() and SECRET.encode() not in asking.shown


def test_an_empty_answer_is_refused(terminal):
    asking = ask(terminal)
    asking.type("\n")
    assert asking.wait_end() == 1 and b"empty" in asking.shown and asking.is_as_before()


def test_a_prompt_does_not_drive_the_terminal(terminal, tonic):
    tonic("workspace", "add", "acme", "--account", "AC" + "2" * 32, "--secret-file", "-", stdin="token\n")
    asked = terminal("storage", "set", "acme", "--bucket", "calls", "--region", "us-east-1", "--access-key", "AK\u009b31m")
    asked.wait_for_prompt()
    assert b"AK?31m" in asked.shown and "\u009b".encode() not in asked.shown
    asked.type(SECRET + "\n")
    asked.wait_end()
