"""A shop at the other end of a provider: real HTTP on a free port, a clock that tests move."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dropengine.payments.port import WEBHOOKS
from tests.kit.manifests import START_MS


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
        path = f"{WEBHOOKS}{{provider}}"
        self.app = Starlette(routes=[Route(path, self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.taken.append(Delivery(list(request.headers.raw), await request.body()))
        self.came.set()
        status, wait_s = self.answers.popleft() if self.answers else (200, "")
        return Response(status_code=status, headers={"Retry-After": wait_s} if wait_s else {})
