"""`GET /drops/{drop}/live`: who may take a seat, and the way to it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from starlette.datastructures import Headers

from dropengine import errors, refusals
from dropengine.doors.identity import Origins, network, ticket_in_cookies, ticket_of
from dropengine.live.hub import Hub
from dropengine.live.queued_frames import QueueConn
from dropengine.live.room import Room
from dropengine.live.socket_protocol import EXTENSION, LiveProtocol
from dropengine.live.talk import Talker
from dropengine.model import DropId
from dropengine.people.tickets import Tickets
from dropengine.wire import CloseCode

log = logging.getLogger(__name__)

SUBPROTOCOL = "drop.v1"
BEFORE, AFTER = b"/drops/", b"/live"
"""What stands around a drop's id in the address of its socket."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class LiveDoor:
    """`GET /drops/{drop}/live`: checks who comes, seats him, and leaves the socket to his talk."""

    def __init__(self, hub: Hub, tickets: Tickets, origins: Origins) -> None:
        self._hub = hub
        self._tickets = tickets
        self._origins = origins
        self._networks: Counter[str] = Counter()
        self._open = 0
        self._accepts = 0.0
        self._accepted_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        drop: str = scope["path_params"]["drop"]
        client = scope.get("client")
        where = network(client[0]) if client else ""
        refusal = self._full(where)
        if refusal is not None:
            await self._deny(send, 503, refusal)
            return
        # Counted before anything is waited for: a thousand at once must not all find one free seat.
        self._networks[where] += 1
        self._open += 1
        taken = False
        try:
            taken = await self._seat(scope, drop, receive, send, lambda: self._left(where))
        finally:
            if not taken:
                self._left(where)

    def admit(
        self, path: bytes, headers: Mapping[bytes, bytes], client: tuple[str, int] | None
    ) -> Callable[[LiveProtocol], None] | None:
        """The short way: who can be let in at once is, without a task. None: take the long way,
        which says why somebody is refused, and opens rooms.

        headers: each name once, lower case. What is answered seats a socket that was accepted.
        """
        if not (path.startswith(BEFORE) and path.endswith(AFTER)):
            return None
        room = self._hub.rooms.get(DropId(path[len(BEFORE) : -len(AFTER)].decode("latin-1")))
        if room is None or room.ended:
            return None
        authority = headers.get(b"host", b"").decode("latin-1")
        origin = headers.get(b"origin")
        if not self._origins.names_us(authority) or self._origins.acts(
            authority,
            None if origin is None else origin.decode("latin-1"),
            proven=b"cookie" not in headers,
        ):
            return None
        where = network(client[0]) if client else ""
        if b"authorization" in headers or self._full(where) is not None:
            return None
        ticket = ticket_in_cookies(headers.get(b"cookie", b"").decode("latin-1"))
        self._networks[where] += 1
        self._open += 1

        def seat(conn: LiveProtocol) -> None:
            talker = Talker(room, conn, self._tickets, ticket)
            talker.on_lost = lambda: self._left(where)
            conn.take(talker)

        return seat

    async def _seat(
        self, scope: Scope, drop: str, receive: Receive, send: Send, left: Callable[[], None]
    ) -> bool:
        """Let him in. True when the socket lives on and calls `left` at its end."""
        headers = Headers(scope=scope)
        try:
            room = await self._hub.room(drop)
        except errors.Unavailable as error:
            # Where the server is and how it failed is for the log alone.
            log.info("%s: nobody is seated: %s", drop, error)
            await self._deny(send, 503, refusals.Away(why=error.why).text)
            return False
        accept: dict[str, Any] = {"type": "websocket.accept"}
        if SUBPROTOCOL in scope.get("subprotocols", ()):
            accept["subprotocol"] = SUBPROTOCOL
        if room is None:
            await send(accept)
            await send({"type": "websocket.close", "code": CloseCode.NO_SUCH_DROP})
            return False
        await send(accept)
        ticket = ticket_of(headers)
        conn = scope.get("extensions", {}).get(EXTENSION)
        if isinstance(conn, LiveProtocol):
            if conn.transport.is_closing():
                return False
            talker = Talker(room, conn, self._tickets, ticket)
            talker.on_lost = left
            conn.take(talker)
            return True
        await _by_queue(room, self._tickets, ticket, receive, send)
        return False

    def _full(self, where: str) -> str | None:
        """Why nobody is let in now, or None. A refused one comes back, jittered."""
        settings = self._hub.settings
        now = time.monotonic()
        rate = settings.handshakes_per_s_max
        self._accepts = max(0.0, self._accepts - (now - self._accepted_at) * rate)
        self._accepted_at = now
        if self._hub.leaving:
            return "this server is about to stop"
        if self._open >= settings.sockets_max:
            return "every seat is taken"
        if self._networks[where] >= settings.sockets_per_network_max:
            return "too many sockets from one network"
        if self._accepts >= rate:
            return "too many arrivals at once"
        self._accepts += 1
        return None

    def _left(self, where: str) -> None:
        self._open -= 1
        self._networks[where] -= 1
        if self._networks[where] <= 0:
            del self._networks[where]

    @staticmethod
    async def _deny(send: Send, status: int, why: str) -> None:
        await send(
            {
                "type": "websocket.http.response.start",
                "status": status,
                "headers": [
                    (b"retry-after", b"2"),
                    (b"content-type", b"text/plain; charset=utf-8"),
                ],
            }
        )
        await send({"type": "websocket.http.response.body", "body": why.encode()})


async def _by_queue(
    room: Room, tickets: Tickets, ticket: str | None, receive: Receive, send: Send
) -> None:
    """The ordinary way through the ASGI queue: slower, the same talk."""
    conn = QueueConn()
    talker = Talker(room, conn, tickets, ticket)

    async def write() -> None:
        while (sent := await conn.next()) is not None:
            await send({"type": "websocket.send", "text": sent.text.decode()})
        await send({"type": "websocket.close", "code": conn.code})

    writer = asyncio.create_task(write())
    try:
        while not writer.done():
            event = await receive()
            if event["type"] == "websocket.disconnect":
                break
            text = event.get("text")
            if text is None:
                talker.seat.end(CloseCode.BAD_MESSAGE, "text frames only")
                break
            talker.receive(text.encode())
    finally:
        talker.lost()
        # What is queued still goes out, then the writer ends; on a lost socket it ends at once.
        conn.end(CloseCode.RESTART, "")
        await asyncio.gather(writer, return_exceptions=True)
