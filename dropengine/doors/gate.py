"""What every request passes first: whose name it calls us by, where it comes from, how many it
sends.

Pure ASGI. An unsafe request and every socket must come from a page of ours; one without an Origin
is not a browser's page and must show a ticket in `Authorization: Bearer`. Provider webhooks prove
themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers

from dropengine import refusals
from dropengine.doors.identity import Origins
from dropengine.doors.problem import problem
from dropengine.doors.rate_limit import Rate

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
WEBHOOKS = "/api/pay/webhooks/"
COUNTED = "dropengine.counted"
"""In the scope of a request that was counted before it came to the gate."""


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

    def _judge(self, scope: Scope, headers: Headers) -> tuple[int, refusals.Refusal] | None:
        authority = headers.get("host", "")
        if not self._origins.names_us(authority):
            return 400, refusals.BadMessage("this server is not called by that name")
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
            return 429, refusals.TooManyRequests()
        return None


async def _deny(send: Send, status: int, text: str) -> None:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "websocket.http.response.start", "status": status, "headers": [kind]})
    await send({"type": "websocket.http.response.body", "body": text.encode()})
