"""The sockets that a shop listens on, one for each of its web processes, all on one port."""

import errno
import socket
import time
from collections.abc import Sequence
from typing import Any

from dropengine.errors import PortTaken

# Processes of a killed predecessor let go of the port within this.
PORT_S_MAX = 1.0


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """`count` sockets on one address, not yet listening. Port 0 takes a free one.

    Raises PortTaken when something else has it, or when the address is not this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        address = (address[0], _free(family, address), *address[2:])
        return [_bound(family, address, shared=True) for _ in range(count)]
    except OSError as fault:
        raise PortTaken(host, port, fault.strerror or str(fault)) from fault


def _free(family: int, address: Sequence[Any]) -> int:
    """The port of an address that nobody listens on.

    Sharing is a property of both sides: a socket that does not share finds every other one, even
    those that would have let us in.
    """
    deadline = time.monotonic() + PORT_S_MAX
    while True:
        try:
            with _bound(family, address, shared=False) as probe:
                return int(probe.getsockname()[1])
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise
            time.sleep(0.02)


def _bound(family: int, address: Sequence[Any], *, shared: bool) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(tuple(address))
    except BaseException:
        one.close()
        raise
    return one
