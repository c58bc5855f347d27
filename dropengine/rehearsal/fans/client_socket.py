"""One socket of a simulated fan: frames of `drop.v1` in and out, no queue and no task of its own.

A crowd of thousands shares one event loop with little to spare, so the protocol of `websockets` is
driven without its asyncio shell, and a whole text, which is nearly all that a server sends, goes
straight to the fan who reads it; every other frame is the protocol's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Origin, Subprotocol
from websockets.uri import parse_uri

SUBPROTOCOL: Final = Subprotocol("drop.v1")
FRAME_BYTES_MAX: Final = 1 << 20
WHOLE_TEXT: Final = 0x81
SWITCHING: Final = b"HTTP/1.1 101"
HEAD_END: Final = b"\r\n\r\n"
ABNORMAL: Final = 1006
"""The close code that nobody sends: the connection was lost."""


class TurnedAway(ConnectionError):
    """The server answered the handshake with an HTTP status instead of a socket."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"the socket was turned away with status {status}")


class ClientSocket(asyncio.Protocol):
    """A socket: opening, open or lost. `hear` gets each text, `lost` the close code, once."""

    def __init__(
        self,
        url: str,
        *,
        origin: str,
        cookie: str,
        hear: Callable[[bytes], None],
        lost: Callable[[int], None],
    ) -> None:
        self._protocol = ClientProtocol(
            parse_uri(url),
            origin=Origin(origin),
            subprotocols=[SUBPROTOCOL],
            max_size=FRAME_BYTES_MAX,
        )
        self._cookie = cookie
        self._hear = hear
        self._lost = lost
        self._parts = b""
        self._came = b""
        """Of a frame that is not whole yet; before the socket is open, of the answer."""
        self._upgraded = False
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def open(self) -> bool:
        return self._transport is not None and self.opened.done()

    def send(self, frame: bytes) -> bool:
        """Send one text frame. False when the socket is gone: then nothing was sent."""
        if self._transport is None or self._protocol.state is not State.OPEN:
            return False
        self._protocol.send_text(frame)
        self._flush()
        return True

    def cut(self) -> None:
        """Lose the connection without a word, like a phone in a tunnel."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Say goodbye."""
        # A closing handshake that has begun, by either side, says it already.
        if self._transport is not None and self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            self._flush()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        request = self._protocol.connect()
        if self._cookie:
            request.headers["Cookie"] = self._cookie
        self._protocol.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        came = self._came + data if self._came else data
        self._came = b""
        at = 0
        if not self._upgraded:
            at = came.find(HEAD_END) + len(HEAD_END)
            if at < len(HEAD_END) or not came.startswith(SWITCHING):
                # Not whole yet, or a page that says why there is no socket.
                self._give(data)
                self._came = came if at < len(HEAD_END) else b""
                return
            self._upgraded = True
            self._give(came[len(came) - len(data) : at])
        while at < len(came):
            begin, end = bounds(came, at)
            if end > len(came):
                self._came = came[at:]
                if end - at > FRAME_BYTES_MAX:
                    self.cut()
                return
            if came[at] == WHOLE_TEXT:
                self._hear(came[begin:end])
            else:
                self._give(came[at:end])
            at = end

    def _give(self, data: bytes) -> None:
        """To the protocol: the answer to the handshake, and frames that are no whole text."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                if event.opcode in (Opcode.TEXT, Opcode.CONT):
                    self._parts += event.data
                    if event.fin:
                        frame, self._parts = self._parts, b""
                        self._hear(frame)
            elif isinstance(event, Response) and not self.opened.done():
                if event.status_code == 101:
                    self.opened.set_result(None)
                else:
                    self.opened.set_exception(TurnedAway(event.status_code))
        self._flush()
        if self._protocol.close_expected() and self._transport is not None:
            self._transport.close()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._flush()

    def connection_lost(self, fault: Exception | None) -> None:  # noqa: ARG002 -- asyncio's
        self._transport = None
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("the connection was lost before it was open"))
        if self.opened.cancelled() or self.opened.exception() is not None:
            return
        close = self._protocol.close_rcvd
        self._lost(ABNORMAL if close is None else int(close.code))

    def _flush(self) -> None:
        if self._transport is None:
            return
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()


def bounds(came: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame at `at` begins and ends; as far as its head is there (RFC
    6455, 5.2: a server's frame has no mask)."""
    if len(came) < at + 2:
        return at + 2, len(came) + 1
    length = came[at + 1] & 0x7F
    begin = at + 2
    if length >= 126:
        begin += 2 if length == 126 else 8
        if len(came) < begin:
            return begin, len(came) + 1
        length = int.from_bytes(came[at + 2 : begin])
    return begin, begin + length


async def dial(
    url: str,
    *,
    origin: str,
    cookie: str,
    hear: Callable[[bytes], None],
    lost: Callable[[int], None],
    within_s: float,
    local: tuple[str, int] | None = None,
) -> ClientSocket:
    """Open a socket. local: the address that it comes from. Raises OSError (also `TurnedAway`,
    TimeoutError) when it is late.

    `lost` is called only for a socket that was open.
    """
    uri = parse_uri(url)
    one = ClientSocket(url, origin=origin, cookie=cookie, hear=hear, lost=lost)
    try:
        async with asyncio.timeout(within_s):
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: one, uri.host, uri.port, local_addr=local)
            await one.opened
    except BaseException:
        one.opened.cancel()
        one.cut()
        raise
    return one
