"""The last change before silence: `python -m loadtest.last_change_before_silence`.

A private server, two web processes, screens on both. Changes come in pairs, 1 to 60 ms apart, and
then nothing more: every screen must have the newest state within 300 ms of the second one.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time

import msgspec
import uvloop

from dropengine import outcomes, wire
from dropengine.model import DropId, FanId
from dropengine.rehearsal.fans.client_socket import ClientSocket, dial
from dropengine.terminal.progress import Progress
from dropengine.truth.store import Store
from loadtest.throwaway_shop import one_pool, opened, throwaway_shop

PROCESSES = 2
GAP_MS = (1, 60)
WITHIN_MS = 300
GIVE_UP_S = 5.0
REST_S = 0.13
"""At most this long between a pair and the next one, so that pairs fall anywhere between ticks."""


class _Newest(msgspec.Struct):
    t: str
    seq: int = 0


_heard = msgspec.json.Decoder(_Newest)


class Screens:
    """Open sockets, and the newest seq that each of them shows."""

    def __init__(self, count: int) -> None:
        self.newest = [0] * count
        self.links: list[ClientSocket] = []
        self._behind: set[int] = set()
        self._target = 0
        self._all = asyncio.Event()
        self._closing = False
        self.last_at = 0.0
        """Monotonic time at which the last of them came up to what `until` asked for."""

    async def open(self, origin: str, drop: DropId) -> None:
        url = f"ws{origin.removeprefix('http')}/drops/{drop}/live"
        for i in range(len(self.newest)):
            self.links.append(
                await dial(
                    url,
                    origin=origin,
                    cookie="",
                    hear=lambda text, i=i: self._hear(i, text),  # type: ignore[misc]
                    lost=lambda code, i=i: self._lost(i, code),  # type: ignore[misc]
                    within_s=GIVE_UP_S,
                )
            )

    def close(self) -> None:
        self._closing = True
        for link in self.links:
            link.close()

    def _hear(self, i: int, text: bytes) -> None:
        message = _heard.decode(text)
        if message.t in ("tick", "snapshot") and message.seq > self.newest[i]:
            self.newest[i] = message.seq
            if message.seq >= self._target and i in self._behind:
                self._behind.remove(i)
                if not self._behind:
                    self.last_at = time.monotonic()
                    self._all.set()

    def _lost(self, i: int, code: int) -> None:
        """A closed socket stays behind for ever, which ends as a failed pair."""
        if not self._closing:
            print(f"screen {i} was closed with {code}", file=sys.stderr)

    async def until(self, seq: int) -> bool:
        """Wait for all screens to show `seq`. False when that takes longer than anybody waits."""
        self._target, self.last_at = seq, time.monotonic()
        self._behind = {i for i, newest in enumerate(self.newest) if newest < seq}
        self._all.clear()
        if not self._behind:
            return True
        try:
            async with asyncio.timeout(GIVE_UP_S):
                await self._all.wait()
        except TimeoutError:
            return False
        return True


async def change(store: Store, drop: DropId, command: wire.FanCommand) -> outcomes.HoldGranted:
    """One command that must be granted."""
    (outcome,) = await store.press(drop, [(FanId("mover"), command)])
    assert isinstance(outcome, outcomes.HoldGranted), outcome
    return outcome


async def measure(pairs: int, screens: int, seed: int, say: Progress) -> list[float]:
    """How long each pair took until the last screen had it, ms; infinite when it never came."""
    dice = random.Random(seed)
    took: list[float] = []
    async with throwaway_shop(PROCESSES) as (running, store):
        drop = await opened(store, one_pool("last-change", cap=1))
        shown = Screens(screens)
        await shown.open(running.url, drop)
        say.say(f"{screens} screens at {PROCESSES} web processes, {pairs} pairs, seed {seed}")
        assert await shown.until(1), "the screens never got their first state"
        for pair in range(1, pairs + 1):
            gap_ms = dice.uniform(*GAP_MS)
            held = await change(store, drop, wire.Hold(0, f"hold-{pair}", "pin"))
            await asyncio.sleep(gap_ms / 1000)
            last = await change(store, drop, wire.Release(0, f"release-{pair}", held.id))
            changed_at = time.monotonic()
            came = await shown.until(last.seq)
            took.append((shown.last_at - changed_at) * 1000 if came else float("inf"))
            took[-1] = max(took[-1], 0.0)
            say.plain(f"pair {pair:3}: {gap_ms:4.1f} ms apart, everywhere after {took[-1]:5.1f} ms")
            await asyncio.sleep(dice.uniform(0, REST_S))
        shown.close()
    return took


def main(argv: list[str] | None = None) -> int:
    """0 when every pair was everywhere in time, 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.last_change_before_silence", description=__doc__
    )
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--screens", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(argv)
    with Progress() as say:
        took = uvloop.run(measure(given.pairs, given.screens, given.seed, say))
        worst = sorted(took)[-1]
        median = sorted(took)[len(took) // 2]
        late = sum(ms > WITHIN_MS for ms in took)
        say.say(
            f"{len(took)} pairs: median {median:.0f} ms, longest {worst:.0f} ms,"
            f" {late} later than {WITHIN_MS} ms"
        )
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
