"""Bytes <-> seat: uvicorn's sans-I/O WebSocket protocol with a short way in and a short way out.

Once the door has accepted a socket it *takes* it: from then on a text frame goes straight to the
talk that owns it and a shared frame is written straight to the transport; the ASGI task ends and
its queue is gone. The parent class is internal to uvicorn, so the dependency is pinned and a
contract test holds what is used of it; a server without this class is served by `QueueConn` in
`queued_frames`.
"""

from __future__ import annotations

import asyncio
import logging
from socket import SocketType
from typing import Any, Literal, cast

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected, get_remote_addr
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.frames import Frame as WireFrame
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # in C where it was built
from websockets.http11 import Request
from websockets.protocol import Protocol as Framing
from websockets.protocol import Side

from dropengine.live.keepalive import Keeper
from dropengine.live.seat import Frame
from dropengine.live.second_socket import second_socket
from dropengine.live.socket_reader import NOBODY, SocketReader
from dropengine.live.websocket_handshake import plain_handshake
from dropengine.wire import CloseCode

EXTENSION = "dropengine.conn"
"""Where the door finds this protocol: `scope["extensions"][EXTENSION]`."""
KEEPER = "dropengine.live.keepalive"
"""Where the lifespan's state holds what pings the sockets of this process."""
SHORT_WAY = "dropengine.live.talk"
"""Where the lifespan's state holds the door that may let a socket in at once."""

PLAIN_TEXT = 0x81
"""First byte of a text frame that is a whole message."""
MASKED = 0x80
PONG = 0x8A
"""First byte of a pong."""
PING_BODY = b"drop"
PING = b"\x89\x04" + PING_BODY
"""One is in flight at a time, and a socket that does not answer it is closed: so they may all be
the same."""
LENGTH_IN_TWO = 126
LENGTH_IN_EIGHT = 127
HEAD = 6
"""Bytes before the payload of a short masked frame: two, and the mask."""


class _Sink:
    """Stands in for the ASGI queue of a taken socket, and for the event that a paused `send` waits
    for: nobody reads the one or waits for the other any more."""

    def put_nowait(self, _event: object) -> None:
        pass

    def set(self) -> None:
        pass

    def clear(self) -> None:
        pass


_SINK: Any = _Sink()


class LiveProtocol(WebSocketsSansIOProtocol):
    """One socket. Give it to uvicorn as `ws="dropengine.live.socket_protocol:LiveProtocol"`."""

    talk: SocketReader | None = None
    sock: SocketType | None = None
    """The socket while it takes bytes at once; see `Conn`."""
    _longest = 0
    _rest = b""
    """The beginning of a frame that has not come whole."""
    _parsing = False
    """The parent's parser has the rest of this socket."""

    # As the parent's own `__init__` would set them.
    handshake_initiated = False
    handshake_complete = False
    close_sent = False
    close_timer = None
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
    queue: Any = _SINK
    writable: Any = _SINK
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
        # Whatever is written goes to the socket at once, in order, and the first byte that it does
        # not take is told: so bytes may be written past the transport while it has none.
        self.transport.set_write_buffer_limits(high=0)
        if transport.get_extra_info("sslcontext") is None:
            self.sock = second_socket(transport.get_extra_info("socket"))

    def take(self, talk: SocketReader) -> None:
        """From now on `talk` reads this socket. Call it after `websocket.accept` was sent."""
        self.talk = talk
        # What only the handshake and the ASGI side need would stay for as long as the socket does.
        self.queue = self.writable = _SINK
        self._longest = self.config.ws_max_size
        for name in ("scope", "request", "response"):
            if hasattr(self, name):
                delattr(self, name)
        # Looked at for every frame: Python finds them faster here than in the class.
        self._rest, self._parsing, self.close_sent = b"", False, self.close_sent
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        if self.unsent():
            talk.full()

    def push(self, frame: Frame) -> None:
        """Write a frame that was framed once for everybody. Never waits, never raises."""
        self.rest(frame.raw)

    def rest(self, raw: bytes) -> None:
        """What the socket did not take at once."""
        # A write to a closed transport raises in uvloop.
        if not (self.close_sent or self.transport.is_closing()):
            self.transport.write(raw)

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
        # Somebody who does not read does not answer either: do not keep his backlog.
        slow = self.transport.get_write_buffer_size() > 0
        timeout = 1.0 if slow else self.close_timeout
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
        """Bytes before the door has let it in, or after the parser took the rest of it."""
        if self._server_state is not None:
            if self._admitted(data):
                return
            self._go_the_long_way()
        super().data_received(data)

    def data_received(self, data: bytes) -> None:
        """A taken socket's bytes: cut into whole frames here, plain text frames read at once.

        Everything else, control frames, fragments, and whatever breaks the protocol, goes through
        the parent's parser, one whole frame at a time: it always stands between two frames.
        """
        talk = self.talk
        if talk is None or self._parsing:
            self._untaken(data)
            return
        if self._rest:
            data = self._rest + data
            self._rest = b""
        # Cut by position: to shorten the block frame by frame would copy it frame by frame.
        at, size = 0, len(data)
        while size - at >= HEAD:
            length, body = data[at + 1] - MASKED, at + HEAD
            if length == LENGTH_IN_TWO:
                body += 2
                length = data[at + 2] << 8 | data[at + 3]
            if not 0 <= length <= self._longest or data[at + 1] == MASKED + LENGTH_IN_EIGHT:
                # Unmasked, or longer than any message may be: the parser knows how to refuse it.
                self._parsing = True
                super().data_received(data[at:])
                return
            end = body + length
            if size < end:
                break
            if data[at] == PLAIN_TEXT and not self.frames:
                if not self.close_sent:
                    talk.receive(apply_mask(data[body:end], data[body - 4 : body]))
            else:
                talk.count()
                if data[at] == PONG and length == len(PING_BODY):
                    self._pong(apply_mask(data[body:end], data[body - 4 : body]))
                else:
                    super().data_received(data[at:end])
                    if self.talk is not talk:
                        return
            at = end
        self._rest = data[at:]
        if len(self._rest) > 1 and self._rest[1] < MASKED:
            # Unmasked and short: it will never be as long as a frame of a browser.
            self._parsing = True
            super().data_received(self._rest)

    def start_keepalive(self) -> None:
        if not (self.ping_interval and self.ping_timeout):
            return
        keeper = self.app_state.get(KEEPER)
        if keeper is None:
            keeper = self.app_state[KEEPER] = Keeper(self.ping_interval, self.ping_timeout)
        keeper.keep(self)

    def stop_keepalive(self) -> None:
        keeper = self.app_state.get(KEEPER)
        if keeper is not None:
            keeper.forget(self)

    def ping(self) -> None:
        if not (self.close_sent or self.transport.is_closing()):
            self.transport.write(PING)

    def handle_pong(self, event: WireFrame) -> None:
        self._pong(bytes(event.data))

    def _pong(self, body: bytes) -> None:
        if body == PING_BODY and KEEPER in self.app_state:
            self.app_state[KEEPER].heard(self)

    def silent(self) -> None:
        super().keepalive_timeout()
        self._lost()

    def shutdown(self) -> None:
        try:
            super().shutdown()
        except InvalidState:
            # His goodbye came and our answer is on its way. This must not keep the server from
            # telling the others.
            self.transport.close()
        self._lost()

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self._lost()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.talk is not None:
            self.talk.full()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.talk is not None:
            self.talk.drained()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]

    def send_receive_event_to_app(self) -> None:
        talk = self.talk
        if talk is None:
            super().send_receive_event_to_app()
            return
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return
        if self.curr_msg_data_type == "text":
            talk.receive(data)
        else:
            self.end(CloseCode.BAD_MESSAGE, "text frames only")
            # Nothing may follow the close frame, not even a tick.
            self._lost()

    def handle_close(self, event: WireFrame) -> None:
        super().handle_close(event)
        self._lost()

    def connection_lost(self, exc: Exception | None) -> None:
        # Before the file is closed and its number is somebody else's, and before anything can fail:
        # an object that kept the file would close it a second time.
        if self.sock is not None:
            self.sock.detach()
        try:
            super().connection_lost(exc)
        finally:
            self._lost()

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
            raise
        except Exception:
            if self.talk is None:
                self.logger.exception("Exception in ASGI application\n")
                self.send_500_response()
                self.transport.close()
            else:
                self.logger.exception("a taken socket's door failed")
                self.end(1011, "")
            return
        if self.talk is None and self.close_timer is None:
            if not self.handshake_complete:
                self.send_500_response()
            self.transport.close()
