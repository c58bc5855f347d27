"""What ten open panels cost those who press: `python -m loadtest.panels_open`.

One shop under the crowd of `bench hold_ws`; in turn without a panel, with so many on its drop, each
of them at the operators' socket, and without again: how far the two without lie apart is what the
machine does by itself. What is compared is CPU of worker and server a command: the panels read and
are told once a second, and no press may pay for it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
from collections.abc import AsyncIterator

import msgspec
import uvloop
import websockets
from sqlalchemy import Connection

from dropengine.model import DropId
from dropengine.people import api_keys, makers
from dropengine.people.roles import Scope
from dropengine.sql.database import Database
from dropengine.terminal.progress import Progress
from loadtest.bench.bench import Bench
from loadtest.bench.hold import RUN_S, Contender, our_contender
from loadtest.bench.machine import open_files_wide
from loadtest.bench.measured_shop import MeasuredShop

PROTOCOL = "studio.v1"
HEARD_BYTES_MAX = 4_000_000


class Told(msgspec.Struct):
    """Of a message: which, and up to which event."""

    t: str
    seq: int = 0


async def api_key(shop: MeasuredShop) -> str:
    """A key that may look at the drops of the shop's first maker, whose are all of them."""
    database = Database(shop.settings)

    def made(sql: Connection) -> str:
        now_ms = int(time.time() * 1000)
        maker = makers.first(sql)
        if maker is None:
            maker = makers.new("bench", "Bench", "#aa5500", now_ms)
            makers.make(sql, maker)
        return api_keys.make(sql, maker.id, "panels", Scope.READ, "bench", now_ms)[1]

    try:
        return await database.write(made)
    finally:
        await database.close()


async def panel(shop: MeasuredShop, drop: DropId, secret: str, ready: asyncio.Event) -> None:
    """Look at the drop until cancelled. ready: set once it was told of all that had happened when
    it came."""
    shown = await shop.store.show(drop)
    assert shown is not None
    async with websockets.connect(
        f"ws://{shop.host}/studio/drops/{drop}/live",
        subprotocols=[websockets.Subprotocol(PROTOCOL)],
        additional_headers={"authorization": f"Bearer {secret}"},
        max_size=HEARD_BYTES_MAX,
        proxy=None,
    ) as wire:
        async for text in wire:
            told = msgspec.json.decode(text, type=Told)
            if told.t == "desk" and told.seq >= shown.seq:
                ready.set()


@contextlib.asynccontextmanager
async def panels(shop: MeasuredShop, drop: DropId, secret: str, many: int) -> AsyncIterator[None]:
    """So many look, and none of them is behind any more."""
    ready = [asyncio.Event() for _ in range(many)]
    looking = [asyncio.create_task(panel(shop, drop, secret, one)) for one in ready]
    waiting = asyncio.create_task(_all_of(ready))
    try:
        # One that was refused ends, and nobody would wait for it for ever.
        await asyncio.wait([*looking, waiting], return_when=asyncio.FIRST_COMPLETED)
        for one in looking:
            if one.done():
                one.result()
        await waiting
        yield
    finally:
        waiting.cancel()
        for one in looking:
            one.cancel()
        await asyncio.gather(*looking, return_exceptions=True)


async def _all_of(events: list[asyncio.Event]) -> None:
    for one in events:
        await one.wait()


async def compare(
    bench: Bench, many: int, triples: int
) -> tuple[list[float], list[float], list[float]]:
    """CPU us a command without panels, with them, and without them again."""
    first: list[float] = []
    beside: list[float] = []
    again: list[float] = []
    async with bench.shop() as shop:
        secret = await api_key(shop)
        async with our_contender(bench, shop, http=False) as crowd:
            for turn in range(triples):
                bench.now(f"triple {turn + 1} of {triples}")
                first.append(await _cpu_us(bench, crowd))
                async with panels(shop, shop.drops[-1], secret, many):
                    beside.append(await _cpu_us(bench, crowd))
                again.append(await _cpu_us(bench, crowd))
    return first, beside, again


async def _cpu_us(bench: Bench, crowd: Contender) -> float:
    await crowd.run(bench.seconds(RUN_S))
    return crowd.runs[-1].cpu_us


def main() -> int:
    """0 where nothing was against the rules; the ratio is for the reader to judge."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.panels_open", description=__doc__)
    parser.add_argument("--panels", type=int, default=10)
    parser.add_argument("--triples", type=int, default=7, help="without, with, without")
    parser.add_argument("--quick", action="store_true", help="a small crowd, to see that it runs")
    given = parser.parse_args()
    open_files_wide()
    bench = Bench("panels_open", Progress(sys.stderr), given.quick, {}, [], {})
    first, beside, again = uvloop.run(compare(bench, given.panels, given.triples))
    without = [(a + b) / 2 for a, b in zip(first, again, strict=True)]
    ratios = [b / a for a, b in zip(without, beside, strict=True)]
    equal = [b / a for a, b in zip(first, again, strict=True)]
    print(f"without: {statistics.median(without):.1f} us a command of {_all(without)}")
    print(f"{given.panels} panels: {statistics.median(beside):.1f} us of {_all(beside)}")
    print(f"ratio: {statistics.median(ratios):.3f} of {_all(ratios, 3)}")
    print(f"without, by without: {statistics.median(equal):.3f} of {_all(equal, 3)}")
    for sentence in bench.violations:
        print(f"void: {sentence}")
    return 1 if bench.violations else 0


def _all(values: list[float], digits: int = 1) -> str:
    return ", ".join(f"{one:.{digits}f}" for one in values)


if __name__ == "__main__":
    sys.exit(main())
