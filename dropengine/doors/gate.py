"""What every request passes first: whose name it calls us by, where it comes from, how many it
sends.

Pure ASGI. An unsafe request and every socket must come from a page of ours; one without an Origin
is not a browser's page and must show a ticket in `Authorization: Bearer`. Provider webhooks prove
themselves.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from dropengine import model
from dropengine.config import Settings
from dropengine.doors.problem import problem
from dropengine.live import network

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
WEBHOOKS = "/api/pay/webhooks/"
NETWORKS_MAX = 100_000


_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")


def _host(authority: str) -> str:
    """`shop.example:8000` -> `shop.example`; `[::1]:80` -> `::1`; '' for what is no name."""
    found = _AUTHORITY.fullmatch(authority.lower())
    return (found[1] or found[2]) if found else ""


def _is_here(host: str) -> bool:
    """Is this a name of the machine itself?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Gate:
    """Wraps the app. Refuses with a problem document, and a socket before it is accepted."""

    def __init__(self, app: App, settings: Settings) -> None:
        self._app = app
        self._rate = settings.requests_per_s_max
        self._seen: dict[str, tuple[float, float]] = {}
        named = [settings.public_url, *settings.origins]
        self._origins = {o.rstrip("/").lower() for o in named if o}
        self._hosts = {_host(urlsplit(o).netloc) for o in self._origins} | {settings.host.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._judge(scope, headers)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        status, outcome = refusal
        if scope["type"] == "websocket":
            await receive()
            await _deny(send, status, outcome.sentence)
            return
        await problem(status, outcome)(scope, receive, send)

    def _judge(self, scope: Scope, headers: Headers) -> tuple[int, model.Refusal] | None:
        authority = headers.get("host", "")
        host = _host(authority)
        if not host or not (host in self._hosts or _is_here(host)):
            return 400, model.BadMessage("this server is not called by that name")
        socket = scope["type"] == "websocket"
        if socket or scope["method"] not in SAFE:
            origin = headers.get("origin")
            if origin is not None and not self._ours(origin, authority):
                return 403, model.NotEligible()
            proven = scope["path"].startswith(WEBHOOKS) or self._bearer(headers)
            # A socket without an Origin is a client with a ticket in its first message: it carries
            # no cookie that somebody else's page could borrow.
            if origin is None and not proven and not (socket and "cookie" not in headers):
                return 403, model.SignIn()
        if not socket and not scope["path"].startswith(WEBHOOKS) and self._too_many(scope):
            return 429, model.TooManyRequests()
        return None

    @staticmethod
    def _bearer(headers: Headers) -> bool:
        return headers.get("authorization", "").lower().startswith("bearer ")

    def _ours(self, origin: str, authority: str) -> bool:
        origin = origin.lower()
        if origin in self._origins:
            return True
        scheme, _, rest = origin.partition("://")
        return scheme in ("http", "https") and rest == authority.lower()

    def _too_many(self, scope: Scope) -> bool:
        """One bucket per network: `requests_per_s_max`, after a burst of ten seconds' worth."""
        client = scope.get("client")
        where = network(client[0]) if client else ""
        now, burst = time.monotonic(), 10.0 * self._rate
        if len(self._seen) > NETWORKS_MAX:
            self._seen.clear()
        budget, at = self._seen.get(where, (burst, now))
        budget = min(burst, budget + (now - at) * self._rate)
        self._seen[where] = (budget - 1 if budget >= 1 else budget, now)
        return budget < 1


async def _deny(send: Send, status: int, text: str) -> None:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "websocket.http.response.start", "status": status, "headers": [kind]})
    await send({"type": "websocket.http.response.body", "body": text.encode()})
