"""Resources and errors as Twilio writes them.

facts: duration and price are JSON strings, null while in progress; channels and error_code are integers; dates are
RFC 2822 with a numeric offset; errors are JSON, or XML for media.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from .bulk import RECORDING_DELAY_SECS, Bulk
from .model import Account, Call, Number, Recording, derived_hex
from .switches import PAGE_SWITCHES, Switches

VERSION = "2010-04-01"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = date(1970, 1, 1)
_OFFSET = re.compile(r"([+-])(\d\d)([0-5]\d)\Z")


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    day = _EPOCH + timedelta(days=number)
    return f"{_DAYS[day.weekday()]}, {day.day:02d} {_MONTHS[day.month - 1]} {day.year:04d} "


@lru_cache(maxsize=1)
def _times_of_day() -> list[str]:
    return [f"{secs // 3600:02d}:{secs // 60 % 60:02d}:{secs % 60:02d} +0000" for secs in range(86400)]


def rfc2822(at_secs: int | None, offset: str = "+0000") -> str | None:
    """`Sun, 01 Mar 2026 10:15:00 +0000`, or the same moment with another offset."""
    if at_secs is None:
        return None
    shift = 0
    if offset != "+0000":
        parts = _OFFSET.match(offset)
        if parts is None:
            return None
        shift = (int(parts[2]) * 60 + int(parts[3])) * (-60 if parts[1] == "-" else 60)
    day, of_day = divmod(int(at_secs) + shift, 86400)
    text = _day(day) + _times_of_day()[of_day]
    return text if offset == "+0000" else text[:-5] + offset


def price(secs: int | None, per_minute: float) -> str | None:
    return None if secs is None else f"-{per_minute * -(-secs // 60):.5f}"


def formatted(number: str) -> str:
    """to_formatted, from_formatted."""
    return re.sub(r"\A\+1(\d{3})(\d{3})(\d{4})\Z", r"(\1) \2-\3", number)


class Renderer:
    """Resources as JSON, as the switches want them."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    def _finish(self, resource: dict[str, Any], sid: str) -> dict[str, Any]:
        if self._switches.peek("extra_fields", sid):
            resource |= {"x_future_text": "tomorrow", "x_future_number": 1.5, "x_future_object": {"a": [None, True, {}]},
                         "x_future_list": [], "x_future_null": None}
        for name in self._switches.peek("null_fields", sid):
            if name in resource:
                resource[name] = None
        return resource

    def _date(self, at_secs: int | None) -> str | None:
        return rfc2822(at_secs, self._switches.peek("date_offset"))

    def recording(self, item: Recording, host: str, *, of_call: bool = False) -> dict[str, Any]:
        """of_call: as in the list of a call's recordings."""
        switches, sid = self._switches, item.sid
        path = f"/{VERSION}/Accounts/{item.account_sid}/Recordings/{sid}"
        secs = item.resource_duration
        cost = price(secs, 0.0025) if item.status in ("completed", "deleted") else None
        status, source = item.status, item.source
        if switches.peek("unknown_values", sid):
            source = "TomorrowVerb"
            status = status if status in ("completed", "deleted") else "contemplating"
        encryption = None
        if item.encrypted:
            encryption = {"encryption_public_key_sid": "CR" + derived_hex(item.account_sid, "public key"),
                          "encryption_cek": base64.b64encode(bytes.fromhex(derived_hex(sid, "cek") * 8)).decode(),
                          "encryption_iv": base64.b64encode(bytes.fromhex(derived_hex(sid, "iv")[:24])).decode()}
        resource: dict[str, Any] = {
            "account_sid": item.account_sid, "api_version": VERSION, "call_sid": item.call_sid,
            "conference_sid": item.conference_sid, "date_created": self._date(item.date_created),
            "date_updated": self._date(item.date_updated or item.date_created + (secs or 0)),
            "start_time": self._date(item.start_time), "duration": None if secs is None else str(secs), "sid": sid,
            "price": cost, "price_unit": "USD", "status": status,
            "channels": 1 if switches.peek("channels_says_one", sid) else item.requested_channels,
            "source": source, "error_code": item.error_code, "uri": f"{path}.json", "encryption_details": encryption}
        if of_call:
            resource["track"] = item.track
            resource["uri"] = f"/{VERSION}/Accounts/{item.account_sid}/Calls/{item.call_sid}/Recordings/{sid}.json"
            if cost is not None and switches.peek("call_price") == "number":
                resource["price"] = float(cost)
        else:
            resource["subresource_uris"] = {"add_on_results": f"{path}/AddOnResults.json",
                                            "transcriptions": f"{path}/Transcriptions.json"}
            resource["media_url"] = (
                f"https://customer-recordings.s3.us-east-1.amazonaws.com/{item.account_sid}/{sid}.wav"
                if switches.peek("external_media", sid) else f"http://{host}{path}")
        return self._finish(resource, sid)

    def call(self, item: Call) -> dict[str, Any]:
        path = f"/{VERSION}/Accounts/{item.account_sid}/Calls/{item.sid}"
        end = item.end_time
        parts = ("events", "notifications", "payments", "recordings", "siprec", "streams", "transcriptions",
                 "user_defined_message_subscriptions", "user_defined_messages")
        return self._finish({
            "sid": item.sid, "date_created": self._date(item.date_created),
            "date_updated": self._date(item.date_updated or end or item.date_created),
            "parent_call_sid": item.parent_call_sid, "account_sid": item.account_sid, "to": item.to,
            "to_formatted": formatted(item.to), "from": item.from_, "from_formatted": formatted(item.from_),
            "phone_number_sid": item.phone_number_sid, "status": item.status, "start_time": self._date(item.start_time),
            "end_time": self._date(end), "duration": None if end is None else str(item.duration or 0),
            "price": None if end is None else price(item.duration or 0, 0.0085), "price_unit": "USD",
            "direction": item.direction, "answered_by": item.answered_by, "api_version": VERSION,
            "forwarded_from": item.forwarded_from, "group_sid": None, "caller_name": item.caller_name,
            "queue_time": "0", "trunk_sid": None, "annotation": None, "uri": f"{path}.json",
            "subresource_uris": {part: f"{path}/{''.join(map(str.capitalize, part.split('_')))}.json" for part in parts},
        }, item.sid)

    def number(self, item: Number) -> dict[str, Any]:
        uri = f"/{VERSION}/Accounts/{item.account_sid}/IncomingPhoneNumbers/{item.sid}.json"
        return self._finish({
            "sid": item.sid, "account_sid": item.account_sid, "friendly_name": item.friendly_name,
            "phone_number": item.phone_number, "voice_url": "", "voice_method": "POST", "voice_fallback_url": "",
            "voice_fallback_method": "POST", "voice_caller_id_lookup": False, "voice_application_sid": None,
            "date_created": self._date(item.date_created), "date_updated": self._date(item.date_created),
            "sms_url": "", "sms_method": "POST", "sms_fallback_url": "", "sms_fallback_method": "POST",
            "sms_application_sid": "", "address_requirements": "none", "address_sid": None, "identity_sid": None,
            "bundle_sid": None, "beta": False, "status_callback": "", "status_callback_method": "POST",
            "api_version": VERSION, "capabilities": {"voice": True, "sms": False, "mms": False, "fax": False},
            "origin": "twilio", "emergency_status": "Inactive", "emergency_address_sid": None,
            "emergency_address_status": "unregistered", "trunk_sid": None, "status": "in-use", "type": "local",
            "voice_receive_mode": "voice", "subresource_uris": {"assigned_add_ons": uri[:-5] + "/AssignedAddOns.json"},
            "uri": uri}, item.sid)

    def account(self, item: Account) -> dict[str, Any]:
        """Never the token."""
        path = f"/{VERSION}/Accounts/{item.sid}"
        return self._finish({
            "sid": item.sid, "owner_account_sid": item.sid, "friendly_name": item.workspace, "status": "active",
            "type": "Full", "date_created": self._date(1577836800), "date_updated": self._date(1577836800),
            "uri": f"{path}.json", "subresource_uris": {
                "recordings": f"{path}/Recordings.json", "calls": f"{path}/Calls.json",
                "incoming_phone_numbers": f"{path}/IncomingPhoneNumbers.json"}}, item.sid)

    # Many rows of a bulk table at a time

    def bulk_rows(self, bulk: Bulk, kind: str, indexes: NDArray[np.int64], host: str) -> list[str]:
        """JSON texts of rows. Where no switch and no change is in the way they come from a template."""
        changed = bulk.overlay[kind]
        if self._switches.any_set(PAGE_SWITCHES) or (changed and any(index in changed for index in indexes.tolist())):
            if kind == "RE":
                return [json.dumps(self.recording(bulk.recording(index), host)) for index in indexes.tolist()]
            return [json.dumps(self.call(bulk.call(index))) for index in indexes.tolist()]
        return (self._fast_recordings if kind == "RE" else self._fast_calls)(bulk, indexes, host)

    def _fast_recordings(self, bulk: Bulk, indexes: NDArray[np.int64], host: str) -> list[str]:
        names = ("call_sid", "sid", "date_created", "date_updated", "start_time", "duration", "price")
        template = _template(self.recording(bulk.recording(0), host), names, {bulk.sid("RE", 0): "%(sid)s"})
        starts = (bulk.starts[indexes] + RECORDING_DELAY_SECS).tolist()
        secs = bulk.durations[indexes].tolist()
        begun = _dates(starts)
        columns = {"sid": bulk.sids("RE", indexes), "call_sid": bulk.sids("CA", indexes), "date_created": begun,
                   "date_updated": _dates([start + long for start, long in zip(starts, secs)]), "start_time": begun,
                   "duration": secs, "price": [_recording_price(-(-long // 60)) for long in secs]}
        return _fill(template, columns)

    def _fast_calls(self, bulk: Bulk, indexes: NDArray[np.int64], _host: str) -> list[str]:
        names = ("sid", "date_created", "date_updated", "to", "to_formatted", "from", "from_formatted",
                 "phone_number_sid", "start_time", "end_time", "duration", "price")
        template = _template(self.call(bulk.call(0)), names, {bulk.sid("CA", 0): "%(sid)s"})
        starts = bulk.starts[indexes].tolist()
        secs = (bulk.durations[indexes] + RECORDING_DELAY_SECS).tolist()
        begun, ended = _dates(starts), _dates([start + long for start, long in zip(starts, secs)])
        callers = [f"+{number}" for number in bulk.callers[indexes].tolist()]
        lines = [bulk.account.numbers[line] for line in bulk.lines[indexes].tolist()]
        columns = {"sid": bulk.sids("CA", indexes), "date_created": begun, "date_updated": ended,
                   "to": [line.phone_number for line in lines],
                   "to_formatted": [formatted(line.phone_number) for line in lines], "from": callers,
                   "from_formatted": [f"({n[2:5]}) {n[5:8]}-{n[8:]}" for n in callers],
                   "phone_number_sid": [line.sid for line in lines], "start_time": begun, "end_time": ended,
                   "duration": secs, "price": [_call_price(-(-long // 60)) for long in secs]}
        return _fill(template, columns)


def _dates(moments: list[int]) -> list[str]:
    times = _times_of_day()
    return [_day(at // 86400) + times[at % 86400] for at in moments]


@lru_cache
def _recording_price(minutes: int) -> str:
    return price(minutes * 60, 0.0025) or ""


@lru_cache
def _call_price(minutes: int) -> str:
    return price(minutes * 60, 0.0085) or ""


def _template(resource: dict[str, Any], names: tuple[str, ...], within: dict[str, str]) -> str:
    """The resource's JSON as a %-format; the values of `names`, and what is in `within`, are places in it."""
    text = json.dumps({name: f"\0{name}\0" if name in names else value for name, value in resource.items()})
    text = text.replace("%", "%%").replace("\\u0000", "\0")
    for what, place in within.items():
        text = text.replace(what, place)
    return re.sub("\0(.*?)\0", r"%(\1)s", text)


def _fill(template: str, columns: dict[str, list[Any]]) -> list[str]:
    order = re.findall(r"%\((\w+)\)s", template)
    plain = re.sub(r"%\(\w+\)s", "%s", template)
    return [plain % row for row in zip(*(columns[name] for name in order))]


# Errors

def error_json(status: int, code: int, message: str) -> bytes:
    return json.dumps({"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}",
                       "status": status}).encode()


def error_xml(status: int, code: int, message: str) -> bytes:
    return (f"<?xml version='1.0' encoding='UTF-8'?>\n<TwilioResponse><RestException><Code>{code}</Code>"
            f"<Message>{escape(message)}</Message><MoreInfo>https://www.twilio.com/docs/errors/{code}</MoreInfo>"
            f"<Status>{status}</Status></RestException></TwilioResponse>").encode()


def error_html() -> bytes:
    return b"<!DOCTYPE html>\n<html><head><title>Service Unavailable</title></head><body><h1>Please stand by</h1></body></html>\n"
