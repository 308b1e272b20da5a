"""The API: authentication, routing, and Twilio's answers."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import re
import secrets
from collections import Counter
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from .delivery import Delivery
from .ledger import Entry, Ledger
from .lists import BadRequest, Lists, boolean, parse_query
from .media import Form, Media
from .model import FINISHED_CALLS, Account, Call, Recording
from .render import Renderer, error_html, error_json, error_xml
from .store import Store
from .switches import Switches

_ROOT = r"/2010-04-01/Accounts/(?P<account>[^/]+)"
_ROUTES = [(re.compile(pattern + r"\Z"), name) for pattern, name in (
    (r"/2010-04-01/Accounts/(?P<account>[^/.]+)\.json", "account"),
    (_ROOT + r"/Recordings\.json", "recordings"),
    (_ROOT + r"/Recordings/(?P<recording>[^/.]+)(?P<form>|\.json|\.wav|\.mp3)", "recording"),
    (_ROOT + r"/Calls\.json", "calls"),
    (_ROOT + r"/Calls/(?P<call>[^/.]+)\.json", "call"),
    (_ROOT + r"/Calls/(?P<call>[^/.]+)/Recordings\.json", "call_recordings"),
    (_ROOT + r"/Calls/(?P<call>[^/.]+)/Recordings/(?P<recording>[^/.]+)(?P<form>|\.json|\.wav|\.mp3)", "recording"),
    (_ROOT + r"/IncomingPhoneNumbers\.json", "incoming_phone_numbers"),
    (_ROOT + r"/IncomingPhoneNumbers/(?P<number>[^/.]+)\.json", "number"),
    (r"/_storage/(?P<account>[^/]+)/(?P<recording>[^/.]+)(?P<form>|\.wav|\.mp3)", "storage"),
)]
_LIST_NAMES = {"recordings": "list-recordings", "calls": "list-calls", "call_recordings": "list-call-recordings",
               "incoming_phone_numbers": "list-numbers"}
_REFUSALS = {400: 20001, 401: 20003, 403: 20003, 404: 20404, 405: 20004, 409: 20409, 410: 20410, 429: 20429,
             500: 20500, 503: 20503}
_MESSAGES = {401: "Authenticate", 404: "The requested resource was not found", 405: "Method not allowed",
             429: "Too Many Requests", 500: "An internal server error has occurred", 503: "Service unavailable"}
PROCESSING_RETRY_SECS = 2


class Refusal(Exception):
    """An error that Twilio answers."""

    def __init__(self, status: int, message: str | None = None, code: int | None = None,
                 headers: dict[str, str] | None = None) -> None:
        super().__init__(message or _MESSAGES.get(status, "Refused"))
        self.status, self.code, self.headers = status, code or _REFUSALS.get(status, 20000 + status), headers or {}


class Api:
    def __init__(self, store: Store, switches: Switches, media: Media, ledger: Ledger) -> None:
        self.store, self.switches, self.media, self.ledger = store, switches, media, ledger
        self.renderer = Renderer(switches)
        self.lists = Lists(store, switches, self.renderer)
        self.delivery = Delivery(media, switches, store.now)
        self._running: Counter[str] = Counter()
        self._early: Counter[str] = Counter()  # media requests so far, for media_404_first

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw_path, query = request.rel_url.raw_path, request.rel_url.raw_query_string
        if "?" in request.raw_path:
            raw_path, _, query = request.raw_path.partition("?")
        entry = self.ledger.open(request.method, raw_path, query)
        entry.range, entry.if_match = request.headers.get("Range"), request.headers.get("If-Match")
        entry.host, entry.user_agent = request.headers.get("Host", ""), request.headers.get("User-Agent", "")[:200]
        name, parts = _route(unquote(raw_path))
        entry.account_sid, form = parts.get("account"), parts.get("form", ".json")
        entry.sid = parts.get("recording") or parts.get("call") or parts.get("number")
        entry.operation = _operation(name, form, request.method)
        running = parts.get("account", "")
        self._running[running] += 1
        try:
            return await self._answer(request, entry, name, parts)
        except (Refusal, BadRequest) as refusal:
            return await self._refuse(request, entry, refusal, is_media=form != ".json")
        except asyncio.CancelledError:
            entry.outcome = "aborted"
            raise
        finally:
            self._running[running] -= 1
            self.ledger.close(entry)

    async def _refuse(self, request: web.BaseRequest, entry: Entry, refusal: Refusal | BadRequest, *,
                      is_media: bool) -> web.StreamResponse:
        status = refusal.status if isinstance(refusal, Refusal) else 400
        headers = self._headers() | (refusal.headers if isinstance(refusal, Refusal) else {})
        if status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
        if is_media:
            return await self.delivery.send(request, entry, status, error_xml(status, refusal.code, str(refusal)),
                                            "application/xml", headers)
        return await self.delivery.send(request, entry, status, error_json(status, refusal.code, str(refusal)),
                                        "application/json", headers)

    async def _answer(self, request: web.BaseRequest, entry: Entry, name: str, parts: dict[str, str]) -> web.StreamResponse:
        switches, acted, sid = self.switches, entry.switches, entry.sid
        if wait := switches.take("latency_msecs", sid, acted):
            await asyncio.sleep(wait / 1000)
        if switches.take("refuse_connection", sid, acted):
            return self.delivery.cut(request, entry, "closed")
        limit = switches.peek("max_concurrency", sid)
        if limit is not None and self._running[parts.get("account", "")] > limit:
            acted.append("max_concurrency")
            again = switches.peek("max_concurrency_retry_after", sid)
            raise Refusal(429, headers={} if again is None else {"Retry-After": str(again)})
        kind = entry.operation.partition("-")[0]
        for operation in ("any", "media" if kind in ("media", "storage") else kind):
            failure = switches.take(f"fail_{operation}", sid, acted) if operation != "unknown" else None
            if failure is not None:
                status, again = (*failure, None)[:2] if isinstance(failure, list) else (failure, None)
                raise Refusal(status, headers={} if again is None else {"Retry-After": str(again)})

        entry.authorization, asking = self._who(request)
        if name == "unknown":
            raise Refusal(404)
        account = self.store.accounts.get(parts["account"])
        if name == "storage":
            if account is None:
                raise Refusal(404)
        elif entry.operation != "media" or switches.peek("media_auth", sid):
            if asking is None:
                raise Refusal(401)
            if account is None:
                raise Refusal(404)
            if asking is not account:
                raise Refusal(401)
        elif account is None:
            raise Refusal(404)
        if name in ("recording", "call") and request.method == "DELETE" and entry.operation.startswith("delete"):
            return await self._delete(request, entry, account, parts)
        if entry.operation in ("media", "storage"):
            if request.method != "GET" and not (request.method == "HEAD" and switches.take("head", sid, acted)):
                raise Refusal(405)
            return await self._media(request, entry, account, name, parts)
        if request.method != "GET":
            raise Refusal(405)
        host = request.headers.get("Host", "127.0.0.1")
        if name in _LIST_NAMES:
            call = self._call(account, parts["call"]) if name == "call_recordings" else None
            body = self.lists.page(name, account.sid, entry.path, entry.query, host, call=call, acted=acted)
            kind = "text/html" if body.startswith(b"<!") else "application/json"
            return await self.delivery.send(request, entry, 200, body, kind, self._headers())
        resource = self._resource(entry, account, name, parts, host)
        return await self.delivery.send(request, entry, 200, json.dumps(resource).encode(), "application/json",
                                        self._headers())

    # Resources

    def _resource(self, entry: Entry, account: Account, name: str, parts: dict[str, str], host: str) -> dict[str, Any]:
        if name == "recording":
            parameters = parse_query(entry.query, ("IncludeSoftDeleted",))
            with_deleted = "IncludeSoftDeleted" in parameters and boolean("IncludeSoftDeleted", parameters["IncludeSoftDeleted"])
            recording = self._recording(account, parts, with_deleted=with_deleted)
            return self.renderer.recording(recording, host, of_call="call" in parts)
        parse_query(entry.query, ())
        if name == "call":
            return self.renderer.call(self._call(account, parts["call"]))
        if name == "number":
            number = next((item for item in account.numbers if item.sid == parts["number"]), None)
            if number is None:
                raise Refusal(404)
            return self.renderer.number(number)
        return self.renderer.account(account)

    def _call(self, account: Account, sid: str) -> Call:
        call = self.store.call(sid)
        if call is None or call.account_sid != account.sid or call.deleted_at is not None:
            raise Refusal(404)
        return call

    def _recording(self, account: Account, parts: dict[str, str], *, with_deleted: bool = False) -> Recording:
        recording = self.store.recording(parts["recording"])
        if (recording is None or recording.account_sid != account.sid or self.store.is_forgotten(recording)
                or (recording.deleted_at is not None and not with_deleted)
                or ("call" in parts and recording.call_sid != parts["call"])):
            raise Refusal(404)
        return recording

    async def _delete(self, request: web.BaseRequest, entry: Entry, account: Account,
                      parts: dict[str, str]) -> web.StreamResponse:
        parse_query(entry.query, ())
        row: Recording | Call
        if "recording" in parts:
            row = self._recording(account, parts)
            if row.status != "completed":
                raise Refusal(self.switches.take("refuse_delete_status", row.sid, entry.switches),
                              f"Only completed recordings can be deleted, this one is {row.status}", 20409)
        else:
            row = self._call(account, parts["call"])
            if row.status not in FINISHED_CALLS:
                raise Refusal(409, "The call is not over")
        trick = self.switches.take("delete_answer", row.sid, entry.switches)
        if trick != "lost-before":
            self.store.delete(row, "api")
        if trick in ("lost", "lost-before"):
            return self.delivery.cut(request, entry, "closed")
        if trick == "500-after":
            raise Refusal(500)
        if trick == "twice":
            raise Refusal(404)
        return await self.delivery.send(request, entry, 204, b"", "", self._headers())

    # Media

    async def _media(self, request: web.BaseRequest, entry: Entry, account: Account, name: str,
                     parts: dict[str, str]) -> web.StreamResponse:
        switches, acted, sid = self.switches, entry.switches, parts["recording"]
        parameters = parse_query(entry.query, ("RequestedChannels",))
        if wait := switches.take("first_byte_msecs", sid, acted):
            await asyncio.sleep(wait / 1000)
        recording = self._recording(account, parts)
        if switches.peek("external_media", sid):
            acted.append("external_media")
            raise Refusal(404)
        if recording.status == "processing":
            raise Refusal(switches.take("processing_status", sid, acted), "The recording is still being processed", 21501,
                          {"Retry-After": str(PROCESSING_RETRY_SECS)})
        if recording.status != "completed":
            raise Refusal(404)
        if early := switches.peek("media_404_first", sid):
            self._early[sid] += 1
            if self._early[sid] <= early:
                acted.append("media_404_first")
                raise Refusal(404)
        form = self._form(recording, parameters, parts["form"], acted)
        redirect = switches.take("redirect_media", sid, acted)
        if redirect and name != "storage":
            return await self._redirect(request, entry, redirect, parts)
        page = switches.take("error_page_200", sid, acted)
        if page is not None:
            body = {"xml": error_xml(503, 20503, "Service unavailable"), "html": error_html(),
                    "json": error_json(503, 20503, "Service unavailable")}[page]
            as_audio = switches.take("error_page_as_audio", sid, acted)
            return await self.delivery.send(request, entry, 200, body, "audio/x-wav" if as_audio else (
                "text/html" if page == "html" else f"application/{page}"))
        return await self.delivery.media(request, entry, recording, form)

    def _form(self, recording: Recording, parameters: dict[str, str], extension: str, acted: list[str]) -> Form:
        """facts: RequestedChannels=2 of a mono recording is 400 with 16113; without it one gets what was requested for
        the recording, of a conference a downmix."""
        switches, sid, stored = self.switches, recording.sid, recording.stored_channels
        requested = parameters.get("RequestedChannels")
        if requested not in (None, "1", "2"):
            raise BadRequest(f"RequestedChannels: {requested!r} is neither 1 nor 2")
        if switches.take("downmix_always", sid, acted):
            channels = 1
        elif requested == "2" and stored < 2:
            raise Refusal(400, "The requested number of channels is not available", 16113)
        elif requested is not None:
            channels = int(requested)
        else:
            bare = switches.take("bare_get", sid, acted)
            if bare == "stored":
                channels = stored
            elif bare == "downmix" or recording.is_conference or switches.peek("channels_says_one", sid):
                channels = 1
            else:
                channels = min(stored, recording.requested_channels)
        return Form("mp3" if extension == ".mp3" else "wav", downmix=channels == 1 < stored,
                    wav_header=switches.take("wav_header", sid, acted), take=switches.take("other_bytes", sid, acted) or 0)

    async def _redirect(self, request: web.BaseRequest, entry: Entry, where: str, parts: dict[str, str]) -> web.StreamResponse:
        host = request.headers.get("Host", "127.0.0.1")
        query = "?" + entry.query if entry.query else ""
        place = f"/_storage/{parts['account']}/{parts['recording']}{parts['form']}{query}"
        if where == "loop":
            place = entry.path + query
        elif where == "other":
            place = f"http://localhost:{host.rpartition(':')[2]}{place}"
        return await self.delivery.send(request, entry, 307, b"", "text/plain", self._headers() | {"Location": place})

    # Who asks

    def _who(self, request: web.BaseRequest) -> tuple[str, Account | None]:
        """The kind of credentials, and whose they are: AC… with the token, or SK… with its secret."""
        header = request.headers.get("Authorization")
        if header is None:
            return "none", None
        scheme, _, rest = header.partition(" ")
        try:
            user, colon, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "malformed", None
        if scheme.lower() != "basic" or not colon:
            return "malformed", None
        for account in self.store.accounts.values():
            for name, secret, kind in ((account.sid, account.auth_token, "token"),
                                       (account.api_key, account.api_secret, "api-key")):
                if name == user and hmac.compare_digest(secret.encode(), password.encode()):
                    return kind, account
        return "wrong", None

    @staticmethod
    def _headers() -> dict[str, str]:
        return {"Twilio-Request-Id": "RQ" + secrets.token_hex(16)}


def _route(path: str) -> tuple[str, dict[str, str]]:
    for pattern, name in _ROUTES:
        if match := pattern.match(path):
            return name, match.groupdict()
    return "unknown", {}


def _operation(name: str, form: str, method: str) -> str:
    """The ledger's word for what is asked."""
    if name in _LIST_NAMES:
        return _LIST_NAMES[name]
    if method == "DELETE" and (name == "call" or (name == "recording" and form in ("", ".json"))):
        return f"delete-{name}"
    if name == "recording" and form != ".json":
        return "media"
    if name in ("unknown", "storage"):
        return name
    return f"fetch-{name}"
