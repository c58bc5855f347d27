"""What every request passes first: whose name it calls us by, where it comes from, how many it
sends.

Pure ASGI. An unsafe request and every socket must come from a page of ours; one without an Origin
is not a browser's page and must show a ticket in `Authorization: Bearer`. Provider webhooks prove
themselves.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

from starlette.datastructures import Headers

from dropengine import model
from dropengine.config import Settings
from dropengine.doors.origins import Origins
from dropengine.doors.problem import problem
from dropengine.live import network

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
WEBHOOKS = "/api/pay/webhooks/"
NETWORKS_MAX = 100_000
COUNTED = "dropengine.counted"
"""In the scope of a request that was counted before it came to the gate."""

_network = lru_cache(maxsize=4096)(network)


class Rate:
    """How many requests a network may send: one bucket each, `requests_per_s_max`, after a burst
    of ten seconds' worth."""

    def __init__(self, settings: Settings) -> None:
        self._rate = settings.requests_per_s_max
        self._seen: dict[str, tuple[float, float]] = {}

    def too_many(self, client: tuple[str, int] | None) -> bool:
        """One more request from there; is it beyond the rate? Then it is not counted."""
        where = _network(client[0]) if client else ""
        now, burst = time.monotonic(), 10.0 * self._rate
        if len(self._seen) > NETWORKS_MAX:
            self._seen.clear()
        budget, at = self._seen.get(where, (burst, now))
        budget = min(burst, budget + (now - at) * self._rate)
        self._seen[where] = (budget - 1 if budget >= 1 else budget, now)
        return budget < 1


class Gate:
    """Wraps the app. Refuses with a problem document, and a socket before it is accepted."""

    def __init__(self, app: App, origins: Origins, rate: Rate) -> None:
        self._app = app
        self._origins = origins
        self._rate = rate

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
        if not self._origins.names_us(authority):
            return 400, model.BadMessage("this server is not called by that name")
        socket = scope["type"] == "websocket"
        if socket or scope["method"] not in SAFE:
            # A socket without a cookie says in its first message who it is.
            proven = (
                scope["path"].startswith(WEBHOOKS)
                or headers.get("authorization", "").lower().startswith("bearer ")
                or (socket and "cookie" not in headers)
            )
            refusal = self._origins.acts(authority, headers.get("origin"), proven=proven)
            if refusal is not None:
                return 403, refusal
        counted = socket or COUNTED in scope or scope["path"].startswith(WEBHOOKS)
        if not counted and self._rate.too_many(scope.get("client")):
            return 429, model.TooManyRequests()
        return None


async def _deny(send: Send, status: int, text: str) -> None:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "websocket.http.response.start", "status": status, "headers": [kind]})
    await send({"type": "websocket.http.response.body", "body": text.encode()})
