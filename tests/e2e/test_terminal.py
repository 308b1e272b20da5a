"""Output on a narrow terminal."""

import fcntl
import os
import pty
import struct
import subprocess
import termios

import pytest

from harness import BINARY, USER


def shown_on(columns, tonic, *args):
    """The lines that the program prints on a terminal of that many columns."""
    master, slave = pty.openpty()
    try:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        made = subprocess.Popen([str(BINARY), *args], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, env=tonic.env,
                                cwd="/", **USER.popen_args())
        os.close(slave)
        shown = b""
        while True:
            try:
                shown += os.read(master, 65536)
            except OSError:  # the last process that had it open is gone
                break
        assert made.wait(timeout=20) == 0, shown
    finally:
        os.close(master)
    return shown.decode().replace("\r\n", "\n").splitlines()


@pytest.mark.parametrize("words", [["help"], ["help", "mount"], ["status"], ["workspace", "list"],
                                   ["campaign", "list", "acme"], ["storage", "show", "acme"], ["cost", "acme"]])
def test_sixty_columns_are_enough(acme, words):
    lines = shown_on(60, acme.tonic, *words)
    wide = [line for line in lines if len(line) > 60]
    assert not wide, "\n".join(wide)
    assert len(lines) > 2


def test_lists_in_help_are_filled_below_their_items(tonic):
    shown = "\n".join(shown_on(60, tonic, "help", "mount"))
    assert """
  allow_other    the owner's group and root may read, too,
                 but not remove or migrate, nor read
""" in shown
    assert """
  catalog=FILE, key_file=FILE
                 as --catalog and --key-file
  refuse=PROGRAM[:PROGRAM]...
""" in shown
    shown = "\n".join(shown_on(60, tonic, "help", "workspace", "set"))
    assert """
  api_key=SK…            the API key to use; empty: the
                         auth token
""" in shown
    assert "\n  setfattr -n user.tonicfs.restore -v '7 bulk' PATH\n  getfattr" in "\n".join(shown_on(60, tonic, "help", "restore"))
