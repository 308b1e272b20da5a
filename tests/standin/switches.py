"""Named switches: one for each undocumented behaviour, one for each misbehaviour.

A switch has a default and may be set for all or for one SID, for a number of times (`count`), after a number of chances
that pass (`after`). A setting for a SID goes before one for all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Value = Any
Check = Callable[[Value], bool]


class SwitchError(ValueError):
    """No such switch, or not a value for it."""


@dataclass(frozen=True)
class Switch:
    name: str
    default: Value
    takes: str
    help: str
    check: Check


def _is_int(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_failure(value: Value) -> bool:
    """403, or [429, Retry-After in seconds]."""
    parts = value if isinstance(value, list) else [value]
    return (len(parts) in (1, 2) and _is_int(parts[0]) and 400 <= parts[0] <= 599
            and (len(parts) == 1 or _is_int(parts[1]) or isinstance(parts[1], str)))


def _one_of(*words: Value) -> tuple[str, Check]:
    return "|".join(json.dumps(word).strip('"') for word in words), lambda value: any(
        type(value) is type(word) and value == word for word in words)


def _make() -> dict[str, Switch]:
    found: dict[str, Switch] = {}

    def add(name: str, default: Value, takes: str | tuple[str, Check], text: str) -> None:
        kinds: dict[str, Check] = {
            "bool": lambda value: isinstance(value, bool),
            "number": lambda value: value is None or _is_int(value),
            "offset": lambda value: value is None or (isinstance(value, int) and not isinstance(value, bool)),
            "text": lambda value: value is None or isinstance(value, str),
            "status[:retry-after]": lambda value: value is None or _is_failure(value),
            "names": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
        }
        label, check = (takes, kinds[takes]) if isinstance(takes, str) else takes
        found[name] = Switch(name, default, label, text, check)

    # Unproven: each way must be borne
    add("head", True, "bool", "HEAD on media is answered; else 405")
    add("range", "206", _one_of("206", "ignored"), "Range on media: honoured, or 200 with everything")
    add("etag", "md5", _one_of("md5", "opaque", "weak", "none"), "the media's ETag")
    add("length", "content-length", _one_of("content-length", "chunked", "close"),
        "how the end of a media body is told")
    add("cursor", "stable", _one_of("stable", "shifting"), "PageToken: after a row, or a count of rows from the top")
    add("order", "newest", _one_of("newest", "oldest"), "of a list")
    add("channels_says_one", False, "bool", "the resource's channels is 1 where two are stored, as is a bare GET")
    add("bare_get", "requested", _one_of("requested", "downmix", "stored"),
        "media without RequestedChannels: what was requested for the recording (a conference: downmix), always mono, or all")
    add("date_upper", "midnight", _one_of("midnight", "end-of-day"), "`DateCreated<=YYYY-MM-DD` ends at its 00:00:00 or 24:00:00")
    add("date_offset", "+0000", "text", "the numeric offset that dates are given with")
    add("extra_fields", False, "bool", "resources carry fields that nobody knows")
    add("unknown_values", False, "bool", "status of unfinished recordings and every source are words of tomorrow")
    add("null_fields", [], "names", "these fields of resources are null")
    add("call_price", "number", _one_of("number", "string"), "price in the list of a call's recordings")
    add("processing_status", 404, _one_of(404, 409, 425), "HTTP status with error 21501, media that is still processed")
    add("refuse_delete_status", 409, _one_of(400, 409), "HTTP status of a DELETE of what is not completed")
    add("media_auth", True, "bool", "media wants credentials")

    # Failing answers
    for operation, what in (("any", "any request"), ("media", "a media request"), ("list", "a list"),
                            ("fetch", "a single resource"), ("delete", "a DELETE (and nothing is deleted)")):
        add(f"fail_{operation}", None, "status[:retry-after]", f"{what} fails so: 500, 401, 429:2 (with Retry-After)")
    add("max_concurrency", None, "number", "429 above so many requests at a time of one account")
    add("max_concurrency_retry_after", None, "number", "Retry-After with it")
    add("refuse_connection", False, "bool", "every connection is closed as soon as it has asked something")

    # Media
    add("media_404_first", None, "number", "the first N media requests of each recording are 404 (propagation)")
    add("reset_after", None, "number", "connection reset after N bytes of media")
    add("stall_after", None, "number", "silence after N bytes of media, until the client goes")
    add("truncate_after", None, "number", "connection closed in order after N bytes, though more was promised")
    add("short_body", None, "number", "a complete answer that lacks the last N bytes")
    add("told_bytes", None, "number", "the length of all, and a range's total, are said to be N")
    add("flip_byte", None, "offset", "one bit is wrong in the byte at this offset (-1: the last)")
    add("error_page_200", None, _one_of(None, "xml", "html", "json"), "status 200, and the body is an error page of that type")
    add("error_page_as_audio", False, "bool", "error_page_200 calls itself audio")
    add("empty_body", False, "bool", "status 200 and no byte")
    add("content_type", None, "text", "the media's Content-Type is this")
    add("downmix_always", False, "bool", "RequestedChannels=2 is ignored: mono, with status 200")
    add("wav_header", None, _one_of(None, "plain", "list", "fact", "streaming"), "of every WAV, whatever was recorded")
    add("other_bytes", None, "number", "another take: bytes (and ETag) differ with the number")
    add("first_byte_msecs", None, "number", "wait before a media answer")
    add("bytes_per_sec", None, "number", "of one media answer")
    add("latency_msecs", None, "number", "wait before any answer")
    add("redirect_media", None, _one_of(None, "same", "other", "loop"),
        "307 to an address of this host, of another host (localhost), or in a circle")
    add("external_media", False, "bool", "external storage: media_url is an S3 URL, media is 404 here")

    # Lists
    add("list_hides", False, "bool", "this SID (or all) is in no list, but can be fetched")
    add("page_repeats", None, "number", "a page begins with the last N rows of the one before")
    add("page_drops", None, "number", "N rows are missing between two pages")
    add("page_loops", False, "bool", "next_page_uri leads to the same page for ever")
    add("page_other_host", None, "text", "next_page_uri is absolute, on this host")
    add("page_damage", None, _one_of(None, "cut", "html", "empty", "no-array", "not-object"),
        "a page with status 200 whose body is no list")

    # Deletes
    add("delete_answer", None, _one_of(None, "lost", "lost-before", "500-after", "twice"),
        "deleted and no answer; not deleted and no answer; deleted and 500; processed twice, so that the answer is 404")

    # Connections and clocks
    add("close_after_answer", False, "bool", "the connection is closed after each answer without saying so")
    add("clock_skew_secs", None, "offset", "error of the Date header")
    return found


REGISTRY = _make()
PAGE_SWITCHES = ("date_offset", "extra_fields", "unknown_values", "null_fields", "channels_says_one",
                 "external_media", "list_hides")


@dataclass
class Setting:
    name: str
    value: Value
    sid: str | None
    count: int | None
    after: int

    def public(self) -> dict[str, Value]:
        return {"name": self.name, "value": self.value, "sid": self.sid, "count": self.count, "after": self.after}


class Switches:
    """All switches of one stand-in."""

    def __init__(self) -> None:
        self._settings: dict[tuple[str, str | None], Setting] = {}
        self.generation = 0

    def set(self, name: str, value: Value, sid: str | None = None, count: int | None = None,
            after: int | None = None) -> None:
        value = validated(name, value)
        for number in (count, after):
            if number is not None and not _is_int(number):
                raise SwitchError(f"count and after are whole numbers, not {number!r}")
        if sid is not None and not isinstance(sid, str):
            raise SwitchError("sid is a text")
        if count == 0:
            self._settings.pop((name, sid), None)
        else:
            self._settings[name, sid] = Setting(name, value, sid, count, after or 0)
        self.generation += 1

    def unset(self, name: str | None = None, sid: str | None = None) -> None:
        if name is not None:
            known(name)
        for key in [key for key in self._settings if (name is None or key[0] == name) and (sid is None or key[1] == sid)]:
            del self._settings[key]
        self.generation += 1

    def peek(self, name: str, sid: str | None = None) -> Value:
        """The value in force, without using up a count."""
        setting = self._find(name, sid)
        return known(name).default if setting is None or setting.after else setting.value

    def take(self, name: str, sid: str | None = None, acted: list[str] | None = None) -> Value:
        """The value for one chance to act: uses up a count, lets an `after` pass. Notes in `acted` what is not default."""
        setting = self._find(name, sid)
        if setting is None:
            return known(name).default
        if setting.after:
            setting.after -= 1
            return known(name).default
        if setting.count is not None:
            setting.count -= 1
            if not setting.count:
                del self._settings[setting.name, setting.sid]
                self.generation += 1
        if acted is not None:
            acted.append(name)
        return setting.value

    def is_quiet(self) -> bool:
        """Each switch has its default, for everything."""
        return not self._settings

    def any_set(self, names: tuple[str, ...]) -> bool:
        return any(name in names for name, _ in self._settings)

    def settings(self) -> list[dict[str, Value]]:
        return [setting.public() for setting in self._settings.values()]

    def _find(self, name: str, sid: str | None) -> Setting | None:
        if not self._settings:
            return None
        return self._settings.get((name, sid)) or self._settings.get((name, None))


def known(name: str) -> Switch:
    if name not in REGISTRY:
        raise SwitchError(f"no such switch: {name}")
    return REGISTRY[name]


def validated(name: str, value: Value) -> Value:
    """The value, or SwitchError. Texts are understood as a command line gives them: "429:2", "true", "5000", "a,b"."""
    switch = known(name)
    if isinstance(value, str) and not switch.check(value):
        value = _from_text(value)
        if switch.takes == "names" and isinstance(value, str):
            value = value.split(",")
    if switch.takes.startswith("status") and isinstance(value, dict):
        value = [value.get("status"), *([value["retry_after"]] if value.get("retry_after") is not None else [])]
    if not switch.check(value):
        raise SwitchError(f"{name} takes {switch.takes}, not {value!r}")
    return value


def _from_text(text: str) -> Value:
    try:
        return json.loads(text)
    except ValueError:
        status, colon, retry_after = text.partition(":")
        if colon and status.isdigit():
            return [int(status), int(retry_after) if retry_after.isdigit() else retry_after]
        return text


def parse_argument(argument: str) -> tuple[str, Value]:
    """`name` or `name=value` of the command line."""
    name, equals, value = argument.partition("=")
    return name, validated(name, value if equals else True)
