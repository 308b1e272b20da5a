"""List resources: filters, order, pages and their cursors.

facts: the `<` or `>` is the last character of a parameter's name; request dates are YYYY-MM-DD or ISO 8601 with Z; PageSize
is clamped to 1000; a page has no total; next_page_uri is relative and carries an opaque PageToken.
"""

from __future__ import annotations

import bisect
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus, urlencode

import numpy as np
from numpy.typing import NDArray

from .bulk import Bulk
from .model import CALL_STATUSES, Call, Recording, is_sid
from .render import Renderer
from .store import Store
from .switches import Switches

PAGE_SIZE, PAGE_SIZE_MAX = 50, 1000
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?Z\Z")
_PAGING = ("PageSize", "Page", "PageToken")
PARAMETERS = {
    "recordings": ("DateCreated", "DateCreated<", "DateCreated>", "CallSid", "ConferenceSid", "IncludeSoftDeleted"),
    "call_recordings": ("DateCreated", "DateCreated<", "DateCreated>"),
    "calls": ("To", "From", "ParentCallSid", "Status", "StartTime", "StartTime<", "StartTime>", "EndTime", "EndTime<",
              "EndTime>"),
    "incoming_phone_numbers": ("Beta", "FriendlyName", "PhoneNumber", "Origin"),
}


class BadRequest(Exception):
    """A parameter that Twilio would refuse: 400."""

    def __init__(self, message: str, code: int = 20001) -> None:
        super().__init__(message)
        self.code = code


def parse_query(raw: str, known: tuple[str, ...]) -> dict[str, str]:
    """Parameters by name; an unknown one, or one that is there twice, is refused."""
    found: dict[str, str] = {}
    for part in filter(None, raw.split("&")):
        name, _, value = part.partition("=")
        try:
            name, value = unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
        except UnicodeDecodeError:
            raise BadRequest("the query is not UTF-8") from None
        if name not in known:
            raise BadRequest(f"unknown parameter {name!r}")
        if name in found:
            raise BadRequest(f"parameter {name!r} is given twice")
        found[name] = value
    return found


def _moment(name: str, text: str) -> tuple[float, bool]:
    """Seconds, and whether the text is a whole day."""
    try:
        if _DATE.match(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp(), True
        if parts := _MOMENT.match(text):
            return datetime.fromisoformat(parts[1] + "+00:00").timestamp() + float(parts[2] or 0), False
    except ValueError:
        pass
    raise BadRequest(f"{name}: {text!r} is no date: YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ")


def window(parameters: dict[str, str], name: str, date_upper: str) -> tuple[float, float]:
    """[from, until] of a date filter; both ends belong to it."""
    low, high = -math.inf, math.inf
    if name in parameters:
        at, whole_day = _moment(name, parameters[name])
        low, high = at, at + 86399 if whole_day else at
    if f"{name}>" in parameters:
        low = max(low, _moment(f"{name}>", parameters[f"{name}>"])[0])
    if f"{name}<" in parameters:
        at, whole_day = _moment(f"{name}<", parameters[f"{name}<"])
        high = min(high, at + 86399 if whole_day and date_upper == "end-of-day" else at)
    return low, high


def boolean(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise BadRequest(f"{name}: {text!r} is neither true nor false")
    return text.lower() == "true"


def sid_filter(parameters: dict[str, str], name: str, kind: str) -> str | None:
    value = parameters.get(name)
    if value is not None and not is_sid(value, kind):
        raise BadRequest(f"{name}: {value!r} is no SID")
    return value


@dataclass
class Rows:
    """A filtered list, newest first: objects (which are newer), then rows of a bulk table."""

    objects: list[Any]
    bulk: Bulk | None = None
    kind: str = ""
    indexes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # ascending

    def __len__(self) -> int:
        return len(self.objects) + len(self.indexes)

    def newer(self, row: Any, *, or_same: bool) -> int:
        """How many come before a row, which itself need not be in the list any more."""
        index = self.bulk.index(row.sid) if self.bulk else None
        if index is not None:
            side: Any = "left" if or_same else "right"
            return len(self.objects) + len(self.indexes) - int(np.searchsorted(self.indexes, index, side))
        keys = [item.key for item in reversed(self.objects)]
        place = bisect.bisect_left(keys, row.key) if or_same else bisect.bisect_right(keys, row.key)
        return len(keys) - place

    def texts(self, first: int, count: int, render: Callable[[Any], str], renderer: Renderer, host: str) -> list[str]:
        """JSON of the rows [first, first + count)."""
        found = [render(item) for item in self.objects[first:first + count]]
        begin, end = max(0, first - len(self.objects)), first + count - len(self.objects)
        if self.bulk is not None and end > 0:
            total = len(self.indexes)
            part = self.indexes[max(0, total - end):total - begin][::-1]
            found += renderer.bulk_rows(self.bulk, self.kind, part, host)
        return found

    def sid_at(self, place: int) -> str:
        if place < len(self.objects):
            return self.objects[place].sid
        assert self.bulk is not None
        return self.bulk.sid(self.kind, int(self.indexes[-1 - (place - len(self.objects))]))


class Lists:
    """Answers lists. Filtered rows are kept until something changes."""

    def __init__(self, store: Store, switches: Switches, renderer: Renderer) -> None:
        self._store, self._switches, self._renderer = store, switches, renderer
        self._kept: dict[Any, Rows] = {}

    def page(self, what: str, account_sid: str, path: str, raw_query: str, host: str, *, call: Call | None = None,
             acted: list[str] | None = None) -> bytes:
        """The body of a page. what: a key of PARAMETERS; call: whose recordings."""
        parameters = parse_query(raw_query, PARAMETERS[what] + _PAGING)
        size = self._page_size(parameters)
        filters = {name: value for name, value in parameters.items() if name not in _PAGING}
        rows = self._rows(what, account_sid, filters, call)
        render = self._render(what, host)
        number = self._page_number(parameters)
        token = parameters.get("PageToken")
        if token is None and number:
            raise BadRequest("Page without PageToken", 20006)
        first, length = self._place(token, rows, size), len(rows)
        array = "recordings" if what == "call_recordings" else what

        begin = first
        if number and (dropped := self._switches.take("page_drops", None, acted)):
            begin = min(length, begin + dropped)
        if number and (repeated := self._switches.take("page_repeats", None, acted)):
            begin = max(0, begin - repeated)
        end = min(length, begin + size)
        oldest = self._switches.peek("order") == "oldest"
        if oldest:
            items = rows.texts(length - end, end - begin, render, self._renderer, host)[::-1]
        else:
            items = rows.texts(begin, end - begin, render, self._renderer, host)

        def sid_at(place: int) -> str:
            return rows.sid_at(length - 1 - place if oldest else place)

        def uri(page: int, page_token: str | None) -> str:
            query = {**filters, "PageSize": str(size), "Page": str(page)}
            return path + "?" + urlencode(query | ({"PageToken": page_token} if page_token else {}))

        follows = None
        if end < length:
            follows = uri(number + 1, f"PO{end:x}" if self._switches.peek("cursor") == "shifting"
                          else "PA" + sid_at(end - 1))
        if self._switches.take("page_loops", None, acted):
            follows = uri(number, token)
        if follows and (other := self._switches.take("page_other_host", None, acted)):
            follows = f"http://{other}{follows}" if "//" not in other else other.rstrip("/") + follows
        back = uri(number - 1, "PB" + sid_at(first)) if number and first < length else None
        head = {
            "end": number * size + max(0, end - begin - 1), "first_page_uri": uri(0, None), "next_page_uri": follows,
            "page": number, "page_size": size, "previous_page_uri": back,
            "start": number * size, "uri": path + ("?" + raw_query if raw_query else "")}
        text = json.dumps(head)[:-1] + f', "{array}": [' + ", ".join(items) + "]}"
        return self._damage(text, array, acted)

    def _damage(self, text: str, array: str, acted: list[str] | None) -> bytes:
        damage = self._switches.take("page_damage", None, acted)
        if damage == "cut":
            text = text[:len(text) * 2 // 3]
        elif damage == "html":
            text = "<!DOCTYPE html>\n<html><body>Please stand by</body></html>\n"
        elif damage == "empty":
            text = ""
        elif damage == "no-array":
            text = json.dumps({name: value for name, value in json.loads(text).items() if name != array})
        elif damage == "not-object":
            text = "[null, 1]"
        return text.encode()

    # Rows

    def _rows(self, what: str, account_sid: str, filters: dict[str, str], call: Call | None) -> Rows:
        if what == "incoming_phone_numbers":
            return self._numbers(account_sid, filters)
        kind = "CA" if what == "calls" else "RE"
        with_deleted = boolean("IncludeSoftDeleted", filters["IncludeSoftDeleted"]) if "IncludeSoftDeleted" in filters else False
        key = (what, account_sid, tuple(sorted(filters.items())), call.sid if call else None,
               self._store.table(kind, account_sid).version, self._switches.generation,
               int(self._store.now()) // 60 if with_deleted else 0)
        if key not in self._kept:
            if len(self._kept) > 8:
                self._kept.clear()
            if kind == "CA":
                self._kept[key] = self._calls(account_sid, filters)
            else:
                self._kept[key] = self._recordings(account_sid, filters, with_deleted, call)
        return self._kept[key]

    def _recordings(self, account_sid: str, filters: dict[str, str], with_deleted: bool, call: Call | None) -> Rows:
        low, high = window(filters, "DateCreated", self._switches.peek("date_upper"))
        call_sid = call.sid if call else sid_filter(filters, "CallSid", "CA")
        conference_sid = sid_filter(filters, "ConferenceSid", "CF")

        def wanted(item: Recording) -> bool:
            return (low <= item.date_created <= high and (call_sid is None or item.call_sid == call_sid)
                    and (conference_sid is None or item.conference_sid == conference_sid)
                    and (item.deleted_at is None or (with_deleted and not self._store.is_forgotten(item)))
                    and not self._switches.peek("list_hides", item.sid))

        rows = Rows([item for item in reversed(self._store.table("RE", account_sid).rows) if wanted(item)])
        bulk = self._store.bulks.get(account_sid)
        if bulk is None:
            return rows
        first, last = bulk.position("RE", low), bulk.position("RE", math.nextafter(high, math.inf))
        if conference_sid is not None:
            first = last = 0
        elif call_sid is not None:
            index = bulk.index(call_sid)
            first, last = (max(first, index), min(last, index + 1)) if index is not None else (0, 0)
        indexes = bulk.visible("RE", first, last)
        if bulk.overlay["RE"]:
            changed = [index for index in bulk.overlay["RE"] if first <= index < last]
            out = [index for index in changed if not wanted(bulk.recording(index))]
            back = [index for index in changed if wanted(bulk.recording(index))]
            indexes = np.union1d(np.setdiff1d(indexes, out, assume_unique=True), np.array(back, dtype=np.int64))
        if self._switches.any_set(("list_hides",)):
            shown = [index for index, sid in zip(indexes.tolist(), bulk.sids("RE", indexes))
                     if not self._switches.peek("list_hides", sid)]
            indexes = np.array(shown, dtype=np.int64)
        return Rows(rows.objects, bulk, "RE", indexes)

    def _calls(self, account_sid: str, filters: dict[str, str]) -> Rows:
        date_upper = self._switches.peek("date_upper")
        low, high = window(filters, "StartTime", date_upper)
        end_low, end_high = window(filters, "EndTime", date_upper)
        by_end = (end_low, end_high) != (-math.inf, math.inf)
        parent = sid_filter(filters, "ParentCallSid", "CA")
        to, from_, status = filters.get("To"), filters.get("From"), filters.get("Status")
        if status is not None and status not in CALL_STATUSES:
            raise BadRequest(f"Status: no such status {status!r}")

        def wanted(item: Call) -> bool:
            end = item.end_time
            return (low <= item.key[0] <= high and (to is None or item.to == to) and (from_ is None or item.from_ == from_)
                    and (parent is None or item.parent_call_sid == parent) and (status is None or item.status == status)
                    and item.deleted_at is None and (not by_end or (end is not None and end_low <= end <= end_high))
                    and not self._switches.peek("list_hides", item.sid))

        rows = Rows([item for item in reversed(self._store.table("CA", account_sid).rows) if wanted(item)])
        bulk = self._store.bulks.get(account_sid)
        if bulk is None:
            return rows
        first, last = bulk.position("CA", low), bulk.position("CA", math.nextafter(high, math.inf))
        indexes = bulk.visible("CA", first, last)
        if parent is not None:
            indexes = indexes[:0]
        if to is not None:
            line = next((at for at, number in enumerate(bulk.account.numbers) if number.phone_number == to), -1)
            indexes = indexes[bulk.lines[indexes] == line]
        if from_ is not None:
            indexes = indexes[bulk.callers[indexes] == (int(from_[1:]) if re.match(r"\+\d{1,15}\Z", from_) else -1)]
        if by_end:
            ends = bulk.starts[indexes] + bulk.durations[indexes] + 2
            indexes = indexes[(ends >= end_low) & (ends <= end_high)]
        if status not in (None, "completed") and not bulk.overlay["CA"]:
            indexes = indexes[:0]
        if bulk.overlay["CA"] or self._switches.any_set(("list_hides",)):
            slow = [index for index in indexes.tolist() if wanted(bulk.call(index))] if (
                status is not None or self._switches.any_set(("list_hides",))) else [
                index for index in indexes.tolist() if index not in bulk.overlay["CA"] or wanted(bulk.call(index))]
            indexes = np.array(slow, dtype=np.int64)
        return Rows(rows.objects, bulk, "CA", indexes)

    def _numbers(self, account_sid: str, filters: dict[str, str]) -> Rows:
        if "Beta" in filters:
            boolean("Beta", filters["Beta"])
        found = [number for number in self._store.accounts[account_sid].numbers
                 if filters.get("FriendlyName") in (None, number.friendly_name)
                 and filters.get("PhoneNumber", "").replace("*", "") in number.phone_number
                 and filters.get("Origin", "twilio") == "twilio"]
        return Rows(found)

    # Pages

    @staticmethod
    def _page_size(parameters: dict[str, str]) -> int:
        text = parameters.get("PageSize", str(PAGE_SIZE))
        if not re.match(r"\d{1,9}\Z", text, re.ASCII) or int(text) < 1:
            raise BadRequest(f"PageSize: {text!r} is no number of rows", 20007)
        return min(int(text), PAGE_SIZE_MAX)

    @staticmethod
    def _page_number(parameters: dict[str, str]) -> int:
        text = parameters.get("Page", "0")
        if not re.match(r"\d{1,9}\Z", text, re.ASCII):
            raise BadRequest(f"Page: {text!r} is no number of a page", 20006)
        return int(text)

    def _place(self, token: str | None, rows: Rows, size: int) -> int:
        """Where a page begins."""
        if token is None:
            return 0
        if match := re.match(r"PO([0-9a-f]{1,8})\Z", token):
            return min(len(rows), int(match[1], 16))
        sid = token[2:]
        row: Any = None
        if token[:2] in ("PA", "PB") and re.match(r"(RE|CA|PN)[0-9a-f]{32}\Z", sid):
            if sid.startswith("PN"):
                place = next((at for at, item in enumerate(rows.objects) if item.sid == sid), None)
                if place is not None:
                    return place + 1 if token.startswith("PA") else max(0, place - size)
            else:
                row = self._store.recording(sid) if sid.startswith("RE") else self._store.call(sid)
        if row is None:
            raise BadRequest("PageToken: not one that was given", 20005)
        newest_first = self._switches.peek("order") == "newest"
        if token.startswith("PA"):
            return rows.newer(row, or_same=True) if newest_first else len(rows) - rows.newer(row, or_same=False)
        before = rows.newer(row, or_same=False) if newest_first else len(rows) - rows.newer(row, or_same=True)
        return max(0, before - size)

    def _render(self, what: str, host: str) -> Callable[[Any], str]:
        if what == "calls":
            return lambda item: json.dumps(self._renderer.call(item))
        if what == "incoming_phone_numbers":
            return lambda item: json.dumps(self._renderer.number(item))
        return lambda item: json.dumps(self._renderer.recording(item, host, of_call=what == "call_recordings"))
