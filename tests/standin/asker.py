"""Sends requests to the stand-in by plain http.client, exactly as a test gives them. For the stand-in's own tests."""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .client import Account, StandIn


@dataclass
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes
    whole: bool = True  # as many bytes as were promised

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> int:
        """Twilio's error code."""
        return self.json["code"]


class Asker:
    """One account's requests."""

    def __init__(self, standin: StandIn, account: Account, *, user: str | None = None, secret: str | None = None) -> None:
        self.standin, self.account = standin, account
        self.user, self.secret = user or account.sid, account.auth_token if secret is None else secret
        self.root = f"/2010-04-01/Accounts/{account.sid}"

    def raw(self, method: str, target: str, headers: dict[str, str] | None = None, *, auth: bool = True) -> Answer:
        """target: path and query as they are sent. A connection that ends before an answer raises ConnectionError."""
        sent = dict(headers or {})
        if auth and "Authorization" not in sent:
            sent["Authorization"] = "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()
        connection = http.client.HTTPConnection(urlsplit(self.standin.url).netloc, timeout=20)
        try:
            connection.request(method, target, headers=sent)
            answer = connection.getresponse()
            whole = True
            try:
                body = answer.read()
            except http.client.IncompleteRead as error:
                body, whole = error.partial, False
            except ConnectionError:
                body, whole = b"", False
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body, whole)
        finally:
            connection.close()

    def get(self, path: str, headers: dict[str, str] | None = None, **keywords: Any) -> Answer:
        """path: below the account."""
        return self.raw("GET", self.root + path, headers, **keywords)

    def delete(self, path: str) -> Answer:
        return self.raw("DELETE", self.root + path)

    def media(self, sid: str, query: str = "?RequestedChannels=2", headers: dict[str, str] | None = None,
              extension: str = "") -> Answer:
        return self.get(f"/Recordings/{sid}{extension}{query}", headers)

    def rows(self, path: str, array: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        found, target = [], self.root + path
        while target:
            page = self.raw("GET", target).json
            found += page[array]
            target = page["next_page_uri"]
        return found
