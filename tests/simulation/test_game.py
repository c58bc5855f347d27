"""The game of a long line: friends move a fan up, and nobody back.

`GAME_FANS=10000 GAME_STEPS=300 pytest -s --timeout=0 tests/simulation/test_game.py` plays it at
full length. Everybody looks at his own screen, at one of two workers: points come and are taken
back, offers lapse, people leave, sign in and pay too late, more than one unit is free at once. The
log alone says then whether every promise of the line was kept, and every place on every screen is
held against it.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from random import Random

import pytest
import redis.asyncio as redis

from dropengine.manifest import Manifest
from dropengine.model import DropState, FanId
from dropengine.truth.store import Pointing
from tests.kit.cuts import CUTS, Cut, mutilated
from tests.kit.manifests import COOL_MS, OFFER_MS, item, manifest, playing
from tests.kit.private_server import Server
from tests.kit.rows import rows
from tests.kit.seeds import seeds
from tests.simulation.test_places import NORTH, POOLS, SOUTH, World, world

FANS = int(os.environ.get("GAME_FANS") or 240)
STEPS = int(os.environ.get("GAME_STEPS") or 60)
BATCH = 200
AT_ONCE = max(12, FANS // 250)
"""Of each pool so many units come at once, at the most."""
BAD = 0.1
"""Of the lines lose ticks."""
VERBS = {
    "point": 10,
    "stock": 5,
    "buy": 8,
    "lapse": 2,
    "wait": 2,
    "claim": 1,
    "release": 1,
    "leave": 1,
    "join": 1,
    "pay": 1,
    "late": 1,
    "refund": 1,
    "adopt": 1,
    "pause": 1,
}

OUT_OF_BASE = """ = score
  if which == 'places' and not score then t.zset.places[id .. '@' .. index] = false end"""
"""Whoever loses his points loses his place too."""
GUARDS = {
    "one call in k": (CUTS["one call in k"], "was promised a turn"),
    "a lapse after a boost call": (
        (
            Cut(
                "line/uncall",
                "= pool[P_LANE_COUNT] - 1 end",
                "= math.max(pool[P_LANE_COUNT] - 1, 0) end",
            ),
        ),
        "base calls early",
    ),
    "the most points first": (
        (Cut("line/line_score", "(POINTS_MAX - rank) * 2 ^ 32", "0 * 2 ^ 32"),),
        "boost place",
    ),
    "who moves in the boost lane": (
        (Cut("game/tell_boost", "to > 0 and to or -1}", "from > 0 and from or -1}"),),
        "boost place",
    ),
    "claw-back takes the second place alone": (
        (Cut("game/mark_boosted", "'+'] = score", "'+']" + OUT_OF_BASE),),
        "shown place",
    ),
}
"""What is taken out of the scripts, and a word of who must notice."""


class Game(World):
    """Most stand in line before anything is to be had; then all sorts of things happen, many at
    once."""

    verbs = VERBS

    async def line_up(self) -> None:
        coming = self.dice.sample(self.fans, len(self.fans) * 9 // 10)
        for start in range(0, len(coming), BATCH):
            await self.sale.batch(*((fan, self.joining()) for fan in coming[start : start + BATCH]))
        for number in range(2):
            await self.look(number)

    async def play(self) -> None:
        await self.line_up()
        await self.read()
        for _ in range(STEPS):
            for _ in range(self.dice.randint(2, 5)):
                await self.act()
                await self.read()
            await self.fault()
            for number in range(2):
                if self.dice.random() < 0.4:
                    await self.look(number, one_tick=self.dice.random() < 0.3)
            if self.dice.random() < 0.7:
                await self.ask()
        await self.come_to_rest()

    async def do_point(self) -> None:
        fans = self.dice.sample(self.fans, self.dice.randint(1, min(100, len(self.fans) // 4)))
        points = [self.dice.choice((0, 1, 1, 2, 3, 5, 40)) for _ in fans]
        await self.give(
            [
                Pointing(FanId(fan), next(self.book), many, "friend" if many else "taken_back")
                for fan, many in zip(fans, points, strict=True)
            ]
        )

    async def do_stock(self) -> None:
        for pool in POOLS:
            if kept := self.truth.pools[pool].withheld:
                qty = min(kept, self.dice.randint(1, AT_ONCE))
                await self.sale.creator("add", pool=pool, qty=qty)

    async def do_buy(self) -> None:
        for _ in range(self.dice.randint(1, 2 * AT_ONCE)):
            await super().do_buy()
            await self.read()

    async def do_pause(self) -> None:
        """For a moment, in which nobody is called."""
        await super().do_pause()
        await self.read()
        if self.truth.state == DropState.PAUSED and self.dice.random() < 0.8:
            await super().do_pause()

    async def do_lapse(self) -> None:
        """All offers that stand come back, and cool."""
        self.sale.now += self.dice.choice((OFFER_MS, OFFER_MS, COOL_MS))
        await self.sale.settle()


def long(drop: str, k: int) -> Manifest:
    """Nothing is for sale yet."""
    units = {NORTH: FANS, SOUTH: FANS // 2}
    return playing(
        manifest(drop, item("pin", units, most=2, withheld=units), limit=2, k=k), "guest"
    )


@pytest.mark.parametrize("k", rows((5, 2, 3, 10), (0, 1)))
@pytest.mark.parametrize("seed", seeds(1))
async def test_friends_move_a_fan_up_and_nobody_back(
    server: Server, client: redis.Redis, drop: str, tmp_path: Path, seed: int, k: int
) -> None:
    print(f"SIMULATION_SEED={seed}")
    make = partial(Game, dice=Random(seed), watchers=FANS, others=0, bad=BAD)
    async with world(server, client, long(drop, k), tmp_path / "book", make) as one:
        await one.play()
        lanes = await one.judge()
    calls = sum(line.calls for line in lanes.lines.values())
    boosts = sum(len(line.boosts) for line in lanes.lines.values())
    lapses = sum(len(line.lapsed) for line in lanes.lines.values())
    shown = {at for watcher in one.watchers for at in watcher.seen}
    shown_boost = {at for watcher in one.watchers for at in watcher.seen_boost}
    print(f"{FANS} fans, {calls} calls, {boosts} of them by boost, {lapses} base calls lapsed")
    print(f"{lanes.judged} promises, {len(shown)} places, {len(shown_boost)} boost places: 0 wrong")
    assert min(boosts, lapses, lanes.judged, len(shown), len(shown_boost)) > 0


@pytest.mark.parametrize("guard", rows(GUARDS, (0, 1)))
async def test_without_a_guard_the_judges_say_what_is_wrong(
    server: Server, client: redis.Redis, drop: str, tmp_path: Path, guard: str
) -> None:
    cuts, said = GUARDS[guard]
    make = partial(Game, dice=Random(0), watchers=FANS, others=0, bad=BAD)
    text, book = long(drop, 2), tmp_path / "book"
    async with world(server, client, text, book, make, mutilated(cuts)) as one:
        await one.play()
        _, wrong = await one.wrong()
    assert any(said in sentence for sentence in wrong), wrong[:3]
