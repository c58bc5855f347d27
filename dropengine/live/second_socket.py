"""A second object for the file of a socket, to write past the transport that owns it."""

from __future__ import annotations

from socket import SocketType
from typing import Any

AT_ONCE = 1024
"""So many socket objects are made together, before they are needed."""
_blank: list[SocketType] = []


def second_socket(sock: Any) -> SocketType:
    """Another object for the same file; `detach` it before the file is closed.

    A tick touches them all in turn, so they are made many at a time: side by side in memory.
    """
    if not _blank:
        _blank.extend(reversed([SocketType.__new__(SocketType) for _ in range(AT_ONCE)]))
    one = _blank.pop()
    one.__init__(sock.family, sock.type, sock.proto, sock.fileno())  # type: ignore[misc]
    return one
