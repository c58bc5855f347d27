"""The power fails, and the server's file ends at any byte: what was on disk is a sale in which
everything adds up, and what anybody was told was on disk.

CUTS=200 cuts as often; CUTS_OF_KEPT=50 at or behind what the disk was known to have.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from dropengine import outcomes
from dropengine.config import Settings
from dropengine.log import replay
from dropengine.log.referee import judge
from dropengine.model import DropId
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit.cut_log import Trace, newest, watching
from tests.kit.ending_processes import Ending
from tests.kit.manifests import HOLD_MS, item, manifest
from tests.kit.sale import Sale

CUTS = int(os.environ.get("CUTS") or 20)
CUTS_OF_KEPT = int(os.environ.get("CUTS_OF_KEPT") or 5)
SEED = int(os.environ.get("CUTS_SEED") or 61)
FANS, TURNS, TOGETHER = 12, 240, 8
DROP = DropId("cut")


@asynccontextmanager
async def store_of(one: EmbeddedServer) -> AsyncIterator[Store]:
    store = Store(connections.client(one.url))
    try:
        yield store
    finally:
        await store.close()


class Told(NamedTuple):
    """What a fan was told, and when."""

    at_s: float
    seq: int


class Crowd:
    """People who press, wait, pay and give back, several at once; what each was told."""

    def __init__(self, sale: Sale, seed: int) -> None:
        self.sale = sale
        self.dice = random.Random(seed)
        self.told: list[Told] = []
        self.charges = 0

    async def turns(self, number: int) -> None:
        for _ in range(number):
            answer = await self.turn(f"fan-{self.dice.randrange(FANS)}")
            if isinstance(answer, outcomes.Granted):
                self.told.append(Told(time.time(), answer.seq))  # type: ignore[attr-defined]

    async def turn(self, fan: str) -> object:
        holds = [name for name, hold in (await self.sale.you(fan)).holds if hold.state == "active"]
        verb = self.dice.choice(("hold", "join", "pay", "release", "buy", "wait"))
        if verb == "wait":
            self.sale.now += self.dice.choice((1_000, HOLD_MS // 4))
            return await self.sale.settle()
        if verb == "join":
            return await self.sale.join(fan, "pin", "lamp")
        if verb == "hold" or not holds:
            return await self.sale.hold(fan, self.dice.choice(("pin", "lamp")))
        if verb == "pay":
            return await self.sale.pay(fan, holds[0])
        if verb == "release":
            return await self.sale.release(fan, holds[0])
        self.charges += 1
        return await self.sale.succeeded(holds[0], f"c{self.charges}")


async def night(one: EmbeddedServer, seed: int) -> tuple[list[bytes], list[Told]]:
    """The log of a sale that ends with a kill, and what its people had been told."""
    async with store_of(one) as store:
        sale = Sale(store, DROP)
        sold = manifest(DROP, item("pin", {"pin": 9}), item("lamp", {"lamp": 2}), pace=0)
        await sale.publish(sold)
        await sale.creator("open")
        crowd = Crowd(sale, seed)
        await asyncio.gather(*(crowd.turns(TURNS // TOGETHER) for _ in range(TOGETHER)))
        whole = [line async for line in store.log(DROP)]
    assert one.pid is not None
    ending = Ending(one.pid)
    os.kill(one.pid, signal.SIGKILL)
    ending.wait()
    one.stop()
    return whole, crowd.told


async def left_of(settings: Settings, whole: list[bytes]) -> int:
    """How many events a server that starts now finds: the first ones of the log, and what it keeps
    is what they make."""
    with EmbeddedServer(settings) as one:
        async with store_of(one) as store:
            truth = await store.truth(DROP)
            lines = [line async for line in store.log(DROP)] if truth else []
    assert lines == whole[: len(lines)]
    if truth is not None:
        assert judge(lines).violations == []
        assert replay.difference(replay.fold_lines(lines), truth) == []
    return len(lines)


async def test_wherever_the_file_ends_the_server_has_the_beginning_of_a_sale(
    settings: Settings,
) -> None:
    with EmbeddedServer(settings) as one:
        whole, _ = await night(one, SEED)
    path = newest(settings)
    file = path.read_bytes()
    found = set()
    for cut in sorted(random.Random(SEED).sample(range(len(file)), CUTS), reverse=True):
        path.write_bytes(file[:cut])
        found.add(await left_of(settings, whole))
    # They lie all over the night.
    assert len(found) > min(CUTS, len(whole)) // 4
    print(f"{CUTS} cuts of {len(file)} bytes left {min(found)} to {max(found)} of {len(whole)}")


async def test_nothing_that_anybody_was_told_lies_behind_what_is_on_disk(
    settings: Settings, tmp_path: Path
) -> None:
    with EmbeddedServer(settings) as one:
        assert one.pid is not None
        with watching(one.pid, tmp_path / "trace"):
            before = newest(settings).stat().st_size
            whole, told = await night(one, SEED)
    trace = Trace(tmp_path / "trace", before)
    path = newest(settings)
    file = path.read_bytes()
    assert trace.written.bytes[-1] == len(file)
    dice = random.Random(SEED)
    moments = dice.sample(told, CUTS_OF_KEPT)
    for moment in sorted(moments, reverse=True):
        kept, written = trace.kept.by(moment.at_s), trace.written.by(moment.at_s)
        path.write_bytes(file[: dice.randint(kept, written)])
        known = max(one.seq for one in told if one.at_s <= moment.at_s)
        assert await left_of(settings, whole) >= known
    print(f"{len(told)} answers, {len(trace.kept.bytes)} times on disk, {CUTS_OF_KEPT} cuts")
