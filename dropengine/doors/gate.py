"""What every request passes first: whose name it calls us by, where it comes from, how many it
sends.

Pure ASGI. An unsafe request and every socket must come from a page of ours; one without an Origin
is not a browser's page and must show a ticket in `Authorization: Bearer`. Provider webhooks prove
themselves.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from dropengine import refusals
from dropengine.doors import health, metrics
from dropengine.doors.http_answers import STATUS, deny_socket, problem
from dropengine.doors.identity import Headers, Identity, by_name
from dropengine.doors.rate_limit import COUNTED, RequestRate
from dropengine.doors.studio.studio_answers import refused
from dropengine.mail import unsubscribing
from dropengine.payments.port import WEBHOOKS

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CREATORS = ("/studio", "/api/studio")
"""Whoever asks here runs drops, and is told so."""
OUT = STATUS[refusals.NotEligible]
NOT_OURS = "No page of this shop sent this. A program shows an API key as a bearer."


class Gate:
    """Wraps the app. Refuses with a problem document, and a socket before it is accepted."""

    def __init__(self, app: ASGIApp, identity: Identity, rate: RequestRate) -> None:
        self._app = app
        self._identity = identity
        self._rate = rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None if scope["type"] == "lifespan" else self._judge(scope)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        status = STATUS[type(refusal)]
        if isinstance(refusal, refusals.SignIn):
            # No page of ours sent this: whoever did is turned away, not asked to sign in.
            status = OUT
        creators = scope["path"].startswith(CREATORS)
        if scope["type"] == "websocket":
            await receive()
            said = refusal.for_operator() if creators else refusal.sentence
            await deny_socket(send, status, NOT_OURS if creators and status == OUT else said)
        elif creators:
            title = NOT_OURS if status == OUT else ""
            await refused(refusal, status=status, title=title)(scope, receive, send)
        else:
            await problem(status, refusal)(scope, receive, send)

    def _judge(self, scope: Scope) -> refusals.Refusal | None:
        """Why a request goes no further."""
        headers = by_name(scope["headers"])
        if not self._by_any_name(scope["path"], headers) and not self._identity.names_us(headers):
            return refusals.BadMessage("this server is not called by that name")
        socket = scope["type"] == "websocket"
        webhook = scope["path"].startswith(WEBHOOKS)
        if socket or scope["method"] not in SAFE:
            # A mail program that ends letters is no page of anybody's; its address is signed.
            signed = webhook or scope["path"].startswith(unsubscribing.PAGE)
            refusal = self._identity.may_act(headers, socket=socket, proves_itself=signed)
            if refusal is not None:
                return refusal
        counted = socket or webhook or COUNTED in scope
        if not counted and self._rate.too_many(scope.get("client")):
            return refusals.TooManyRequests()
        return None

    def _by_any_name(self, path: str, headers: Headers) -> bool:
        """Probes and balancers ask by an address or by no name at all; so does who brings a token
        for the numbers, which no page of others has. Two names are never one."""
        by_any_name = path in health.DOORS or (
            path == metrics.DOOR and self._identity.shows_ticket(headers)
        )
        return by_any_name and self._identity.named_once(headers)
