"""The talk of one socket: what a fan says, and the answers to it.

Nothing waits here: a frame is read, a command is queued for its batch, and the answer is pushed
when the batch comes back. A message that cannot be read is refused; too many of them end the
socket.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from dropengine import errors, model, wire
from dropengine.batcher import Answer
from dropengine.doors.origins import Origins
from dropengine.hub import Hub
from dropengine.model import DropId, FanId, HoldGranted, HoldId
from dropengine.protocol import EXTENSION, LiveProtocol
from dropengine.room import Room
from dropengine.seat import Conn, Frame, Seat, frame
from dropengine.store import command_row
from dropengine.tickets import Tickets
from dropengine.wire import CloseCode, Done, Refused

log = logging.getLogger(__name__)

SUBPROTOCOL = "drop.v1"
BEFORE, AFTER = b"/drops/", b"/live"
"""What stands around a drop's id in the address of its socket."""
COOKIES = ("__Host-fan", "fan")
"""The first over https, the second where there is no TLS."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def ticket_of(headers: Headers) -> str | None:
    """The ticket that a request carries: in `Authorization: Bearer`, else in the cookie."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return _in_cookies(headers.get("cookie", ""))


def _in_cookies(header: str) -> str | None:
    cookies = cookie_parser(header)
    return next((cookies[name] for name in COOKIES if name in cookies), None)


def refused(message_id: int, seq: int, outcome: model.Refusal) -> Refused:
    """A refusal as a person reads it."""
    match outcome:
        case model.AllHeld(free=free, held=held):
            more: dict[str, Any] = {"free": free, "held": held}
        case model.LimitReached(room=room):
            more = {"room": room}
        case model.HoldExpired(state=state):
            more = {"state": state}
        case model.Away(retry_ms=retry_ms) | model.TooManyRequests(retry_ms=retry_ms):
            more = {"retry_ms": retry_ms}
        case _:
            more = {}
    text = outcome.sentence
    if isinstance(outcome, model.BadMessage) and outcome.why:
        text = f"{text} {outcome.why}"
    return Refused(message_id, seq, outcome.code, text, **more)


class Talker:
    """One socket's talk. `ticket`: what the handshake carried."""

    __slots__ = ("_budget", "_burst", "_rate", "_tickets", "_when", "on_lost", "room", "seat")

    def __init__(
        self,
        room: Room,
        conn: Conn,
        tickets: Tickets,
        ticket: str | None,
    ) -> None:
        self.room = room
        self._tickets = tickets
        self.on_lost: Callable[[], None] | None = None
        self._rate = float(room.settings.messages_per_s_max)
        self._burst = 2 * self._rate
        self._budget = self._burst
        self._when = time.monotonic()
        self.seat = room.sit(conn, self._fan(ticket))

    def _fan(self, ticket: str | None) -> FanId | None:
        return None if ticket is None else self._tickets.read(ticket, int(time.time()))

    def lost(self) -> None:
        self.room.leave(self.seat)
        if self.on_lost is not None:
            self.on_lost()

    def full(self) -> None:
        """The socket's reader is too slow."""
        self.room.full(self.seat)

    def drained(self) -> None:
        """It keeps up again."""
        self.room.drained(self.seat)

    def _within(self) -> bool:
        """One more frame: is that still within the rate? If not, the socket ends."""
        self._budget -= 1
        if self._budget >= 0:
            return True
        # What was earned is counted only here, where it matters.
        now = time.monotonic()
        self._budget += min(self._burst, (now - self._when) * self._rate)
        self._when = now
        if self._budget < 0:
            self.seat.end(CloseCode.FLOOD, "too many messages")
            return False
        return True

    def count(self) -> None:
        """A frame that is no message counts all the same."""
        self._within()

    def receive(self, text: bytes) -> None:
        """One frame. Commands go into the next batch."""
        if not self._within():
            return
        try:
            message = wire.parse(text)
        except ValueError as error:
            self._refuse(0, model.BadMessage(str(error)))
            return
        if isinstance(message, wire.Command):
            self._command(message)
        elif isinstance(message, wire.Hello):
            self._hello(message.ticket)
        else:
            now_ms = time.time() * 1000 + self.room.skew_ms
            self.seat.push(frame(wire.Pong(message.id, message.c, now_ms)))

    def _hello(self, ticket: str | None) -> None:
        fan = self.seat.fan
        if ticket is not None:
            fan = self._fan(ticket)
            if fan is None:
                self.seat.end(CloseCode.BAD_TICKET, "this ticket is not good here")
                return
        self.room.greet(self.seat, fan)

    def _command(self, command: wire.FanCommand) -> None:
        fan = self.seat.fan
        if fan is None:
            self._refuse(command.id, model.SignIn())
            return
        if isinstance(command, wire.Pay):
            _Payment(self, fan, command)
            return
        if fault := command.fault():
            self._refuse(command.id, model.BadMessage(fault))
            return
        room = self.room
        room.asks(self.seat)
        reply = partial(self.answer, fan, command.id)
        room.batcher.submit(command_row(fan, command), reply, self._gone)

    def _gone(self) -> bool:
        return self.seat.gone

    def answer(self, fan: FanId, message_id: int, outcome: Answer) -> None:
        """Push the answer to one command, and what it changed to every screen of the fan."""
        room = self.room
        room.answered(self.seat)
        if isinstance(outcome, HoldGranted):
            hold = room.hold_text(outcome.id, outcome.hold)
            text = wire.done(message_id, outcome.seq, hold)
            you = room.note(fan, outcome, self.seat, hold)
        elif isinstance(outcome, model.EntryGranted):
            text = wire.encode(Done(message_id, outcome.seq, entry=outcome.id))
            you = room.note(fan, outcome, self.seat)
        else:
            self._refuse(message_id, outcome)
            return
        self.seat.push(Frame(text, you))

    def _refuse(self, message_id: int, outcome: model.Refusal) -> None:
        view = self.room.view
        self.seat.push(frame(refused(message_id, view.seq if view else 0, outcome)))

    def push(self, sent: Frame) -> None:
        self.seat.push(sent)


class _Payment:
    """Begin paying for some holds: one command each, one answer for all, with their payment
    pages."""

    def __init__(self, talker: Talker, fan: FanId, command: wire.Pay) -> None:
        self._talker = talker
        self._fan = fan
        self._id = command.id
        self._outcomes: list[Answer] = []
        self._left = len(command.holds)
        for i, hold in enumerate(command.holds):
            key = command.key if i == 0 else f"{command.key[:60]}.{i}"
            one = wire.Pay(command.id, key, [hold])
            talker.room.batcher.submit(command_row(fan, one), self._reply)

    def _reply(self, outcome: Answer) -> None:
        self._outcomes.append(outcome)
        self._left -= 1
        if not self._left:
            task = asyncio.get_running_loop().create_task(self._finish())
            _TASKS.add(task)
            task.add_done_callback(_TASKS.discard)

    async def _finish(self) -> None:
        talker = self._talker
        answer = await paid_pages(talker.room, self._fan, self._id, self._outcomes)
        talker.push(frame(answer))


_TASKS: set[asyncio.Task[None]] = set()
"""asyncio keeps only weak references to running tasks."""


async def paid_pages(
    room: Room, fan: FanId, message_id: int, outcomes: list[Answer]
) -> Done | Refused:
    """The answer to `pay`: the payment page of each hold; the first refusal when there is none."""
    pages: dict[str, str] = {}
    seq, refusal = 0, None
    for outcome in outcomes:
        if isinstance(outcome, model.Paying):
            seq = max(seq, outcome.seq)
            page = await room.pay_page(HoldId(outcome.id), outcome.hold)
            if page:
                pages[outcome.id] = page
            room.note(fan, outcome)
        elif isinstance(outcome, model.Refusal) and refusal is None:
            refusal = outcome
    if pages:
        return Done(message_id, seq, pay=pages)
    view = room.view
    return refused(message_id, view.seq if view else 0, refusal or model.Away())


class QueueConn:
    """A seat's wire for a server without `LiveProtocol`, and for event streams: a bounded queue.

    When it is full the reader is too slow; a tick is then passed over by the room before it comes
    here.
    """

    sock = None

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Frame | None] = asyncio.Queue()
        self.code = CloseCode.RESTART
        self._bytes = 0
        self._ended = False

    def push(self, frame: Frame) -> None:
        if not self._ended:
            self._bytes += len(frame.text)
            self.queue.put_nowait(frame)
            if frame.then is not None:
                self.push(frame.then)

    def rest(self, _raw: bytes) -> None:
        raise AssertionError("a queue takes whole frames")

    def unsent(self) -> int:
        return self._bytes

    def end(self, code: int, _reason: str) -> None:
        if not self._ended:
            self._ended = True
            self.code = code
            self.queue.put_nowait(None)

    async def next(self) -> Frame | None:
        """The next frame in order, or None at the end."""
        got = await self.queue.get()
        if got is not None:
            self._bytes -= len(got.text)
        return got


def network(host: str) -> str:
    """What a limit per network counts: an IPv4 address, or an IPv6 /64."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return host


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
        ticket = _in_cookies(headers.get(b"cookie", b"").decode("latin-1"))
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
        except errors.Away as error:
            # Where the server is and how it failed is for the log alone.
            log.info("%s: nobody is seated: %s", drop, error)
            await self._deny(send, 503, model.Away.sentence)
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


__all__ = ["LiveDoor", "QueueConn", "Seat", "Talker", "ticket_of"]
