"""Sends answers: complete ones, and media with every fault of delivery."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from aiohttp import web

from .ledger import Entry
from .media import Form, Media
from .model import Recording
from .shelf import Body
from .switches import Switches

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.ASCII)
_DIGEST_INLINE_BYTES = 8 << 20
_CONDITIONS = ("Range", "If-Match", "If-None-Match")
_TYPES = {"wav": "audio/x-wav", "mp3": "audio/mpeg"}


class _UntilClose(web.StreamResponse):
    """A body whose end is the connection's."""

    _length_check = False  # neither Content-Length nor chunks


class Delivery:
    def __init__(self, media: Media, switches: Switches, now: Callable[[], float]) -> None:
        self._media, self._switches, self._now = media, switches, now

    # Whole answers

    def date(self, acted: list[str]) -> str:
        return formatdate(self._now() + (self._switches.take("clock_skew_secs", None, acted) or 0), usegmt=True)

    async def send(self, request: web.BaseRequest, entry: Entry, status: int, body: bytes, content_type: str,
                   headers: dict[str, str] | None = None) -> web.StreamResponse:
        response = web.Response(status=status, body=None if request.method == "HEAD" or status == 204 else body)
        if status not in (204, 304):
            response.headers["Content-Type"] = content_type
        response.headers.update(headers or {})
        response.headers["Date"] = self.date(entry.switches)
        try:
            await response.prepare(request)
            await response.write_eof()
            entry.status = status
            entry.body_bytes = len(response.body or b"") if request.method != "HEAD" else 0  # type: ignore[arg-type]
        except ConnectionError:
            entry.outcome = "aborted"
        self.maybe_close(request, entry)
        return response

    def maybe_close(self, request: web.BaseRequest, entry: Entry) -> None:
        """An idle connection that the server gives up, without having said so."""
        if request.transport is not None and self._switches.take("close_after_answer", None, entry.switches):
            request.transport.close()

    def cut(self, request: web.BaseRequest, entry: Entry, outcome: str) -> web.StreamResponse:
        """Ends the connection. "reset": with RST, else in order."""
        transport = request.transport
        entry.outcome = outcome
        if transport is not None:
            if outcome == "reset":
                sock: Any = transport.get_extra_info("socket")
                if sock is not None:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                transport.abort()
            else:
                transport.close()
        return web.Response()  # goes nowhere

    # Media

    async def etag(self, recording: Recording, form: Form, acted: list[str]) -> str | None:
        kind = self._switches.take("etag", recording.sid, acted)
        if kind == "none":
            return None
        if self._media.size(recording, form) > _DIGEST_INLINE_BYTES:
            digest = await asyncio.to_thread(self._media.digest, recording, "md5", form)
        else:
            self._media.read(recording, form, 0, 1)  # made once, for the hash and for the answer
            digest = self._media.digest(recording, "md5", form)
        if kind == "md5":
            return f'"{digest}"'
        return f'"{digest[::-1]}-2"' if kind == "opaque" else f'W/"{digest}"'

    async def media(self, request: web.BaseRequest, entry: Entry, recording: Recording, form: Form) -> web.StreamResponse:
        """200, 206, 304, 412 or 416 with the bytes of a recording, as the switches have it."""
        switches, sid, acted = self._switches, recording.sid, entry.switches
        if switches.is_quiet() and request.method == "GET" and not any(name in request.headers for name in _CONDITIONS):
            body = self._media.ready(recording, form)
            if body is not None:
                return await self._send_ready(request, entry, recording, form, body)
        size = self._media.size(recording, form)
        if lacking := switches.take("short_body", sid, acted):
            size = max(0, size - lacking)
        if switches.take("empty_body", sid, acted):
            size = 0
        etag = await self.etag(recording, form, acted)
        headers = {"Content-Type": switches.take("content_type", sid, acted) or _TYPES[form.kind],
                   "Date": self.date(acted), "Last-Modified": formatdate(recording.date_created, usegmt=True)}
        if etag:
            headers["ETag"] = etag
        first, length, status = 0, size, 200
        told = switches.take("told_bytes", sid, acted)
        honours_ranges = switches.take("range", sid, acted) == "206"
        if honours_ranges:
            headers["Accept-Ranges"] = "bytes"
        if etag and (wanted := request.headers.get("If-Match")) and wanted != "*" and etag not in _tags(wanted):
            return await self.send(request, entry, 412, b"", "text/plain", {"ETag": etag})
        if etag and (wanted := request.headers.get("If-None-Match")) and (wanted == "*" or etag in _tags(wanted)):
            return await self.send(request, entry, 304, b"", "text/plain", {"ETag": etag})
        if honours_ranges and request.method == "GET" and "Range" in request.headers and (
                request.headers.get("If-Range") in (None, etag)):
            part = _part(request.headers["Range"], size)
            if part == (0, -1):
                return await self.send(request, entry, 416, b"", "text/plain", {"Content-Range": f"bytes */{size}"})
            if part is not None:
                first, length, status = part[0], part[1] - part[0] + 1, 206
                headers["Content-Range"] = f"bytes {part[0]}-{part[1]}/{told or size}"
        return await self._stream(request, entry, recording, form, status, headers, first, length,
                                  told if told and status == 200 else length)

    async def _send_ready(self, request: web.BaseRequest, entry: Entry, recording: Recording, form: Form,
                          body: Body) -> web.StreamResponse:
        """What _stream would send where all of it is asked for and no switch is set, without a look at its bytes."""
        response = web.StreamResponse(status=200, headers={
            "Content-Type": _TYPES[form.kind], "Date": self.date(entry.switches), "ETag": f'"{body.md5}"',
            "Last-Modified": formatdate(recording.date_created, usegmt=True), "Accept-Ranges": "bytes"})
        response.content_length = body.size
        with open(body.open_fd(), "rb", buffering=0) as file:
            try:
                writer = await response.prepare(request)
                if writer is None or request.transport is None:
                    raise ConnectionResetError
                entry.status = 200
                writer.send_headers()
                await asyncio.get_running_loop().sendfile(request.transport, file, body.offset, body.size)
                entry.body_bytes = body.size
                await response.write_eof()
            except (ConnectionError, RuntimeError) as error:
                # RuntimeError: the transport is closing
                if isinstance(error, RuntimeError) and not (request.transport is None or request.transport.is_closing()):
                    raise
                entry.body_bytes = max(0, file.tell() - body.offset)
                entry.outcome = "aborted"
        return response

    async def _stream(self, request: web.BaseRequest, entry: Entry, recording: Recording, form: Form, status: int,
                      headers: dict[str, str], first: int, length: int, told: int) -> web.StreamResponse:
        switches, sid, acted = self._switches, recording.sid, entry.switches
        how = switches.take("length", sid, acted)
        response = (_UntilClose if how == "close" else web.StreamResponse)(status=status, headers=headers)
        if how == "close":
            response.force_close()
            response.headers["Connection"] = "close"
        elif how == "chunked" and request.method != "HEAD":
            response.enable_chunked_encoding()
        elif how == "content-length":
            response.content_length = told
        if request.method == "HEAD":
            await response.prepare(request)
            await response.write_eof()
            entry.status = status
            self.maybe_close(request, entry)
            return response

        ending, limit = None, length
        for name, outcome in (("reset_after", "reset"), ("stall_after", "stalled"), ("truncate_after", "truncated")):
            after = switches.peek(name, sid)
            if after is not None and after < limit:
                ending, limit = (name, outcome), after
        # A switch that lets chances pass counts this one, whether or not it would act
        for name in ("reset_after", "stall_after", "truncate_after"):
            after = switches.peek(name, sid)
            if after is None or (ending and ending[0] == name):
                switches.take(name, sid, acted if after is not None else None)
        flip = switches.peek("flip_byte", sid)
        if flip is None:
            switches.take("flip_byte", sid)
        else:
            place = flip if flip >= 0 else self._media.size(recording, form) + flip
            flip = place if first <= place < first + limit else None
            if flip is not None:
                switches.take("flip_byte", sid, acted)
        per_sec = switches.take("bytes_per_sec", sid, acted)
        try:
            await response.prepare(request)
            entry.status = status
            await self._write(response, entry, recording, form, first, limit, flip, per_sec)
            if ending is not None:
                return await self._end_early(request, entry, ending[1])
            await response.write_eof()
            if how == "close" and request.transport is not None:
                request.transport.close()
        except ConnectionError:
            entry.outcome = "aborted"
            return response
        self.maybe_close(request, entry)
        return response

    async def _write(self, response: web.StreamResponse, entry: Entry, recording: Recording, form: Form, first: int,
                     length: int, flip: int | None, per_sec: int | None) -> None:
        loop = asyncio.get_running_loop()
        begun, at, end = loop.time(), first, first + length
        for chunk in self._media.chunks(recording, form, first, length) if length else ():
            if flip is not None and at <= flip < at + len(chunk):
                altered = bytearray(chunk)
                altered[flip - at] ^= 0x10
                chunk = bytes(altered)
            if per_sec is None:
                await response.write(chunk)
                entry.body_bytes += len(chunk)
            else:
                step = max(1, per_sec // 20)
                for begin in range(0, len(chunk), step):
                    await response.write(chunk[begin:begin + step])
                    entry.body_bytes += min(step, len(chunk) - begin)
                    await asyncio.sleep(max(0.0, begun + entry.body_bytes / max(1, per_sec) - loop.time()))
            at += len(chunk)
        assert at == end

    async def _end_early(self, request: web.BaseRequest, entry: Entry, outcome: str) -> web.StreamResponse:
        if outcome == "stalled":
            entry.outcome = "stalled"
            while request.transport is not None and not request.transport.is_closing():
                await asyncio.sleep(0.05)
            return web.Response()
        if outcome == "reset":  # what was written should arrive first: RST discards what is under way
            transport = request.transport
            for _ in range(100):
                if transport is None or transport.is_closing() or not transport.get_write_buffer_size():  # type: ignore[attr-defined]
                    break
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
        return self.cut(request, entry, outcome)


def _tags(header: str) -> list[str]:
    return [part.strip() for part in header.split(",")]


def _part(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte; (0, -1) where no byte of it exists; None for what a server ignores."""
    match = _RANGE.match(header.strip())
    if match is None or (not match[1] and not match[2]):
        return None
    if not match[1]:
        count = min(int(match[2]), size)
        return (size - count, size - 1) if count else (0, -1)
    first, last = int(match[1]), int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None
    return (first, min(last, size - 1)) if first < size else (0, -1)
