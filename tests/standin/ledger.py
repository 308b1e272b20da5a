"""Every request in the order of its arrival. Never a secret, whatever was sent."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

KEPT = 1_000_000


@dataclass(slots=True)
class Entry:
    seq: int
    time: float
    method: str
    path: str
    query: str
    authorization: str = "none"  # none, token, api-key, wrong, malformed
    operation: str = "unknown"
    account_sid: str | None = None
    sid: str | None = None
    range: str | None = None
    if_match: str | None = None
    host: str = ""
    user_agent: str = ""
    status: int | None = None  # None: not answered
    body_bytes: int = 0
    outcome: str | None = None  # complete, reset, stalled, truncated, closed, aborted; None: it runs
    end_time: float | None = None
    switches: list[str] = field(default_factory=list)  # that acted

    def public(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


class Ledger:
    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._seq = 0
        self._running = 0
        self._most_running = 0
        self._by_operation: Counter[str] = Counter()
        self._by_status: Counter[str] = Counter()
        self._body_bytes = 0

    def open(self, method: str, path: str, query: str) -> Entry:
        self._seq += 1
        entry = Entry(self._seq, time.time(), method, path, query)
        self._entries.append(entry)
        self._running += 1
        self._most_running = max(self._most_running, self._running)
        return entry

    def close(self, entry: Entry) -> None:
        self._running -= 1
        entry.end_time = time.time()
        if entry.outcome is None:
            entry.outcome = "complete"
        self._by_operation[entry.operation] += 1
        self._by_status[str(entry.status)] += 1
        self._body_bytes += entry.body_bytes

    def entries(self, since: int = 0, method: str | None = None, sid: str | None = None) -> list[dict[str, Any]]:
        return [entry.public() for entry in self._entries
                if entry.seq > since and method in (None, entry.method) and sid in (None, entry.sid)]

    def clear(self) -> None:
        self._entries.clear()

    def counters(self) -> dict[str, Any]:
        """Since the start, of requests that have ended."""
        return {"requests": self._seq, "running": self._running, "most_running": self._most_running,
                "body_bytes": self._body_bytes, "by_operation": dict(self._by_operation), "by_status": dict(self._by_status)}
