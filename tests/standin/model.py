"""The stand-in's resources, with their times and SIDs. For rendering see render.py."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from . import audio

SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}\Z")
RECORDING_STATUSES = ("in-progress", "paused", "stopped", "processing", "completed", "absent", "deleted", "failed")
SOURCES = ("DialVerb", "Conference", "OutboundAPI", "Trunking", "RecordVerb", "StartCallRecordingAPI",
           "StartConferenceRecordingAPI", "StartCallRecordingTwiML")
CALL_STATUSES = ("queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled")
FINISHED_CALLS = CALL_STATUSES[3:]
DIRECTIONS = ("inbound", "outbound-api", "outbound-dial", "trunking-originating", "trunking-terminating")
SOFT_DELETED_SECS = 40 * 86400


def derived_hex(*parts: object) -> str:
    """32 hex digits that depend on the parts alone."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


def is_sid(text: str, kind: str) -> bool:
    return text.startswith(kind) and SID.match(text) is not None


def seed_of(sid: str) -> int:
    """What a recording's sound is generated from."""
    return audio.mix(int(sid[2:18], 16) ^ audio.mix(int(sid[18:], 16)))


@dataclass(slots=True)
class Number:
    """An IncomingPhoneNumber: a tracking number. `campaign` is the tests' knowledge, not Twilio's."""

    sid: str
    account_sid: str
    phone_number: str
    friendly_name: str
    campaign: str | None
    date_created: int


@dataclass(slots=True)
class Call:
    sid: str
    account_sid: str
    to: str
    from_: str
    direction: str
    status: str
    date_created: int
    start_time: int | None
    duration: int | None  # seconds; None while it lasts
    parent_call_sid: str | None = None
    phone_number_sid: str | None = None
    caller_name: str | None = None
    answered_by: str | None = None
    forwarded_from: str | None = None
    date_updated: int | None = None
    deleted_at: float | None = None

    @property
    def key(self) -> tuple[int, str]:
        """Sorts a list, and is a cursor in it."""
        return (self.start_time or self.date_created, self.sid)

    @property
    def end_time(self) -> int | None:
        if self.status not in FINISHED_CALLS:
            return None
        return (self.start_time or self.date_created) + (self.duration or 0)


@dataclass(slots=True)
class Recording:
    sid: str
    account_sid: str
    call_sid: str | None
    status: str
    source: str
    date_created: int
    start_time: int
    secs: int | None  # None while in progress
    stored_channels: int
    requested_channels: int  # what the resource says and a bare GET gives
    conference_sid: str | None = None
    sample_count: int = 0
    encrypted: bool = False
    wav_header: str = "plain"
    error_code: int | None = None
    date_updated: int | None = None
    track: str = "both"
    deleted_at: float | None = None
    deleted_by: str | None = None
    version: int = 0  # of the sound; a second one has other bytes
    hashes: dict[Any, Any] = field(default_factory=dict)  # what media.py has computed

    def __post_init__(self) -> None:
        if not self.sample_count and self.secs:
            self.sample_count = natural_samples(self.sid, self.secs)

    @property
    def key(self) -> tuple[int, str]:
        return (self.date_created, self.sid)

    @property
    def is_conference(self) -> bool:
        return self.conference_sid is not None

    @property
    def had_media(self) -> bool:
        """There is sound, or was before it was deleted."""
        return self.status == "completed" or (self.status == "deleted" and self.secs is not None)

    @property
    def resource_duration(self) -> int | None:
        return None if self.status in ("in-progress", "paused", "absent") else self.secs


def natural_samples(sid: str, secs: int) -> int:
    """Samples of a recording that Twilio says to be `secs` long: its whole seconds are rounded."""
    return secs * audio.RATE_HZ + audio.mix(seed_of(sid)) % 7000 - 3500


@dataclass(slots=True)
class Account:
    sid: str
    workspace: str
    auth_token: str
    api_key: str
    api_secret: str
    numbers: list[Number] = field(default_factory=list)

    def campaigns(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for number in self.numbers:
            if number.campaign:
                found.setdefault(number.campaign, []).append(number.phone_number)
        return found

    def number_sid(self, phone_number: str) -> str | None:
        return next((number.sid for number in self.numbers if number.phone_number == phone_number), None)
