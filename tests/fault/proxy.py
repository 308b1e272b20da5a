"""A proxy between the program and the real S3 server that misbehaves on request.

What is not told otherwise is forwarded as it came, the Host that was signed included. Every request is noted with the
times at which it began and ended, what the server answered, and what was done to it: proof of what was there when.

    with Proxy("http://127.0.0.1:7480") as proxy:
        proxy.misbehave("lose-answer", op="put", key=recording.sid, count=1)
        ...
        proxy.behave(); proxy.requests(key=recording.sid)

Operations are put, part, create, complete, abort, head, get, delete, list, list-uploads, other. A misbehaviour is for
all of them, or those named; for every key, or those with `key` in them; `count` times (None: for ever), `after` so many
that it lets pass. The oldest that fits acts. Those of answers.py are for GETs that the server answers with 200 or 206.
"""

import asyncio
import contextlib
import ctypes
import hashlib
import random
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from answers import ALTERED, alter

START_SECS = 10
HEAD_LIMIT_BYTES = 1 << 16
LIBC, SOCKADDR_BYTES = ctypes.CDLL(None), 16

# What the proxy itself answers: status, type, body. Without a body where the request was a HEAD.
ANSWERS = {
    "slow-down": (503, "application/xml", "<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>"),
    "too-many": (429, "text/plain", "too many"),
    "internal-error": (500, "application/xml", "<Error><Code>InternalError</Code><Message>Again.</Message></Error>"),
    "bad-gateway": (502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>"),
    "store-full": (507, "application/xml", "<Error><Code>XMinioStorageFull</Code><Message>Full.</Message></Error>"),
    "quota": (403, "application/xml", "<Error><Code>QuotaExceeded</Code><Message>Full.</Message></Error>"),
    "denied": (403, "application/xml", "<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"),
    "expired-token": (400, "application/xml", "<Error><Code>ExpiredToken</Code><Message>Expired.</Message></Error>"),
    "page-200": (200, "text/html", "<html><body>Please log in to the network.</body></html>"),
    "error-200": (200, "application/xml", "<Error><Code>InternalError</Code><Message>Again.</Message></Error>"),
    "not-found": (404, "application/xml", "<Error><Code>NoSuchKey</Code><Message>None.</Message></Error>"),
}
NAMES = (*ANSWERS, "reset", "reset-in-body", "stall", "swallow", "lose-answer", "stall-answer", "truncate-answer",
         "reset-answer", "flip-request", "flip-answer", "hold", *ALTERED)


@dataclass
class Rule:
    name: str
    ops: frozenset
    key: str
    count: int | None
    after: int

    def takes(self, op, key):
        if (self.ops and op not in self.ops) or self.key not in key or self.count == 0:
            return False
        if self.after:
            self.after -= 1
            return False
        if self.count is not None:
            self.count -= 1
        return True


@dataclass
class Request:
    op: str
    key: str
    begin: float
    size: int = 0
    status: int | None = None  # the server's; None: it was not asked, or did not answer
    answer: int | None = None  # what the client was told, whole; None: nothing, or not all of it
    end: float | None = None  # the server had answered, or the connection was gone
    forwarded: bool = False
    misbehaved: str = ""
    headers: dict = field(default_factory=dict)


def operation(method, query):
    names = dict(parse_qsl(query, keep_blank_values=True))
    if "uploadId" in names:
        return {"PUT": "part", "POST": "complete", "DELETE": "abort"}.get(method, "other")
    if "uploads" in names:
        return {"POST": "create", "GET": "list-uploads"}.get(method, "other")
    if "list-type" in names:
        return "list"
    return {"PUT": "put", "HEAD": "head", "GET": "get", "DELETE": "delete"}.get(method, "other")


async def read_head(reader):
    """The first line and the headers; None at the end of the connection."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = raw[:-4].decode("latin-1").split("\r\n")
    return raw, first, {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def read_answer(reader, method):
    """Head and body as they came (the body still in chunks, where it is), and the status."""
    while True:
        head = await read_head(reader)
        if head is None:
            raise ConnectionError("the server closed the connection")
        raw, first, headers = head
        status = int(first.split(" ")[1])
        if status != 100:
            break
    if method == "HEAD" or status in (204, 304):
        return raw, b"", status, headers
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            body += line + await reader.readexactly(size + 2)
            if not size:
                return raw, body, status, headers
    return raw, await reader.readexactly(int(headers.get("content-length", 0))), status, headers


class Proxy:
    def __init__(self, server):
        address = urlsplit(server)
        self.server = (address.hostname, address.port or 80)
        self.lock = threading.Lock()  # guards rules and log
        self.rules, self.log = [], []
        self.dice, self.percent, self.mishaps = None, 0, ()  # of be_unreliable
        self.wholes = {}  # by a part of the key: the object, for whole-answer
        self.port = None
        self.held = asyncio.Event()  # of "hold"

    # What tests say and ask

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def misbehave(self, name, *, op=(), key="", count=None, after=0):
        assert name in NAMES, name
        ops = frozenset([op] if isinstance(op, str) else op)
        with self.lock:
            self.rules.append(Rule(name, ops, key, count, after))

    def be_unreliable(self, seed, percent, names):
        """So many of all requests meet with one of these."""
        with self.lock:
            self.dice, self.percent, self.mishaps = random.Random(seed), percent, names

    def behave(self, key=None):
        """All of it ends, or what was said of that key."""
        with self.lock:
            self.percent = self.percent if key else 0
            self.rules = [rule for rule in self.rules if key is not None and rule.key != key]
        self.loop.call_soon_threadsafe(self._let_go)

    def requests(self, key="", op=()):
        ops = [op] if isinstance(op, str) else op
        with self.lock:
            return [entry for entry in self.log if key in entry.key and (not ops or entry.op in ops)]

    def forget(self):
        with self.lock:
            self.log = []

    def go(self):
        """The network is gone: nothing listens, and what was open is cut."""
        self._run(self._close())

    def come_back(self):
        self._run(self._listen())

    # Life

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.clients, self.listener = set(), None
        self._run(self._listen())
        return self

    def __exit__(self, *_exception):
        self._run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(START_SECS)
        self.loop.close()

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(START_SECS)

    def _let_go(self):
        self.held.set()
        self.held = asyncio.Event()

    async def _listen(self):
        self.listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port or 0, limit=HEAD_LIMIT_BYTES)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def _close(self):
        if self.listener:
            self.listener.close()
            self.listener = None
        self._let_go()
        tasks = list(self.clients)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # One connection

    async def _serve(self, reader, writer):
        self.clients.add(asyncio.current_task())
        upstream = None
        try:
            while True:
                head = await read_head(reader)
                if head is None:
                    return
                upstream = await self._one(head, reader, writer, upstream)
                if upstream is None and writer.is_closing():
                    return
        except asyncio.CancelledError:
            reset(writer)  # closing would end nothing while a test's child has the socket, too
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.clients.discard(asyncio.current_task())
            for closing in (writer, upstream and upstream[1]):
                if closing:
                    closing.transport.abort()

    async def _one(self, head, reader, writer, upstream):
        raw, first, headers = head
        method, target, _ = first.split(" ")
        path, _, query = target.partition("?")
        entry = Request(operation(method, query), unquote(path), time.time(), int(headers.get("content-length", 0)),
                        headers=headers)
        with self.lock:
            self.log.append(entry)
            rule = next((rule for rule in self.rules if rule.takes(entry.op, entry.key)), None)
            mishap = self.dice.choice(self.mishaps) if self.percent and self.dice.random() * 100 < self.percent else ""
        name = entry.misbehaved = rule.name if rule else mishap
        try:
            if name == "reset-in-body":
                await reader.readexactly(entry.size // 2)
                return reset(writer)
            body = await reader.readexactly(entry.size)
            if name == "reset":
                return reset(writer)
            if name == "stall":
                await reader.read(1)  # until the client goes
                return reset(writer)
            if name == "hold":
                await self.held.wait()
            if name in ANSWERS:
                await self._answer(entry, writer, method, *ANSWERS[name])
                return upstream
            if name == "swallow":
                await self._swallow(entry, writer, body)
                return upstream
            if name == "flip-request" and body:
                body = flip(body)
            return await self._forward(entry, raw + body, method, reader, writer, upstream)
        finally:
            entry.end = entry.end or time.time()

    async def _answer(self, entry, writer, method, status, kind, text):
        extra = "Retry-After: 0\r\n" if status in (429, 503) else ""
        head = f"HTTP/1.1 {status} As Told\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\n{extra}\r\n"
        entry.answer = status
        writer.write(head.encode() + (b"" if method == "HEAD" else text.encode()))
        await writer.drain()

    async def _swallow(self, entry, writer, body):
        """An upload that is accepted and kept nowhere."""
        text = ""
        if entry.op == "complete":
            text = ('<CompleteMultipartUploadResult><ETag>"0123456789abcdef0123456789abcdef-2"</ETag>'
                    "</CompleteMultipartUploadResult>")
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        entry.answer = 200
        writer.write(f'HTTP/1.1 200 OK\r\nETag: "{etag}"\r\nContent-Length: {len(text)}\r\n\r\n{text}'.encode())
        await writer.drain()

    async def _forward(self, entry, request, method, reader, writer, upstream):
        name = entry.misbehaved
        if upstream is None:
            upstream = await asyncio.open_connection(*self.server, limit=HEAD_LIMIT_BYTES)
        entry.forwarded = True
        upstream[1].write(request)
        await upstream[1].drain()
        head, body, entry.status, headers = await read_answer(upstream[0], method)
        entry.end = time.time()  # what the client does next, it does after this
        if name == "lose-answer":
            return reset(writer)
        if name == "stall-answer":
            await reader.read(1)
            return reset(writer)
        if name in ("truncate-answer", "reset-answer"):
            writer.write(head + body[:len(body) // 2] if body else head[:len(head) // 2])
            await writer.drain()
            if name == "reset-answer":
                return reset(writer)
            close(writer)
            return None
        if name == "flip-answer" and body:
            body = flip(body)
        if name in ALTERED and method == "GET" and entry.status in (200, 206):
            return await self._alter(entry, head, body, writer, upstream)
        entry.answer = entry.status
        writer.write(head + body)
        await writer.drain()
        if headers.get("connection", "").lower() == "close":
            upstream[1].transport.abort()
            writer.close()
            return None
        return upstream

    async def _alter(self, entry, head, body, writer, upstream):
        whole = next((whole for key, whole in self.wholes.items() if key in entry.key), body)
        data, is_close = alter(entry.misbehaved, head, body, whole)
        writer.write(data)
        await writer.drain()
        if not is_close:
            return upstream
        upstream[1].transport.abort()
        close(writer)
        return None


# Tests fork, and a child has each of these sockets too: what only closing the last one would do is done to the connection.

def close(writer):
    writer.write_eof()
    writer.close()


def reset(writer):
    with contextlib.suppress(OSError, AttributeError):
        LIBC.connect(writer.get_extra_info("socket").fileno(), bytes(SOCKADDR_BYTES), SOCKADDR_BYTES)  # AF_UNSPEC
    writer.transport.abort()


def flip(body):
    at = len(body) // 2
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
