"""The control plane, `/_control/…`: JSON, for this machine only, no credentials, never in the ledger. See README.md."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from typing import Any

from aiohttp import web

from .api import Api
from .media import Form
from .model import Call, Recording
from .store import StoreError
from .switches import REGISTRY, SwitchError

HASHED_ROWS_MAX = 20_000
_FULL = Form()


class Control:
    def __init__(self, api: Api) -> None:
        self._api, self._store, self._switches = api, api.store, api.switches

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if not _is_loopback(request.remote):
            return _json({"error": "only from this machine"}, 403)
        parts = request.path.removeprefix("/_control/").split("/")
        handler = getattr(self, f"_{request.method.lower()}_{parts[0]}", None)
        if handler is None or len(parts) > 2:
            return _json({"error": f"no {request.method} {request.path}"}, 404)
        try:
            body = await request.json() if request.method in ("PUT", "POST") else {}
            if not isinstance(body, dict):
                raise StoreError("the body is a JSON object")
            answer = handler(request, body, *parts[1:])
            if asyncio.iscoroutine(answer):
                answer = await answer
        except (StoreError, SwitchError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)
        return answer if isinstance(answer, web.StreamResponse) else _json(answer)

    # GET

    def _get_health(self, _request: web.BaseRequest, _body: dict[str, Any]) -> Any:
        return {"ok": True}

    def _get_accounts(self, _request: web.BaseRequest, _body: dict[str, Any]) -> Any:
        return {"accounts": [{
            "sid": item.sid, "workspace": item.workspace, "auth_token": item.auth_token, "api_key": item.api_key,
            "api_secret": item.api_secret, "campaigns": item.campaigns(),
            "numbers": [{"sid": number.sid, "phone_number": number.phone_number, "friendly_name": number.friendly_name,
                         "campaign": number.campaign} for number in item.numbers]}
            for item in self._store.accounts.values()]}

    def _get_switches(self, _request: web.BaseRequest, _body: dict[str, Any]) -> Any:
        return {"registry": {name: {"default": switch.default, "takes": switch.takes, "help": switch.help}
                             for name, switch in REGISTRY.items()}, "set": self._switches.settings()}

    async def _get_truth(self, request: web.BaseRequest, _body: dict[str, Any]) -> Any:
        sid, account = request.query.get("sid"), request.query.get("account")
        with_hash = request.query.get("hash", "1") == "1"
        if sid is not None:
            one = self._store.recording(sid)
            if one is None:
                raise StoreError(f"no such recording: {sid}")
            rows = [one]
        else:
            rows = [row for row in self._store.all_recordings() if account in (None, row.account_sid)]
            if with_hash and len(rows) > HASHED_ROWS_MAX:
                raise StoreError(f"{len(rows)} recordings are too many to hash at a time: name a sid, or say hash=0")
        return {"recordings": await asyncio.to_thread(lambda: [self._truth(row, with_hash) for row in rows])}

    def _truth(self, row: Recording, with_hash: bool) -> dict[str, Any]:
        media = row.had_media
        return {"sid": row.sid, "account_sid": row.account_sid, "call_sid": row.call_sid, "status": row.status,
                "size": self._api.media.size(row) if media else None,
                "sha256": self._api.media.digest(row, "sha256") if media and with_hash else None,
                "channels": row.stored_channels, "requested_channels": row.requested_channels, "secs": row.secs,
                "source": row.source, "encrypted": row.encrypted, "date_created": row.date_created,
                "deleted_at": row.deleted_at, "deleted_by": row.deleted_by}

    def _get_media(self, _request: web.BaseRequest, _body: dict[str, Any], sid: str) -> Any:
        row = self._store.recording(sid)
        if row is None or not row.had_media:
            raise StoreError(f"no such recording, or it has no media: {sid}")
        size = self._api.media.size(row)
        return web.Response(body=b"".join(self._api.media.chunks(row, _FULL, 0, size)), content_type="audio/x-wav")

    def _get_ledger(self, request: web.BaseRequest, _body: dict[str, Any]) -> Any:
        query = request.query
        return {"requests": self._api.ledger.entries(int(query.get("since", 0)), query.get("method"), query.get("sid"))}

    def _get_counters(self, _request: web.BaseRequest, _body: dict[str, Any]) -> Any:
        return self._api.ledger.counters()

    def _get_time(self, _request: web.BaseRequest, _body: dict[str, Any]) -> Any:
        return {"now_secs": self._store.now(), "offset_secs": self._store.clock_offset_secs}

    # PUT, POST, DELETE

    def _put_switches(self, _request: web.BaseRequest, body: dict[str, Any]) -> Any:
        self._switches.set(body["name"], body.get("value", True), body.get("sid"), body.get("count"), body.get("after"))
        return {"set": self._switches.settings()}

    def _delete_switches(self, request: web.BaseRequest, _body: dict[str, Any]) -> Any:
        self._switches.unset(request.query.get("name"), request.query.get("sid"))
        return {"set": self._switches.settings()}

    def _put_accounts(self, _request: web.BaseRequest, body: dict[str, Any], sid: str) -> Any:
        account = self._store.accounts.get(sid)
        if account is None or body.keys() - {"auth_token", "api_secret"} or not all(isinstance(v, str) for v in body.values()):
            raise StoreError("no such account, or other fields than auth_token and api_secret")
        for name, value in body.items():
            setattr(account, name, value)
        return {}

    def _put_time(self, _request: web.BaseRequest, body: dict[str, Any]) -> Any:
        self._store.clock_offset_secs = float(body["offset_secs"])
        return {"now_secs": self._store.now()}

    def _post_calls(self, _request: web.BaseRequest, body: dict[str, Any]) -> Any:
        return self._api.renderer.call(self._store.add_call(body))

    def _post_recordings(self, request: web.BaseRequest, body: dict[str, Any]) -> Any:
        return self._api.renderer.recording(self._store.add_recording(body), request.headers.get("Host", ""))

    def _put_calls(self, _request: web.BaseRequest, body: dict[str, Any], sid: str) -> Any:
        row = self._store.update(sid, body)
        if not isinstance(row, Call):
            raise StoreError(f"not a call: {sid}")
        return self._api.renderer.call(row)

    def _put_recordings(self, request: web.BaseRequest, body: dict[str, Any], sid: str) -> Any:
        row = self._store.update(sid, body)
        if not isinstance(row, Recording):
            raise StoreError(f"not a recording: {sid}")
        return self._api.renderer.recording(row, request.headers.get("Host", ""))

    def _delete_calls(self, _request: web.BaseRequest, _body: dict[str, Any], sid: str) -> Any:
        return self._console_delete(self._store.call(sid))

    def _delete_recordings(self, _request: web.BaseRequest, _body: dict[str, Any], sid: str) -> Any:
        return self._console_delete(self._store.recording(sid))

    def _console_delete(self, row: Recording | Call | None) -> Any:
        if row is None or not self._store.delete(row, "console"):
            raise StoreError("no such resource, or it is deleted already")
        return {}

    def _delete_ledger(self, _request: web.BaseRequest, _body: dict[str, Any]) -> Any:
        self._api.ledger.clear()
        return {}


def _json(answer: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=json.dumps(answer).encode(), content_type="application/json")


def _is_loopback(remote: str | None) -> bool:
    try:
        return remote is not None and ipaddress.ip_address(remote).is_loopback
    except ValueError:
        return False
