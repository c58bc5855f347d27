"""Is the capacity that a rehearsal predicts what a burst then has?
`python -m loadtest.capacity_pairs --pairs 5 --fans 2000`.

In turns, each in a fresh shop of its own and by the same people on the same machine: the ramp of a
rehearsal, and a real burst, in which everybody presses at the opening, and again at once after each
answer. Beside the ratio of each pair stands how far equal runs lie apart.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median

import msgspec

from dropengine import config
from dropengine.config import Settings
from dropengine.rehearsal import place
from dropengine.rehearsal.carrying import Carrying, opened
from dropengine.rehearsal.clone import clone
from dropengine.rehearsal.machine import Loads
from dropengine.rehearsal.passes import Passes
from dropengine.rehearsal.practice_drops import shipped
from dropengine.rehearsal.practice_shop import PracticeShop, play

BURST_S = 10.0
RAMP_S_MAX = 60.0
WITHIN = 0.25


class Pair(msgspec.Struct, frozen=True):
    """Presses a second. burst_p99_ms: how long answers took in the burst."""

    predicted: float
    burst: float
    burst_p99_ms: float

    @property
    def ratio(self) -> float:
        return self.burst / self.predicted if self.predicted else 0.0


async def one(settings: Settings, fans: int, *, ramps: bool) -> tuple[float, float]:
    """A shop for one measurement: presses a second, and the slowest of a hundred answers, ms."""
    with place.place(settings) as folder:
        shop = PracticeShop(place.own_shop(settings, folder))
        await shop.start()
        store = shop.store()
        drop = clone(shipped("eclipse-pin.toml"), 3).manifest
        carrying = Carrying(shop.settings, shop.url, store, drop, fans, lambda: Loads(dict))
        try:
            await opened(store, carrying.drop)
            passes = Passes(shop.settings)
            await carrying.pressers.arrive(passes.tickets(carrying.drop, carrying.seats))
            if ramps:
                ramp = await carrying.presses(time.monotonic() + RAMP_S_MAX)
                return ramp.held, 0.0
            burst = await carrying.pressers.flat_out(BURST_S)
            return burst.did, burst.p99_ms
        finally:
            await carrying.close()
            await store.close()
            await shop.stop()


async def pair(settings: Settings, fans: int, *, ramp_first: bool) -> Pair:
    """Both, one after the other; which is first changes from pair to pair."""
    found = {}
    for ramps in (ramp_first, not ramp_first):
        found[ramps] = await one(settings, fans, ramps=ramps)
    return Pair(found[True][0], *found[False])


async def pairs(settings: Settings, fans: int, count: int) -> list[Pair]:
    """So many, told as they come."""
    found = []
    for number in range(count):
        found.append(await pair(settings, fans, ramp_first=number % 2 == 0))
        last = found[-1]
        print(
            f"{number + 1}: predicted {last.predicted:,.0f}, burst {last.burst:,.0f} presses/s "
            f"(p99 {last.burst_p99_ms:,.0f} ms), ratio {last.ratio:.2f}",
            flush=True,
        )
    return found


def spread(values: list[float]) -> str:
    """How far equal runs lie apart: the least and the most beside their median."""
    middle = median(values)
    if not middle:
        return "nothing held"
    return f"{min(values) / middle:.2f} to {max(values) / middle:.2f} x {middle:,.0f}"


def main() -> int:
    """0 when the median of the ratios lies within a quarter of one."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.capacity_pairs", description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--fans", type=int, default=2_000)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    settings, _ = config.load(
        {"data_dir": Path("data"), "web_concurrency": asked.workers}, {}, None
    )
    found = play(pairs(settings, asked.fans, asked.pairs))
    middle = median(one.ratio for one in found)
    print(f"predicted: {spread([one.predicted for one in found])}")
    print(f"burst:     {spread([one.burst for one in found])}")
    print(f"median ratio {middle:.2f}, wanted {1 - WITHIN:.2f} to {1 + WITHIN:.2f}")
    return 0 if abs(middle - 1) <= WITHIN else 1


if __name__ == "__main__":
    sys.exit(main())
