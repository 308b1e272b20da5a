"""The tests' interface to the stand-in: starts it as a process and speaks to its control plane.

Needs the standard library only. Every method but start() raises StandInError where the stand-in refuses.
"""

from __future__ import annotations

import http.client
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

PROGRAM = Path(__file__).resolve().parent / "twilio_standin.py"
START_SECS = 30

Json = dict[str, Any]
When = datetime | int | float | str | None


class StandInError(Exception):
    """The stand-in did not start, or its control plane refused."""


@dataclass(frozen=True)
class Account:
    """One account, its credentials and its tracking numbers."""

    sid: str
    auth_token: str
    api_key: str
    api_secret: str
    workspace: str  # a name for it
    numbers: tuple[Json, ...] = ()  # sid, phone_number, friendly_name, campaign (None: of no campaign)
    campaigns: dict[str, list[str]] = field(default_factory=dict)  # name -> its tracking numbers


class StandIn:
    """The stand-in as a process. `with StandIn("demo") as standin: ...`

    scenario  "demo", "small", "empty", "bulk:N" (see README.md) or the path of a JSON scenario
    switches  set from the start: {name: value}
    epoch     the day that the scenario's calls begin on, "YYYY-MM-DD"; "now": they end now
    state     a folder in which changes outlive the process
    cache_mb  of bodies that are kept ready
    """

    def __init__(self, scenario: str = "demo", *, seed: int = 1, switches: Json | None = None,
                 epoch: str | None = None, state: str | os.PathLike[str] | None = None, host: str = "127.0.0.1", port: int = 0,
                 cache_mb: int | None = None, python: str = sys.executable) -> None:
        self._argv = [python, str(PROGRAM), "--scenario", str(scenario), "--seed", str(seed), "--host", host, "--port", str(port),
                      "--end-with-parent"]
        for name, value in (switches or {}).items():
            self._argv += ["--switch", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
        if epoch is not None:
            self._argv += ["--epoch", epoch]
        if state is not None:
            self._argv += ["--state", str(state)]
        if cache_mb is not None:
            self._argv += ["--cache-mb", str(cache_mb)]
        self.process: subprocess.Popen[str] | None = None
        self.url = ""
        self.accounts: list[Account] = []
        self._log: Any = None

    # Life

    def start(self) -> StandIn:
        """Starts the process and waits until it listens."""
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self._log, text=True)
        line = self._first_line()
        if not line.startswith("listening on http://"):
            self.stop()
            raise StandInError(f"the stand-in did not start: {line}\n{self.log}")
        self.url = line.removeprefix("listening on ").strip()
        self.refresh_accounts()
        return self

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=5)
        if self.process.stdout:
            self.process.stdout.close()

    def __enter__(self) -> StandIn:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()
        if self._log:
            self._log.close()

    @property
    def log(self) -> str:
        """What the process has written to its standard error."""
        self._log.seek(0)
        return self._log.read()

    @property
    def base_url(self) -> str:
        """The same as url: what stands for https://api.twilio.com."""
        return self.url

    @property
    def account(self) -> Account:
        """The first account."""
        return self.accounts[0]

    def refresh_accounts(self) -> list[Account]:
        self.accounts = [
            Account(item["sid"], item["auth_token"], item["api_key"], item["api_secret"], item["workspace"],
                    tuple(item["numbers"]), item["campaigns"])
            for item in self._call("GET", "/accounts")["accounts"]]
        return self.accounts

    # Switches

    def switch(self, name: str, value: Any = True, sid: str | None = None, count: int | None = None,
               after: int | None = None) -> None:
        """Sets a switch, for one SID or for all. `count`: it acts that often and is off again; `after`: it lets
        so many chances pass first."""
        self._call("PUT", "/switches", {"name": name, "value": value, "sid": sid, "count": count, "after": after})

    def unswitch(self, name: str | None = None, sid: str | None = None) -> None:
        """Back to the default: one switch (all settings of it, or the one for a SID), or every one."""
        query = {key: value for key, value in (("name", name), ("sid", sid)) if value is not None}
        self._call("DELETE", "/switches?" + urlencode(query))

    def switches(self) -> Json:
        """{"registry": {name: {default, help, …}}, "set": [...]}"""
        return self._call("GET", "/switches")

    # What the stand-in holds

    def truth(self, sid: str | None = None, *, account: str | None = None, with_hash: bool = True) -> list[Json]:
        """Every recording that there ever was, deleted or not: sid, account_sid, call_sid, status, size and sha256 of
        the WAV in all its channels (None where it has no media), channels, encrypted, deleted_at (seconds; None),
        deleted_by ("api", "console"; None). Large scenarios want a sid or with_hash=False."""
        query = {"hash": "1" if with_hash else "0"}
        if sid is not None:
            query["sid"] = sid
        if account is not None:
            query["account"] = account
        return self._call("GET", "/truth?" + urlencode(query))["recordings"]

    def media(self, sid: str) -> bytes:
        """The WAV of a recording in all its channels as it was stored, deleted or not; no misbehaviour applies."""
        return self._request("GET", f"/media/{quote(sid)}")

    def add_call(self, account_sid: str | None = None, *, to: str | None = None, from_: str = "+15005550100",
                 direction: str = "inbound", status: str = "completed", start: When = None, duration: int | None = 60,
                 parent_call_sid: str | None = None, **fields: Any) -> Json:
        """Adds a call, by default an inbound one to the first number of the first account; gives it as the API does."""
        return self._call("POST", "/calls", {
            "account_sid": account_sid, "to": to, "from": from_, "direction": direction, "status": status,
            "start": seconds(start), "duration": duration, "parent_call_sid": parent_call_sid, **fields})

    def add_recording(self, call_sid: str | None = None, *, account_sid: str | None = None, status: str = "completed",
                      secs: int | None = 10, channels: int = 2, requested_channels: int | None = None,
                      source: str | None = None, start: When = None, encrypted: bool = False, wav_header: str = "plain",
                      **fields: Any) -> Json:
        """Adds a recording to a call; gives it as the API does. `channels` are what is stored, `requested_channels`
        what the resource says and a bare GET gives (default: the same). Where source is None it is RecordVerb for
        one channel and DialVerb for two. Without a call_sid it is a conference's (account_sid must be given)."""
        return self._call("POST", "/recordings", {
            "call_sid": call_sid, "account_sid": account_sid, "status": status, "secs": secs, "channels": channels,
            "requested_channels": requested_channels, "source": source, "start": seconds(start),
            "encrypted": encrypted, "wav_header": wav_header, **fields})

    def set_status(self, sid: str, status: str, **fields: Any) -> Json:
        """Changes a recording's or a call's status (and `secs`, `duration` …), as time does."""
        return self._call("PUT", f"/{self._kind(sid)}/{quote(sid)}", {"status": status, **fields})

    def console_delete(self, sid: str) -> None:
        """Deletes a recording, or a call's row, as somebody in Twilio's console does."""
        self._call("DELETE", f"/{self._kind(sid)}/{quote(sid)}")

    def set_auth_token(self, account_sid: str, token: str) -> None:
        """Rotates an account's token: the old one is refused from now on."""
        self._call("PUT", f"/accounts/{quote(account_sid)}", {"auth_token": token})
        self.refresh_accounts()

    def set_time(self, offset_secs: float = 0) -> None:
        """Moves the stand-in's clock (soft-deleted metadata goes after 40 days, new rows get its time)."""
        self._call("PUT", "/time", {"offset_secs": offset_secs})

    # What was asked of it

    def ledger(self, *, since: int = 0, method: str | None = None, sid: str | None = None) -> list[Json]:
        """Every request after the one numbered `since`, in order of arrival: seq, time, end_time, method, path, query,
        status (None: not answered), operation (media, list-recordings, delete-recording …), sid, account_sid,
        authorization (none, token, api-key, wrong, malformed), range, if_match, body_bytes, outcome (complete, reset, stalled,
        truncated, closed, aborted; None while it runs), switches (those that acted)."""
        query = {"since": str(since)}
        if method is not None:
            query["method"] = method
        if sid is not None:
            query["sid"] = sid
        return self._call("GET", "/ledger?" + urlencode(query))["requests"]

    def clear_ledger(self) -> None:
        """Forgets the requests; the numbers go on."""
        self._call("DELETE", "/ledger")

    def counters(self) -> Json:
        """Requests by operation and by status, body bytes, the highest number of requests at a time."""
        return self._call("GET", "/counters")

    # Wire

    @staticmethod
    def _kind(sid: str) -> str:
        if sid.startswith("RE"):
            return "recordings"
        if sid.startswith("CA"):
            return "calls"
        raise StandInError(f"neither a recording's SID nor a call's: {sid}")

    def _first_line(self) -> str:
        assert self.process is not None and self.process.stdout is not None
        end = time.monotonic() + START_SECS
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not selector.select(timeout=max(0.0, end - time.monotonic())):
                if time.monotonic() >= end:
                    return f"no line within {START_SECS} s"
        return self.process.stdout.readline()

    def _request(self, method: str, path: str, body: Json | None = None) -> bytes:
        if not self.url:
            raise StandInError("the stand-in is not started")
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
        try:
            connection.request(method, "/_control" + path, None if body is None else json.dumps(body),
                               {} if body is None else {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise StandInError(f"{method} {path}: {answer.status}: {content.decode(errors='replace')}")
        return content

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        return json.loads(self._request(method, path, body) or b"{}")


def seconds(when: When) -> float | None:
    """A moment as seconds since 1970: a datetime (naive: UTC), seconds, or ISO 8601."""
    if when is None or isinstance(when, (int, float)):
        return when
    if isinstance(when, str):
        when = datetime.fromisoformat(when.replace("Z", "+00:00"))
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
