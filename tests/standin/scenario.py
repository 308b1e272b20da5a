"""The stand-in's initial contents: the built-in scenarios and those of a JSON file, all derived from a seed.

A file: {"accounts": [{
    "workspace": "acme", "sid": …, "auth_token": …, "api_key": …, "api_secret": …       (all but the name have defaults)
    "numbers": [{"phone_number": "+1…", "friendly_name": …, "campaign": "spring-sale" or null}],
    "random": {"calls": 100, "longest_secs": 300},                                       (as in `demo`)
    "calls": [{"to", "from", "direction", "status", "start", "duration", "recordings": [{"secs", "channels", …}]}],
    "bulk": {"count": 1000, "secs": [5, 120], "channels": 2}}]}
The fields of calls and recordings are those of client.py's add_call and add_recording; `start` is in seconds or ISO 8601.
"""

from __future__ import annotations

import json
import random
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .bulk import Bulk
from .client import seconds
from .model import Account, Call, Number, Recording, derived_hex
from .store import Store, StoreError

DAYS = 60
EPOCH = "2025-10-01"
_MARKS = {"acme": ("a1", "0a"), "bulk": ("a1", "0a"), "globex": ("b2", "0b")}
_LINES: dict[str, list[tuple[str, str, str | None]]] = {
    "acme": [("+14155550101", "Spring sale, billboard", "spring-sale"), ("+14155550102", "Spring sale, web", "spring-sale"),
             ("+14155550111", "Radio spot", "radio"), ("+14155550199", "Front desk", None)],
    "globex": [("+442079460101", "Showroom London", "showroom"), ("+442079460102", "Showroom (Sundays)", "showroom"),
               ("+442079460199", "Old number", None)],
    "bulk": [("+14155550101", "First line", "first"), ("+14155550102", "Second line", "second"),
             ("+14155550103", "Third line", "third")],
}
_WITHHELD = ("anonymous", "+266696687")


def make_account(name: str, given: dict[str, Any] | None = None) -> Account:
    """An account whose credentials depend on its name alone."""
    given = given or {}
    mark, token = _MARKS.get(name, (None, None))
    account = Account(
        sid=given.get("sid") or "AC" + (mark * 16 if mark else derived_hex(name, "account")), workspace=name,
        auth_token=given.get("auth_token") or (token * 16 if token else derived_hex(name, "token")),
        api_key=given.get("api_key") or "SK" + (mark * 16 if mark else derived_hex(name, "key")),
        api_secret=given.get("api_secret") or f"{name}-api-secret")
    lines = _LINES.get(name) or [(f"+1500555{int(derived_hex(name)[:4], 16) % 990:03d}{n}", f"{name} {n}", f"campaign-{n}")
                                 for n in range(3)]
    if "numbers" in given:
        lines = [(line["phone_number"], line.get("friendly_name", line["phone_number"]), line.get("campaign"))
                 for line in given["numbers"]]
    account.numbers = [Number("PN" + derived_hex(account.sid, phone), account.sid, phone, label, campaign, 1577836800)
                       for phone, label, campaign in lines]
    return account


class Maker:
    """Random calls of one account."""

    def __init__(self, store: Store, account: Account, seed: int, begin_secs: int, longest_secs: int) -> None:
        self._store, self._account, self._begin = store, account, begin_secs
        self._random = random.Random(f"{seed} {account.workspace}")
        self._longest = longest_secs
        self._made = 0

    def _sid(self, kind: str) -> str:
        return f"{kind}{self._random.getrandbits(128):032x}"

    def _secs(self) -> int:
        """Short ones much commoner; the shortest and the longest are there."""
        self._made += 1
        if self._made in (3, 5):
            return {3: self._longest, 5: 5}[self._made]
        return min(self._longest, 5 + int(self._random.expovariate(1 / (self._longest / 11))))

    def call(self, at_secs: int, **fields: Any) -> Call:
        pick, number = self._random, self._random.choice([line for line in self._account.numbers if line.campaign])
        other = f"+1{pick.choice((212, 303, 404, 512, 617, 702))}555{pick.randrange(200, 10000):04d}"
        to, from_, direction = number.phone_number, other, "inbound"
        if fields.pop("outbound", False):
            to, from_, direction = other, number.phone_number, "outbound-api"
        values: dict[str, Any] = {
            "sid": self._sid("CA"), "account_sid": self._account.sid, "to": to, "from_": from_, "direction": direction,
            "status": "completed", "date_created": at_secs, "start_time": at_secs, "duration": pick.randrange(4, 90),
            "phone_number_sid": number.sid, "caller_name": pick.choice((None, None, "WIRELESS CALLER", "DOE JANE"))}
        call = Call(**(values | fields))
        self._store.insert_call(call)
        return call

    def recording(self, call: Call | None, secs: int | None, **fields: Any) -> Recording:
        begin = fields.pop("begin", None) or ((call.start_time or call.date_created) + 2 if call else self._begin)
        channels = fields.pop("channels", 2)
        values: dict[str, Any] = {
            "sid": self._sid("RE"), "account_sid": self._account.sid, "call_sid": call.sid if call else None,
            "status": "completed", "source": "DialVerb" if channels == 2 else "RecordVerb", "date_created": begin,
            "start_time": begin, "secs": secs, "stored_channels": channels, "requested_channels": channels}
        recording = Recording(**(values | fields))
        if call is not None and call.duration is not None and secs is not None:
            call.duration = max(call.duration, secs + 3)
        self._store.insert_recording(recording)
        return recording

    def calls(self, count: int) -> None:
        """Ordinary ones, most of them recorded: conversations in two channels, voicemails in one."""
        step = DAYS * 86400 // max(1, count)
        for number in range(count):
            at, kind = self._begin + number * step + self._random.randrange(max(1, step - 400)), self._random.random()
            if kind < 0.08:
                self.call(at, status=self._random.choice(("completed", "no-answer", "busy")), duration=0)
                continue
            call = self.call(at, outbound=0.08 <= kind < 0.16)
            secs, header = self._secs(), "list" if self._random.random() < 0.1 else "plain"
            if 0.16 <= kind < 0.5:
                self.recording(call, min(secs, 120), channels=1, wav_header=header)
            elif kind < 0.6:
                self.recording(call, secs, wav_header=header, requested_channels=1)
            else:
                self.recording(call, secs, wav_header=header)
                if 0.6 <= kind < 0.7:  # the leg to whom the call was passed on
                    self.call(at + 1, parent_call_sid=call.sid, direction="outbound-dial", to="+14155550999",
                              from_=call.from_, phone_number_sid=None, duration=secs)

    def oddities(self) -> None:
        """One of each kind, in the last hours."""
        at = self._begin + DAYS * 86400 - 4 * 3600
        for withheld in _WITHHELD:
            self.recording(self.call(at, from_=withheld, caller_name=None), 6)
            self.recording(self.call(at + 60, from_=withheld, caller_name=None), 7, channels=1)
        twice = self.call(at + 200)
        for channels in (2, 1):
            self.recording(twice, 5 + channels, channels=channels, begin=at + 202)
        for line in [line for line in self._account.numbers if line.campaign is None]:
            self.recording(self.call(at + 300, to=line.phone_number, phone_number_sid=line.sid), 8)
            self.recording(self.call(at + 400, to=line.phone_number, phone_number_sid=line.sid), 6, channels=1)
        self.recording(self.call(at + 500), 9, encrypted=True)
        self.recording(self.call(at + 600), 5, encrypted=True, channels=1)
        self.recording(self.call(at + 700), 0)
        self.recording(self.call(at + 800), None, status="absent", error_code=16104)
        self.recording(self.call(at + 900), 11, conference_sid="CF" + self._sid("CA")[2:], source="Conference")
        self.recording(self.call(at + 1000), 8, conference_sid="CF" + self._sid("CA")[2:], source="StartConferenceRecordingAPI",
                       requested_channels=1)
        self.recording(self.call(at + 1100), 6, source="StartCallRecordingTwiML", wav_header="fact")
        self.recording(self.call(at + 1200), 7, status="processing")
        self.recording(self.call(at + 1300, status="in-progress", duration=None), None, status="in-progress")


def _begin(epoch: str | None, now_secs: float) -> int:
    if epoch == "now":
        return int(now_secs) - DAYS * 86400
    try:
        return int(datetime.fromisoformat(epoch or EPOCH).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise StoreError(f"--epoch is YYYY-MM-DD or now, not {epoch!r}") from None


def _bulk(store: Store, account: Account, spec: dict[str, Any], seed: int, begin_secs: int) -> None:
    secs = spec.get("secs", [5, 120])
    low, high = (secs, secs) if isinstance(secs, int) else secs
    store.bulks[account.sid] = Bulk(account, int(spec["count"]), seed=seed, end_secs=begin_secs + DAYS * 86400,
                                    secs=(low, high), channels=spec.get("channels", 2))


def fill(store: Store, scenario: str, seed: int, epoch: str | None = None, accounts: str | None = None) -> str:
    """Puts a scenario into an empty store; gives a label that tells it from every other one."""
    begin = _begin(epoch, time.time())
    label = f"{scenario} seed={seed} epoch={epoch or EPOCH} accounts={accounts or ''}"
    if accounts is not None:
        for part in accounts.split(","):
            match = re.match(r"([a-z][a-z0-9-]{0,30}):(\d{1,6})\Z", part)
            if match is None:
                raise StoreError(f"--accounts is NAME:CALLS,…, not {part!r}")
            account = make_account(match[1])
            if account.sid in store.accounts:
                raise StoreError(f"--accounts: {match[1]} has the SID of another one")
            store.add_account(account)
            Maker(store, account, seed, begin, 300).calls(int(match[2]))
        return label
    if scenario in ("demo", "small", "empty"):
        for name, demo_calls, small_calls in (("acme", 235, 14), ("globex", 120, 8)):
            account = make_account(name)
            store.add_account(account)
            if scenario != "empty":
                maker = Maker(store, account, seed, begin, 300 if scenario == "demo" else 20)
                maker.calls(demo_calls if scenario == "demo" else small_calls)
                maker.oddities()
        return label
    if scenario.startswith("bulk:"):
        count, *options = scenario.removeprefix("bulk:").split(":")
        spec: dict[str, Any] = {"count": count}
        for option in options:
            name, _, value = option.partition("=")
            if name == "secs" and (match := re.match(r"(\d+)(?:-(\d+))?\Z", value)):
                spec["secs"] = [int(match[1]), int(match[2] or match[1])]
            elif name == "channels" and value in ("1", "2"):
                spec["channels"] = int(value)
            else:
                raise StoreError(f"bulk: secs=A-B and channels=1|2, not {option!r}")
        if not count.isdigit():
            raise StoreError(f"bulk:N, not {scenario!r}")
        account = make_account("bulk")
        store.add_account(account)
        _bulk(store, account, spec, seed, begin)
        return label
    _from_file(store, Path(scenario), seed, begin)
    return label


def _from_file(store: Store, path: Path, seed: int, begin_secs: int) -> None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for given in content["accounts"]:
            account = make_account(given["workspace"], given)
            if account.sid in store.accounts:
                raise StoreError(f"{account.sid} is there twice")
            store.add_account(account)
            if "random" in given:
                spec = given["random"]
                Maker(store, account, seed, begin_secs, spec.get("longest_secs", 300)).calls(spec["calls"])
            for number, item in enumerate(given.get("calls", [])):
                wanted = {"sid": "CA" + derived_hex(seed, account.sid, number)} | item | {"account_sid": account.sid}
                recordings = wanted.pop("recordings", [])
                call = store.add_call(wanted | {"start": seconds(wanted.get("start", begin_secs + number))})
                for place, extra in enumerate(recordings):
                    store.add_recording({"sid": "RE" + derived_hex(call.sid, place)} | extra | {
                        "call_sid": call.sid, "start": seconds(extra.get("start"))})
            if "bulk" in given:
                _bulk(store, account, given["bulk"], seed, begin_secs)
    except OSError as error:
        raise StoreError(f"no such scenario: {error}") from None
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise StoreError(f"{path}: {type(error).__name__}: {error}") from None
