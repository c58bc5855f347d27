"""The short way of a fan's command by HTTP, from its connection and back to it.

A fan's command that is plain in every way goes from here straight to the batch of its drop; its
answer is written when the batch comes back, without a task. Everything else is the application's.
What a connection may cost before anybody looks at it says `connection_limits`.
"""

import asyncio
import math
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from dropengine import refusals, wire
from dropengine.config import Settings
from dropengine.doors.connection_limits import LimitedConnection, limits
from dropengine.doors.fan_api import told
from dropengine.doors.fast_path import SHORT_WAY, Asked, FastPath
from dropengine.doors.http_answers import problem
from dropengine.doors.rate_limit import COUNTED
from dropengine.live.batcher import Answer
from dropengine.truth.command_rows import command_row

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
        self.response_started = False
        self.response_complete = False


class LimitedHttp(LimitedConnection):
    """A connection that answers plain commands by itself."""

    _served = False
    _fast_path: FastPath | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self.config.root_path:
            self._fast_path = self.app_state.get(SHORT_WAY)

    def on_message_begin(self) -> None:
        self._room_for_one_more()
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
        self._admit_head()
        if self.parser.should_upgrade() and self._should_upgrade():
            self._admit_handshake()
            # From here on the socket's own protocol keeps the time.
            self._stop()
            return
        self._arm(self.body_s_max)
        asked = self._asked()
        if asked is None:
            self._begin()
            # What still comes of headers are trailers, and nobody's.
            self.headers = []
        else:
            self.cycle = CommandInHand(asked)
        self._served = self.cycle is not None

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.parser.should_upgrade() and self._should_upgrade():
            return
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

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, partial(self._in_time, cycle, app))

    async def _in_time(
        self, cycle: RequestResponseCycle, app: Any, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """The application's answer; when a server that stops has no more time for it, that nothing
        is known."""
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if cycle.response_started:
                cycle.disconnected = True
                self.transport.abort()
            else:
                await problem(None, refusals.Away(retry_ms=1000))(scope, receive, send)

    def _begin(self, more: Mapping[str, object] = MappingProxyType({})) -> None:
        """Begin the application's request with what was read. more: of its scope."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]
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

        row = command_row(asked.fan, command)
        asked.room.batcher.submit(row, reply, None, asked.whence)

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


def limited_http(settings: Settings) -> type[LimitedHttp]:
    """The protocol for a web process with these settings."""
    return cast("type[LimitedHttp]", type("Limited", (LimitedHttp,), limits(settings)))
