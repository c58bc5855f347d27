"""`GET /drops/{drop}/events`: the messages of a socket as server-sent events, one way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from dropengine import errors, refusals
from dropengine.doors.connection_limits import CONNECTION, LimitedConnection
from dropengine.doors.http_answers import problem
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.rate_limit import OpenLimit, network_of
from dropengine.live.hub import Hub
from dropengine.live.queued_frames import QueueConn
from dropengine.live.room import Room
from dropengine.people.tickets import Ticket
from dropengine.wire import CloseCode

EVENTS = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
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
        settings = deps.hub.settings
        self._limit = OpenLimit(settings.streams_max, settings.sockets_per_network_max)

    async def events(self, request: Request) -> Response:
        """GET /drops/{drop}/events: the socket's messages as server-sent events, for who cannot
        have one."""
        if self._deps.hub.leaving:
            return problem(None, refusals.Away())
        extensions = request.scope.get("extensions", {})
        limited = CONNECTION in extensions
        try:
            room = await self._deps.hub.room(request.path_params["drop"])
        except errors.Unavailable as error:
            return problem(None, refusals.Away(why=error.why))
        if room is None:
            return problem(None, refusals.NotFound())
        connection = extensions.get(CONNECTION)
        if limited and connection is None:
            # He went while the room was opened: nobody reads this, and he has no place.
            return problem(None, refusals.Away())
        if request.method == "HEAD":
            return _Head(media_type=EVENTS, headers=HEADERS)
        where = network_of(request.scope.get("client"))
        if self._limit.enter(where) is not None:
            return problem(None, refusals.TooManyRequests(retry_ms=5000))
        ticket = self._deps.identity.who(by_name(request.scope["headers"]))
        left = partial(self._limit.leave, where)
        if not isinstance(connection, LimitedConnection):
            return _Stream(room, ticket, left)
        stream = _StreamOfConnection(room, ticket, left)
        # It is counted until its connection is gone, however it ends.
        connection.last(stream.lost)
        stream.conn.on_end = connection.finish
        return stream


class _Head(Response):
    """What stands before a stream, for who asks for that alone."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        super().init_headers(headers)
        del self.headers["content-length"]


class _Stream(StreamingResponse):
    """One reader of a room. left: called at the end."""

    def __init__(self, room: Room, ticket: Ticket | None, left: Callable[[], None]) -> None:
        self.conn = QueueConn()
        self.left = left
        headers = {**HEADERS, "Connection": "close"}
        super().__init__(self._frames(room, ticket), media_type=EVENTS, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.left()

    async def _frames(self, room: Room, ticket: Ticket | None) -> AsyncIterator[bytes]:
        conn = self.conn
        if room.ended:
            # It was closed before he sat down: he comes back to the next one.
            return
        seat = room.sit(conn, room.fan(ticket))
        seat.by = ticket.name if ticket is not None else ""
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
            room.leave(seat)


class _StreamOfConnection(_Stream):
    """One whose connection tells when it is gone. Then its frames end, and nothing is cancelled: a
    cancelled task keeps all that it knew until the collector comes."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await self.stream_response(send)

    def lost(self) -> None:
        """Nobody reads it any more."""
        self.conn.on_end = None
        self.conn.end(CloseCode.RESTART, "")
        self.left()
