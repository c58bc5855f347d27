"""What a request may cost before anybody looks at it: so many bytes of headers, so much time.

uvicorn alone takes twelve megabytes of headers, and waits for ever for the rest of a request. Here
whoever dawdles or floods is refused by the connection, and nobody else notices.
"""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dropengine.config import Settings

LATE = (408, "Request Timeout", "The request did not arrive in time.")
LARGE = (431, "Request Header Fields Too Large", "The headers are too large.")


class _TooLarge(Exception):
    """Stops the parser, which passes it on as an error of its own."""


class Intake(HttpToolsProtocol):
    """uvicorn's protocol with limits; see `intake`."""

    header_bytes_max: ClassVar[int]
    header_s_max: ClassVar[int]
    body_s_max: ClassVar[int]

    _deadline: asyncio.TimerHandle | None = None
    _in_headers = True
    _header_bytes = 0
    _large = False
    _served = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # A connection that says nothing counts as a request that does not arrive.
        self._arm(self.header_s_max)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._in_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        # The parser keeps the pieces of an unfinished header without a limit of its own.
        if self._in_headers and self._header_bytes > self.header_bytes_max:
            self._refuse(*LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._deadline is None:
            self._arm(self.header_s_max)
        self._in_headers = True

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.header_bytes_max:
            self._large = True
            raise _TooLarge
        self._in_headers = False
        self._header_bytes = 0
        self._arm(self.body_s_max)
        super().on_headers_complete()
        self._served = self.cycle is not None
        if self.parser.should_upgrade() and self._should_upgrade():
            # From here on the socket's own protocol keeps the time.
            self._disarm()

    def on_message_complete(self) -> None:
        self._disarm()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._large:
            self._refuse(*LARGE)
        else:
            super().send_400_response(msg)

    def _arm(self, after_s: int) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(after_s, self._late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if not self._in_headers or (self._served and not self.cycle.response_complete):
            # The application may be in the middle of an answer: it learns that the fan has gone.
            self.transport.close()
        else:
            self._refuse(*LATE)

    def _refuse(self, status: int, reason: str, text: str) -> None:
        self._disarm()
        if not self.transport.is_closing():
            self.transport.write(
                f"HTTP/1.1 {status} {reason}\r\ncontent-type: text/plain; charset=utf-8\r\n"
                f"content-length: {len(text)}\r\nconnection: close\r\n\r\n{text}".encode()
            )
            self.transport.close()


def intake(settings: Settings) -> type[Intake]:
    """The protocol for a web process with these settings."""

    class Limited(Intake):
        header_bytes_max = settings.header_bytes_max
        header_s_max = settings.header_s_max
        body_s_max = settings.body_s_max

    return Limited
