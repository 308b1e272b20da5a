"""All accounts with their numbers, calls and recordings; every change goes through here, and can be kept on disk.

facts: only `completed` recordings have media and can be deleted; the metadata of a deleted one stays 40 days.
"""

from __future__ import annotations

import bisect
import dataclasses
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import audio
from .bulk import Bulk
from .model import CALL_STATUSES, DIRECTIONS, RECORDING_STATUSES, SOFT_DELETED_SECS, Account, Call, Recording, is_sid

Row = Recording | Call
_LATEST_WAV_BYTES = 0xFFFF_0000


class StoreError(ValueError):
    """What was asked for cannot be: said to the control plane."""


class Table:
    """The recordings, or the calls, of one account that are objects: sorted by key."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.version = 0

    def add(self, row: Row) -> None:
        bisect.insort(self.rows, row, key=lambda item: item.key)
        self.version += 1


class Store:
    """Not for threads: the event loop's."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.bulks: dict[str, Bulk] = {}
        self.recordings: dict[str, Recording] = {}
        self.calls: dict[str, Call] = {}
        self.clock_offset_secs = 0.0
        self._tables: dict[tuple[str, str], Table] = {}
        self._journal: Any = None

    def now(self) -> float:
        return time.time() + self.clock_offset_secs

    # Looking up

    def table(self, kind: str, account_sid: str) -> Table:
        return self._tables.setdefault((kind, account_sid), Table())

    def recording(self, sid: str) -> Recording | None:
        found = self.recordings.get(sid)
        return found if found is not None else self._bulk_row("RE", sid)

    def call(self, sid: str) -> Call | None:
        found = self.calls.get(sid)
        return found if found is not None else self._bulk_row("CA", sid)

    def _bulk_row(self, kind: str, sid: str) -> Any:
        if self.bulks and is_sid(sid, kind):
            for bulk in self.bulks.values():
                if (index := bulk.index(sid)) is not None:
                    return bulk.recording(index) if kind == "RE" else bulk.call(index)
        return None

    def is_forgotten(self, row: Recording) -> bool:
        """Deleted so long ago that not even its metadata is left."""
        return row.deleted_at is not None and self.now() > row.deleted_at + SOFT_DELETED_SECS

    def all_recordings(self) -> Iterator[Recording]:
        yield from self.recordings.values()
        for bulk in self.bulks.values():
            yield from map(bulk.recording, range(bulk.count))

    # Changing

    def add_account(self, account: Account) -> None:
        self.accounts[account.sid] = account

    def insert_call(self, call: Call) -> None:
        self.calls[call.sid] = call
        self.table("CA", call.account_sid).add(call)

    def insert_recording(self, recording: Recording) -> None:
        if recording.sample_count * recording.stored_channels * audio.BYTES_PER_SAMPLE > _LATEST_WAV_BYTES:
            raise StoreError("longer than a WAV can be")
        self.recordings[recording.sid] = recording
        self.table("RE", recording.account_sid).add(recording)

    def changed(self, row: Row) -> None:
        """After fields of a row have been set."""
        kind = row.sid[:2]
        if row.sid not in (self.recordings if kind == "RE" else self.calls):
            self.bulks[row.account_sid].put(kind, row)
        self.table(kind, row.account_sid).version += 1

    def delete(self, row: Row, by: str) -> bool:
        """False: it was deleted before."""
        if row.deleted_at is not None:
            return False
        self._apply({"op": "delete", "sid": row.sid, "by": by, "at": self.now()})
        return True

    # What the control plane asks for: a record that can be journalled

    def add_call(self, wanted: dict[str, Any]) -> Call:
        account = self._account(wanted.get("account_sid"))
        start = wanted.get("start")
        start = int(self.now() if start is None else start)
        direction, status = wanted.get("direction") or "inbound", wanted.get("status") or "completed"
        _check(direction, DIRECTIONS, "direction")
        _check(status, CALL_STATUSES, "status")
        to, from_ = wanted.get("to"), wanted.get("from")
        if to is None:
            if not account.numbers:
                raise StoreError("the account has no number: say `to`")
            to = account.numbers[0].phone_number
        own = account.number_sid(to) if direction == "inbound" else account.number_sid(from_ or "")
        record = {
            "sid": _sid(wanted, "CA"), "account_sid": account.sid, "to": to, "from_": from_ or "", "direction": direction,
            "status": status, "date_created": start, "start_time": start, "duration": _number(wanted, "duration"),
            "phone_number_sid": own, **_more(wanted, Call, {"start", "from", "to", "direction", "status", "duration", "sid",
                                                            "account_sid"})}
        if status not in ("completed", "in-progress"):
            record["duration"] = 0 if status in ("busy", "failed", "no-answer", "canceled") else None
        if record["sid"] in self.calls:
            raise StoreError("there is such a call already")
        parent = record.get("parent_call_sid")
        if parent is not None and self.call(parent) is None:
            raise StoreError("no such parent call")
        self._apply({"op": "add-call", "row": record})
        return self.calls[record["sid"]]

    def add_recording(self, wanted: dict[str, Any]) -> Recording:
        call = self.call(wanted["call_sid"]) if wanted.get("call_sid") else None
        if wanted.get("call_sid") and call is None:
            raise StoreError("no such call")
        if call is not None and call.parent_call_sid:
            call = self.call(call.parent_call_sid)  # call_sid is always the parent leg
        account = self._account(wanted.get("account_sid") or (call.account_sid if call else None))
        status = wanted.get("status") or "completed"
        _check(status, RECORDING_STATUSES, "status")
        start = wanted.get("start")
        if start is None:
            start = (call.start_time or call.date_created) + 1 if call else self.now()
        channels = _number(wanted, "channels") or 1
        requested = _number(wanted, "requested_channels") or channels
        if channels not in (1, 2) or requested not in (1, 2):
            raise StoreError("channels are 1 or 2")
        _check(wanted.get("wav_header") or "plain", audio.WAV_HEADERS, "wav_header")
        secs = None if status in ("in-progress", "paused") else _number(wanted, "secs")
        if call is None:  # only a conference's has no call
            wanted = {**wanted, "conference_sid": wanted.get("conference_sid") or "CF" + secrets.token_hex(16)}
        conference = wanted.get("conference_sid") is not None
        source = wanted.get("source") or ("Conference" if conference else "RecordVerb" if channels == 1 else "DialVerb")
        record = {
            "sid": _sid(wanted, "RE"), "account_sid": account.sid, "call_sid": call.sid if call else None,
            "status": status, "source": source, "date_created": int(start), "start_time": int(start), "secs": secs,
            "stored_channels": channels, "requested_channels": requested,
            **_more(wanted, Recording, {"start", "channels", "requested_channels", "secs", "status", "source", "sid",
                                        "call_sid", "account_sid"})}
        if record["sid"] in self.recordings:
            raise StoreError("there is such a recording already")
        self._apply({"op": "add-recording", "row": record})
        return self.recordings[record["sid"]]

    def update(self, sid: str, wanted: dict[str, Any]) -> Row:
        row = self.recording(sid) if sid.startswith("RE") else self.call(sid)
        if row is None:
            raise StoreError(f"no such resource: {sid}")
        changes = dict(wanted)
        if changes.get("status") is not None:
            _check(changes["status"], RECORDING_STATUSES if sid.startswith("RE") else CALL_STATUSES, "status")
        if isinstance(row, Recording):
            if "channels" in changes:
                changes["stored_channels"] = changes.pop("channels")
            if changes.get("status") == "completed" and row.secs is None and changes.get("secs") is None:
                changes["secs"] = 10
            if changes.get("secs") is not None and "sample_count" not in changes:
                changes["sample_count"] = 0  # anew, in _apply
        changes.setdefault("date_updated", int(self.now()))
        fields = {item.name for item in dataclasses.fields(row)} - {"sid", "account_sid", "hashes"}
        if unknown := changes.keys() - fields:
            raise StoreError(f"no such field: {', '.join(sorted(unknown))}")
        self._apply({"op": "update", "sid": sid, "changes": changes})
        return row

    def _apply(self, record: dict[str, Any]) -> None:
        self._carry_out(record)
        if self._journal is not None:
            self._journal.write(json.dumps(record) + "\n")
            self._journal.flush()

    def _carry_out(self, record: dict[str, Any]) -> None:
        if record["op"] == "add-call":
            self.insert_call(Call(**record["row"]))
        elif record["op"] == "add-recording":
            self.insert_recording(Recording(**record["row"]))
        else:
            sid = record["sid"]
            row: Any = self.recording(sid) if sid.startswith("RE") else self.call(sid)
            if row is None:
                raise StoreError(f"the state names a resource that this scenario does not have: {sid}")
            if record["op"] == "delete":
                row.deleted_at = record["at"]
                if isinstance(row, Recording):
                    row.status, row.deleted_by, row.date_updated = "deleted", record["by"], int(record["at"])
            else:
                before = row.key
                for name, value in record["changes"].items():
                    setattr(row, name, value)
                if isinstance(row, Recording):
                    row.__post_init__()
                if row.key != before:
                    self.table(sid[:2], row.account_sid).rows.sort(key=lambda item: item.key)
            self.changed(row)

    # Persistence

    def open_state(self, folder: Path, label: str) -> None:
        """Carries out what the journal in the folder says, and goes on writing it. The label names the scenario: a
        journal of another one is refused."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "journal.jsonl"
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            if not lines or json.loads(lines[0]) != {"scenario": label}:
                raise StoreError(f"{path} is of another scenario; remove it to begin anew")
            whole = [line for line in lines[1:] if line.endswith("\n")]  # a kill may have cut the last one
            for line in whole:
                self._carry_out(json.loads(line))
            if len(whole) != len(lines) - 1:
                path.write_text(lines[0] + "".join(whole), encoding="utf-8")
        else:
            path.write_text(json.dumps({"scenario": label}) + "\n", encoding="utf-8")
        self._journal = open(path, "a", encoding="utf-8")  # for the process's life

    def _account(self, sid: str | None) -> Account:
        account = self.accounts.get(sid) if sid else next(iter(self.accounts.values()), None)
        if account is None:
            raise StoreError(f"no such account: {sid}")
        return account


def _check(value: str, words: tuple[str, ...], what: str) -> None:
    if value not in words:
        raise StoreError(f"{what} is one of {', '.join(words)}, not {value!r}")


def _number(wanted: dict[str, Any], name: str) -> int | None:
    value = wanted.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise StoreError(f"{name} is a whole number, not {value!r}")
    return value


def _sid(wanted: dict[str, Any], kind: str) -> str:
    sid = wanted.get("sid") or kind + secrets.token_hex(16)
    if not is_sid(sid, kind):
        raise StoreError(f"not a SID: {sid}")
    return sid


def _more(wanted: dict[str, Any], kind: type, known: set[str]) -> dict[str, Any]:
    """The further fields of a row, as they were given."""
    fields = {item.name for item in dataclasses.fields(kind)} - {"hashes"}
    if unknown := wanted.keys() - fields - known:
        raise StoreError(f"no such field: {', '.join(sorted(unknown))}")
    return {name: value for name, value in wanted.items() if name in fields - known and value is not None}
