"""Watchers by the thousand: `python -m loadtest.swarm --host URL --drop ID --fans N`.

They are those of a rehearsal, in a process of their own. An empty line on standard output says that
all of them are there. The line `again` on standard input begins the counting of gaps anew; when
another one comes, or it ends, one JSON object says what they saw.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable

import msgspec
import uvloop

from dropengine.processes.open_file_limit import raise_file_limit
from dropengine.rehearsal.load.watchers import Swarm

AGAIN = b"again\n"
GAP_EVERY = 50
LOOK_S = 0.05
TICK = b'{"t":"tick"'


class Seen(msgspec.Struct, frozen=True):
    """open: watchers that were there at the end. lags_ms: how old what a tick showed was, of one
    screen in many. longest_gap_ms: the longest that one of some waited for its next tick. why:
    what kept watchers away, counted."""

    wanted: int
    open: int
    frames: int
    lags_ms: list[float]
    longest_gap_ms: float
    why: dict[str, int]


class Screens(Swarm):
    """Of one in `GAP_EVERY` it is known how long it waited for a tick, since the last `again`."""

    def __init__(self, host: str, drop: str) -> None:
        super().__init__(host, drop)
        self.longest_gap_ms = 0.0
        self._since_s = 0.0
        self._told_s: dict[int, float] = {}

    def again(self) -> None:
        """What was is forgotten."""
        self.longest_gap_ms, self._since_s = 0.0, time.monotonic()

    def hearing(self, number: int) -> Callable[[bytes], None]:
        hear = super().hearing(number)
        if number % GAP_EVERY:
            return hear
        self._told_s.pop(number, None)

        def heard(frame: bytes) -> None:
            hear(frame)
            if frame.startswith(TICK):
                now_s = time.monotonic()
                gap_s = now_s - max(self._told_s.get(number, now_s), self._since_s)
                self._told_s[number] = now_s
                self.longest_gap_ms = max(self.longest_gap_ms, gap_s * 1000)

        return heard


async def watched(host: str, drop: str, fans: int) -> Seen:
    """Let them look until somebody says that it is over."""
    swarm = Screens(host, drop)
    await swarm.resize(fans)
    telling = asyncio.create_task(_tell_when_there(swarm, fans))
    while await asyncio.to_thread(sys.stdin.buffer.readline) == AGAIN:
        swarm.again()
    telling.cancel()
    why = dict(swarm.why)
    seen = Seen(fans, swarm.open, swarm.frames, swarm.lags_ms, swarm.longest_gap_ms, why)
    await swarm.close()
    return seen


async def _tell_when_there(swarm: Screens, fans: int) -> None:
    while swarm.open < fans:  # noqa: ASYNC110 - thousands of events
        await asyncio.sleep(LOOK_S)
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


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
