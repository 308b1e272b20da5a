"""Whole bodies in memory files: the kernel sends them, without a copy in this process."""

from __future__ import annotations

import os
from collections.abc import Hashable
from typing import NamedTuple


class _File:
    """Of memory; it is gone with its last user."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("bodies")

    def __del__(self) -> None:
        os.close(self.fd)


class Body(NamedTuple):
    file: _File
    offset: int
    size: int
    md5: str

    def open_fd(self) -> int:
        """The caller's, with a position of its own."""
        return os.open(f"/proc/self/fd/{self.file.fd}", os.O_RDONLY | os.O_CLOEXEC)


class Shelf:
    """Holds up to so many bytes; a full one begins anew, and what is being sent stays until it has been."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._clear()

    def _clear(self) -> None:
        self._file, self._end = _File(), 0
        self._bodies: dict[Hashable, Body] = {}

    def get(self, key: Hashable) -> Body | None:
        return self._bodies.get(key)

    def put(self, key: Hashable, content: bytes, md5: str) -> Body:
        if self._end + len(content) > self._limit_bytes:
            self._clear()
        done = 0
        while done < len(content):
            done += os.pwrite(self._file.fd, memoryview(content)[done:], self._end + done)
        body = self._bodies[key] = Body(self._file, self._end, len(content), md5)
        self._end += len(content)
        return body
