"""Up to a million calls with a recording each, computed from their number whenever they are asked for.

A SID is a bijection of the row's number, so that it is found without a table. What a test changes in a row is an overlay:
the row as an object. Rows are numbered in the order of their start.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import audio
from .model import Account, Call, Recording

LIMIT = 1_000_000
STEP_SECS = 20
RECORDING_DELAY_SECS = 2  # from a call's start to its recording's
_KEYS = {"RE": 0x5EC0_0001, "CA": 0xCA11_0001}


class Bulk:
    """N calls and N recordings of one account, ending at `end_secs`."""

    def __init__(self, account: Account, count: int, *, seed: int, end_secs: int, secs: tuple[int, int] = (5, 120),
                 channels: int = 2) -> None:
        if not 1 <= count <= LIMIT:
            raise ValueError(f"bulk: from 1 to {LIMIT} rows, not {count}")
        if not 1 <= secs[0] <= secs[1] <= 100_000 or channels not in (1, 2):
            raise ValueError("bulk: secs are 1 to 100000, the lower first; channels are 1 or 2")
        self.account, self.count, self.channels = account, count, channels
        self._seed = audio.mix(seed)
        noise = audio.mix_array(np.arange(count, dtype=np.uint64) ^ np.uint64(self._seed))
        numbers = np.arange(count, dtype=np.int64)
        self.starts: NDArray[np.int64] = (end_secs - (count - numbers) * STEP_SECS
                                          + (noise % np.uint64(STEP_SECS)).astype(np.int64))
        self.durations: NDArray[np.int64] = secs[0] + (noise >> np.uint64(8)).astype(np.int64) % (secs[1] - secs[0] + 1)
        self.callers: NDArray[np.int64] = 12_000_000_000 + (noise >> np.uint64(24)).astype(np.int64) % 8_000_000_000
        self.lines: NDArray[np.int64] = (noise >> np.uint64(56)).astype(np.int64) % len(account.numbers)
        self.hidden: dict[str, NDArray[np.bool_]] = {kind: np.zeros(count, bool) for kind in _KEYS}
        self.overlay: dict[str, dict[int, Any]] = {"RE": {}, "CA": {}}

    # SIDs

    def _key(self, kind: str) -> int:
        return audio.mix(self._seed ^ _KEYS[kind])

    def sid(self, kind: str, index: int) -> str:
        key = self._key(kind)
        return f"{kind}{audio.mix(index ^ key):016x}{audio.mix(~index ^ key):016x}"

    def sids(self, kind: str, indexes: NDArray[np.int64]) -> list[str]:
        """sid() of each."""
        key, numbers = np.uint64(self._key(kind)), indexes.astype(np.uint64)
        high, low = audio.mix_array(numbers ^ key).tolist(), audio.mix_array(~numbers ^ key).tolist()
        form = kind + "%016x%016x"
        return [form % pair for pair in zip(high, low)]

    def index(self, sid: str) -> int | None:
        """The row of a SID; None where it is not of this table."""
        kind = sid[:2]
        if kind not in _KEYS:
            return None
        index = audio.unmix(int(sid[2:18], 16)) ^ self._key(kind)
        return index if index < self.count and self.sid(kind, index) == sid else None

    # Rows

    def recording(self, index: int) -> Recording:
        changed = self.overlay["RE"].get(index)
        if changed is not None:
            return changed
        start = int(self.starts[index]) + RECORDING_DELAY_SECS
        secs = int(self.durations[index])
        return Recording(
            sid=self.sid("RE", index), account_sid=self.account.sid, call_sid=self.sid("CA", index), status="completed",
            source="DialVerb" if self.channels == 2 else "RecordVerb", date_created=start, start_time=start, secs=secs,
            date_updated=start + secs, stored_channels=self.channels, requested_channels=self.channels)

    def call(self, index: int) -> Call:
        changed = self.overlay["CA"].get(index)
        if changed is not None:
            return changed
        start, number = int(self.starts[index]), self.account.numbers[int(self.lines[index])]
        duration = int(self.durations[index]) + RECORDING_DELAY_SECS
        return Call(
            sid=self.sid("CA", index), account_sid=self.account.sid, to=number.phone_number,
            from_=f"+{int(self.callers[index])}", direction="inbound", status="completed", date_created=start,
            start_time=start, duration=duration, phone_number_sid=number.sid, date_updated=start + duration)

    def put(self, kind: str, row: Recording | Call) -> None:
        """Keeps a changed row."""
        index = self.index(row.sid)
        assert index is not None
        self.overlay[kind][index] = row
        self.hidden[kind][index] = row.deleted_at is not None

    def visible(self, kind: str, first: int, last: int) -> NDArray[np.int64]:
        """Ascending numbers of the rows in [first, last) that are not deleted."""
        first, last = max(0, first), min(self.count, last)
        if first >= last:
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(~self.hidden[kind][first:last]) + first

    def position(self, kind: str, at_secs: float) -> int:
        """The first row that is created (recordings) or starts (calls) at or after a moment."""
        delay = RECORDING_DELAY_SECS if kind == "RE" else 0
        return int(np.searchsorted(self.starts, at_secs - delay, "left"))
