"""The sockets that a shop listens on, one for each of its web processes, all on one port.

They listen before any process is started: whoever comes early waits, and a second shop on the port
finds them at once.
"""

import contextlib
import errno
import fcntl
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dropengine.errors import PortTaken

# Processes of a killed predecessor let go of the port within this, and whoever looks at the same
# port has looked.
PORT_S_MAX = 1.0
AGAIN_S = 0.02

BACKLOG = 4096
"""Connections that the kernel keeps while the process is busy or being started again."""


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """`count` sockets that listen on one address. Port 0 takes a free one.

    Raises PortTaken when something else has it, or when the address is not this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        if port == 0:
            with _bound(family, address, shared=False) as probe:
                address = probe.getsockname()
        deadline = time.monotonic() + PORT_S_MAX
        while True:
            try:
                return _take(family, address, count)
            except OSError as fault:
                taken = fault.errno in (errno.EADDRINUSE, errno.EWOULDBLOCK)
                if not taken or time.monotonic() >= deadline:
                    raise
            time.sleep(AGAIN_S)
    except OSError as fault:
        raise PortTaken(host, port, fault.strerror or str(fault)) from fault


def _take(family: int, address: Sequence[Any], count: int) -> list[socket.socket]:
    """Look whether nobody listens on an address, and listen there; one shop at a time.

    Sharing is a property of both sides: a socket that does not share finds every other one that
    listens, even those that would have let us in. One that is bound and does not listen yet is
    seen by nobody, hence the lock.
    """
    with contextlib.ExitStack() as opened, _port_lock(address[1]):
        _bound(family, address, shared=False).close()
        sockets = [opened.enter_context(_bound(family, address, shared=True)) for _ in range(count)]
        for one in sockets:
            one.listen(BACKLOG)
        opened.pop_all()
    return sockets


@contextlib.contextmanager
def _port_lock(port: int) -> Iterator[None]:
    """Of the whole machine, whoever looks from whatever directory, as ports are. Raises OSError
    when another shop has it."""
    if sys.platform == "linux":
        # A name of the kernel's own, in the same namespace as ports: gone with its owner.
        with socket.socket(socket.AF_UNIX) as lock:
            lock.bind(f"\0dropengine port {port}")
            yield
    else:
        path = Path(tempfile.gettempdir()) / f"dropengine-port-{port}.lock"
        with path.open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield


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
