"""A shop at the other end of a test provider: real HTTP on a free port, a clock that tests move."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dropengine.model import DropId, HoldId
from dropengine.payments.local import LocalPay
from dropengine.payments.port import Intent, intent_id
from tests.kit.manifests import HOLD_MS, START_MS

SECRET = b"a secret that only tests know of"


class Clock:
    """ms since 1970; `pass_ms` moves it."""

    def __init__(self, ms: int = START_MS) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms

    def pass_ms(self, ms: int) -> None:
        self.ms += ms


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The origin at which an app answers, on a port of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none")
        config.load()
        # Started and stopped by hand: its own loop takes over signals and ends late.
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup([listener])
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for door in server.servers:
                door.close()
            for connection in list(server.server_state.connections):
                connection.shutdown()
            await asyncio.gather(*server.server_state.tasks)


class Delivery(NamedTuple):
    headers: list[tuple[bytes, bytes]]
    body: bytes


class WebhookReceiver:
    """Keeps every webhook. `answers`: status and Retry-After for the next ones, then 200."""

    def __init__(self) -> None:
        self.taken: list[Delivery] = []
        self.answers: deque[tuple[int, str]] = deque()
        self.came = asyncio.Event()
        self.app = Starlette(
            routes=[Route("/api/pay/webhooks/{provider}", self._take, methods=["POST"])]
        )

    async def _take(self, request: Request) -> Response:
        self.taken.append(Delivery(list(request.headers.raw), await request.body()))
        self.came.set()
        status, wait_s = self.answers.popleft() if self.answers else (200, "")
        return Response(status_code=status, headers={"Retry-After": wait_s} if wait_s else {})


def an_intent(
    hold: str = "h1",
    *,
    drop: str = "eclipse",
    amount: int = 2400,
    deadline_ms: int = START_MS + HOLD_MS,
    title: str = "Eclipse",
) -> Intent:
    return Intent(
        id=intent_id(DropId(drop), HoldId(hold)),
        drop=DropId(drop),
        hold=HoldId(hold),
        title=title,
        what="Enamel pin",
        qty=1,
        amount=amount,
        currency="EUR",
        minor_digits=2,
        deadline_ms=deadline_ms,
        zone="Europe/Berlin",
        back=f"/drops/{drop}",
    )


def page_of(address: str) -> str:
    """What stands behind the last slash of a payment page's address."""
    return address.rpartition("/")[2]


@contextlib.asynccontextmanager
async def local_pay(
    path: Path,
    shop_url: str = "http://127.0.0.1:9",
    clock: Clock | None = None,
    *,
    silent: bool = False,
    capture_at_once: bool = False,
    busy_ms: int = 5_000,
) -> AsyncIterator[LocalPay]:
    """A provider with its book at `path`; without a shop nobody listens (port 9 discards)."""
    provider = LocalPay(
        path,
        SECRET,
        shop_url,
        clock=clock or Clock(),
        silent=silent,
        capture_at_once=capture_at_once,
        busy_ms=busy_ms,
    )
    try:
        yield provider
    finally:
        await provider.close()


async def until_idle(provider: LocalPay) -> None:
    """Do everything that is due by the provider's clock."""
    while await provider.step() == 0:
        pass
