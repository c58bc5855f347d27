"""How an answer is written in HTTP: its status and headers, and a refusal as a problem document.

A problem document (RFC 9457) carries the code of the closed list.
"""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Send

from dropengine import refusals

STATUS: dict[type[refusals.Refusal], int] = {
    refusals.BadMessage: 400,
    refusals.SignIn: 401,
    refusals.NotEligible: 403,
    refusals.NotFound: 404,
    refusals.TooManyRequests: 429,
    refusals.Away: 503,
    refusals.Frozen: 503,
}
"""Everything else is 409: the request was fine, the state is not."""

API = "/api/"
"""Where programs read: what is refused there is a problem document."""

NO_STORE = (b"cache-control", b"no-store")
GUARDS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""On every answer, whoever writes it: no page of others reads it, or takes it for another thing."""


class Written(Response):
    """A JSON answer whose headers are written out: the fans' answers are too many to derive
    them."""

    def __init__(
        self,
        body: bytes,
        status: int = 200,
        kind: bytes = b"application/json",
        *more: tuple[bytes, bytes],
    ) -> None:
        self.status_code = status
        self.background = None
        self.body = body
        length = (b"content-length", b"%d" % len(body))
        self.raw_headers = [NO_STORE, *more, length, (b"content-type", kind)]


class Problem(msgspec.Struct, omit_defaults=True):
    """RFC 9457, with the fields of a `refused` message. `code`: the closed list. `seq`: of the
    log."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    seq: int | None = None
    free: int | None = None
    held: int | None = None
    room: int | None = None
    retry_ms: int | None = None
    state: str | None = None
    network: str | None = None
    most: int | None = None
    when_ms: int | None = None
    payment: str | None = None
    page: str | None = None


def problem(status: int | None, outcome: refusals.Refusal, **more: Any) -> Response:
    """The answer for a refusal; `more`: fields of `Problem`."""
    status = status or STATUS.get(type(outcome), 409)
    retry_ms = getattr(outcome, "retry_ms", None)
    why = getattr(outcome, "why", "")
    body = Problem(
        type=f"/problems/{outcome.code}",
        title=outcome.sentence,
        status=status,
        code=outcome.code,
        detail=why,
        **{"retry_ms": retry_ms, **more},
    )
    more_headers = []
    if retry_ms is not None:
        more_headers.append((b"retry-after", b"%d" % max(1, -(-retry_ms // 1000))))
    return Written(msgspec.json.encode(body), status, b"application/problem+json", *more_headers)


async def no_such_door(request: Request, fault: Exception) -> Response:
    """404 for an address that is none, 405 with `Allow` for a method that an address does not know:
    a problem document where programs read."""
    assert isinstance(fault, HTTPException)
    allow = (fault.headers or {}).get("Allow", "")
    if not request.url.path.startswith(API):
        return PlainTextResponse(fault.detail, fault.status_code, fault.headers)
    if not allow:
        return problem(fault.status_code, refusals.NotFound())
    response = problem(fault.status_code, refusals.BadMessage(f"this address knows {allow}"))
    response.raw_headers.append((b"allow", allow.encode()))
    return response


async def deny_socket(send: Send, status: int, text: str, retry_s: int | None = None) -> None:
    """Refuse a socket before it is accepted. retry_s: when it may come back."""
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    # The server adds them to all other answers by itself.
    headers += [(name.lower().encode(), value.encode()) for name, value in GUARDS]
    if retry_s is not None:
        headers.insert(0, (b"retry-after", b"%d" % retry_s))
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": text.encode()})
