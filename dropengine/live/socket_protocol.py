"""Bytes <-> seat: uvicorn's sans-I/O WebSocket protocol with a short way in and a short way out.

Once the door has accepted a socket it *takes* it: from then on a text frame goes straight to the
talk that owns it and a shared frame is written straight to the transport; the ASGI task ends and
its queue is gone. The parent class is internal to uvicorn, so the dependency is pinned and a
contract test holds what is used of it; a server without this class is served by `QueueConn` in
`queued_frames`.
"""

from __future__ import annotations

import asyncio
from socket import SocketType

from websockets.exceptions import InvalidState
from websockets.frames import Frame as WireFrame
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # in C where it was built

from dropengine.live.keepalive import Keeper
from dropengine.live.seat import Frame
from dropengine.live.second_socket import second_socket
from dropengine.live.socket_handshake import NO_QUEUE, SocketAtTheDoor
from dropengine.live.socket_reader import SocketReader
from dropengine.wire import CloseCode

KEEPER = "dropengine.live.keepalive"
"""Where the lifespan's state holds what pings the sockets of this process."""
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
GOODBYE = 0x88
"""First byte of a close frame."""
HEAD = 6
"""Bytes before the payload of a short masked frame: two, and the mask."""
HEAD_IN_EIGHT = HEAD + 8


class LiveProtocol(SocketAtTheDoor):
    """One socket. Give it to uvicorn as `ws="dropengine.live.socket_protocol:LiveProtocol"`."""

    sock: SocketType | None = None
    """The socket while it takes bytes at once; see `Conn`."""
    _longest = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # Whatever is written goes to the socket at once, in order, and the first byte that it does
        # not take is told: so bytes may be written past the transport while it has none.
        self.transport.set_write_buffer_limits(high=0)
        if transport.get_extra_info("sslcontext") is None:
            self.sock = second_socket(transport.get_extra_info("socket"))

    def take(self, talk: SocketReader) -> None:
        """From now on `talk` reads this socket. Call it after `websocket.accept` was sent."""
        self.talk = talk
        # What only the handshake and the ASGI side need would stay for as long as the socket does.
        self.queue = self.writable = NO_QUEUE
        self._longest = self.config.ws_max_size
        for name in ("scope", "request", "response"):
            if hasattr(self, name):
                delattr(self, name)
        # Looked at for every frame: Python finds them faster here than in the class.
        early, self._rest, self.close_sent = self._rest, b"", self.close_sent
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        if self.unsent():
            talk.full()
        if early:
            self.data_received(early)

    def push(self, frame: Frame) -> None:
        """Write a frame that was framed once for everybody. Never waits, never raises."""
        self.rest(frame.raw)

    def rest(self, raw: bytes) -> None:
        """What the socket did not take at once."""
        # A write to a closed transport raises in uvloop.
        if not (self.close_sent or self.transport.is_closing()):
            self.transport.write(raw)

    def data_received(self, data: bytes) -> None:
        """A taken socket's bytes: cut into whole frames here, plain text frames read at once.

        Everything else, control frames, fragments, and whatever breaks the protocol, goes through
        the parent's parser, one whole frame at a time: it always stands between two frames, and
        every one of them counts.
        """
        if self.close_sent and self._strays(len(data)):
            return
        talk = self.talk
        if talk is None:
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
            elif length == LENGTH_IN_EIGHT:
                if size - at < HEAD_IN_EIGHT:
                    break
                body += 8
                length = int.from_bytes(data[at + 2 : at + 10], "big")
            if not 0 <= length <= self._longest:
                self._break_off(data[at:])
                return
            end = body + length
            if size < end:
                break
            if data[at] == PLAIN_TEXT and not self.frames:
                if not self.close_sent:
                    talk.receive(apply_mask(data[body:end], data[body - 4 : body]))
            else:
                self._other(talk, data[at:end], body - at)
                if self.talk is not talk:
                    return
            at = end
        self._rest = data[at:]
        if len(self._rest) > 1 and self._rest[1] < MASKED:
            # Unmasked and short: it will never be as long as a frame of a browser.
            self._break_off(self._rest)

    def _other(self, talk: SocketReader, whole: bytes, head: int) -> None:
        """A whole frame that is no plain message. head: bytes before its payload."""
        if not self.close_sent:
            talk.count()
        if self.close_sent:
            # Of what follows our close frame only the answer to it is worth a look.
            if whole[0] == GOODBYE:
                super().data_received(whole)
        elif whole[0] == PONG and len(whole) - head == len(PING_BODY):
            self._pong(apply_mask(whole[head:], whole[head - 4 : head]))
        else:
            super().data_received(whole)

    def _break_off(self, rest: bytes) -> None:
        """Unmasked, or longer than any message may be: the parser knows how to refuse it."""
        if self.close_sent:
            self.transport.abort()
        else:
            super().data_received(rest)
            assert self.close_sent, "the parser refuses such a frame by its head"

    def handle_ping(self) -> None:
        if self.close_sent:
            self.conn.data_to_send()
        else:
            super().handle_ping()

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
        self._cut_soon()
        self._lost()

    def eof_received(self) -> None:
        # The transport closes itself, once it has sent what it has.
        self._cut_soon()
        self._lost()

    def shutdown(self) -> None:
        try:
            super().shutdown()
        except InvalidState:
            # His goodbye came and our answer is on its way. This must not keep the server from
            # telling the others.
            self.transport.close()
        self._cut_soon()
        self._lost()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.talk is not None:
            self.talk.full()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.talk is not None:
            self.talk.drained()

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
        self._cut_soon()
        self._lost()

    def connection_lost(self, exc: Exception | None) -> None:
        # Before the file is closed and its number is somebody else's, and before anything can fail:
        # an object that kept the file would close it a second time.
        if self.sock is not None:
            self.sock.detach()
        super().connection_lost(exc)
