"""A socket at the door: its handshake, who counts it, and how it ends.

Most are let in at once, without a library and without a task; the others go through uvicorn's
protocol and the application. However it ends, it is cut off when nobody takes what was written.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Literal, cast

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected, get_remote_addr
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.http11 import Request
from websockets.protocol import Protocol as Framing
from websockets.protocol import Side

from dropengine.live.socket_reader import NOBODY, SocketReader
from dropengine.live.websocket_handshake import plain_handshake

EXTENSION = "dropengine.conn"
"""Where the door finds this protocol: `scope["extensions"][EXTENSION]`."""
SHORT_WAY = "dropengine.live.talk"
"""Where the lifespan's state holds the door that may let a socket in at once."""

UNSENT_S_MAX = 1.0
"""Somebody who does not read does not answer either: his backlog is not kept longer than this."""
STRAY_BYTES_MAX = 1 << 18
"""What a client may say before it is let in, or after our close frame while its own is awaited."""
NOT_UNDERSTOOD = b"HTTP/1.1 400 Bad Request\r\n%bcontent-length: 0\r\nconnection: close\r\n\r\n"


class _Sink:
    """Stands in for the ASGI queue of a taken socket, and for the event that a paused `send` waits
    for: nobody reads the one or waits for the other any more."""

    def put_nowait(self, _event: object) -> None:
        pass

    def set(self) -> None:
        pass

    def clear(self) -> None:
        pass


NO_QUEUE: Any = _Sink()


class SocketAtTheDoor(WebSocketsSansIOProtocol):
    """One socket, until a talk takes it, and its end."""

    talk: SocketReader | None = None
    _rest = b""
    """The beginning of a frame that has not come whole, or all that came before it was let in."""
    _stray_bytes = 0
    _left: Callable[[], None] | None = None
    """Tells whoever counts this connection that it is gone."""

    # As the parent's own `__init__` would set them.
    handshake_initiated = False
    handshake_complete = False
    close_sent = False
    close_timer: asyncio.TimerHandle | None = None
    close_timeout = 10.0
    disconnected = False
    initial_response = None
    read_paused = False
    ping_timer = None
    pong_timer = None
    pending_ping_payload = None
    ping_sent_at = 0.0
    last_ping_rtt = 0.0
    curr_msg_data_type: Literal["text", "bytes"] = "bytes"
    queue: Any = NO_QUEUE
    writable: Any = NO_QUEUE
    logger = logging.getLogger("uvicorn.error")

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        # The parent makes its parser for the handshake here, a queue and an event: most sockets
        # take the short way and never need them.
        self.config = config
        self.app_state = app_state
        self.loop = _loop or asyncio.get_running_loop()
        self._server_state: ServerState | None = server_state

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def keep(self, left: Callable[[], None]) -> None:
        """Count it from here on: `left` is called when it is gone, not when it was told to go.
        Whoever counted it before does so no more."""
        before, self._left = self._left, left
        if before is not None:
            before()
        if self.disconnected:
            self._give_back()

    def _give_back(self) -> None:
        left, self._left = self._left, None
        if left is not None:
            left()

    def _cut_soon(self) -> None:
        """It is being closed: nobody waits for a reader who does not take the rest."""
        if self.close_timer is None and not self.disconnected and self.unsent():
            self.close_timer = self.loop.call_later(UNSENT_S_MAX, self.transport.abort)

    def unsent(self) -> int:
        """Bytes that the peer has not taken yet."""
        return int(self.transport.get_write_buffer_size())

    def end(self, code: int, reason: str) -> None:
        """Start the closing handshake; the peer has `close_timeout` to answer."""
        if self.close_sent or self.transport.is_closing():
            return
        try:
            self.conn.send_close(code, reason)
        except InvalidState:
            self.transport.close()
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        timeout = UNSENT_S_MAX if self.unsent() else self.close_timeout
        self.close_timer = self.loop.call_later(timeout, self.transport.abort)

    def _admitted(self, data: bytes) -> bool:
        """Accept a handshake at once, if the door lets everything about it pass.

        What is not exactly as browsers say it goes the long way, through the library and the
        application.
        """
        door = self.app_state.get(SHORT_WAY)
        if door is None or self.config.root_path:
            return False
        asked = plain_handshake(data)
        if asked is None:
            return False
        client = get_remote_addr(self.transport)
        seat = door.admit(asked.path, asked.headers, client)
        if seat is None:
            return False
        assert self._server_state is not None
        self.connections = self._server_state.connections
        self.connections.add(self)
        self._server_state = None
        self.transport.write(asked.accepted())
        self.handshake_initiated = self.handshake_complete = True
        self.frames = []
        self.client = client
        self.ping_interval, self.ping_timeout = (
            self.config.ws_ping_interval,
            self.config.ws_ping_timeout,
        )
        # The same parser, past the handshake.
        self.conn = Framing(  # type: ignore[assignment]
            Side.SERVER, max_size=self.config.ws_max_size, logger=self.logger
        )
        self.start_keepalive()
        seat(self)
        return True

    def _go_the_long_way(self) -> None:
        """Through the library and the application: all that the parent sets up at the beginning."""
        assert self._server_state is not None
        state, self._server_state = self._server_state, None
        transport = self.transport
        super().__init__(self.config, state, self.app_state, self.loop)
        super().connection_made(transport)

    def _untaken(self, data: bytes) -> None:
        """Bytes before the door has let it in, or of one that no talk reads."""
        if self._server_state is not None:
            # The whole head, as the connection's own protocol understood it.
            if not self._admitted(data):
                self._go_the_long_way()
                super().data_received(data)
                if not self.handshake_initiated:
                    self._turn_away()
        elif self.handshake_complete:
            early, self._rest = self._rest, b""
            super().data_received(early + data)
        else:
            self._rest += data
            if len(self._rest) > STRAY_BYTES_MAX:
                self.transport.abort()

    def _strays(self, size: int) -> bool:
        """So much came after our close frame: true when it is too much, and the end of it."""
        self._stray_bytes += size
        if self._stray_bytes > STRAY_BYTES_MAX:
            self.transport.abort()
        return self._stray_bytes > STRAY_BYTES_MAX

    def handle_connect(self, event: Request) -> None:
        refused = self.conn.accept(event)
        if refused.status_code == 101:
            super().handle_connect(event)
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]
            return
        # The parent would leave out what stands on every answer.
        self.request, self.response = event, refused
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        del refused.headers["Date"]
        for name, value in self.default_headers:
            refused.headers[name.decode()] = value.decode()
        self.conn.send_response(refused)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()
        self._cut_soon()

    def handle_parser_exception(self) -> None:
        if self.conn.close_sent is None:
            self._turn_away()
            return
        super().handle_parser_exception()
        self._cut_soon()
        self._lost()

    def _turn_away(self) -> None:
        """It was not let in, and is not understood."""
        self.handshake_complete = self.close_sent = True
        usual = b"".join(b"%b: %b\r\n" % named for named in self.default_headers)
        self.transport.write(NOT_UNDERSTOOD % usual)
        self.transport.close()
        self._cut_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        try:
            super().connection_lost(exc)
        finally:
            self._lost()
            self._give_back()
            self._let_go()

    def _let_go(self) -> None:
        """What holds itself would stay, with all of this connection, until the collector comes."""
        self.conn.parser.close()
        self.conn.parser_exc = self.conn.handshake_exc = None
        scope = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"].pop(EXTENSION, None)

    def _lost(self) -> None:
        """Nothing is written to the socket from here on."""
        talk, self.talk = self.talk, None
        if talk is not None:
            talk.lost()
            # Later frames of a socket that is being closed are nobody's.
            self.talk = NOBODY

    async def run_asgi(self) -> None:
        """As the parent, but an application that ends after `take` leaves the socket open."""
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            # It left before it was let in.
            pass
        except asyncio.CancelledError:
            self.transport.close()
            self._cut_soon()
            raise
        except Exception:
            if self.talk is None:
                self.logger.exception("Exception in ASGI application\n")
                self.send_500_response()
                self.transport.close()
                self._cut_soon()
            else:
                self.logger.exception("a taken socket's door failed")
                self.end(1011, "")
            return
        if self.talk is not None:
            return
        if self.close_timer is not None:
            # The parent's own end would wait for a reader who takes nothing.
            self.close_timer.cancel()
            self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)
            return
        if not self.handshake_complete:
            self.send_500_response()
        self.transport.close()
        self._cut_soon()
