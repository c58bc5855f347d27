"""One open socket as a room sees it, and the frames that go to it.

A frame is encoded once and framed once; the same bytes go to every socket.
"""

from __future__ import annotations

from socket import SocketType
from typing import Protocol

from dropengine import wire
from dropengine.model import FanId
from dropengine.wire import CloseCode

BACKLOG_BYTES_MAX = 1 << 18
"""Unsent personal frames of one seat beyond which it is closed: it will read the state again."""


def _head(size: int) -> bytes:
    """What stands before the payload of a text frame that is a whole message."""
    if size < 126:
        return bytes((0x81, size))
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


_HEADS = [_head(size) for size in range(1024)]


class Frame:
    """One message, encoded once. `text`: the JSON. `then`: a second message that goes with it.
    `raw`: both as WebSocket text frames, to be written at once."""

    __slots__ = ("raw", "text", "then")

    def __init__(self, text: bytes, then: Frame | None = None) -> None:
        self.text = text
        self.then = then
        size = len(text)
        raw = (_HEADS[size] if size < len(_HEADS) else _head(size)) + text
        self.raw: bytes = raw if then is None else raw + then.raw


def frame(message: wire.ToFanMessage) -> Frame:
    """One message as a frame."""
    return Frame(wire.encode(message))


class Conn(Protocol):
    """The wire under a seat: the socket protocol, or a queue for plain ASGI servers and SSE.

    sock: a socket that takes framed bytes at once and never waits; its owner tells the room when
    the reader falls behind. None for a wire whose backlog has to be looked at.
    """

    @property
    def sock(self) -> SocketType | None: ...

    def push(self, frame: Frame) -> None:
        """Hand a frame over. Never waits, never raises; after the end it does nothing."""
        ...

    def rest(self, raw: bytes, /) -> None:
        """Keep what `sock` did not take, and send it as soon as it does."""
        ...

    def unsent(self) -> int:
        """Bytes that the reader has not taken yet."""
        ...

    def end(self, code: int, reason: str, /) -> None:
        """Close it, with a WebSocket close code."""
        ...


class SeatOwner(Protocol):
    """Where a seat stands: a room."""

    def leave(self, seat: Seat, /) -> None:
        """The seat is empty from now on."""
        ...


class Seat:
    """One open socket in a room. `fan` is None for a watcher."""

    __slots__ = (
        "behind_at",
        "by",
        "conn",
        "fan",
        "fresh",
        "gone",
        "owed",
        "owner",
        "sock",
        "wants_tick",
    )

    def __init__(self, conn: Conn, owner: SeatOwner) -> None:
        self.conn = conn
        self.owner = owner
        self.sock = conn.sock
        self.fan: FanId | None = None
        self.by = ""
        """The name of the ticket that it was taken with."""
        self.fresh = True
        """Its snapshot has not been sent yet; until then it gets nothing else."""
        self.gone = False
        self.wants_tick = False
        self.behind_at = 0.0
        self.owed = b""
        """A tick that goes out with the answer that is awaited."""

    def push(self, frame: Frame) -> None:
        """Something personal: kept for a slow reader, up to a limit."""
        if self.gone:
            return
        if self.sock is None or self.wants_tick:
            if self.conn.unsent() > BACKLOG_BYTES_MAX:
                self.end(CloseCode.BEHIND, "too far behind")
            else:
                self.conn.push(frame)
            return
        self.pay(frame.raw)

    def pay(self, raw: bytes = b"") -> None:
        """Write what is owed, and `raw`, to the socket at once."""
        assert self.sock is not None
        if self.owed:
            raw, self.owed = self.owed + raw, b""
        try:
            taken = self.sock.send(raw)
        except BlockingIOError:
            taken = 0
        except OSError:
            # It is gone; the word of its loss is on the way.
            return
        if taken < len(raw):
            self.conn.rest(raw[taken:])

    def end(self, code: int, reason: str) -> None:
        """Close it and give the seat up."""
        self.conn.end(code, reason)
        self.owner.leave(self)
