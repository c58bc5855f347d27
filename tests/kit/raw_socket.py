"""A socket, or any connection, without a library: every byte is the test's own."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # in C where it was built

from tests.kit.web_process import LONG_S, Message, WebProcess

SEGMENT = 1_400
"""Bytes, as over a network."""
TEXT, BINARY, CLOSE, PING, PONG = 0x81, 0x82, 0x88, 0x89, 0x8A


def framed(head: int, payload: bytes = b"", *, mask: bool = True, size: bytes = b"") -> bytes:
    """One frame. size: the bytes of its length, where they are not to be the usual ones."""
    flag = 0x80 if mask else 0
    if not size:
        if len(payload) < 126:
            size = bytes([len(payload)])
        elif len(payload) < 65_536:
            size = b"\x7e" + len(payload).to_bytes(2, "big")
        else:
            size = b"\x7f" + len(payload).to_bytes(8, "big")
    size = bytes([size[0] | flag]) + size[1:]
    key = os.urandom(4)
    return bytes([head]) + size + (key + apply_mask(payload, key) if mask else payload)


def ping(number: int, padding: int = 0) -> bytes:
    """Our ping, as a text frame."""
    return framed(TEXT, b'{"t":"ping","id":%d,"c":0}%b' % (number, b" " * padding))


class Raw:
    """A socket without a library."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def frame(self) -> tuple[int, bytes]:
        """The next frame of the server."""
        async with asyncio.timeout(LONG_S):
            head, length = await self.reader.readexactly(2)
            if length == 126:
                length = int.from_bytes(await self.reader.readexactly(2), "big")
            elif length == 127:
                length = int.from_bytes(await self.reader.readexactly(8), "big")
            return head, await self.reader.readexactly(length)

    async def until(self, head: int, when: Callable[[bytes], bool] = lambda _: True) -> bytes:
        while True:
            got, payload = await self.frame()
            assert got != CLOSE or head == CLOSE, payload
            if got == head and when(payload):
                return payload

    async def pong(self) -> int:
        """The id of the next of our pongs."""
        told: Message = json.loads(await self.until(TEXT, lambda text: b'"pong"' in text))
        number: int = told["id"]
        return number

    async def closed(self) -> int:
        """The code of the server's close frame, and nothing comes after it."""
        (code,) = struct.unpack("!H", (await self.until(CLOSE))[:2])
        async with asyncio.timeout(LONG_S):
            with suppress(ConnectionError):
                assert await self.reader.read() == b""
        return int(code)


def handshake(web: WebProcess, drop: str, more: str = "") -> bytes:
    return (
        f"GET /drops/{drop}/live HTTP/1.1\r\nhost: 127.0.0.1:{web.port}\r\n"
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        f"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{more}\r\n"
    ).encode()


@asynccontextmanager
async def raw(web: WebProcess, drop: str, at_once: bytes = b"") -> AsyncIterator[Raw]:
    """A watcher's socket. at_once: bytes sent together with the handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    try:
        writer.write(handshake(web, drop) + at_once)
        async with asyncio.timeout(LONG_S):
            head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        # Compression would cost each socket its own bytes.
        assert b"sec-websocket-extensions" not in head.lower()
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()


class Line:
    """A connection from an address of this machine. It reads nothing unless it is told to."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end

    async def send(self, data: bytes) -> None:
        """Send it whole, unless the other side has closed."""
        with suppress(ConnectionError):
            await asyncio.get_running_loop().sock_sendall(self.end, data)

    async def read(self) -> bytes:
        """The next bytes; nothing at the end, however it came."""
        async with asyncio.timeout(LONG_S):
            with suppress(ConnectionError):
                return await asyncio.get_running_loop().sock_recv(self.end, 65_536)
        return b""

    async def everything(self) -> bytes:
        """All that comes until the other side has closed."""
        said = b""
        while piece := await self.read():
            said += piece
        return said

    async def until(self, word: bytes) -> bytes:
        """All that comes until this has come, or the end."""
        said = b""
        while word not in said and (piece := await self.read()):
            said += piece
        return said

    def reset(self) -> None:
        """Leave without a goodbye."""
        self.end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.end.close()


@asynccontextmanager
async def line(
    port: int, said: bytes = b"", *, local: str = "127.0.0.1", takes: int | None = None
) -> AsyncIterator[Line]:
    """takes: bytes that its own system takes for it; small for one that does not read."""
    end = socket.socket()
    if takes is not None:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
        # In segments as large as this machine's own, the other side's system would take megabytes.
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
    end.setblocking(False)
    end.bind((local, 0))
    await asyncio.get_running_loop().sock_connect(end, ("127.0.0.1", port))
    one = Line(end)
    try:
        await one.send(said)
        yield one
    finally:
        end.close()
