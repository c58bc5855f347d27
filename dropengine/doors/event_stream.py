"""`GET /drops/{drop}/events`: the messages of a socket as server-sent events, one way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from dropengine import errors, refusals
from dropengine.doors.http_answers import problem
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.rate_limit import StreamLimit, network_of
from dropengine.live.hub import Hub
from dropengine.live.queued_frames import QueueConn
from dropengine.live.room import Room
from dropengine.model import FanId

SILENCE_S = 15.0
"""A stream says something at least this often, so that a reader knows that it lives."""


class Deps(Protocol):
    """What this door needs of the web process."""

    @property
    def hub(self) -> Hub: ...
    @property
    def identity(self) -> Identity: ...


def routes(deps: Deps) -> list[Route]:
    """The one address of streams."""
    return [Route("/drops/{drop}/events", EventStreams(deps).events, methods=["GET"])]


class EventStreams:
    """Every stream of this process."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._limit = StreamLimit(deps.hub.settings)

    async def events(self, request: Request) -> Response:
        """GET /drops/{drop}/events: the socket's messages as server-sent events, for who cannot
        have one."""
        if self._deps.hub.leaving:
            return problem(None, refusals.Away())
        try:
            room = await self._deps.hub.room(request.path_params["drop"])
        except errors.Unavailable as error:
            return problem(None, refusals.Away(why=error.why))
        if room is None:
            return problem(None, refusals.NotFound())
        where = network_of(request.scope.get("client"))
        if self._limit.full(where):
            return problem(None, refusals.TooManyRequests(retry_ms=5000))
        fan = self._deps.identity.who(by_name(request.scope["headers"]))
        return StreamingResponse(
            self._stream(room, fan, where),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _stream(self, room: Room, fan: FanId | None, where: str) -> AsyncIterator[bytes]:
        self._limit.enter(where)
        conn = QueueConn()
        seat = room.sit(conn, fan)
        try:
            yield b"retry: 2000\n\n"
            while True:
                try:
                    async with asyncio.timeout(SILENCE_S):
                        sent = await conn.next()
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if sent is None:
                    return
                yield b"data: " + sent.text + b"\n\n"
        finally:
            self._limit.leave(where)
            room.leave(seat)
