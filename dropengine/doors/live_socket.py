"""`GET /drops/{drop}/live`: who may take a seat, and the way to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.types import Receive, Scope, Send

from dropengine import errors, refusals
from dropengine.doors.http_answers import STATUS, deny_socket
from dropengine.doors.identity import Headers, Identity, by_name
from dropengine.doors.rate_limit import SocketLimit, network_of, whence_of
from dropengine.live.hub import Hub
from dropengine.live.queued_frames import QueueConn
from dropengine.live.room import Room
from dropengine.live.seat import Conn
from dropengine.live.socket_handshake import EXTENSION
from dropengine.live.socket_protocol import LiveProtocol
from dropengine.live.talk import Talker
from dropengine.model import DropId
from dropengine.people.tickets import Ticket
from dropengine.truth.networks import Whence
from dropengine.wire import CloseCode

log = logging.getLogger(__name__)

SUBPROTOCOL = "drop.v1"
FOREIGN = "this socket speaks {}"
BEFORE, AFTER = b"/drops/", b"/live"
"""What stands around a drop's id in the address of its socket."""
RETRY_S = 2
"""Who is not let in comes back after this long, jittered."""


class LiveDoor:
    """`GET /drops/{drop}/live`: checks who comes, seats him, and leaves the socket to his talk."""

    subprotocol = SUBPROTOCOL

    def __init__(self, hub: Hub, identity: Identity, limit: SocketLimit) -> None:
        self._hub = hub
        self._identity = identity
        self._limit = limit
        self._whose = identity.whose
        """One for all sockets: a method named anew would be an object of each."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        offered = scope.get("subprotocols", ())
        if offered and self.subprotocol not in offered:
            # A client that let in all the same would have to end it (RFC 6455, section 4.1).
            foreign = FOREIGN.format(self.subprotocol)
            await deny_socket(send, STATUS[refusals.BadMessage], foreign)
            return
        where = network_of(scope.get("client"))
        # Counted before anything is waited for: a thousand at once must not all find one free seat.
        refusal = self._full(where)
        if refusal is not None:
            await deny_socket(send, STATUS[refusals.Away], refusal, RETRY_S)
            return
        left = partial(self._limit.leave, where)
        conn = scope.get("extensions", {}).get(EXTENSION)
        if isinstance(conn, LiveProtocol):
            # It is counted until its connection is gone, whatever becomes of it here.
            conn.keep(left)
            await self._seat(scope, receive, send, conn)
            return
        try:
            await self._seat(scope, receive, send, None)
        finally:
            left()

    def admit(
        self, path: bytes, headers: Headers, client: tuple[str, int] | None
    ) -> Callable[[LiveProtocol], None] | None:
        """The short way: who can be let in at once is, without a task. None: take the long way,
        which says why somebody is refused, and opens rooms.

        What is answered seats a socket that was accepted.
        """
        if not (path.startswith(BEFORE) and path.endswith(AFTER)):
            return None
        room = self._hub.rooms.get(DropId(path[len(BEFORE) : -len(AFTER)].decode("latin-1")))
        if room is None or room.ended:
            return None
        identity = self._identity
        # Browsers, the many, show no ticket by themselves: whoever does is no crowd.
        if (
            identity.shows_ticket(headers)
            or not identity.names_us(headers)
            or identity.may_act(headers, socket=True) is not None
        ):
            return None
        where = network_of(client)
        if self._full(where) is not None:
            return None
        ticket = identity.who(headers)

        def seat(conn: LiveProtocol) -> None:
            conn.keep(partial(self._limit.leave, where))
            self._talk(room, conn, ticket, whence_of(client))

        return seat

    async def _seat(
        self, scope: Scope, receive: Receive, send: Send, conn: LiveProtocol | None
    ) -> None:
        """Let him in."""
        drop: str = scope["path_params"]["drop"]
        try:
            room = await self._hub.room(drop)
        except errors.Unavailable as error:
            # Where the server is and how it failed is for the log alone.
            log.info("%s: nobody is seated: %s", drop, error)
            away = refusals.Away(why=error.why)
            await deny_socket(send, STATUS[refusals.Away], away.text, RETRY_S)
            return
        accept: dict[str, Any] = {"type": "websocket.accept"}
        if self.subprotocol in scope.get("subprotocols", ()):
            accept["subprotocol"] = self.subprotocol
        await send(accept)
        if room is None:
            await send({"type": "websocket.close", "code": CloseCode.NO_SUCH_DROP})
            return
        if conn is None:
            await self._talk_by_queue(room, scope, receive, send)
        elif room.ended:
            # It was closed before he sat down: he comes back to the next one.
            conn.end(CloseCode.RESTART, "")
        elif not conn.transport.is_closing():
            conn.take(self._talker(room, conn, scope))

    def _talker(self, room: Room, conn: Conn, scope: Scope) -> Talker:
        """Who sits down and talks."""
        ticket = self._identity.who(by_name(scope["headers"]))
        return Talker(room, conn, self._whose, ticket, whence_of(scope.get("client")))

    def _talk(self, room: Room, conn: LiveProtocol, ticket: Ticket | None, whence: Whence) -> None:
        """Give a socket that came the short way to its talk."""
        if room.ended:
            conn.end(CloseCode.RESTART, "")
            return
        conn.take(Talker(room, conn, self._whose, ticket, whence))

    async def _talk_by_queue(self, room: Room, scope: Scope, receive: Receive, send: Send) -> None:
        """The ordinary way through the ASGI queue: slower, the same talk."""
        conn = QueueConn()
        talker = self._talker(room, conn, scope)
        writer = asyncio.create_task(_write(conn, send))
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

    def _full(self, where: str) -> str | None:
        """Why nobody from there is let in now; None when one more was counted."""
        return "this server is about to stop" if self._hub.leaving else self._limit.enter(where)


async def _write(conn: QueueConn, send: Send) -> None:
    """Send what is queued for a socket, and its end."""
    while (sent := await conn.next()) is not None:
        await send({"type": "websocket.send", "text": sent.text.decode()})
    await send({"type": "websocket.close", "code": conn.code})
