"""How a peer is told to send: lines on its standard input, an answer for each when it is done."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

EVERY_S = 0.1
"""A frame this often, like the ticks of a drop."""
LINE_BYTES_MAX = 1 << 20


async def instructions(tell: Callable[[str, int], Awaitable[None]], port: int) -> None:
    """Say the port, then carry out instructions until standard input ends; then end the process.

    A line is a number and a text: send the text so many times.
    """
    reader = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(port, flush=True)
    while line := await reader.readline():
        times, _, text = line.decode().rstrip("\n").partition(" ")
        await tell(text, int(times))
        print("done", flush=True)
    # Thousands of sockets need no goodbye.
    os._exit(0)
