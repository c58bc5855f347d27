"""The library `websockets` and its own `broadcast`: one encoding, one frame a socket.

python -m loadtest.bench.peers.broadcast
"""

from __future__ import annotations

import asyncio
import time

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from loadtest.bench.machine import open_files_wide
from loadtest.bench.peers.sending_instructions import EVERY_S, instructions

screens: set[ServerConnection] = set()


async def watch(connection: ServerConnection) -> None:
    """A screen."""
    screens.add(connection)
    try:
        await connection.wait_closed()
    except ConnectionClosed:
        pass
    finally:
        screens.discard(connection)


async def tell(text: str, times: int) -> None:
    """Send the text to everybody, ten times a second as far as it can."""
    for _ in range(times):
        begun = time.monotonic()
        broadcast(screens, text)
        await asyncio.sleep(max(0.0, begun + EVERY_S - time.monotonic()))


async def main() -> None:
    """Serve on a free port until standard input ends."""
    async with serve(
        watch,
        "127.0.0.1",
        0,
        compression=None,
        subprotocols=[Subprotocol("drop.v1")],
        backlog=4096,
    ) as server:
        await instructions(tell, next(iter(server.sockets)).getsockname()[1])


if __name__ == "__main__":
    open_files_wide()
    uvloop.run(main())
