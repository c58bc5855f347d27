"""Watchers by the thousand: `python -m loadtest.swarm --host URL --drop ID --fans N`.

They are those of a rehearsal, in a process of their own. When a line comes on standard input, or it
ends, one JSON object on standard output says what they saw.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import msgspec
import uvloop

from dropengine.processes.open_file_limit import raise_file_limit
from dropengine.rehearsal.load.watchers import Swarm


class Seen(msgspec.Struct, frozen=True):
    """open: watchers that were there at the end. lags_ms: how old what a tick showed was, of one
    screen in many. why: what kept watchers away, counted."""

    wanted: int
    open: int
    frames: int
    lags_ms: list[float]
    why: dict[str, int]


async def watched(host: str, drop: str, fans: int) -> Seen:
    """Let them look until somebody says that it is over."""
    swarm = Swarm(host, drop)
    await swarm.resize(fans)
    await asyncio.to_thread(sys.stdin.readline)
    seen = Seen(fans, swarm.open, swarm.frames, swarm.lags_ms, dict(swarm.why))
    await swarm.close()
    return seen


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.swarm", description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--drop", required=True)
    parser.add_argument("--fans", type=int, required=True)
    asked = parser.parse_args()
    raise_file_limit()
    seen = uvloop.run(watched(asked.host, asked.drop, asked.fans))
    sys.stdout.buffer.write(msgspec.json.encode(seen) + b"\n")


if __name__ == "__main__":
    main()
