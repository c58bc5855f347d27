"""Every connection has an end, a limit and a count, in whatever state it is.

Until its first request's head is whole it is one of `heads_max`, and the oldest of them goes when
one more comes. From then on it is one of `http_max`, and of those of its network; a stream or a
socket moves it to a count of theirs. It is counted until it is gone, not until it was answered.

A connection has one timer, which is not moved with every request: it looks now and then whether
what is waited for is due, a request or a reader who takes what was written.
"""

from __future__ import annotations

import asyncio
import math
import socket
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Protocol

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS

from dropengine.config import Settings
from dropengine.doors.rate_limit import OpenLimit, network_of
from dropengine.live.socket_protocol import LiveProtocol

CONNECTION = "dropengine.connection"
"""Where a door finds the connection of its request: `scope["extensions"][CONNECTION]`."""

PIPELINED_MAX = 16
"""Requests of one connection that wait for the one before them. Browsers send none."""
STREAM_BYTES = 32_768
"""What the system may keep of a stream. Linux takes it twice."""
UNREAD_S = 1.0
"""Who did not keep up has so long to take the rest of an answer that has ended."""

Answer = tuple[int, str, str]
NO_HANDSHAKE = (400, "Bad Request", "This is no handshake of a socket.")
LATE = (408, "Request Timeout", "The request did not arrive in time.")
CROWD = (429, "Too Many Requests", "There are too many connections from one network.")
LARGE = (431, "Request Header Fields Too Large", "The headers are too large.")
FULL = (503, "Service Unavailable", "There are too many connections: come back in a moment.")


class Refused(Exception):
    """Stops the parser, which passes it on as an error of its own."""


class _Waiting(Protocol):
    def give_way(self) -> None: ...


class UnfinishedHeads:
    """Connections whose first head is not whole, the oldest first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: OrderedDict[_Waiting, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(self, one: _Waiting) -> None:
        """One more; when there are too many, the one that has had the most time goes."""
        if len(self._waiting) >= self._most:
            self._waiting.popitem(last=False)[0].give_way()
        self._waiting[one] = None

    def leave(self, one: _Waiting) -> None:
        """Its head is whole, or it is gone; harmless twice."""
        self._waiting.pop(one, None)


class LimitedConnection(HttpToolsProtocol):
    """uvicorn's protocol with limits: this file's first words say which."""

    header_bytes_max: ClassVar[int]
    header_s_max: ClassVar[int]
    body_s_max: ClassVar[int]
    answer_s_max: ClassVar[int]
    stop_s: ClassVar[float]
    """A request that is not whole so long after the server was told to stop is not waited for."""
    look_s: ClassVar[int]
    """The shortest of all times: a timer so short is never too late for a deadline set later."""
    heads: ClassVar[UnfinishedHeads]
    open: ClassVar[OpenLimit]
    proxies: ClassVar[Any]
    """uvicorn's list of those whose word on a caller's address is believed; None: nobody's."""

    _due_s = math.inf
    """When what is waited for must have come."""
    _cut_s = math.inf
    """When it is cut off, if nobody takes what was written."""
    _timer: asyncio.TimerHandle | None = None
    _in_headers = True
    _header_bytes = 0
    _block_bytes = 0
    _request_bytes_at_most = 0
    _beside = 0
    """Bytes of the present body that are none of it, and more than it: chunk sizes, trailers."""
    _refusal: Answer | None = None
    _running: RequestResponseCycle | None = None
    """The application's request; `cycle` is the newest one, which may wait behind it."""
    _where: str | None = None
    """The network for which `open` counts it."""
    _left: Callable[[], None] | None = None
    _last = False
    """What it carries now is the last."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.heads.enter(self)
        self._extensions: dict[str, object] = {CONNECTION: self}
        # A connection that says nothing counts as a request that does not arrive.
        self._arm(self.header_s_max)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self.heads.leave(self)
        for cycle in self._unanswered():
            # uvicorn tells the newest request alone.
            cycle.disconnected = True
            cycle.message_event.set()
        self._drop_waiting()
        super().connection_lost(exc)
        self._extensions.clear()
        self._give_back()

    def _drop_waiting(self) -> None:
        while self.pipeline:
            # It never began, and nothing else would let go of this connection.
            self.pipeline.pop()[0].on_response = _nothing

    def _unanswered(self) -> list[RequestResponseCycle]:
        asked = dict.fromkeys((self._running, self.cycle, *(one for one, _ in self.pipeline)))
        return [cycle for cycle in asked if cycle is not None and not cycle.response_complete]

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        size = len(data)
        self._beside += size
        if self._last:
            if self._beside > self.header_bytes_max:
                self._end()
            return
        self._block_bytes = size
        self._request_bytes_at_most += size
        if self._in_headers:
            self._header_bytes += size
        super().data_received(data)
        # The parser keeps the pieces of an unfinished header without a limit of its own.
        if self._in_headers:
            if self._header_bytes > self.header_bytes_max:
                self._refuse(*LARGE)
        elif self._beside > self.header_bytes_max:
            self._refuse(*LARGE)
        elif self._beside < 0:
            self._beside = 0

    def on_body(self, body: bytes) -> None:
        self._beside -= 2 * len(body)
        super().on_body(body)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _room_for_one_more(self) -> None:
        """A request begins: raises Refused when too many wait already."""
        if len(self.pipeline) >= PIPELINED_MAX:
            self._stop_parsing(CROWD)

    def _admit_head(self) -> None:
        """A head is whole: raises Refused when it is too large, or there are too many."""
        few = min(self.header_bytes_max, MAX_LINE_LENGTH)
        if self._request_bytes_at_most > few or len(self.headers) > MAX_NUM_HEADERS:
            # Of a handshake a second parser reads the same again: one limit for both.
            sizes = [len(self.url) + len(b"OPTIONS  HTTP/1.1\r\n")]
            sizes += [len(name) + len(value) + 4 for name, value in self.headers]
            if (
                max(sizes) > MAX_LINE_LENGTH
                or len(self.headers) > MAX_NUM_HEADERS
                or sum(sizes) > self.header_bytes_max
            ):
                self._stop_parsing(LARGE)
        if self._where is None or self.proxies is not None:
            self._count()
        self._in_headers = False
        self._header_bytes = self._beside = 0

    def _count(self) -> None:
        """Count it for the network that sends this request, as a trusted proxy names it."""
        self.heads.leave(self)
        client = self.client
        if self.proxies is not None and client is not None and client[0] in self.proxies:
            named = [value for name, value in self.headers if name == b"x-forwarded-for"]
            if named:
                said = b", ".join(named).decode("latin-1")
                client = self.proxies.get_trusted_client_address(said)
        where = network_of(client if client and client[0] else self.client)
        if where == self._where:
            return
        before, self._where = self._where, where
        if before is not None:
            self.open.leave(before)
        if self.open.enter(where) is not None:
            crowd = self.open.crowded(where)
            self._where = before
            if before is not None:
                self.open.enter(before)
            self._stop_parsing(CROWD if crowd else FULL)

    def _give_back(self) -> None:
        where, self._where = self._where, None
        left, self._left = self._left, None
        if where is not None:
            self.open.leave(where)
        if left is not None:
            left()

    def last(self, left: Callable[[], None]) -> None:
        """Nothing follows the answer that it carries now. Whoever calls this counts it from here
        on: `left` is called when it is gone."""
        self._last = True
        self._beside = 0
        self._drop_waiting()
        # Only who reads on notices that the other side has gone, and only what waits here is seen:
        # the system would take megabytes for a reader who takes none.
        self.flow.resume_reading()
        own = self.transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, STREAM_BYTES)
        self._give_back()
        self._left = left

    def finish(self) -> None:
        """Its last answer has ended: a reader who does not take the rest is not waited for."""
        self._cut_in(UNREAD_S)

    def give_way(self) -> None:
        """It has not asked for anything yet, and others want in."""
        self._refuse(*FULL)

    def handle_websocket_upgrade(self) -> None:
        """In our own words, because whatever becomes of the handshake has to be told to the
        protocol that took it."""
        self._stop()
        self.connections.discard(self)
        self._extensions.clear()
        head = [b"GET ", self.url, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            head += [name, b": ", value, b"\r\n"]
        head.append(b"\r\n")
        protocol: Any = self.ws_protocol_class(  # type: ignore[misc]
            config=self.config,  # type: ignore[call-arg]
            server_state=self.server_state,
            app_state=self.app_state,
        )
        if isinstance(protocol, LiveProtocol):
            where, self._where = self._where, None
            assert where is not None, "its head was admitted"
            protocol.keep(partial(self.open.leave, where))
        else:
            self._give_back()
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.data_received(b"".join(head))
        # They hold each other, for as long as a socket lives and until somebody looks for garbage.
        self.parser = None  # type: ignore[assignment]

    def _admit_handshake(self) -> None:
        """It wants to become a socket: raises Refused for what only one parser would take, and
        while anything is owed on this connection."""
        if (
            self.parser.get_method() != b"GET"
            or self.parser.get_http_version() != "1.1"
            or not self.url.isascii()
            or any(n in (b"content-length", b"transfer-encoding") for n, _ in self.headers)
            or self._unanswered()
            or self.transport.get_write_buffer_size()
        ):
            self._stop_parsing(NO_HANDSHAKE)

    def eof_received(self) -> None:
        # The transport closes itself, once it has sent what it has.
        self._cut_in(self.answer_s_max)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._cut_in(self.answer_s_max)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._cut_s = math.inf

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self._cut_in(self.answer_s_max)
        elif self._due_s < math.inf:
            self._due_s = min(self._due_s, self.loop.time() + self.stop_s)
            self._look_again()

    def _stop_parsing(self, why: Answer) -> None:
        self._refusal = why
        raise Refused

    def send_400_response(self, msg: str) -> None:
        self._refuse(*(self._refusal or (400, "Bad Request", msg)))

    def _arm(self, after_s: int) -> None:
        """The deadline of what is waited for now, instead of the one before."""
        self._due_s = self.loop.time() + after_s
        if self._timer is None:
            self._timer = self.loop.call_later(self.look_s, self._look)

    def _cut_in(self, after_s: float) -> None:
        """Cut it off then, unless it is gone or has taken everything."""
        self._cut_s = min(self._cut_s, self.loop.time() + after_s)
        self._look_again()

    def _look_again(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait_s = min(self._due_s, self._cut_s) - self.loop.time()
        self._timer = self.loop.call_later(max(0.0, min(wait_s, self.look_s)), self._look)

    def _look(self) -> None:
        self._timer = None
        now = self.loop.time()
        if self._due_s <= now:
            self._due_s = math.inf
            self._late()
        if self.transport.is_closing() and self._cut_s == math.inf:
            # The application closed it.
            self._cut_s = now + self.answer_s_max
        if self._cut_s <= now:
            self.transport.abort()
        else:
            self._look_again()

    def _stop(self) -> None:
        self._due_s = self._cut_s = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        if self._in_headers:
            self._refuse(*LATE)
        else:
            # The application may be in the middle of an answer: it learns that the fan has gone.
            self._end()

    def _end(self) -> None:
        self._due_s = math.inf
        self.transport.close()
        self._cut_in(self.answer_s_max)

    def _refuse(self, status: int, reason: str, text: str) -> None:
        """Say why and close it. While another answer is owed there is no place for a word."""
        owed = [one for one in self._unanswered() if one.response_started or not one.more_body]
        if not (owed or self.transport.is_closing()):
            again = "retry-after: 2\r\n" if status in (429, 503) else ""
            kind = f"content-type: text/plain; charset=utf-8\r\n{again}"
            said = [f"HTTP/1.1 {status} {reason}\r\n{kind}".encode()]
            said += [b"%b: %b\r\n" % named for named in self.server_state.default_headers]
            said += [f"content-length: {len(text)}\r\nconnection: close\r\n\r\n{text}".encode()]
            self.transport.writelines(said)
        self._end()


def _nothing() -> None:
    """What follows an answer that nobody waits for."""


def limits(settings: Settings) -> dict[str, object]:
    """What all connections of one web process share."""
    trusted = list(settings.forwarded_allow_ips)
    return {
        "header_bytes_max": settings.header_bytes_max,
        "header_s_max": settings.header_s_max,
        "body_s_max": settings.body_s_max,
        "answer_s_max": settings.answer_s_max,
        "stop_s": settings.shutdown_s_max / 2,
        "look_s": min(
            settings.header_s_max, settings.body_s_max, settings.answer_s_max, settings.keep_alive_s
        ),
        "heads": UnfinishedHeads(settings.heads_max),
        "open": OpenLimit(settings.http_max, settings.http_per_network_max),
        "proxies": ProxyHeadersMiddleware(_nobody, trusted).trusted_hosts if trusted else None,
    }


async def _nobody(*_: object) -> None:
    """uvicorn reads a list of proxies only for an application."""
