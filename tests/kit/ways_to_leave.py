"""Ways in which a connection leaves, stays silent, or does not read."""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from tests.kit.raw_socket import CLOSE, PING, PONG, TEXT, Line, framed, ping


class Shop(NamedTuple):
    """Where the connections go."""

    port: int
    drop: str

    def asks(self, path: str, more: str = "", method: str = "GET", version: str = "1.1") -> bytes:
        first = f"{method} {path} HTTP/{version}\r\nhost: 127.0.0.1:{self.port}\r\n"
        return f"{first}{more}\r\n".encode()

    def page(self, more: str = "", version: str = "1.1") -> bytes:
        return self.asks(f"/drops/{self.drop}", more, version=version)

    def stream(self, method: str = "GET") -> bytes:
        return self.asks(f"/drops/{self.drop}/events", method=method)

    def presses(self, more: str) -> bytes:
        origin = f"origin: http://127.0.0.1:{self.port}\r\n"
        return self.asks(f"/api/drops/{self.drop}/hold", origin + more, "POST")

    def socket(self, more: str = "") -> bytes:
        up = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        key = "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        origin = f"origin: http://127.0.0.1:{self.port}\r\n"
        return self.asks(f"/drops/{self.drop}/live", up + key + origin + more)


class Way(NamedTuple):
    """first: what it says. hear: it reads until this came. then: what it says next, so many
    times. leaves: how."""

    first: Callable[[Shop], bytes]
    hear: bytes = b""
    then: Callable[[Shop], bytes] = lambda _: b""
    times: int = 1
    leaves: str = "stays"
    reads: bool = True

    async def go(self, shop: Shop, one: Line) -> None:
        """All of it but staying, which is to do nothing."""
        await one.send(self.first(shop))
        if self.hear:
            await one.until(self.hear)
        for _ in range(self.times):
            # Who does not read may not be read either.
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await one.send(self.then(shop))
            await asyncio.sleep(0)
        if self.leaves == "closes":
            one.end.close()
        elif self.leaves == "resets":
            one.end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.end.close()
        elif self.leaves == "ends":
            with suppress(OSError):
                one.end.shutdown(socket.SHUT_WR)


GOODBYE = framed(CLOSE, b"\x03\xe8")
IN, SEEN = b"\r\n\r\n", b'"snapshot"'


def _eight(head: int) -> bytes:
    return framed(head, b"", size=b"\x7f" + bytes(8))


PIECE = b"x" * 60_000
PIECES = 400
"""Of a thing that is far larger than anything may be."""
INFLATED = zlib.compress(bytes(1 << 20), wbits=-15)
"""A kilobyte that becomes a million."""


WAYS: dict[str, Way] = {
    "silent from the start": Way(lambda _: b""),
    "half a head": Way(lambda s: s.page()[:25]),
    "half a head, reset": Way(lambda s: s.page()[:25], leaves="resets"),
    "half a body": Way(lambda s: s.presses("content-length: 10\r\n") + b"ab"),
    "half a body, end": Way(lambda s: s.presses("content-length: 10\r\n") + b"ab", leaves="ends"),
    "half a chunk": Way(lambda s: s.presses("transfer-encoding: chunked\r\n") + b"5\r\nab"),
    "endless trailers": Way(
        lambda s: s.presses("transfer-encoding: chunked\r\n") + b"0\r\n",
        then=lambda _: b"t: x\r\n" * 1_000,
        times=20,
    ),
    "one endless trailer": Way(
        lambda s: s.presses("transfer-encoding: chunked\r\n") + b"0\r\nt: ",
        then=lambda _: b"x" * 60_000,
        times=20,
    ),
    "idle after an answer": Way(lambda s: s.page(), hear=IN),
    "behind the head of a stream": Way(lambda s: s.stream("HEAD") + s.page()[:20]),
    "a pipeline behind a stream, closed": Way(
        lambda s: s.stream() + s.page(), hear=SEEN, leaves="closes"
    ),
    "a pipeline behind a stream, reset": Way(
        lambda s: s.stream() + s.page() * 3, hear=SEEN, leaves="resets"
    ),
    "a pipeline, reset": Way(lambda s: s.page() * 10, leaves="resets"),
    "a long pipeline": Way(lambda s: s.asks("/healthz") * 500),
    "a stream, reset": Way(lambda s: s.stream(), hear=SEEN, leaves="resets"),
    "a stream, ended": Way(lambda s: s.stream(), hear=SEEN, leaves="ends"),
    "a stream, unread": Way(lambda s: s.stream(), reads=False),
    "answers, unread": Way(lambda s: s.page() * 8, reads=False),
    "answers, unread, ended": Way(lambda s: s.page() * 8, leaves="ends", reads=False),
    "a last answer, unread": Way(lambda s: s.page("connection: close\r\n"), reads=False),
    "a handshake with a body": Way(lambda s: s.socket("content-length: 1\r\n")),
    "a handshake with nine kilobytes of cookies": Way(
        lambda s: s.socket("cookie: " + "a" * 9_000 + "\r\n")
    ),
    "a handshake from elsewhere": Way(
        lambda s: s.socket().replace(b"origin: http://127", b"origin: http://128"), hear=IN
    ),
    "a handshake behind a stream": Way(lambda s: s.stream() + s.socket()),
    "words before it is let in": Way(lambda s: s.socket(), then=lambda _: ping(1) * 20, times=3),
    "a silent socket": Way(lambda s: s.socket(), hear=IN),
    "a socket, reset": Way(lambda s: s.socket(), hear=IN, leaves="resets"),
    "a socket, unread, goodbye": Way(
        lambda s: s.socket(),
        hear=IN,
        then=lambda _: ping(1) * 10 + framed(PING, b"x" * 100) * 10 + GOODBYE,
        reads=False,
    ),
    "a socket, unread, ended": Way(
        lambda s: s.socket(), hear=IN, then=lambda _: ping(1) * 20, leaves="ends", reads=False
    ),
    "a flood after its close frame": Way(
        lambda s: s.socket(), hear=IN, then=lambda _: framed(PING, b"x") * 2_000, times=10
    ),
    "lengths in eight bytes": Way(
        lambda s: s.socket(), hear=IN, then=lambda _: _eight(PONG) * 2_000, times=10
    ),
    "a message in endless pieces": Way(
        lambda s: s.socket(), hear=IN, then=lambda _: framed(0x01) + framed(0x00) * 500, times=5
    ),
    "a broken frame": Way(lambda s: s.socket(), hear=IN, then=lambda _: framed(0xC1, b"{}")),
    "an old stream, reset": Way(
        lambda s: s.stream().replace(b"HTTP/1.1", b"HTTP/1.0"), hear=SEEN, leaves="resets"
    ),
    "a stream with half a body": Way(
        lambda s: s.asks(f"/drops/{s.drop}/events", "content-length: 30\r\n") + b"ab", hear=SEEN
    ),
    "a body that waits to be asked for": Way(
        lambda s: s.presses("expect: 100-continue\r\ncontent-length: 10\r\n")
    ),
    "an upgrade to something else": Way(
        lambda s: s.page("connection: upgrade\r\nupgrade: h2c\r\n"),
        hear=IN,
        then=lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ),
    "a handshake behind an answer": Way(
        lambda s: s.page(), hear=b"</html>", then=lambda s: s.socket()
    ),
    "a handshake to no drop": Way(
        lambda s: s.socket().replace(s.drop.encode(), b"no-such-drop", 1), hear=IN
    ),
    "a fragmented ping": Way(
        lambda s: s.socket(), hear=IN, then=lambda _: framed(0x09, b"a") + framed(0x80, b"b")
    ),
    "half a goodbye": Way(lambda s: s.socket(), hear=IN, then=lambda _: GOODBYE[:3]),
    "an endless head": Way(
        lambda s: s.page()[:-2], then=lambda _: b"x-more: " + PIECE + b"\r\n", times=PIECES
    ),
    "a body beyond all measure": Way(
        lambda s: s.presses("content-length: 200000000\r\n"), then=lambda _: PIECE, times=PIECES
    ),
    "a body without an end": Way(
        lambda s: s.presses("transfer-encoding: chunked\r\n"),
        then=lambda _: b"%x\r\n" % len(PIECE) + PIECE + b"\r\n",
        times=PIECES,
    ),
    "a frame beyond all measure": Way(
        lambda s: s.socket() + framed(TEXT, size=b"\x7f" + (16 << 20).to_bytes(8, "big")),
        then=lambda _: PIECE,
        times=PIECES,
    ),
    "a message in large pieces": Way(
        lambda s: s.socket() + framed(0x01, b"x" * 4_000),
        hear=IN,
        then=lambda _: framed(0x00, b"x" * 4_000) * 15,
        times=PIECES,
    ),
    "a frame that would inflate": Way(
        lambda s: s.socket("sec-websocket-extensions: permessage-deflate\r\n"),
        hear=IN,
        then=lambda _: framed(0xC1, INFLATED),
    ),
    "a frame without its mask": Way(
        lambda s: s.socket(), hear=IN, then=lambda _: framed(TEXT, b"{}", mask=False)
    ),
    "text that is none": Way(
        lambda s: s.socket(), hear=IN, then=lambda _: framed(TEXT, b"\xff\xfe")
    ),
    "a ping that is too long": Way(
        lambda s: s.socket(), hear=IN, then=lambda _: framed(PING, b"x" * 126)
    ),
    "half a frame": Way(lambda s: s.socket(), hear=IN, then=lambda _: framed(TEXT, b"{}")[:4]),
}
