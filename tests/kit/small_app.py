"""The smallest applications that a web process can run, for the tests of the processes."""

import asyncio
import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from dropengine.config import Settings
from dropengine.errors import ConfigError


async def _pid(_: Request) -> PlainTextResponse:
    return PlainTextResponse(str(os.getpid()))


async def _size(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _busy(_: Request) -> PlainTextResponse:
    """Says its process; from then on the loop does not come round any more."""
    asyncio.get_running_loop().call_later(0.05, _for_ever)
    return await _pid(_)


def _for_ever() -> None:
    while True:
        pass


async def _long(_: Request) -> PlainTextResponse:
    """Takes longer than a process may be silent."""
    await asyncio.sleep(12)
    return await _pid(_)


async def _sit(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(str(os.getpid()))
    await socket.receive()


def build(settings: Settings) -> Starlette:
    """Says its process by HTTP and by socket, then sits."""
    assert settings.redis_url is not None
    return Starlette(
        routes=[
            Route("/pid", _pid),
            Route("/busy", _busy),
            Route("/long", _long),
            Route("/size", _size, methods=["POST"]),
            WebSocketRoute("/sit", _sit),
        ]
    )


def wrong(settings: Settings) -> Starlette:
    """Finds a mistake in the settings."""
    raise ConfigError([f"port: {settings.port} brings bad luck"])


def broken(settings: Settings) -> Starlette:
    """Has a bug."""
    raise RuntimeError("a bug in the making")
