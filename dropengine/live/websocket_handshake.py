"""A WebSocket handshake exactly as browsers say it: read and answered without a library. Pure."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import NamedTuple

SUBPROTOCOL = b"drop.v1"
KEY = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")
"""16 bytes in base 64 (section 4.1)."""
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""
ACCEPT = (
    b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\n%b\r\n"
)
CHOSEN = b"Sec-WebSocket-Protocol: %b\r\n" % SUBPROTOCOL


class Handshake(NamedTuple):
    """A request for a socket. headers: each name once, in lower case."""

    path: bytes
    headers: dict[bytes, bytes]

    def accepted(self) -> bytes:
        """The answer that lets it in."""
        key = self.headers[b"sec-websocket-key"]
        token = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
        chosen = b"sec-websocket-protocol" in self.headers
        return ACCEPT % (token, CHOSEN if chosen else b"")


def plain_handshake(data: bytes) -> Handshake | None:
    """The handshake in these bytes; None for whatever is not whole or not in the plain form, which
    is for a library to understand.

    The server has parsed the request already and gives it in its own plain words.
    """
    if not data.endswith(b"\r\n\r\n"):
        return None
    first, *lines = data[:-4].split(b"\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(b": ")
        headers[name.lower()] = value.strip()
    if (
        len(headers) < len(lines)
        or KEY.fullmatch(headers.get(b"sec-websocket-key", b"")) is None
        or headers.get(b"sec-websocket-version") != b"13"
        or headers.get(b"upgrade", b"").lower() != b"websocket"
        or b"upgrade" not in headers.get(b"connection", b"").lower()
        or headers.get(b"sec-websocket-protocol", SUBPROTOCOL) != SUBPROTOCOL
        or b"content-length" in headers
        or b"transfer-encoding" in headers
    ):
        return None
    method, path, _ = first.split(b" ", 2)
    return Handshake(path, headers) if method == b"GET" else None
