"""What a request may cost before anybody looks at it: so many bytes of headers, so much time.

uvicorn alone takes twelve megabytes of headers, and waits for ever for the rest of a request. Here
whoever dawdles or floods is refused by the connection, and nobody else notices.

A connection has one timer, which is not moved with every request: it looks now and then whether
what is waited for is due.

A fan's command that is plain in every way goes from here straight to the batch of its drop; its
answer is written when the batch comes back, without a task. Everything else is the application's.
"""

import asyncio
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from dropengine import wire
from dropengine.config import Settings
from dropengine.doors.fan_api import told
from dropengine.doors.fast_path import SHORT_WAY, Asked, FastPath
from dropengine.doors.rate_limit import COUNTED
from dropengine.live.batcher import Answer
from dropengine.truth.command_rows import command_row

LATE = (408, "Request Timeout", "The request did not arrive in time.")
LARGE = (431, "Request Header Fields Too Large", "The headers are too large.")


class _TooLarge(Exception):
    """Stops the parser, which passes it on as an error of its own."""


_NOBODY_WAITS = asyncio.Event()


class CommandInHand(RequestResponseCycle):
    """Stands where the server looks for the request in hand, while a command is on its way."""

    def __init__(self, asked: Asked) -> None:
        self.asked: Asked | None = asked
        """None once its body has come."""
        self.body = bytearray()
        self.more_body = True
        self.message_event = _NOBODY_WAITS
        self.keep_alive = True
        self.disconnected = False
        self.response_complete = False


class LimitedHttp(HttpToolsProtocol):
    """uvicorn's protocol with limits: this file's first words say which."""

    header_bytes_max: ClassVar[int]
    header_s_max: ClassVar[int]
    body_s_max: ClassVar[int]
    look_s: ClassVar[int]
    """The shortest of all times: a timer so short is never too late for a deadline set later."""

    _due_s = math.inf
    _timer: asyncio.TimerHandle | None = None
    _in_headers = True
    _header_bytes = 0
    _block_bytes = 0
    _request_bytes_at_most = 0
    _large = False
    _served = False
    _fast_path: FastPath | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self.config.root_path:
            self._fast_path = self.app_state.get(SHORT_WAY)
        # A connection that says nothing counts as a request that does not arrive.
        self._arm(self.header_s_max)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._block_bytes = len(data)
        self._request_bytes_at_most += len(data)
        if self._in_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        # The parser keeps the pieces of an unfinished header without a limit of its own.
        if self._in_headers and self._header_bytes > self.header_bytes_max:
            self._refuse(*LARGE)

    def on_message_begin(self) -> None:
        # What the application is told of it is made when it turns out to be the application's.
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        # The first request of a connection has its time already.
        if not self._in_headers or self._due_s == math.inf:
            self._arm(self.header_s_max)
        self._in_headers = True
        self._request_bytes_at_most = self._block_bytes

    def on_headers_complete(self) -> None:
        if self._request_bytes_at_most > self.header_bytes_max:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > self.header_bytes_max:
                self._large = True
                raise _TooLarge
        self._in_headers = False
        self._header_bytes = 0
        self._arm(self.body_s_max)
        asked = self._asked()
        if asked is None:
            self._begin()
        else:
            self.cycle = CommandInHand(asked)
        self._served = self.cycle is not None
        if self.parser.should_upgrade() and self._should_upgrade():
            # From here on the socket's own protocol keeps the time.
            self._stop()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        cycle = self.cycle
        if isinstance(cycle, CommandInHand) and cycle.asked is not None:
            asked, cycle.asked = cycle.asked, None
            self._give(asked, cycle)
        if self._served and self.cycle.response_complete and self._due_s < math.inf:
            # It was answered before it was read: only now is there nothing to wait for.
            self._arm(self.timeout_keep_alive)
        else:
            self._due_s = math.inf

    def on_response_complete(self) -> None:
        """One answer is out: the next request's turn, or a while of silence at most."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._due_s == math.inf:
            self._arm(self.timeout_keep_alive)

    def _begin(self, more: Mapping[str, object] = MappingProxyType({})) -> None:
        """Begin the application's request with what was read. more: of its scope."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        self.scope.update(more)  # type: ignore[typeddict-item]
        super().on_headers_complete()

    def _asked(self) -> Asked | None:
        """What this request asks, when the connection can answer it by itself."""
        parser, waits = self.parser, self._served and not self.cycle.response_complete
        if (
            self._fast_path is None
            or parser.get_method() != b"POST"
            or waits
            or self.flow.write_paused
            or self.expect_100_continue
            or parser.should_upgrade()
            or not parser.should_keep_alive()
            or parser.get_http_version() != "1.1"
        ):
            return None
        return self._fast_path.asked(self.url.decode("latin-1"), self.headers, self.client)

    def _give(self, asked: Asked, cycle: CommandInHand) -> None:
        """Its body came: give the command to its batch, or the request to the application."""
        body = bytes(cycle.body)
        command = asked.command(body)
        if command is None or isinstance(command, wire.Pay):
            cycle.response_complete = True
            self._begin({COUNTED: True})
            self.cycle.keep_alive = self.cycle.keep_alive and cycle.keep_alive
            super().on_body(body)
            super().on_message_complete()
            return

        def reply(outcome: Answer) -> None:
            try:
                answer = told(asked.room, asked.fan, outcome)
            except Exception:
                self.transport.close()
                raise
            self._answer(answer, cycle)

        asked.room.batcher.submit(command_row(asked.fan, command), reply)

    def _answer(self, answer: Response, cycle: CommandInHand) -> None:
        cycle.response_complete = True
        if self.transport.is_closing():
            return
        said = [STATUS_LINE[answer.status_code]]
        said += [b"%b: %b\r\n" % named for named in self.server_state.default_headers]
        said += [b"%b: %b\r\n" % named for named in answer.raw_headers]
        said.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        said.append(bytes(answer.body))
        self.transport.write(b"".join(said))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def send_400_response(self, msg: str) -> None:
        if self._large:
            self._refuse(*LARGE)
        else:
            super().send_400_response(msg)

    def _arm(self, after_s: int) -> None:
        """The deadline of what is waited for now, instead of the one before."""
        self._due_s = self.loop.time() + after_s
        if self._timer is None:
            self._timer = self.loop.call_later(self.look_s, self._look)

    def _look(self) -> None:
        self._timer = None
        left_s = self._due_s - self.loop.time()
        if left_s <= 0:
            self._due_s = math.inf
            self._late()
        elif left_s < math.inf:
            self._timer = self.loop.call_later(min(left_s, self.look_s), self._look)

    def _stop(self) -> None:
        self._due_s = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        if not self._in_headers or (self._served and not self.cycle.response_complete):
            # The application may be in the middle of an answer: it learns that the fan has gone.
            self.transport.close()
        else:
            self._refuse(*LATE)

    def _refuse(self, status: int, reason: str, text: str) -> None:
        self._stop()
        if not self.transport.is_closing():
            kind = "content-type: text/plain; charset=utf-8"
            said = [f"HTTP/1.1 {status} {reason}\r\n{kind}\r\n".encode()]
            said += [b"%b: %b\r\n" % named for named in self.server_state.default_headers]
            said += [f"content-length: {len(text)}\r\nconnection: close\r\n\r\n{text}".encode()]
            self.transport.writelines(said)
            self.transport.close()


def limited_http(settings: Settings) -> type[LimitedHttp]:
    """The protocol for a web process with these settings."""

    class Limited(LimitedHttp):
        header_bytes_max = settings.header_bytes_max
        header_s_max = settings.header_s_max
        body_s_max = settings.body_s_max
        look_s = min(settings.header_s_max, settings.body_s_max, settings.keep_alive_s)

    return Limited
