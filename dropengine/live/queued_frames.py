"""A seat's wire where frames cannot be written past the server: a queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dropengine.live.seat import Frame
from dropengine.wire import CloseCode


class QueueConn:
    """A seat's wire for a server without `LiveProtocol`, and for event streams: a bounded queue.

    When it is full the reader is too slow; a tick is then passed over by the room before it comes
    here.
    """

    sock = None

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Frame | None] = asyncio.Queue()
        self.code = CloseCode.RESTART
        self.on_end: Callable[[], None] | None = None
        """Called when nothing more is put into it."""
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
            if self.on_end is not None:
                self.on_end()

    async def next(self) -> Frame | None:
        """The next frame in order, or None at the end."""
        got = await self.queue.get()
        if got is not None:
            self._bytes -= len(got.text)
        return got
